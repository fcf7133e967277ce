// The attempts of a scenario on the virtual clock: one lane per delivery, each starting at 0.

const LANE_LIMIT = 60;
const ROW_HEIGHT = 26;
// The minimum width of a bar, in pixels.
const BAR_WIDTH = 8;
// Room for a status at the end of the track.
const END_WIDTH = 44;
// Possible distances between ticks of the axis, in seconds.
const STEPS = [
  ...[1e-4, 1e-3, 1e-2, 1e-1].flatMap((power) => [power, 2 * power, 5 * power]),
  ...[1, 60].flatMap((unit) => [1, 2, 5, 10, 15, 30].map((count) => count * unit)),
  ...[1, 2, 6, 12].map((hours) => hours * 3600), ...[1, 2, 7, 30, 90, 365].map((days) => days * 86400),
];

/** The position of a time, from 0 to 1, and the ticks of the axis. */
function scale(attempts, width) {
  const room = Math.max(0.5, 1 - END_WIDTH / width);
  const starts = attempts.map((attempt) => attempt.virtual_offset_seconds);
  const ends = attempts.map((attempt) => attempt.virtual_offset_seconds + attempt.took_seconds);
  const end = Math.max(...ends, 0.001);
  const gaps = [...new Set(starts.map((start) => Math.round(start * 1000)))].sort((a, b) => a - b)
    .map((start, index, all) => (index === 0 ? end : (start - all[index - 1]) / 1000));
  // Backoff grows, so on a linear axis the first attempts could overlap.
  const logarithmic = Math.min(...gaps) / end < 0.04;
  if (!logarithmic) {
    const step = STEPS.find((size) => size >= end / 5) ?? end;
    const ticks = [];
    for (let tick = 0; tick <= end; tick += step) ticks.push(tick);
    return { position: (seconds) => room * seconds / end, ticks, logarithmic };
  }
  const unit = 0.05;
  const position = (seconds) => room * Math.log1p(seconds / unit) / Math.log1p(end / unit);
  const ticks = [];
  for (const tick of [0, ...STEPS.filter((step) => step >= 0.1)]) {
    const last = ticks.at(-1);
    if (tick <= end && (last === undefined || position(tick) - position(last) > 0.11)) ticks.push(tick);
  }
  return { position, ticks, logarithmic };
}

/** How an attempt ended, as a label, and its CSS class. */
function outcome(attempt) {
  const response = attempt.answer.response;
  if (!response) {
    // `answer_lost` is a name in the JSON report.
    const name = attempt.answer.failure.name.replace("answer", "response");
    return { label: name.replaceAll("_", " "), kind: "unanswered" };
  }
  return { label: String(response.status), kind: response.status < 300 ? "accepted" : "denied" };
}

/** The marks of a fault or a forgery. */
function marks(attempt) {
  const found = [];
  if (attempt.fault) found.push(element("span", { class: "special fault" }, element("span", { "aria-hidden": "true" }, "↯ "), `fault ${attempt.fault}`));
  if (attempt.forgery) found.push(element("span", { class: "special forgery" }, element("span", { "aria-hidden": "true" }, "⚑ "), `forged ${attempt.forgery}`));
  return found;
}

