//! Concerns about the timestamp of a signature that matches.

/// The usual tolerance, in seconds, of receivers that check freshness. `[A]`
const TOLERANCE_SECONDS: u64 = 300;

/// Timestamps from here on are assumed to be milliseconds. As seconds, this is the year 5138.
pub(super) const MILLISECONDS_FROM: u64 = 100_000_000_000;

/// Why a receiver that checks freshness may refuse a timestamp.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum TimestampConcern {
    #[error("the timestamp is not whole Unix seconds")]
    NotANumber,
    #[error("the timestamp seems to be in milliseconds; Aghanim sends whole Unix seconds")]
    Milliseconds,
    /// By this many seconds.
    #[error(
        "the timestamp is {} old; receivers that check freshness often refuse more than 5 minutes",
        rounded(*.0)
    )]
    Old(u64),
    /// By this many seconds.
    #[error(
        "the timestamp is {} in the future; receivers that check freshness often refuse more than \
         5 minutes, so check the clocks",
        rounded(*.0)
    )]
    Ahead(u64),
}

impl TimestampConcern {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::NotANumber => "timestamp_not_a_number",
            Self::Milliseconds => "timestamp_in_milliseconds",
            Self::Old(_) => "timestamp_old",
            Self::Ahead(_) => "timestamp_ahead",
        }
    }
}

/// Checks a timestamp header at the time `now`, in Unix seconds.
pub(crate) fn timestamp_concern(timestamp: &[u8], now: u64) -> Option<TimestampConcern> {
    let digits = timestamp.iter().all(u8::is_ascii_digit);
    let text = std::str::from_utf8(timestamp).ok().filter(|_| digits);
    let Some(seconds) = text.and_then(|text| text.parse::<u64>().ok()) else {
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

/// Seconds, in the largest unit that gives at least 2.
fn rounded(seconds: u64) -> String {
    let units = [(86_400, "days"), (3_600, "hours"), (60, "minutes")];
    let fitting = units.into_iter().find(|(size, _)| seconds / size >= 2);
    let (size, unit) = fitting.unwrap_or((1, "seconds"));
    format!("{} {unit}", seconds / size)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn five_minutes_in_either_direction_raise_no_concern() {
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
    fn durations_are_displayed_in_the_largest_fitting_unit() {
        for (seconds, text) in [
            (301, "5 minutes"),
            (119, "119 seconds"),
            (7_199, "119 minutes"),
            (7_200, "2 hours"),
            (172_800, "2 days"),
        ] {
            assert_eq!(rounded(seconds), text);
        }
    }
}
