//! What an answer's `Retry-After` asks for (RFC 9110, 10.2.3).

use std::time::{Duration, UNIX_EPOCH};

use super::exchange::Response;

/// What a `Retry-After` asks for. How long that is depends on when it was answered, so it is counted
/// only where somebody waits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AskedWait {
    /// So long a wait.
    For(Duration),
    /// A wait until then, in Unix seconds.
    Until(u64),
}

impl AskedWait {
    /// Reads the header's value: seconds or a date. Nothing where it makes no sense.
    pub(super) fn read(value: &[u8]) -> Option<Self> {
        let text = std::str::from_utf8(value).ok()?.trim();
        if !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()) {
            // More seconds than can be counted are as good as forever.
            return Some(Self::For(Duration::from_secs(
                text.parse().unwrap_or(u64::MAX),
            )));
        }
        let date = httpdate::parse_http_date(text).ok()?;
        let date = date.duration_since(UNIX_EPOCH).unwrap_or_default();
        Some(Self::Until(date.as_secs()))
    }

    /// How long that is from `now` on, in Unix seconds; a date that has passed asks for no wait.
    pub fn from(self, now: u64) -> Duration {
        match self {
            Self::For(wait) => wait,
            Self::Until(date) => Duration::from_secs(date.saturating_sub(now)),
        }
    }
}

/// How long the receiver asks the sender to wait, where it answered at `now`, in Unix seconds.
/// Nothing where the header is missing or makes no sense.
pub(super) fn retry_after(response: &Response, now: u64) -> Option<Duration> {
    let asked = AskedWait::read(response.header("retry-after")?)?;
    Some(asked.from(now))
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use proptest::prelude::*;

    use super::*;

    /// Sun, 06 Nov 1994 08:49:37 GMT, the date of RFC 9110.
    const DATE: u64 = 784_111_777;

    fn asked(value: &[u8]) -> Option<Duration> {
        let response = Response {
            status: 503,
            headers: vec![("retry-after".to_owned(), value.to_vec())],
            body: Bytes::new(),
            body_length: 0,
            truncated: false,
            complete: true,
        };
        retry_after(&response, DATE - 90)
    }

    #[test]
    fn seconds_and_dates_are_read() {
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
                asked(value.as_bytes()).map(|asked| asked.as_secs()),
                seconds,
                "{value}"
            );
        }
        assert_eq!(asked(b"\xff"), None);
    }

    proptest! {
        #[test]
        fn any_value_is_read_or_left(value: Vec<u8>) {
            let _ = asked(&value);
        }
    }
}
