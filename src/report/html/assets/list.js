// The list of scenarios: filters, order, and opening.

const list = document.querySelector(".scenarios");
const rows = [...list.children];
const chips = [...document.querySelectorAll(".chip")];
const textField = document.querySelector("#text");
const tagField = document.querySelector("#tag");
const orderField = document.querySelector("#order");
const expandButton = document.querySelector("#expand");
const WORST_FIRST = Object.keys(VERDICTS);
// How many scenarios are opened before the page is drawn again.
const BATCH_SIZE = 20;

const shownRows = () => rows.filter((row) => !row.hidden);

/** The text that the text filter searches. */
function searchText(row) {
  row.searchText ??= row.textContent.toLowerCase();
  return row.searchText;
}

// Read before a row is opened, since its details contain tags too.
function tagsOf(row) {
  row.tags ??= [...row.querySelectorAll("summary .tag")].map((tag) => tag.textContent);
  return row.tags;
}

/** Shows the rows that match all filters. */
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

/** Shows only the scenarios with a tag. */
function chooseTag(tag) {
  tagField.value = tag;
  applyFilters();
  tagField.focus();
}

function applyOrder() {
  const by = {
    worst: (row) => WORST_FIRST.indexOf(row.dataset.verdict),
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

/** Opens all shown scenarios, or closes them, in batches so that the page stays responsive. */
function expandAll() {
  const opens = expandButton.textContent === "Expand all";
  expandButton.textContent = opens ? "Collapse all" : "Expand all";
  const waiting = shownRows();
  const nextBatch = () => {
    // Stop if the button was pressed again.
    if (opens !== (expandButton.textContent === "Collapse all")) return;
    for (const row of waiting.splice(0, opens ? BATCH_SIZE : Infinity)) {
      if (opens) open(row);
      else row.querySelector("details").open = false;
    }
    if (waiting.length > 0) requestAnimationFrame(nextBatch);
    else announce(opens ? "All expanded" : "All collapsed");
  };
  nextBatch();
}

/** Moves to the next or the previous scenario. */
function step(by) {
  const shown = shownRows();
  const present = shown.indexOf(document.activeElement?.closest?.(".scenarios > li"));
  const next = present < 0 ? (by > 0 ? 0 : -1) : present + by;
  const row = shown.at(Math.min(next, shown.length - 1));
  if (!row || next < -1 || (present === 0 && by < 0)) return;
  row.querySelector("summary").focus();
  row.scrollIntoView({ block: "nearest" });
}

/** Opens the scenario that the URL names. */
function openLinked() {
  const linked = /^#scenario-\d+$/.test(location.hash) && document.querySelector(location.hash);
  if (!linked) return;
  const row = linked.closest("li");
  if (row.hidden) clearFilters();
  open(row);
  row.querySelector("summary").focus({ preventScroll: true });
  row.scrollIntoView({ block: "start" });
}
