//! A time as an author writes it: Unix seconds, or relative to the run's start T.

use std::str::FromStr;

use jiff::{Span, SpanRelativeTo};
use schemars::JsonSchema;
use serde::de::{Error, Unexpected};
use serde_json::Value;

use super::StartTime;
use super::written::{Written, deserialize_written};

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, JsonSchema)]
#[schemars(
    with = "Value",
    description = "Unix seconds, or text relative to the run's start T, such as `T`, `T-1h`, \
                   `T+90s` or `T-1d12h`, in whole seconds.",
    extend("anyOf" = [
        { "type": "integer", "minimum": 0 },
        { "type": "string", "pattern": r"^\s*T\s*([+-]\s*[0-9].*)?$" },
    ])
)]
pub enum EventTime {
    Unix(u64),
    /// Seconds from the start: `T-1h` is -3600.
    FromStart(i64),
}

const EXPECTED: &str = "Unix seconds as a whole number, or a time relative to the start in whole \
                        seconds, such as `T`, `T-1h`, `T+90s` or `T-1d12h`";

impl EventTime {
    pub const START: Self = Self::FromStart(0);

    /// The time in Unix seconds, for a run that starts at `start`. A time before 1970 becomes 0.
    pub const fn unix_seconds(self, start: StartTime) -> u64 {
        match self {
            Self::Unix(seconds) => seconds,
            Self::FromStart(offset) => start.unix_seconds().saturating_add_signed(offset),
        }
    }
}

/// Whole seconds of a duration such as `90s`, `1h30m` or `2 days`.
fn whole_seconds(text: &str) -> Option<i64> {
    // Must begin with a digit: rejects a second sign and `PT1H`.
    if !text.starts_with(|first: char| first.is_ascii_digit()) {
        return None;
    }
    let span: Span = text.parse().ok()?;
    let duration = span.to_duration(SpanRelativeTo::days_are_24_hours()).ok()?;
    // A text such as `1h ago` gives a negative duration.
    (duration.subsec_nanos() == 0 && !duration.is_negative()).then(|| duration.as_secs())
}

impl FromStr for EventTime {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let offset = || {
            let rest = text.trim().strip_prefix('T')?.trim_start();
            if rest.is_empty() {
                return Some(0);
            }
            let (sign, duration) = match rest.strip_prefix('+') {
                Some(later) => (1, later),
                None => (-1, rest.strip_prefix('-')?),
            };
            whole_seconds(duration.trim_start()).map(|seconds| sign * seconds)
        };
        offset()
            .map(Self::FromStart)
            .ok_or_else(|| format!("invalid time `{text}`: expected {EXPECTED}"))
    }
}

impl Written for EventTime {
    const EXPECTED: &'static str = EXPECTED;

    fn from_scalar<E: Error>(scalar: Unexpected<'_>) -> Result<Self, E> {
        match scalar {
            Unexpected::Unsigned(seconds) => Ok(Self::Unix(seconds)),
            Unexpected::Signed(_) => Err(E::invalid_value(scalar, &EXPECTED)),
            Unexpected::Str(text) => text.parse().map_err(E::custom),
            _ => Err(E::invalid_type(scalar, &EXPECTED)),
        }
    }
}

deserialize_written!(EventTime);

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn read(value: serde_json::Value) -> Result<EventTime, String> {
        serde_json::from_value(value).map_err(|error| error.to_string())
    }

    #[test]
    fn times_are_relative_to_the_start() {
        let start: StartTime = "1763889831.9".parse().expect("a start time");
        for (written, expected) in [
            (json!("T"), 1_763_889_831),
            (json!("T-1h"), 1_763_886_231),
            (json!("T+90s"), 1_763_889_921),
            (json!("T - 1d 12h"), 1_763_760_231),
            (json!("T+1w"), 1_764_494_631),
            (json!("T-9999d"), 899_976_231),
            (json!("T-19999d"), 35_976_231),
            (json!(0), 0),
            (json!(1_725_548_450), 1_725_548_450),
        ] {
            let time = read(written.clone()).expect("a time");
            assert_eq!(time.unix_seconds(start), expected, "{written}");
        }
        let before_1970 = read(json!("T-99999d")).expect("a time");
        assert_eq!(before_1970.unix_seconds(start), 0);
    }

    #[test]
    fn an_invalid_time_is_rejected_with_the_expected_format() {
        for wrong in [
            json!(""),
            json!("now"),
            json!("t"),
            json!("1725548450"),
            json!("T+"),
            json!("T1h"),
            json!("T--1h"),
            json!("T+1h ago"),
            json!("T+PT1H"),
            json!("T+1mo"),
            json!("T+0.5s"),
            json!("T+500ms"),
            json!(-1),
            json!(1.5),
            json!(true),
            json!([1]),
        ] {
            let error = read(wrong.clone()).expect_err("an error");
            assert!(error.contains("expected Unix seconds"), "{wrong}: {error}");
        }
    }

    proptest! {
        #[test]
        fn parsing_never_panics(text in "T?[+-]?.{0,20}") {
            let _ = text.parse::<EventTime>();
        }
    }
}
