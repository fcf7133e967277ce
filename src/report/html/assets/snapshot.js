// The snapshot of a scenario.

const SNAPSHOT_OUTCOMES = {
  as_reviewed: "unchanged",
  differs: "differs",
  missing: "missing",
  written: "written",
  unusable: "can't be used",
  not_compared: "not compared",
};

function snapshotView(compared) {
  const outcome = SNAPSHOT_OUTCOMES[compared.outcome] ?? compared.outcome;
  return element("section", { class: "snapshot" }, element("h3", {}, "Snapshot"),
    element("p", { class: "meta" }, element("code", {}, visible(compared.file)), element("span", {}, visible(outcome))),
    compared.difference ? unifiedDiff(compared.difference) : null);
}

/** A unified diff, each line colored by its sign. */
function unifiedDiff(text) {
  const lines = text.replace(/\n$/, "").split("\n");
  return element("pre", { class: "body diff", tabindex: "0", "aria-label": "Difference: - reviewed, + this run" },
    lines.map((line) => element("span", { class: DIFF_LINES[line[0]] ?? "same" }, visible(line), "\n")));
}

const DIFF_LINES = { "+": "added", "-": "removed", "@": "hunk" };
