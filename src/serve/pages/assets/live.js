// Parts of the page with `data-live` follow a stream of server-sent events, each with their new HTML. The
// server escapes it. Only the elements that changed are replaced, so that focus and selection survive.

export function followAll() {
  for (const part of document.querySelectorAll("[data-live]")) follow(part);
}

function follow(part) {
  const state = document.createElement("p");
  state.className = "live-state";
  const button = document.createElement("button");
  button.type = "button";
  const label = document.createElement("span");
  state.append(label, button);
  part.before(state);
  let source = null;
  const begin = () => {
    source = new EventSource(part.dataset.live);
    source.onmessage = ({ data }) => show(part, data);
    source.onopen = () => say("Live");
    source.onerror = () => say("Disconnected: aghook serve does not respond");
    button.textContent = "Pause updates";
  };
  const end = () => {
    source?.close();
    source = null;
    say("Updates are paused");
    button.textContent = "Resume updates";
  };
  const say = (text) => { label.textContent = text; };
  button.addEventListener("click", () => (source ? end() : begin()));
  // A page that the browser keeps for later must not keep its connection.
  addEventListener("pagehide", () => source?.close());
  addEventListener("pageshow", ({ persisted }) => { if (persisted && source) begin(); });
  begin();
}

// The HTML that each element was made from, because opening a `details` changes it.
const written = new WeakMap();

function show(part, html) {
  const template = document.createElement("template");
  template.innerHTML = html;
  update(part, template.content);
}

/** Makes the elements of `old` those of `wanted`, which have IDs, and keeps those that are the same. */
function update(old, wanted) {
  const present = new Map([...old.children].map((child) => [child.id, child]));
  const children = [...wanted.children].map((child) => {
    const before = present.get(child.id);
    if (before && (written.get(before) ?? before.outerHTML) === child.outerHTML) return before;
    written.set(child, child.outerHTML);
    if (before) keepState(before, child);
    return child;
  });
  const focused = focusPath(old);
  for (const [index, child] of children.entries()) {
    if (old.children[index] !== child) old.insertBefore(child, old.children[index] ?? null);
  }
  while (old.children.length > children.length) old.lastElementChild.remove();
  focused?.();
}

/** Keeps what the reader has opened or closed. */
function keepState(before, after) {
  for (const details of after.querySelectorAll("details[id]")) {
    const old = before.querySelector(`#${details.id}`);
    if (old) details.open = old.open;
  }
}

/** A function that focuses the same element again, if one inside had the focus and lost it. */
function focusPath(part) {
  const active = document.activeElement;
  if (!active || active === part || !part.contains(active)) return null;
  const owner = active.closest("[id]");
  const index = [...owner.querySelectorAll("a, summary, pre")].indexOf(active);
  return () => {
    if (document.activeElement === active) return;
    const again = document.getElementById(owner.id);
    (index < 0 ? again : again?.querySelectorAll("a, summary, pre")[index])?.focus();
  };
}
