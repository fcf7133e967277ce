// The details of a scenario, built from its run events when it is opened.

/** The events of a scenario, or null if there was no room for them. */
function eventsOf(number) {
  const data = document.getElementById(`data-${number}`);
  if (!data) return null;
  // A probe's numbers can exceed the safe integers of JavaScript.
  return JSON.parse(data.textContent, (key, value, context) =>
    (key === "before" || key === "after") && context?.source ? context.source : value);
}

/** Builds the details on the first call. */
function buildDetail(row) {
  if (row.dataset.built) return;
  row.dataset.built = "yes";
  const events = eventsOf(row.dataset.number);
  if (!events) return;
  const eventsNamed = (name) => events.filter((event) => event.event === name);
  const [started] = eventsNamed("scenario_started");
  const [effects] = eventsNamed("effects_ended");
  const [snapshot] = eventsNamed("snapshot_compared");
  const [ended] = eventsNamed("scenario_ended");
  const attempts = eventsNamed("attempt_ended");
  const steps = eventsNamed("step_ended");
  const box = row.querySelector(".detail");

  const views = new Map();
  const show = (attempt) => {
    const view = views.get(attempt);
    view.open = true;
    const summary = view.querySelector("summary");
    summary.focus({ preventScroll: true });
    view.scrollIntoView({ block: "start" });
  };
  const width = box.clientWidth || row.clientWidth;
  // Lane labels are beside the track, but above it on a narrow screen.
  const trackWidth = width < 640 ? width - 60 : width - 280;
  const leftOut = Number(row.dataset.attempts) - attempts.length;

  box.replaceChildren(...[
    head(started),
    problemsView(steps, effects, snapshot, started.source),
    snapshot ? snapshotView(snapshot) : null,
    attempts.length > 0 ? timeline(attempts, trackWidth, show) : null,
    leftOut > 0 ? element("p", { class: "note" }, `${counted(leftOut, "attempt")} not shown here; the reports json and har have them.`) : null,
    stepsView(steps, attempts, views),
    effects ? effectsView(effects, box.querySelector(".traces")) : null,
    countNote(steps, effects, snapshot, ended),
  ].filter(Boolean));
}

function head(started) {
  const meta = [
    element("code", {}, visible(`${started.file}:${started.line}`)),
    element("span", {}, `level ${started.level}`),
    ...started.tags.map((tag) => element("button", { type: "button", class: "tag", title: `Show only scenarios tagged ${tag}`, onclick: () => chooseTag(tag) }, tag)),
    element("a", { href: `#scenario-${started.scenario}` }, "link to this scenario"),
  ];
  return element("div", { class: "head" },
    started.about ? element("p", { class: "about" }, visible(started.about)) : null,
    element("p", { class: "meta" }, meta),
    started.source ? element("p", { class: "note" }, "Source: ", visible(started.source)) : null);
}

const isProblem = (check) => !["passed", "not_checked"].includes(check.verdict);

function problemsView(steps, effects, snapshot, known) {
  const found = [];
  const difference = (check, where) => differenceView(check, where, known);
  for (const step of steps) {
    const where = `step ${step.step}: ${step.description}`;
    for (const delivery of step.deliveries) {
      const which = step.deliveries.length > 1 ? `, delivery ${delivery.delivery} of ${step.deliveries.length}` : "";
      found.push(...delivery.checks.filter(isProblem).map((check) => difference(check, where + which)));
    }
    if (step.not_made && isProblem(step.not_made)) found.push(difference(step.not_made, where));
  }
  found.push(...(effects?.checks ?? []).filter(isProblem).map((check) => difference(check, "effects")));
  if (snapshot?.check && isProblem(snapshot.check)) found.push(difference(snapshot.check, "snapshot"));
  if (found.length === 0) return null;
  return element("section", { class: "differences" }, element("h3", {}, "Problems"), found);
}

/** A check that did not pass: expected above observed, with the difference marked. Its source is shown
 * unless it is that of the scenario, `known`. */
function differenceView(check, where, known) {
  const [expected, observed] = marked(check.expected, check.observed);
  return element("article", { class: `difference ${check.verdict}` },
    element("h4", {}, verdictMark(check.verdict), " ", element("span", { class: "subject" }, visible(check.subject)),
      element("span", { class: "where" }, visible(where), check.level === "should" ? " · should" : "")),
    element("dl", { class: "sides" },
      element("div", { class: "expected" }, element("dt", {}, "expected"), element("dd", {}, expected)),
      element("div", { class: "observed" }, element("dt", {}, "observed"), element("dd", {}, observed))),
    check.hint ? element("p", { class: "hint" }, "→ ", visible(check.hint)) : null,
    check.source && check.source !== known ? element("p", { class: "note" }, "Source: ", visible(check.source)) : null);
}

