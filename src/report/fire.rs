//! The terminal report of single deliveries: each request and response, in a few lines or in full, and
//! the verdict after them.

use std::io::{self, Write};

use serde_json::Value;

use super::body_text::BodyText;
use super::sanitize::sanitize;
use super::terminal::{DIM, TextOutput, attempt_name, mark, paint, write_exchange, write_retry};
use crate::run::{AttemptEnded, BodyContent, BodyRecord, ResponseRecord, SentRequestRecord};
use crate::verify::Verdict;

/// The most characters of a body that are shown behind the status.
const SHORT_BODY: usize = 160;

pub(crate) struct FireReport<W> {
    out: W,
    /// Whether requests and responses are shown in full.
    is_verbose: bool,
    shown: Option<SentRequestRecord>,
}

impl<W: Write> FireReport<W> {
    pub(crate) fn new(out: W, is_verbose: bool) -> Self {
        Self {
            out,
            is_verbose,
            shown: None,
        }
    }

    /// Writes an attempt: its response, and only what is new in the request since the last attempt.
    pub(crate) fn attempt(&mut self, attempt: &AttemptEnded) -> io::Result<()> {
        let request = &attempt.request;
        let known = self.shown.replace(request.clone());
        let known = known.filter(|known| is_same(known, request));
        if !self.is_verbose {
            return self.brief(attempt, known.is_some());
        }
        let mut out = TextOutput::new(&mut self.out, None);
        match known {
            Some(known) => {
                let mut new = request.headers.clone();
                new.retain(|header| !known.headers.contains(header));
                write_retry(&mut out, attempt, &new)
            }
            None => write_exchange(&mut out, attempt),
        }
    }

    fn brief(&mut self, attempt: &AttemptEnded, is_repeated: bool) -> io::Result<()> {
        let SentRequestRecord {
            method, url, body, ..
        } = &attempt.request;
        let mut out = TextOutput::new(&mut self.out, None);
        if is_repeated {
            let again = match attempt.attempt {
                1 => "again".to_owned(),
                _ => attempt_name(attempt),
            };
            out.line(0, &format!("→ {again}"))?;
        } else {
            out.line(0, &sanitize(&format!("→ {method} {url}")))?;
            match body.json().as_ref().and_then(event_lines) {
                Some(lines) => lines.iter().try_for_each(|line| out.line(2, line))?,
                None => write_body(&mut out, body)?,
            }
        }
        let took = attempt.took.as_secs_f64() * 1000.0;
        match &attempt.response {
            ResponseRecord::Failure { message, .. } => {
                out.line(0, &sanitize(&format!("← {message}")))
            }
            ResponseRecord::Response { status, body, .. } => {
                let (text, is_short) =
                    short(body).map_or((String::new(), false), |text| (text, true));
                out.line(0, &format!("← {status} after {took:.1} ms{text}"))?;
                if is_short {
                    return Ok(());
                }
                write_body(&mut out, body)
            }
        }
    }

    /// Writes the verdict on a delivery, and what to do next.
    pub(crate) fn verdict(
        &mut self,
        verdict: Verdict,
        text: &str,
        next: Option<&str>,
    ) -> io::Result<()> {
        writeln!(self.out, "{} {}", mark(verdict), sanitize(text))?;
        match next {
            Some(next) => writeln!(self.out, "  → {next}"),
            None => Ok(()),
        }
    }

    /// Writes how much the player holds, a line for each SKU, or why that is not known.
    pub(crate) fn quantities(&mut self, lines: &Result<Vec<String>, String>) -> io::Result<()> {
        match lines {
            Ok(lines) => lines
                .iter()
                .try_for_each(|line| writeln!(self.out, "  {}", sanitize(line))),
            Err(reason) => writeln!(self.out, "  quantities not read: {}", sanitize(reason)),
        }
    }

    /// Writes why the probe of the quantities is probably wrong.
    pub(crate) fn probe_problem(&mut self, problem: &str) -> io::Result<()> {
        let mark = mark(Verdict::Broken);
        writeln!(self.out, "  {mark} {}", sanitize(problem))
    }

    /// Writes a summary if there was more than one delivery.
    pub(crate) fn ended(&mut self, all: usize, expected: usize) -> io::Result<()> {
        if all > 1 {
            let unexpected = all - expected;
            writeln!(
                self.out,
                "{all} responses: {expected} as expected, {unexpected} unexpected; grants are not \
                 checked"
            )?;
        }
        if !self.is_verbose && self.shown.is_some() {
            let note = "--verbose shows the whole requests and responses";
            writeln!(self.out, "{}", paint(DIM, note))?;
        }
        self.out.flush()
    }
}

