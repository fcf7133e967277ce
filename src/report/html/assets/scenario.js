// The details of a scenario, built from its run events when it is opened.

/** The events of a scenario; nothing where there was no room for them. */
function eventsOf(number) {
  const data = document.getElementById(`data-${number}`);
  if (!data) return null;
  // What a probe reads may be more than a number of this language can hold.
  return JSON.parse(data.textContent, (key, value, context) =>
    (key === "before" || key === "after") && context?.source ? context.source : value);
}

/** Builds the details once. */
function buildDetail(row) {
  if (row.dataset.built) return;
  row.dataset.built = "yes";
  const events = eventsOf(row.dataset.number);
  if (!events) return;
  const of = (kind) => events.filter((event) => event.event === kind);
  const [started] = of("scenario_started");
  const [effects] = of("effects_ended");
  const [snapshot] = of("snapshot_compared");
  const [ended] = of("scenario_ended");
  const attempts = of("attempt_ended");
  const steps = of("step_ended");
  const box = row.querySelector(".detail");

  const views = new Map();
  const show = (attempt) => {
    const view = views.get(attempt);
    view.open = true;
    const summary = view.querySelector("summary");
    summary.focus({ preventScroll: true });
    view.scrollIntoView({ block: "start" });
  };
  const wide = box.clientWidth || row.clientWidth;
  // Without the labels of the lanes, which stand above them on a narrow screen.
  const trackWidth = wide < 640 ? wide - 60 : wide - 280;
  const leftOut = Number(row.dataset.attempts) - attempts.length;

  box.replaceChildren(...[
    head(started),
    troubles(steps, effects, snapshot, started.source),
    snapshot ? snapshotView(snapshot) : null,
    attempts.length > 0 ? timeline(attempts, trackWidth, show) : null,
    leftOut > 0 ? element("p", { class: "note" }, `${counted(leftOut, "attempt")} left out here; the reports json and har have them.`) : null,
    stepsView(steps, attempts, views),
    effects ? effectsView(effects) : null,
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

const isTrouble = (check) => !["passed", "not_checked"].includes(check.verdict);

function troubles(steps, effects, snapshot, known) {
  const found = [];
  const difference = (check, where) => differenceView(check, where, known);
  for (const step of steps) {
    const where = `step ${step.step}: ${step.description}`;
    for (const delivery of step.deliveries) {
      const which = step.deliveries.length > 1 ? `, delivery ${delivery.delivery} of ${step.deliveries.length}` : "";
      found.push(...delivery.checks.filter(isTrouble).map((check) => difference(check, where + which)));
    }
    if (step.not_made && isTrouble(step.not_made)) found.push(difference(step.not_made, where));
  }
  found.push(...(effects?.checks ?? []).filter(isTrouble).map((check) => difference(check, "effects")));
  if (snapshot?.check && isTrouble(snapshot.check)) found.push(difference(snapshot.check, "snapshot"));
  if (found.length === 0) return null;
  return element("section", { class: "differences" }, element("h3", {}, "What went wrong"), found);
}

/** A check that does not hold: expected above observed, with what differs marked. Its source is told
 * where it is not that of the scenario, which is `known`. */
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

/** Two texts with the part marked in which they differ, where most of them is the same. */
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
  const wrong = isTrouble(check);
  return element("li", { class: `check ${check.verdict}` }, verdictMark(check.verdict), " ",
    element("b", {}, visible(check.subject)), " ",
    wrong || check.expected !== check.observed
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

/** The attempts; the last one, which expectations are about, is open where they failed. */
function attemptsView(attempts, failed, views) {
  return attempts.map((attempt, index) => {
    const view = attemptView(attempt, failed && index === attempts.length - 1);
    views.set(attempt, view);
    return view;
  });
}

function effectsView(effects) {
  const parts = [element("h3", {}, "Effects")];
  if (effects.readings.length > 0) {
    const cells = effects.readings.map((reading) => element("tr", {},
      element("td", {}, visible(reading.probe)), element("td", {}, visible(reading.player_id)), element("td", {}, visible(reading.sku)),
      element("td", { class: "amount" }, String(reading.before)), element("td", { class: "amount" }, String(reading.after)),
      element("td", { class: "amount change" }, change(reading))));
    const titles = ["probe", "player", "SKU", "before", "after", "change"];
    parts.push(element("div", { class: "scrolls", tabindex: "0", role: "region", "aria-label": "What the probes read" },
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
  return all > shown ? element("p", { class: "note" }, `${counted(all - shown, "check")} left out here; the report json has them.`) : null;
}
