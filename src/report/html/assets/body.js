// Shows a body: JSON formatted and colored without changing a character, other text unchanged.

const TOKEN = /\s+|"(?:[^"\\]|\\.)*"?|-?\d[\d.eE+-]*|true|false|null|[{}[\],:]|[^\s"{}[\],:]+/y;

/** The tokens of JSON, which may be truncated. */
function tokens(json) {
  const found = [];
  TOKEN.lastIndex = 0;
  for (let match = TOKEN.exec(json); match; match = TOKEN.exec(json)) {
    if (match[0].trim() !== "") found.push(match[0]);
  }
  return found;
}

function kindOf(token, next) {
  if (token.startsWith('"')) return next === ":" ? "json-key" : "json-string";
  if (/^-?\d/.test(token)) return "json-number";
  if (["true", "false", "null"].includes(token)) return "json-literal";
  return "json-mark";
}

/** Formats JSON. Numbers, escapes and the order of keys stay as they were sent. */
function formatted(json) {
  const all = tokens(json);
  const parts = [];
  let depth = 0;
  const newLine = () => parts.push(`\n${"  ".repeat(depth)}`);
  all.forEach((token, index) => {
    const closes = token === "}" || token === "]";
    const before = all[index - 1];
    const next = all[index + 1];
    if (closes) {
      depth = Math.max(0, depth - 1);
      if (before !== "{" && before !== "[") newLine();
    }
    parts.push(element("span", { class: kindOf(token, next) }, visible(token)));
    if ((token === "{" || token === "[") && next !== undefined) {
      depth += 1;
      if (next !== "}" && next !== "]") newLine();
    } else if (token === ",") newLine();
    else if (token === ":") parts.push(" ");
  });
  return parts;
}

function isJson(body) {
  if (!/^\s*[{["]/.test(body.text)) return false;
  if (body.truncated) return true;
  try {
    JSON.parse(body.text);
    return true;
  } catch {
    return false;
  }
}

/** A body with its notes and buttons. */
function bodyView(body) {
  if (body.length === 0) return element("p", { class: "note" }, "No body");
  const content = body.text ?? body.base64;
  const parts = [];
  if (body.truncated) {
    const bytes = body.text === undefined ? Math.floor(content.length / 4) * 3 : new TextEncoder().encode(content).length;
    const note = bytes === 0 ? `The body of ${counted(body.length, "byte")} is not included here.`
      : `Truncated: the first ${bytes} of ${counted(body.length, "byte")}.`;
    parts.push(element("p", { class: "note" }, note));
  }
  if (content === "") return parts;
  if (body.base64 !== undefined) parts.push(element("p", { class: "note" }, "Binary, as base64:"));
  const pre = element("pre", { class: "body", tabindex: "0" });
  const buttons = element("div", { class: "buttons" });
  if (body.text !== undefined && isJson(body)) {
    const showFormatted = () => pre.replaceChildren(...formatted(body.text));
    const asSent = element("button", {
      type: "button",
      "aria-pressed": "false",
      onclick() {
        const raw = asSent.getAttribute("aria-pressed") === "false";
        asSent.setAttribute("aria-pressed", String(raw));
        if (raw) pre.replaceChildren(...visible(body.text));
        else showFormatted();
      },
    }, "As sent");
    showFormatted();
    buttons.append(asSent);
  } else {
    pre.append(...visible(content));
  }
  buttons.append(copyButton("Copy body", () => content));
  parts.push(pre, buttons);
  return parts;
}