fn is_same(known: &SentRequestRecord, request: &SentRequestRecord) -> bool {
    (&known.method, &known.url, &known.body) == (&request.method, &request.url, &request.body)
}

/// What an event says, and what to search a log for. `None` if the body is not an event.
fn event_lines(event: &Value) -> Option<[String; 2]> {
    let text = |pointer: &str| event.pointer(pointer)?.as_str();
    let data = event.get("event_data")?;
    let items = match data.get("items").and_then(Value::as_array) {
        Some(items) => items.iter().collect(),
        None => data.get("item").into_iter().collect::<Vec<_>>(),
    };
    let items = items.iter().filter_map(|item| item_text(item));
    let items = items.collect::<Vec<_>>().join(" and ");
    let (kind, player) = (text("/event_type")?, text("/event_data/player_id")?);
    let ids = ["event_id", "idempotency_key"].into_iter();
    let ids = ids.filter_map(|name| Some(format!("{name} {}", event.get(name)?.as_str()?)));
    let ids = ids.collect::<Vec<_>>().join(", ");
    Some([
        sanitize(&format!("{kind} for {player}: {items}")),
        sanitize(&ids),
    ])
}

/// `5 gold`, or `1 starter_pack (bundle), or else 1 gem`.
fn item_text(item: &Value) -> Option<String> {
    let (quantity, sku) = (item.get("quantity")?, item.get("sku")?.as_str()?);
    let is_bundle = item.get("type").is_some_and(|kind| kind == "bundle");
    let bundle = if is_bundle { " (bundle)" } else { "" };
    let fallback = item.get("fallback_item").and_then(item_text);
    let fallback = fallback.map(|fallback| format!(", or else {fallback}"));
    Some(format!(
        "{quantity} {sku}{bundle}{}",
        fallback.unwrap_or_default()
    ))
}

/// A short body in one line after a colon, nothing for an empty one, and `None` for a long one.
fn short(body: &BodyRecord) -> Option<String> {
    let BodyContent::Text(text) = &body.content else {
        return None;
    };
    let words = text.split_whitespace().collect::<Vec<_>>().join(" ");
    let is_short = !body.truncated && words.chars().count() <= SHORT_BODY;
    is_short.then(|| match words.as_str() {
        "" => String::new(),
        words => format!(": {}", sanitize(words)),
    })
}

fn write_body(out: &mut TextOutput<'_>, body: &BodyRecord) -> io::Result<()> {
    let body = BodyText::brief(body);
    let mut lines = body.lines.iter().chain(&body.left_out);
    lines.try_for_each(|line| out.line(2, line))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn an_event_is_told_in_two_lines() {
        let gold = json!({ "sku": "gold", "quantity": 5, "type": "item", "fallback_item": null });
        let pack = json!({ "sku": "pack", "quantity": 1, "type": "bundle", "fallback_item": gold });
        let event = |data: Value| {
            json!({
                "event_type": "coupon.redeemed", "event_data": data, "event_id": "whevt_1",
                "idempotency_key": null,
            })
        };
        for (data, expected) in [
            (
                json!({ "player_id": "P1", "item": pack }),
                "coupon.redeemed for P1: 1 pack (bundle), or else 5 gold",
            ),
            (
                json!({ "player_id": "P1", "items": [gold, gold], "item": pack }),
                "coupon.redeemed for P1: 5 gold and 5 gold",
            ),
        ] {
            let expected = [expected.to_owned(), "event_id whevt_1".to_owned()];
            assert_eq!(event_lines(&event(data)), Some(expected));
        }
        assert_eq!(event_lines(&json!({ "event_type": "x" })), None);
        assert_eq!(event_lines(&json!([])), None);
    }

    #[test]
    fn only_a_short_body_is_in_the_line_of_the_status() {
        let of = |text: &str| short(&BodyRecord::new(text.as_bytes(), text.len() as u64, false));
        assert_eq!(of("{\n  \"a\": 1\n}").as_deref(), Some(": { \"a\": 1 }"));
        assert_eq!(of(" ").as_deref(), Some(""));
        assert_eq!(of(&"x".repeat(SHORT_BODY + 1)), None);
        assert_eq!(short(&BodyRecord::new(b"\xff", 1, false)), None);
        assert_eq!(short(&BodyRecord::new(b"ok", 9, true)), None);
    }
}
