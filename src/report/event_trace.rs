//! What was delivered of an event whose effect failed: something to search the receiver's log for.

use std::collections::BTreeSet;

use serde_json::Value;

use super::sanitize::sanitize;
use crate::run::{AttemptEnded, EffectsEnded, ResponseRecord};
use crate::verify::Check;

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct EventTrace {
    pub(super) event_name: String,
    /// Its IDs, then its deliveries.
    pub(super) lines: Vec<String>,
}

/// The traces of the events whose effects failed.
pub(super) fn event_traces(effects: &EffectsEnded, attempts: &[AttemptEnded]) -> Vec<EventTrace> {
    let checks = effects.checks.iter();
    let failed = checks.filter(|check| !check.verdict.is_passed_or_not_checked());
    let names: BTreeSet<&str> = failed.filter_map(event_name).collect();
    let traces = names.into_iter().filter_map(|name| {
        let own: Vec<_> = attempts
            .iter()
            .filter(|attempt| attempt.event_name.as_deref() == Some(name))
            .collect();
        (!own.is_empty()).then(|| EventTrace {
            event_name: name.to_owned(),
            lines: vec![ids_line(name, &own), deliveries_line(&own)],
        })
    });
    traces.collect()
}

/// The name of the event that the check of an effect is about.
pub(super) fn event_name(check: &Check) -> Option<&str> {
    match check.subject.split_once('`') {
        Some((_, rest)) => rest.split_once('`').map(|(name, _)| name),
        None => check.subject.rsplit_once(" of ").map(|(_, name)| name),
    }
}

fn ids_line(name: &str, attempts: &[&AttemptEnded]) -> String {
    let mut ids = Vec::new();
    for body in attempts
        .iter()
        .filter_map(|attempt| attempt.request.body.json())
    {
        for field in ["event_id", "idempotency_key"] {
            if let Some(Value::String(id)) = body.get(field) {
                let id = format!("{field} {}", sanitize(id));
                if !ids.contains(&id) {
                    ids.push(id);
                }
            }
        }
    }
    format!("{}: {}", sanitize(name), ids.join(", "))
}

/// When each attempt was delivered, and the response. Equal ones are counted.
fn deliveries_line(attempts: &[&AttemptEnded]) -> String {
    let mut deliveries: Vec<(String, usize)> = Vec::new();
    for attempt in attempts {
        let at = attempt.started_at.strftime("%Y-%m-%dT%H:%M:%SZ");
        let how = [&attempt.forgery, &attempt.fault];
        let how = how.into_iter().flatten().map(|how| format!(" ({how})"));
        let how: String = how.collect();
        let response = response(attempt);
        let delivery = format!("{at}{how} → {response}");
        match deliveries.last_mut() {
            Some((last, count)) if *last == delivery => *count += 1,
            _ => deliveries.push((delivery, 1)),
        }
    }
    let deliveries = deliveries.into_iter().map(|(delivery, count)| match count {
        1 => delivery,
        _ => format!("{delivery} ({count} times)"),
    });
    let deliveries: Vec<String> = deliveries.collect();
    format!("  delivered {}", deliveries.join(", "))
}

fn response(attempt: &AttemptEnded) -> String {
    let lost = attempt.discarded_response.as_deref();
    match (&attempt.response, lost.and_then(ResponseRecord::status)) {
        (_, Some(status)) => format!("{status} (lost)"),
        (ResponseRecord::Response { status, .. }, None) => status.to_string(),
        (ResponseRecord::Failure { name, .. }, None) => format!("no response ({name})"),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn attempt(second: u8, event_id: &str, forgery: Option<&str>, status: u16) -> AttemptEnded {
        let text = json!({ "event_id": event_id, "idempotency_key": "idmpt_1" }).to_string();
        let body = json!({ "text": text, "length": 0, "truncated": false });
        let line = json!({
            "scenario": 1, "step": 1, "delivery": 1,
            "event_name": "coupon", "forgery": forgery, "fault": null, "attempt": 1,
            "started_at": format!("2026-11-29T16:17:{second:02}.5Z"), "virtual_offset_seconds": 0.0,
            "delay_before_seconds": 0.0, "took_seconds": 0.1,
            "timings": { "connect_seconds": null, "first_byte_seconds": null, "held_seconds": 0.0 },
            "connection": null,
            "request": { "method": "POST", "url": "http://a/", "headers": [], "body": body },
            "answer": { "response": { "status": status, "headers": [], "body": body } },
            "unheard_answer": null,
        });
        serde_json::from_value(line).expect("an event")
    }

    fn effects(subject: &str, verdict: &str) -> EffectsEnded {
        let check = json!({
            "subject": subject, "verdict": verdict, "level": "must", "expected": "", "observed": "",
        });
        let line = json!({
            "scenario": 1, "readings": [], "checks": [check], "settled_after_seconds": 0.0,
        });
        serde_json::from_value(line).expect("an event")
    }

    #[test]
    fn a_failed_effect_has_the_ids_and_the_deliveries_of_its_event() {
        let attempts = [
            attempt(5, "whevt_a", None, 503),
            attempt(6, "whevt_b", None, 200),
            attempt(6, "whevt_b", None, 200),
            attempt(7, "whevt_b", Some("wrong_secret"), 403),
        ];
        let lines = [
            "coupon: event_id whevt_a, idempotency_key idmpt_1, event_id whevt_b",
            "  delivered 2026-11-29T16:17:05Z → 503, 2026-11-29T16:17:06Z → 200 (2 times), \
             2026-11-29T16:17:07Z (wrong_secret) → 403",
        ];
        for subject in ["grant of `coupon`, 2 times", "probe held of coupon"] {
            let traces = event_traces(&effects(subject, "failed"), &attempts);
            assert_eq!(traces.len(), 1, "{subject}");
            assert_eq!(traces[0].lines, lines);
        }
        for (subject, verdict) in [("grant of `coupon`", "passed"), ("grant of `x`", "failed")] {
            assert_eq!(event_traces(&effects(subject, verdict), &attempts), []);
        }
    }
}