/** The lanes, for a track of `width` pixels; `show` opens an attempt. */
function timeline(attempts, width, show) {
  const lanes = new Map();
  for (const attempt of attempts) {
    const key = `${attempt.step} ${attempt.delivery}`;
    if (!lanes.has(key)) lanes.set(key, []);
    lanes.get(key).push(attempt);
  }
  const ofStep = (step) => [...lanes.values()].filter(([first]) => first.step === step).length;
  const drawn = [...lanes.values()].slice(0, LANE_LIMIT);
  const { position, ticks, logarithmic } = scale(drawn.flat(), width);
  const percent = (part) => `${(part * 100).toFixed(3)}%`;
  const axis = element("div", { class: "axis", "aria-hidden": "true" }, ticks.map((tick) => {
    const label = element("span", {}, tick === 0 ? "+0 s" : duration(tick));
    label.style.left = percent(position(tick));
    if (position(tick) > 0.93) label.classList.add("last");
    return label;
  }));
  const rows = drawn.map((lane) => {
    const [first] = lane;
    const several = ofStep(first.step) > 1;
    const title = [`step ${first.step}`, several ? `delivery ${first.delivery}` : null].filter(Boolean).join(", ");
    return element("div", { class: "lane" },
      element("div", { class: "lane-label" }, element("span", {}, title), first.event_name ? element("span", { class: "event" }, first.event_name) : null),
      track(lane, { position, ticks, percent, width, show }));
  });
  const hidden = lanes.size - drawn.length;
  return element("figure", { class: "timeline" },
    element("figcaption", {}, element("h3", {}, "Timeline"),
      element("span", { class: "note" }, `virtual clock, from the start of each delivery${logarithmic ? "; logarithmic scale" : ""}`)),
    element("div", { class: "lanes" }, rows, element("div", { class: "lane" }, element("div", { class: "lane-label" }), axis)),
    hidden > 0 ? element("p", { class: "note" }, hidden === 1 ? "… and 1 more delivery" : `… and ${hidden} more deliveries`) : null,
    element("p", { class: "legend" },
      element("span", { class: "key accepted" }, "2xx response"), element("span", { class: "key denied" }, "other response"),
      element("span", { class: "key unanswered" }, "no response received"), element("span", { class: "key backoff" }, "backoff")));
}

function track(lane, { position, ticks, percent, width, show }) {
  const box = element("div", { class: "track" });
  for (const tick of ticks) {
    const line = element("i", { class: "tick" });
    line.style.left = percent(position(tick));
    box.append(line);
  }
  // The end of the used part of each row, in pixels. What would overlap goes to the next row.
  const taken = [];
  let before = null;
  for (const attempt of lane) {
    const start = attempt.virtual_offset_seconds;
    const from = position(start);
    const share = position(start + attempt.took_seconds) - from;
    const { label: status, kind } = outcome(attempt);
    const special = marks(attempt);
    const text = [status, ...special.map((mark) => mark.textContent)].join(" ");
    const begins = from * width;
    let row = taken.findIndex((end) => end <= begins);
    if (row < 0) row = taken.length;
    const barEnds = begins + Math.max(BAR_WIDTH, share * width);
    const labelWidth = 12 + text.length * 7.2;
    // A label that would leave the track goes before its bar or, if there is no room, below.
    const leaves = barEnds + labelWidth > width;
    const flips = leaves && begins > labelWidth && begins - labelWidth >= (taken[row] ?? 0);
    const below = leaves && !flips;
    taken[row] = barEnds + (flips || below ? 6 : labelWidth);
    if (below) taken[row + 1] = width;
    if (before) box.append(gapView(before, { row, begins, start, labelWidth: flips ? labelWidth : 0 }, percent, width));
    const label = element("span", { class: "bar-label" }, element("span", {}, status), special);
    if (below) label.style.marginLeft = `${Math.min(0, width - labelWidth - begins)}px`;
    const bar = element("button", {
      type: "button",
      class: `bar ${kind}${flips ? " flips" : ""}${below ? " below" : ""}`,
      title: `attempt ${attempt.attempt} at ${offset(start)}, took ${duration(attempt.took_seconds)}: ${text}`,
      "aria-label": `attempt ${attempt.attempt} at ${offset(start)}, took ${duration(attempt.took_seconds)}: ${text}`,
      onclick: () => show(attempt),
    }, element("i", { class: "span" }), label);
    bar.style.left = percent(from);
    bar.style.width = `max(${BAR_WIDTH}px, ${percent(share)})`;
    bar.style.top = `${row * ROW_HEIGHT}px`;
    box.append(bar);
    before = { row, taken: taken[row], finished: start + attempt.took_seconds };
  }
  box.style.height = `${Math.max(1, taken.length) * ROW_HEIGHT}px`;
  return box;
}

/** The line between two attempts: the backoff, with its duration if there is room. */
function gapView(before, next, percent, width) {
  const ends = next.begins - (next.row === before.row ? next.labelWidth : 0);
  const waited = next.start - before.finished;
  if (waited < 0.001 || ends <= before.taken) return "";
  const gap = element("span", { class: "gap", "aria-hidden": "true" });
  if (ends - before.taken > 70) gap.append(element("b", {}, duration(waited)));
  gap.style.left = percent(before.taken / width);
  gap.style.width = percent((ends - before.taken) / width);
  gap.style.top = `${before.row * ROW_HEIGHT}px`;
  return gap;
}
