// One attempt: its request and its response.

/** An attempt, built when it is opened. */
function attemptView(attempt, isOpen) {
  const { label, kind } = outcome(attempt);
  const box = element("div", { class: "exchange" });
  const view = element("details", {
    class: "attempt",
    ontoggle() { if (view.open && !box.firstChild) box.append(...exchange(attempt)); },
  },
  element("summary", {},
    element("span", { class: "title" }, `Attempt ${attempt.attempt}`),
    element("span", { class: "when" }, `${offset(attempt.virtual_offset_seconds)}, took ${duration(attempt.took_seconds)}`),
    element("span", { class: `status ${kind}` }, label),
    marks(attempt)), box);
  if (isOpen) view.open = true;
  return view;
}

function exchange(attempt) {
  const request = attempt.request;
  const why = noCurl(request);
  const hidden = JSON.stringify(request).includes("[secret not shown]");
  const curl = [
    copyButton("Copy as curl", () => curlCommand(request), { disabled: why !== null, class: "copy curl" }),
    element("span", { class: "note" }, why
      ?? (hidden ? "A secret is not shown: insert it before you send the request." : "Signed at the time of the run: a receiver that checks the timestamp will refuse it later.")),
  ];
  const sent = element("section", { class: "message" },
    element("h5", {}, "Request"),
    element("p", { class: "first-line" }, element("b", {}, visible(request.method)), " ", visible(request.url)),
    headersView(request.headers), bodyView(request.body), element("div", { class: "buttons" }, curl));
  const parts = [sent, responseView("Response", attempt.answer)];
  if (attempt.unheard_answer) parts.push(responseView("Lost response (not received by the sender)", attempt.unheard_answer));
  return [element("div", { class: "messages" }, parts), facts(attempt)];
}

function responseView(title, response) {
  if (response.failure) {
    return element("section", { class: "message" }, element("h5", {}, title),
      element("p", { class: "first-line unanswered" }, visible(response.failure.message)),
      response.failure.hint ? element("p", { class: "note" }, `→ ${response.failure.hint}`) : null);
  }
  const { status, headers, body } = response.response;
  return element("section", { class: "message" }, element("h5", {}, title),
    element("p", { class: "first-line" }, element("b", {}, String(status))), headersView(headers), bodyView(body));
}

function headersView(headers) {
  return element("dl", { class: "headers" }, headers.map(([name, value]) =>
    element("div", {}, element("dt", {}, visible(name)), element("dd", {}, visible(value)))));
}

/** Timings and the connection, in one line. */
function facts(attempt) {
  const { connect_seconds, first_byte_seconds, held_seconds } = attempt.timings;
  const parts = [`started ${attempt.started_at}`];
  if (connect_seconds !== null) parts.push(`connected after ${duration(connect_seconds)}`);
  if (first_byte_seconds !== null) parts.push(`response headers after ${duration(first_byte_seconds)}`);
  if (held_seconds > 0) parts.push(`held for ${duration(held_seconds)} to be sent together with others`);
  const connection = attempt.connection;
  if (connection) parts.push(`${connection.http_version} to ${connection.remote_address ?? "a Unix socket"}, ${connection.reused ? "connection reused" : "new connection"}`);
  if (connection?.in_place_of_closed) parts.push(`sent again on it, since the receiver closed the idle connection ${connection.in_place_of_closed === "after_request" ? "after the request was sent" : "before the request was sent"}`);
  return element("p", { class: "note wire" }, parts.join(" · "));
}
