// A request as a curl command for a POSIX shell. It is sent to the byte as it was.

// What a terminal would take as a key when it is pasted.
const KEYS = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/;

// curl writes these by itself, rightly for the body that it sends.
const FROM_CURL = ["content-length", "transfer-encoding", "connection"];

function quoted(word) {
  return `'${word.replaceAll("'", `'\\''`)}'`;
}

/** Why there can be no command for a request; nothing where there can. */
function noCurl(request) {
  if (request.body.truncated) return "Only the beginning of the body is kept here.";
  const words = [request.url, ...request.headers.flat()];
  if (words.some((word) => KEYS.test(word))) return "The URL or a header has a control character.";
  if (words.some((word) => word.endsWith("…"))) return "A header is cut here.";
  return null;
}

/** The command. */
function curlCommand(request) {
  const lines = [`curl --globoff --request ${quoted(request.method)} ${quoted(request.url)}`];
  const host = new URL(request.url).host;
  for (const [name, value] of request.headers) {
    const lower = name.toLowerCase();
    if (FROM_CURL.includes(lower) || (lower === "host" && value === host)) continue;
    // With nothing after a colon curl would leave the header out.
    lines.push(`--header ${quoted(value === "" ? `${name};` : `${name}: ${value}`)}`);
  }
  const { text, base64, length } = request.body;
  let before = "";
  if (length > 0) {
    if (text !== undefined && !KEYS.test(text)) {
      lines.push(`--data-raw ${quoted(text)}`);
    } else {
      before = `printf %s ${quoted(base64 ?? base64Of(text))} | base64 -d | `;
      lines.push("--data-binary @-");
    }
    // curl would add one of its own.
    const names = request.headers.map(([name]) => name.toLowerCase());
    if (!names.includes("content-type")) lines.push("--header 'Content-Type:'");
  }
  return before + lines.join(" \\\n  ");
}

function base64Of(text) {
  const bytes = new TextEncoder().encode(text);
  return btoa(Array.from(bytes, (byte) => String.fromCharCode(byte)).join(""));
}
