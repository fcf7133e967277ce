//! The lines of a request, without what varies from run to run.

use imara_diff::{Algorithm, Diff, InternedInput, Interner};

use super::body_lines::sent;
use super::events::SnapshotEvents;
use super::request_head::{headers, shown_url};
use super::stable_text::StableText;
use crate::policy::{Fault, LateRetry};
use crate::run::AttemptEnded;

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
    if let Some(fault) = &attempt.fault {
        first = format!("{first}, fault {fault}");
    }
    let mut lines = vec![first];
    if !is_late(attempt) {
        lines.extend(events.unusual_headers(own));
    }
    let (genuine, body) = (events.body(name), sent(&attempt.request.body, stable));
    if genuine != body.as_slice() {
        lines.push("body differs:".to_owned());
        lines.extend(changed_lines(genuine, &body));
    }
    lines
}

fn is_late(attempt: &AttemptEnded) -> bool {
    let late = Fault::LateRetry(LateRetry::default());
    attempt.fault.as_deref() == Some(late.name())
}

fn signature_summary(attempt: &AttemptEnded) -> String {
    match &attempt.forgery {
        Some(forgery) => format!("forgery {forgery}"),
        None if is_late(attempt) && attempt.attempt > 1 => {
            "signature valid, from the first attempt".to_owned()
        }
        None => "signature valid".to_owned(),
    }
}

fn changed_lines(genuine: &[String], body: &[String]) -> Vec<String> {
    let mut lines = InternedInput {
        before: Vec::new(),
        after: Vec::new(),
        interner: Interner::new(genuine.len() + body.len()),
    };
    lines.update_before(genuine.iter());
    lines.update_after(body.iter());
    let difference = Diff::compute(Algorithm::Histogram, &lines);
    let mut changes = Vec::new();
    for hunk in difference.hunks() {
        let removed = hunk.before.map(|at| format!("- {}", genuine[at as usize]));
        let added = hunk.after.map(|at| format!("+ {}", body[at as usize]));
        changes.extend(removed.chain(added));
    }
    changes
}
