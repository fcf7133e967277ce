//! The `Retry-After` header of a response (RFC 9110, 10.2.3).

use std::time::{Duration, UNIX_EPOCH};

use super::exchange::Response;

/// The delay that a `Retry-After` header asks for. A date only becomes a duration once the current
/// time is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum RetryAfterDelay {
    For(Duration),
    /// Wait until this time, in Unix seconds.
    Until(u64),
}

impl RetryAfterDelay {
    /// Parses the header's value, seconds or a date. `None` if it is invalid.
    pub(crate) fn parse(value: &[u8]) -> Option<Self> {
        let text = std::str::from_utf8(value).ok()?.trim();
        if !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()) {
            // A number too large for `u64` means forever.
            return Some(Self::For(Duration::from_secs(
                text.parse().unwrap_or(u64::MAX),
            )));
        }
        let date = httpdate::parse_http_date(text).ok()?;
        let date = date.duration_since(UNIX_EPOCH).unwrap_or_default();
        Some(Self::Until(date.as_secs()))
    }

    /// How long to wait from `now` on, in Unix seconds. Zero if the date has passed.
    pub(crate) fn from(self, now: u64) -> Duration {
        match self {
            Self::For(wait) => wait,
            Self::Until(date) => Duration::from_secs(date.saturating_sub(now)),
        }
    }
}

/// How long the receiver asks the sender to wait, if it responded at `now`, in Unix seconds.
/// `None` if the header is missing or invalid.
pub(crate) fn retry_after(response: &Response, now: u64) -> Option<Duration> {
    let delay = RetryAfterDelay::parse(response.header("retry-after")?)?;
    Some(delay.from(now))
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use proptest::prelude::*;

    use super::*;

    /// Sun, 06 Nov 1994 08:49:37 GMT, the example date of RFC 9110.
    const DATE: u64 = 784_111_777;

    fn parsed(value: &[u8]) -> Option<Duration> {
        let response = Response {
            status: 503,
            headers: vec![("retry-after".to_owned(), value.to_vec())],
            body: Bytes::new(),
            body_length: 0,
            encoded: false,
            truncated: false,
            complete: true,
        };
        retry_after(&response, DATE - 90)
    }

    #[test]
    fn seconds_and_dates_are_parsed() {
        for (value, seconds) in [
            ("120", Some(120)),
            (" 0 ", Some(0)),
            ("99999999999999999999", Some(u64::MAX)),
            ("Sun, 06 Nov 1994 08:49:37 GMT", Some(90)),
            ("Sunday, 06-Nov-94 08:49:37 GMT", Some(90)),
            ("Sun Nov  6 08:49:37 1994", Some(90)),
            ("Sun, 06 Nov 1994 08:00:00 GMT", Some(0)),
            ("", None),
            ("-5", None),
            ("1.5", None),
            ("soon", None),
        ] {
            assert_eq!(
                parsed(value.as_bytes()).map(|delay| delay.as_secs()),
                seconds,
                "{value}"
            );
        }
        assert_eq!(parsed(b"\xff"), None);
    }

    proptest! {
        #[test]
        fn no_value_causes_a_panic(value: Vec<u8>) {
            let _ = parsed(&value);
        }
    }
}
