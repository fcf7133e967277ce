//! The lines of a response, without what varies from run to run.

use super::body_lines::received;
use super::stable_text::StableText;
use crate::run::{AttemptEnded, ResponseRecord, header};
use crate::transport::{Failure, SenderAbort};

/// The headers that are always shown. `content-type` is part of the first line.
const SHOWN: [&str; 2] = ["location", "retry-after"];

/// The lines of a response; the first has the arrow.
pub(super) fn response_lines(attempt: &AttemptEnded, stable: &StableText<'_>) -> Vec<String> {
    let mut lines = lines_of(&attempt.response, attempt.fault.is_some(), stable);
    // The sender closed the connection after the response had begun. With other faults, whether a
    // response existed by then depends on chance.
    if let ResponseRecord::Failure { name, .. } = &attempt.response
        && *name == SenderAbort::ResponseLost.name()
        && let Some(discarded) = &attempt.discarded_response
        && let Some(status) = discarded.status()
    {
        lines.push(format!("  lost response: {status}"));
    }
    lines
}

fn lines_of(response: &ResponseRecord, by_fault: bool, stable: &StableText<'_>) -> Vec<String> {
    match response {
        ResponseRecord::Response {
            status,
            headers,
            body,
        } => {
            let content_type = header(headers, "content-type");
            let content_type = content_type.map(|value| format!(" {}", stable.line(value)));
            let mut lines = vec![format!("← {status}{}", content_type.unwrap_or_default())];
            lines.extend(header_lines(headers, stable));
            let body = received(body, stable).into_iter();
            lines.extend(body.map(|line| format!("  {line}")));
            lines
        }
        ResponseRecord::Failure { name, message, .. } => {
            let reason = stable.line(&reason(name, message));
            // The reason given by a fault already says that there is no response.
            vec![if by_fault {
                format!("← {reason}")
            } else {
                format!("← no response: {reason}")
            }]
        }
    }
}

/// The shown headers, sorted, since their order has no meaning.
fn header_lines(headers: &[(String, String)], stable: &StableText<'_>) -> Vec<String> {
    let wanted = |name: &str| {
        let configured = stable.settings.headers.iter().map(String::as_str);
        let mut all = SHOWN.into_iter().chain(configured);
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

/// Why there is no response, without messages of the system or of libraries, which vary.
fn reason(name: &str, message: &str) -> String {
    match message.split_once(": ") {
        Some((ours, _)) if Failure::quotes_another_message(name) => ours.to_owned(),
        _ => message.to_owned(),
    }
}
