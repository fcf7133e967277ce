// The list: which scenarios are shown, in which order, and which are open.

const list = document.querySelector(".scenarios");
const rows = [...list.children];
const chips = [...document.querySelectorAll(".chip")];
const textField = document.querySelector("#text");
const tagField = document.querySelector("#tag");
const orderField = document.querySelector("#order");
const expandButton = document.querySelector("#expand");
const GRAVEST = Object.keys(VERDICTS);
// How many scenarios are opened before the page is drawn again.
const AT_A_TIME = 20;

const shownRows = () => rows.filter((row) => !row.hidden);

/** What the text filter looks through. */
function searchText(row) {
  row.searchText ??= row.textContent.toLowerCase();
  return row.searchText;
}

// Read before anything is opened, since details change what a row has.
function tagsOf(row) {
  row.tags ??= [...row.querySelectorAll("summary .tag")].map((tag) => tag.textContent);
  return row.tags;
}

/** Shows the rows that all filters let through. */
function applyFilters() {
  const verdicts = chips.filter((chip) => chip.getAttribute("aria-pressed") === "true").map((chip) => chip.dataset.verdict);
  const words = textField.value.toLowerCase().split(/\s+/).filter(Boolean);
  const tag = tagField?.value ?? "";
  let count = 0;
  for (const row of rows) {
    const shown = (verdicts.length === 0 || verdicts.includes(row.dataset.verdict))
      && (tag === "" || tagsOf(row).includes(tag))
      && words.every((word) => searchText(row).includes(word));
    row.hidden = !shown;
    if (shown) count += 1;
  }
  const filtered = count < rows.length;
  document.querySelector(".shown").textContent = filtered ? `${count} of ${counted(rows.length, "scenario")} shown` : counted(rows.length, "scenario");
  document.querySelector(".none").hidden = count > 0;
}

function clearFilters() {
  for (const chip of chips) chip.setAttribute("aria-pressed", "false");
  textField.value = "";
  if (tagField) tagField.value = "";
  applyFilters();
}

/** Shows the scenarios with a tag alone. */
function chooseTag(tag) {
  tagField.value = tag;
  applyFilters();
  tagField.focus();
}

function applyOrder() {
  const by = {
    gravest: (row) => GRAVEST.indexOf(row.dataset.verdict),
    number: () => 0,
    slowest: (row) => -Number(row.dataset.took),
  }[orderField.value];
  const sorted = rows.map((row) => [by(row), Number(row.dataset.number), row]);
  sorted.sort((one, other) => one[0] - other[0] || one[1] - other[1]);
  list.append(...sorted.map(([, , row]) => row));
  rows.splice(0, rows.length, ...sorted.map(([, , row]) => row));
}

/** Opens a scenario with its details. */
function open(row) {
  searchText(row);
  tagsOf(row);
  const details = row.querySelector("details");
  details.open = true;
  buildDetail(row);
  return details;
}

/** Opens all that are shown, or closes all. The page stays in use meanwhile. */
function expandAll() {
  const opens = expandButton.textContent === "Expand all";
  expandButton.textContent = opens ? "Collapse all" : "Expand all";
  const waiting = shownRows();
  const some = () => {
    // Another press in between turns it round.
    if (opens !== (expandButton.textContent === "Collapse all")) return;
    for (const row of waiting.splice(0, opens ? AT_A_TIME : Infinity)) {
      if (opens) open(row);
      else row.querySelector("details").open = false;
    }
    if (waiting.length > 0) requestAnimationFrame(some);
    else announce(opens ? "All are expanded" : "All are collapsed");
  };
  some();
}

/** Goes to the next scenario, or the one before. */
function step(by) {
  const shown = shownRows();
  const present = shown.indexOf(document.activeElement?.closest?.(".scenarios > li"));
  const next = present < 0 ? (by > 0 ? 0 : -1) : present + by;
  const row = shown.at(Math.min(next, shown.length - 1));
  if (!row || next < -1 || (present === 0 && by < 0)) return;
  row.querySelector("summary").focus();
  row.scrollIntoView({ block: "nearest" });
}

/** Opens the scenario that the address names. */
function openLinked() {
  const linked = /^#scenario-\d+$/.test(location.hash) && document.querySelector(location.hash);
  if (!linked) return;
  const row = linked.closest("li");
  if (row.hidden) clearFilters();
  open(row);
  row.querySelector("summary").focus({ preventScroll: true });
  row.scrollIntoView({ block: "start" });
}
