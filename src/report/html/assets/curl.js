// A request as a curl command for a POSIX shell that sends exactly the same bytes.

// Characters that a terminal would interpret when they are pasted.
const CONTROL_CHARACTERS = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/;

// Headers that curl sets itself, with the right values.
const FROM_CURL = ["content-length", "transfer-encoding", "connection"];

function quoted(word) {
  return `'${word.replaceAll("'", `'\\''`)}'`;
}

/** Why a request can't be a command, or null if it can. */
function noCurl(request) {
  if (request.body.truncated) return "The body is truncated here.";
  const words = [request.url, ...request.headers.flat()];
  if (words.some((word) => CONTROL_CHARACTERS.test(word))) return "The URL or a header has a control character.";
  if (words.some((word) => word.endsWith("…"))) return "A header is truncated here.";
  return null;
}

/** The command. */
function curlCommand(request) {
  const lines = [`curl --globoff --request ${quoted(request.method)} ${quoted(request.url)}`];
  const host = new URL(request.url).host;
  for (const [name, value] of request.headers) {
    const lower = name.toLowerCase();
    if (FROM_CURL.includes(lower) || (lower === "host" && value === host)) continue;
    // curl leaves out a header with nothing after the colon; a semicolon sends it empty.
    lines.push(`--header ${quoted(value === "" ? `${name};` : `${name}: ${value}`)}`);
  }
  const { text, base64, length } = request.body;
  let before = "";
  if (length > 0) {
    if (text !== undefined && !CONTROL_CHARACTERS.test(text)) {
      lines.push(`--data-raw ${quoted(text)}`);
    } else {
      before = `printf %s ${quoted(base64 ?? base64Of(text))} | base64 -d | `;
      lines.push("--data-binary @-");
    }
    // Otherwise curl would add its own.
    const names = request.headers.map(([name]) => name.toLowerCase());
    if (!names.includes("content-type")) lines.push("--header 'Content-Type:'");
  }
  return before + lines.join(" \\\n  ");
}

function base64Of(text) {
  const bytes = new TextEncoder().encode(text);
  return btoa(Array.from(bytes, (byte) => String.fromCharCode(byte)).join(""));
}
