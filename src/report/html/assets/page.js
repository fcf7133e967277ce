// Connects the parts of the page. Runs after all other parts of the script.

document.body.append(element("p", { id: "announcement", class: "unseen", role: "status" }));
for (const hidden of document.querySelectorAll(".theme, .filters, .keys")) hidden.hidden = false;

for (const chip of chips) {
  chip.addEventListener("click", () => {
    chip.setAttribute("aria-pressed", String(chip.getAttribute("aria-pressed") === "false"));
    applyFilters();
  });
}
textField.addEventListener("input", applyFilters);
tagField?.addEventListener("change", applyFilters);
orderField.addEventListener("change", applyOrder);
expandButton.addEventListener("click", expandAll);
document.querySelector("#clear").addEventListener("click", clearFilters);
document.querySelector(".filters").addEventListener("submit", (event) => event.preventDefault());

list.addEventListener("toggle", (event) => {
  const row = event.target.parentElement;
  if (event.target.open && rows.includes(row)) open(row);
}, true);
rows.filter((row) => row.querySelector("details").open).forEach(open);

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  const typing = event.target.matches?.("input, textarea, select");
  if (event.key === "Escape" && (typing || event.target === document.body)) {
    clearFilters();
    event.target.blur?.();
  }
  if (typing) return;
  const action = {
    "/": () => textField.focus(),
    j: () => step(1),
    k: () => step(-1),
    x: expandAll,
  }[event.key];
  if (!action) return;
  event.preventDefault();
  action();
});

// Keeps scroll targets from being hidden behind the sticky filters.
const filters = document.querySelector(".filters");
new ResizeObserver(() => {
  const isSticky = getComputedStyle(filters).position === "sticky";
  document.documentElement.style.scrollPaddingTop = isSticky ? `${filters.offsetHeight}px` : "";
}).observe(filters);

const themeField = document.querySelector("#theme");
function applyTheme() {
  if (themeField.value) document.documentElement.dataset.theme = themeField.value;
  else delete document.documentElement.dataset.theme;
}
// A browser may refuse storage to a page from a file; then the choice lasts as long as the page.
try {
  themeField.value = localStorage.getItem("aghook-theme") ?? "";
} catch { /* no storage */ }
themeField.addEventListener("change", () => {
  applyTheme();
  try {
    localStorage.setItem("aghook-theme", themeField.value);
  } catch { /* no storage */ }
});
applyTheme();

addEventListener("hashchange", openLinked);
applyFilters();
openLinked();
