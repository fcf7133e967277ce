//! Times as pages show them: in UTC.

use std::fmt;
use std::time::Duration;

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;

use super::form::Mistakes;
use crate::policy::DurationText;

/// A time in Unix milliseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Moment(pub(super) i64);

impl Moment {
    fn timestamp(self) -> Timestamp {
        Timestamp::from_millisecond(self.0).unwrap_or_default()
    }

    /// For programs: the `datetime` of a `<time>`.
    pub(super) fn machine(self) -> String {
        self.timestamp().to_string()
    }

    pub(super) fn time_of_day(self) -> String {
        self.timestamp().strftime("%H:%M:%S").to_string()
    }

    /// How long after another time it is, such as `1m30s`.
    pub(super) fn after(self, other: Self) -> String {
        duration(self.0.saturating_sub(other.0))
    }
}

impl fmt::Display for Moment {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            formatter,
            "{}",
            self.timestamp().strftime("%-d %b %Y, %H:%M:%S UTC")
        )
    }
}

/// Milliseconds with the largest units.
fn duration(milliseconds: i64) -> String {
    let milliseconds = u64::try_from(milliseconds).unwrap_or_default();
    DurationText(Duration::from_millis(milliseconds)).to_string()
}

const INPUT: &str = "%Y-%m-%dT%H:%M";

/// Unix seconds as the value of a field for a date and time.
pub(super) fn input_value(seconds: Option<i64>) -> String {
    let time = seconds.and_then(|seconds| Timestamp::from_second(seconds).ok());
    time.map(|time| time.strftime(INPUT).to_string())
        .unwrap_or_default()
}

/// Reads such a field as Unix seconds.
pub(super) fn read_input(label: &str, text: &str, mistakes: &mut Mistakes) -> Option<i64> {
    let time: DateTime = mistakes.read(label, text, "a date and time such as 2027-01-31T12:00")?;
    let time = time.to_zoned(TimeZone::UTC).ok()?;
    Some(time.timestamp().as_second())
}
