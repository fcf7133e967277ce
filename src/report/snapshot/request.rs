//! The lines of a request, without what varies from run to run.

use imara_diff::{Algorithm, Diff, Hunk, InternedInput, Interner};

use super::body_lines::sent;
use super::events::SnapshotEvents;
use super::stable_text::StableText;
use super::{fault_of, forgery_of};
use crate::protocol::{SIGNATURE_HEADER, TIMESTAMP_HEADER};
use crate::run::AttemptEnded;

/// The distance from the start of its attempt, in seconds, up to which a timestamp counts as `now`.
/// Stale and future timestamps are further away.
const NOW: u64 = 60;

/// The lines of a request without the arrow: a summary, then only what differs from a genuine
/// delivery.
pub(super) fn request_lines(
    attempt: &AttemptEnded,
    events: &SnapshotEvents,
    stable: &StableText<'_>,
) -> Vec<String> {
    let own = headers(attempt, stable);
    let Some(name) = &attempt.event_name else {
        let mut lines = vec![shown_url(attempt, stable)];
        lines.extend(own);
        lines.extend(sent(&attempt.request.body, stable));
        return lines;
    };
    let mut first = format!("{}, {}", stable.line(name), signature_summary(attempt));
    if let Some(fault) = fault_of(attempt) {
        first = format!("{first}, fault {fault}");
    }
    let mut lines = vec![first];
    let is_late = fault_of(attempt) == Some("late_retry");
    if !is_late {
        lines.extend(events.unusual_headers(own));
    }
    let (genuine, body) = (events.body(name), sent(&attempt.request.body, stable));
    if genuine != body.as_slice() {
        lines.push("body differs:".to_owned());
        lines.extend(changed_lines(genuine, &body));
    }
    lines
}

/// The method and the URL.
pub(super) fn shown_url(attempt: &AttemptEnded, stable: &StableText<'_>) -> String {
    let request = &attempt.request;
    format!(
        "{} {}",
        stable.line(&request.method),
        stable.url(&request.url)
    )
}

/// The headers except `Host` and `Content-Length`, which depend on the target and the body.
pub(super) fn headers(attempt: &AttemptEnded, stable: &StableText<'_>) -> Vec<String> {
    let is_delivery = attempt.event_name.is_some();
    let headers = attempt.request.headers.iter().filter(|(name, _)| {
        !["host", "content-length"]
            .iter()
            .any(|other| name.eq_ignore_ascii_case(other))
    });
    headers
        .map(|(name, value)| {
            let value = if is_delivery && name.eq_ignore_ascii_case(SIGNATURE_HEADER) {
                signature(attempt, value)
            } else if is_delivery && name.eq_ignore_ascii_case(TIMESTAMP_HEADER) {
                timestamp(attempt, value)
            } else {
                stable.line(value)
            };
            format!("{}: {value}", stable.line(name))
        })
        .collect()
}

fn signature_summary(attempt: &AttemptEnded) -> String {
    match forgery_of(attempt) {
        Some(forgery) => format!("forgery {forgery}"),
        None if fault_of(attempt) == Some("late_retry") && attempt.attempt > 1 => {
            "signature valid, from the first attempt".to_owned()
        }
        None => "signature valid".to_owned(),
    }
}

fn signature(attempt: &AttemptEnded, value: &str) -> String {
    match forgery_of(attempt) {
        Some(_) if value.is_empty() => "[empty]".to_owned(),
        Some(forgery) => format!("[{forgery}]"),
        None => "[valid]".to_owned(),
    }
}

fn timestamp(attempt: &AttemptEnded, value: &str) -> String {
    if forgery_of(attempt) == Some("swapped_timestamp") {
        return "[swapped_timestamp]".to_owned();
    }
    let began = u64::try_from(attempt.started_at.as_second()).unwrap_or_default();
    let age = match value.parse::<u64>() {
        Ok(signed) if signed.abs_diff(began) <= NOW => "now",
        Ok(signed) if signed < began => "earlier",
        Ok(_) => "later",
        Err(_) => "not a number",
    };
    format!("[{age}]")
}

/// The lines that differ.
fn changed_lines(genuine: &[String], body: &[String]) -> Vec<String> {
    let mut lines = InternedInput {
        before: Vec::new(),
        after: Vec::new(),
        interner: Interner::new(genuine.len() + body.len()),
    };
    lines.update_before(genuine.iter());
    lines.update_after(body.iter());
    let difference = Diff::compute(Algorithm::Histogram, &lines);
    let removed = |hunk: &Hunk| {
        hunk.before
            .clone()
            .map(|at| format!("- {}", genuine[at as usize]))
    };
    let added = |hunk: &Hunk| {
        hunk.after
            .clone()
            .map(|at| format!("+ {}", body[at as usize]))
    };
    let changes = difference.hunks();
    changes
        .flat_map(|hunk| removed(&hunk).chain(added(&hunk)).collect::<Vec<_>>())
        .collect()
}
