//! What is odd about a timestamp, for signatures that match all the same.

use std::fmt;

/// Receivers that check freshness commonly allow this many seconds. `[A]`
const TOLERANCE_SECONDS: u64 = 300;

/// Unix times from here on are taken as milliseconds: as seconds it would be the year 5138.
pub(super) const MILLISECONDS_FROM: u64 = 100_000_000_000;

/// Why a receiver that checks freshness may refuse a timestamp. `Display` says it in a sentence.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TimestampConcern {
    /// Not whole Unix seconds in decimal digits.
    NotANumber,
    /// So large that it must be milliseconds.
    Milliseconds,
    /// Older than five minutes, by this many seconds in all.
    Old(u64),
    /// More than five minutes in the future, by this many seconds in all.
    Ahead(u64),
}

impl TimestampConcern {
    /// A name in snake case that does not change between versions.
    pub fn name(self) -> &'static str {
        match self {
            Self::NotANumber => "timestamp_not_a_number",
            Self::Milliseconds => "timestamp_in_milliseconds",
            Self::Old(_) => "timestamp_old",
            Self::Ahead(_) => "timestamp_ahead",
        }
    }
}

impl fmt::Display for TimestampConcern {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotANumber => formatter.write_str("the timestamp is not whole Unix seconds"),
            Self::Milliseconds => formatter.write_str(
                "the timestamp seems to be in milliseconds; Aghanim sends whole Unix seconds",
            ),
            Self::Old(seconds) => write!(
                formatter,
                "the timestamp is {} old; receivers that check freshness often refuse more than \
                 5 minutes",
                Span(*seconds)
            ),
            Self::Ahead(seconds) => write!(
                formatter,
                "the timestamp is {} ahead; receivers that check freshness often refuse more \
                 than 5 minutes, so check the clocks",
                Span(*seconds)
            ),
        }
    }
}

/// Looks at a timestamp header as of `now`, in Unix seconds.
pub fn timestamp_concern(timestamp: &[u8], now: u64) -> Option<TimestampConcern> {
    let digits = !timestamp.is_empty() && timestamp.iter().all(u8::is_ascii_digit);
    let number: Option<u64> = std::str::from_utf8(timestamp)
        .ok()
        .filter(|_| digits)
        .and_then(|text| text.parse().ok());
    let Some(seconds) = number else {
        return Some(TimestampConcern::NotANumber);
    };
    if seconds >= MILLISECONDS_FROM {
        return Some(TimestampConcern::Milliseconds);
    }
    if seconds.saturating_add(TOLERANCE_SECONDS) < now {
        return Some(TimestampConcern::Old(now - seconds));
    }
    if now.saturating_add(TOLERANCE_SECONDS) < seconds {
        return Some(TimestampConcern::Ahead(seconds - now));
    }
    None
}

/// Seconds in the largest unit of which there are at least two.
struct Span(u64);

impl fmt::Display for Span {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let units = [(86_400, "days"), (3_600, "hours"), (60, "minutes")];
        let (size, unit) = units
            .into_iter()
            .find(|(size, _)| self.0 / size >= 2)
            .unwrap_or((1, "seconds"));
        write!(formatter, "{} {unit}", self.0 / size)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn five_minutes_either_way_are_fine() {
        let now = 1_725_548_450;
        for (timestamp, concern) in [
            ("1725548450", None),
            ("1725548150", None),
            ("1725548750", None),
            ("1725548149", Some(TimestampConcern::Old(301))),
            ("1725548751", Some(TimestampConcern::Ahead(301))),
            ("0", Some(TimestampConcern::Old(now))),
            ("1725548450000", Some(TimestampConcern::Milliseconds)),
            ("", Some(TimestampConcern::NotANumber)),
            ("+1725548450", Some(TimestampConcern::NotANumber)),
            ("soon", Some(TimestampConcern::NotANumber)),
            ("99999999999999999999", Some(TimestampConcern::NotANumber)),
        ] {
            assert_eq!(
                timestamp_concern(timestamp.as_bytes(), now),
                concern,
                "{timestamp:?}"
            );
        }
    }

    #[test]
    fn spans_are_told_in_the_largest_fitting_unit() {
        for (seconds, text) in [
            (301, "5 minutes"),
            (119, "119 seconds"),
            (7_199, "119 minutes"),
            (7_200, "2 hours"),
            (172_800, "2 days"),
        ] {
            assert_eq!(Span(seconds).to_string(), text);
        }
    }
}
