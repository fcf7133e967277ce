//! The method, the URL and the headers of a request, without what varies from run to run.

use super::stable_text::StableText;
use crate::policy::Forgery;
use crate::protocol::{SIGNATURE_HEADER, TIMESTAMP_HEADER};
use crate::run::AttemptEnded;

/// The distance from the start of its attempt, in seconds, up to which a timestamp counts as `now`.
/// Stale and future timestamps are further away.
const NOW: u64 = 45;

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
    let varies =
        |name: &str| ["host", "content-length"].contains(&name.to_ascii_lowercase().as_str());
    let headers = attempt.request.headers.iter();
    let headers = headers.filter(|(name, _)| !varies(name));
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

fn signature(attempt: &AttemptEnded, value: &str) -> String {
    match &attempt.forgery {
        Some(_) if value.is_empty() => "[empty]".to_owned(),
        Some(forgery) => format!("[{forgery}]"),
        None => "[valid]".to_owned(),
    }
}

fn timestamp(attempt: &AttemptEnded, value: &str) -> String {
    let swapped = Forgery::SwappedTimestamp.name();
    if attempt.forgery.as_deref() == Some(swapped) {
        return format!("[{swapped}]");
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
