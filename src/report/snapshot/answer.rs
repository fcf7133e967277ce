//! What came back, as far as it is the same each time.

use super::body_lines::received;
use super::fault_of;
use super::stable_text::StableText;
use crate::harness::{AttemptEnded, ResponseRecord};

/// The headers that are always shown beside `content-type`, which stands in the status line.
const SHOWN: [&str; 2] = ["location", "retry-after"];

/// The lines of an answer, the first with the arrow.
pub(super) fn answer_lines(attempt: &AttemptEnded, stable: &StableText<'_>) -> Vec<String> {
    let by_fault = fault_of(attempt).is_some();
    let mut lines = lines_of(&attempt.answer, by_fault, stable);
    if answer_was_lost(&attempt.answer)
        && let Some(ResponseRecord::Response { status, .. }) = attempt.unheard_answer.as_deref()
    {
        lines.push(format!("  the answer that nobody heard: {status}"));
    }
    lines
}

/// Whether the sender closed the connection once the answer began. In other faults it is up to
/// chance whether there is an answer by then.
fn answer_was_lost(answer: &ResponseRecord) -> bool {
    match answer {
        ResponseRecord::Failure { name, .. } => *name == "answer_lost",
        ResponseRecord::Response { .. } => false,
    }
}

fn lines_of(answer: &ResponseRecord, by_fault: bool, stable: &StableText<'_>) -> Vec<String> {
    match answer {
        ResponseRecord::Response {
            status,
            headers,
            body,
        } => {
            let content_type = headers
                .iter()
                .find(|(name, _)| name.eq_ignore_ascii_case("content-type"));
            let content_type = content_type.map_or(String::new(), |(_, value)| {
                format!(" {}", stable.line(value))
            });
            let mut lines = vec![format!("← {status}{content_type}")];
            lines.extend(header_lines(headers, stable));
            let body = received(body, stable).into_iter();
            lines.extend(body.map(|line| format!("  {line}")));
            lines
        }
        ResponseRecord::Failure { name, message, .. } => {
            let reason = stable.line(&reason(name, message));
            // A fault's own sentence says that there is none.
            vec![if by_fault {
                format!("← {reason}")
            } else {
                format!("← no answer: {reason}")
            }]
        }
    }
}

/// The headers that mean something, sorted: their order does not.
fn header_lines(headers: &[(String, String)], stable: &StableText<'_>) -> Vec<String> {
    let wanted = |name: &str| {
        let also = stable.settings().headers.iter().map(String::as_str);
        let mut all = SHOWN.into_iter().chain(also);
        all.any(|wanted| wanted.eq_ignore_ascii_case(name))
    };
    let shown = headers.iter().filter(|(name, _)| wanted(name));
    let mut lines: Vec<String> = shown
        .map(|(name, value)| {
            let name = name.to_ascii_lowercase();
            let value = match name.as_str() {
                "location" => stable.url(value),
                "retry-after" if value.trim().parse::<u64>().is_err() => "[a date]".to_owned(),
                _ => stable.line(value),
            };
            format!("  {}: {value}", stable.line(&name))
        })
        .collect();
    lines.sort();
    lines
}

/// Why there is no answer. What a system or a library says is not the same everywhere.
fn reason(name: &str, message: &str) -> String {
    let in_others_words = matches!(
        name,
        "name_not_resolved"
            | "unreachable"
            | "local_limit"
            | "untrusted_certificate"
            | "tls"
            | "invalid_response"
    );
    match message.split_once(": ") {
        Some((ours, _)) if in_others_words => ours.to_owned(),
        _ => message.to_owned(),
    }
}
