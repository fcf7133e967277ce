// Helpers that build the page. Text from a run is inserted as text, never as markup.

/** An element with attributes, listeners (`onclick`) and children. */
function element(name, attributes = {}, ...children) {
  const created = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (typeof value === "function") created.addEventListener(key.slice(2), value);
    else if (value === true) created.setAttribute(key, "");
    else if (value !== false && value !== undefined && value !== null) created.setAttribute(key, value);
  }
  created.append(...children.flat(Infinity).filter((child) => child !== null && child !== undefined));
  return created;
}

// Control characters, invisible characters, and marks that change the text direction.
const UNSEEN = /([\u0000-\u0008\u000b-\u001f\u007f-\u009f\u00ad\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff])/;

/** Text with invisible characters shown as their code points. */
function visible(text) {
  return String(text).split(UNSEEN).map((part, index) =>
    index % 2 ? element("span", { class: "unseen-character" }, `\\u{${part.codePointAt(0).toString(16)}}`) : part);
}

const VERDICTS = {
  failed: ["✗", "failed"],
  broken: ["‼", "broken"],
  warned: ["!", "warned"],
  not_checked: ["?", "not checked"],
  passed: ["✓", "passed"],
};

/** A verdict's mark and name in its color. */
function verdictMark(verdict) {
  const [mark, word] = VERDICTS[verdict] ?? ["", verdict];
  return element("span", { class: `mark ${verdict}` }, element("span", { "aria-hidden": "true" }, mark), " ", word);
}

/** A duration with a fitting unit. */
function duration(seconds) {
  const rounded = (value) => Number(value.toPrecision(value < 10 ? 2 : 3));
  if (seconds < 0.0009995) return `${rounded(seconds * 1e6)} µs`;
  if (seconds < 0.9995) return `${rounded(seconds * 1e3)} ms`;
  if (seconds < 120) return `${rounded(seconds)} s`;
  for (const [unit, size, limit] of [["min", 60, 7200], ["h", 3600, 172800], ["d", 86400, Infinity]]) {
    if (seconds < limit) return `${rounded(seconds / size)} ${unit}`;
  }
}

/** The start of an attempt on the virtual clock. Less than a millisecond is overhead of the machine. */
function offset(seconds) {
  return seconds < 0.001 ? "+0 s" : `+${duration(seconds)} of virtual time`;
}

/** `1 check`, `2 checks`. */
function counted(count, noun) {
  return `${count} ${noun}${count === 1 ? "" : "s"}`;
}

/** A button that copies the result of `text` and confirms it. */
function copyButton(label, text, attributes = {}) {
  const button = element("button", {
    type: "button",
    class: "copy",
    ...attributes,
    async onclick() {
      const copied = await copy(text());
      button.textContent = copied ? "Copied ✓" : "Could not copy";
      announce(copied ? `${label}: copied` : `${label}: could not copy`);
      setTimeout(() => { button.textContent = label; }, 2000);
    },
  }, label);
  return button;
}

/** Copies text, with a fallback for pages opened over plain HTTP. */
async function copy(text) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    const area = element("textarea", { class: "unseen", readonly: true });
    area.value = text;
    document.body.append(area);
    area.select();
    const copied = document.execCommand("copy");
    area.remove();
    return copied;
  }
}

/** Announces a message to screen readers. */
function announce(text) {
  document.querySelector("#announcement").textContent = text;
}
