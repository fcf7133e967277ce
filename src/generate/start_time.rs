//! T, the start time to which all event times are relative.

use std::fmt;
use std::str::FromStr;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use jiff::Timestamp;

/// T, the start of a run: a time from 1970 to 9999, with nanoseconds.
///
/// Parsed from Unix seconds (`1763889831`), Unix seconds with a fraction of up to nine digits
/// (`1763889831.123456789`) or RFC 3339 (`2025-11-23T09:23:51Z`). Displayed as Unix seconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct StartTime {
    seconds: u64,
    nanoseconds: u32,
}

const FRACTION_DIGITS: usize = 9;

impl StartTime {
    /// The latest second that `jiff` supports: two hours before the year 10000.
    const LAST_SECOND: u64 = 253_402_207_200;

    /// The current time.
    pub fn now() -> Self {
        Self::from_system_time(SystemTime::now())
    }

    /// Converts a clock's time. Times before 1970 become 1970, times after 9999 become 9999.
    pub fn from_system_time(time: SystemTime) -> Self {
        let since_epoch = time.duration_since(UNIX_EPOCH).unwrap_or_default();
        Self {
            seconds: since_epoch.as_secs().min(Self::LAST_SECOND),
            nanoseconds: since_epoch.subsec_nanos(),
        }
    }

    /// The time this long after it, at most in 9999.
    #[must_use]
    pub fn later(&self, by: Duration) -> Self {
        let since_epoch = Duration::new(self.seconds, self.nanoseconds).saturating_add(by);
        Self {
            seconds: since_epoch.as_secs().min(Self::LAST_SECOND),
            nanoseconds: since_epoch.subsec_nanos(),
        }
    }

    /// Whole Unix seconds, rounded down.
    pub const fn unix_seconds(&self) -> u64 {
        self.seconds
    }

    /// The nanoseconds after [`StartTime::unix_seconds`], below a billion.
    pub const fn nanoseconds(&self) -> u32 {
        self.nanoseconds
    }

    /// Another start time, several days away, used to find out which values depend on the start
    /// time.
    #[must_use]
    pub const fn shifted(&self) -> Self {
        const OFFSET: u64 = 1_000_003;
        let seconds = match self.seconds.checked_sub(OFFSET) {
            Some(earlier) => earlier,
            None => self.seconds + OFFSET,
        };
        Self { seconds, ..*self }
    }

    fn from_unix_text(text: &str) -> Option<Self> {
        let (seconds, nanoseconds) = decimal(text, FRACTION_DIGITS)?;
        (seconds <= Self::LAST_SECOND).then_some(Self {
            seconds,
            nanoseconds,
        })
    }

    fn from_rfc_3339(text: &str) -> Option<Self> {
        let timestamp: Timestamp = text.parse().ok()?;
        // Before 1970 one of the parts is negative.
        Some(Self {
            seconds: timestamp.as_second().try_into().ok()?,
            nanoseconds: timestamp.subsec_nanosecond().try_into().ok()?,
        })
    }
}

/// The whole part of a decimal such as `12.5`, and its fraction in units of the last of `places`.
pub(crate) fn decimal(text: &str, places: usize) -> Option<(u64, u32)> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, "0"));
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    if !digits(whole) || !digits(fraction) || fraction.len() > places {
        return None;
    }
    let fraction = format!("{fraction:0<places$}");
    Some((whole.parse().ok()?, fraction.parse().ok()?))
}

impl FromStr for StartTime {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        Self::from_unix_text(text)
            .or_else(|| Self::from_rfc_3339(text))
            .ok_or_else(|| {
                format!(
                    "invalid start time `{text}`: expected Unix seconds such as `1763889831` or \
                     `1763889831.123456789`, or RFC 3339 such as `2025-11-23T09:23:51Z`, from 1970 to \
                     9999"
                )
            })
    }
}

impl fmt::Display for StartTime {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.nanoseconds == 0 {
            return write!(formatter, "{}", self.seconds);
        }
        let fraction = format!("{:0FRACTION_DIGITS$}", self.nanoseconds);
        let fraction = fraction.trim_end_matches('0');
        write!(formatter, "{}.{fraction}", self.seconds)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use proptest::prelude::*;

    use super::*;

    fn parsed(text: &str) -> StartTime {
        text.parse().expect(text)
    }

    #[test]
    fn reads_unix_seconds_and_rfc_3339() {
        for (text, seconds, nanoseconds) in [
            ("0", 0, 0),
            ("1763889831", 1_763_889_831, 0),
            ("1763889831.123456789", 1_763_889_831, 123_456_789),
            ("1763889831.5", 1_763_889_831, 500_000_000),
            ("2025-11-23T09:23:51Z", 1_763_889_831, 0),
            ("2025-11-23T11:23:51.25+02:00", 1_763_889_831, 250_000_000),
        ] {
            let time = parsed(text);
            assert_eq!(
                (time.unix_seconds(), time.nanoseconds()),
                (seconds, nanoseconds)
            );
        }
    }

    #[test]
    fn an_invalid_start_time_is_rejected_with_the_expected_formats() {
        for text in [
            "",
            "now",
            "-1",
            "+1",
            "1.",
            ".5",
            "1.1234567890",
            "1e9",
            "2025-11-23",
            "2025-11-23T09:23:51",
            "1969-12-31T23:59:59.5Z",
            "99999999999999",
            "18446744073709551616",
        ] {
            let error = text.parse::<StartTime>().expect_err(text);
            assert!(error.contains("expected Unix seconds"), "{error}");
            let start = format!("invalid start time `{text}`: ");
            assert!(error.starts_with(&start), "{error}");
        }
    }

    #[test]
    fn the_last_second_can_be_written_in_both_formats() {
        assert_eq!(parsed("253402207200.5"), parsed("9999-12-30T22:00:00.5Z"));
        assert!("253402207201".parse::<StartTime>().is_err());
    }

    #[test]
    fn a_clock_out_of_range_is_clamped() {
        let before = StartTime::from_system_time(UNIX_EPOCH - Duration::from_secs(1));
        assert_eq!(before, parsed("0"));
        let clock = UNIX_EPOCH + Duration::new(1_763_889_831, 123_000_000);
        assert_eq!(StartTime::from_system_time(clock), parsed("1763889831.123"));
    }

    proptest! {
        #[test]
        fn displayed_times_parse_back(
            seconds in 0..=StartTime::LAST_SECOND,
            nanoseconds in 0..1_000_000_000_u32,
        ) {
            let time = StartTime { seconds, nanoseconds };
            prop_assert_eq!(parsed(&time.to_string()), time);
        }

        #[test]
        fn parsing_never_panics(text in ".{0,40}") {
            let _ = text.parse::<StartTime>();
        }
    }
}