/** Marks the part in which two texts differ, if most of them is the same. */
function marked(one, other) {
  const shorter = Math.min(one.length, other.length);
  let start = 0;
  while (start < shorter && one[start] === other[start]) start += 1;
  let end = 0;
  while (end < shorter - start && one.at(-1 - end) === other.at(-1 - end)) end += 1;
  if (start + end < 4 || (start + end) * 2 < shorter) return [visible(one), visible(other)];
  const parts = (text) => [visible(text.slice(0, start)), element("mark", {}, visible(text.slice(start, text.length - end))), visible(text.slice(text.length - end))];
  return [parts(one), parts(other)];
}

function checkLine(check) {
  const hasProblem = isProblem(check);
  return element("li", { class: `check ${check.verdict}` }, verdictMark(check.verdict), " ",
    element("b", {}, visible(check.subject)), " ",
    hasProblem || check.expected !== check.observed
      ? element("span", { class: "note" }, "expected ", element("code", {}, visible(check.expected)), check.verdict === "not_checked" ? ": " : ", observed ",
        check.verdict === "not_checked" ? visible(check.observed) : element("code", {}, visible(check.observed)),
        check.verdict === "not_checked" && check.hint ? [" → ", visible(check.hint)] : null)
      : element("code", {}, visible(check.observed)));
}

function stepsView(steps, attempts, views) {
  if (steps.length === 0) return null;
  return element("section", { class: "steps" }, element("h3", {}, "Steps"), steps.map((step) =>
    element("section", { class: "step" },
      element("h4", {}, element("span", { class: "number" }, String(step.step)), visible(step.description)),
      step.deliveries.map((delivery) => deliveryView(step, delivery, attempts, views)),
      step.not_made ? element("ul", { class: "checks" }, checkLine(step.not_made)) : null,
      step.deliveries.length === 0 ? attemptsView(attempts.filter((attempt) => attempt.step === step.step), false, views) : null)));
}

function deliveryView(step, delivery, attempts, views) {
  const own = attempts.filter((attempt) => attempt.step === step.step && attempt.delivery === delivery.delivery);
  const failed = delivery.checks.some((check) => ["failed", "broken"].includes(check.verdict));
  const title = [
    step.deliveries.length > 1 ? `delivery ${delivery.delivery}` : null,
    delivery.event_name,
    delivery.outcome ? `${delivery.outcome} after ${counted(delivery.attempts, "attempt")}` : null,
  ].filter(Boolean).join(" · ");
  return element("div", { class: "delivery" },
    title ? element("p", { class: "note" }, visible(title)) : null,
    attemptsView(own, failed, views),
    delivery.checks.length > 0 ? element("ul", { class: "checks" }, delivery.checks.map(checkLine)) : null);
}

/** The attempts. If a check failed, the last one, which expectations are about, is open. */
function attemptsView(attempts, failed, views) {
  return attempts.map((attempt, index) => {
    const view = attemptView(attempt, failed && index === attempts.length - 1);
    views.set(attempt, view);
    return view;
  });
}

/** The effects, with the deliveries of the failed ones, which the page has already. */
function effectsView(effects, traces) {
  const parts = [element("h3", {}, "Effects")];
  if (traces) parts.push(traces);
  if (effects.readings.length > 0) {
    const cells = effects.readings.map((reading) => element("tr", {},
      element("td", {}, visible(reading.probe)), element("td", {}, visible(reading.player_id)), element("td", {}, visible(reading.sku)),
      element("td", { class: "amount" }, String(reading.before)), element("td", { class: "amount" }, String(reading.after)),
      element("td", { class: "amount change" }, change(reading))));
    const titles = ["probe", "player", "SKU", "before", "after", "change"];
    parts.push(element("div", { class: "scrolls", tabindex: "0", role: "region", "aria-label": "Probe readings" },
      element("table", {}, element("thead", {}, element("tr", {}, titles.map((title, index) => element("th", { scope: "col", class: index > 2 ? "amount" : null }, title)))),
        element("tbody", {}, cells))));
  }
  if (effects.checks.length > 0) parts.push(element("ul", { class: "checks" }, effects.checks.map(checkLine)));
  return element("section", { class: "effects" }, parts);
}

function change({ before, after }) {
  const difference = BigInt(after) - BigInt(before);
  if (difference === 0n) return "none";
  return difference > 0n ? `+${difference}` : `−${-difference}`;
}

function countNote(steps, effects, snapshot, ended) {
  const deliveries = steps.flatMap((step) => step.deliveries);
  const shown = deliveries.flatMap((delivery) => delivery.checks).length + steps.filter((step) => step.not_made).length + (effects?.checks.length ?? 0) + (snapshot?.check ? 1 : 0);
  const all = Object.values(ended.checks).reduce((sum, count) => sum + count, 0);
  return all > shown ? element("p", { class: "note" }, `${counted(all - shown, "check")} not shown here; the report json has them.`) : null;
}
