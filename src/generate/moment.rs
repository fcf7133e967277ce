//! A moment as an author writes it: Unix seconds, or relative to the run's start T.

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;

use jiff::{Span, SpanRelativeTo};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::{self, Deserialize, Deserializer, Visitor};

use super::StartTime;

/// A moment in whole seconds: Unix seconds, or text relative to the start T.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Moment {
    /// Unix seconds, whatever the start is.
    Unix(u64),
    /// Seconds from the start: `T-1h` is minus 3600.
    FromStart(i64),
}

/// A text that is no moment.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is no moment: expected {EXPECTED}")]
pub struct InvalidMoment {
    text: String,
}

const EXPECTED: &str = "Unix seconds as a whole number, or a time from the start in whole seconds \
                        such as `T`, `T-1h`, `T+90s` or `T-1d 12h`";

impl Moment {
    /// The start itself.
    pub const START: Self = Self::FromStart(0);

    /// The moment in Unix seconds, for a run that starts at `start`. What would lie before 1970
    /// is 1970.
    pub const fn unix_seconds(self, start: StartTime) -> u64 {
        match self {
            Self::Unix(seconds) => seconds,
            Self::FromStart(offset) => start.unix_seconds().saturating_add_signed(offset),
        }
    }
}

/// Whole seconds of a duration such as `90s`, `1h30m` or `2 days`.
fn whole_seconds(text: &str) -> Option<i64> {
    // A duration begins with a digit here: no sign of its own and no `PT1H`.
    if !text.starts_with(|first: char| first.is_ascii_digit()) {
        return None;
    }
    let span: Span = text.parse().ok()?;
    let duration = span.to_duration(SpanRelativeTo::days_are_24_hours()).ok()?;
    // A text such as `1h ago` runs backwards.
    (duration.subsec_nanos() == 0 && !duration.is_negative()).then(|| duration.as_secs())
}

impl FromStr for Moment {
    type Err = InvalidMoment;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let offset = || {
            let rest = text.trim().strip_prefix('T')?.trim_start();
            if rest.is_empty() {
                return Some(0);
            }
            if let Some(later) = rest.strip_prefix('+') {
                return whole_seconds(later.trim_start());
            }
            let earlier = rest.strip_prefix('-')?;
            whole_seconds(earlier.trim_start()).map(|seconds| -seconds)
        };
        offset().map(Self::FromStart).ok_or_else(|| InvalidMoment {
            text: text.to_owned(),
        })
    }
}

impl<'de> Deserialize<'de> for Moment {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct MomentVisitor;

        impl Visitor<'_> for MomentVisitor {
            type Value = Moment;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str(EXPECTED)
            }

            fn visit_u64<E: de::Error>(self, seconds: u64) -> Result<Moment, E> {
                Ok(Moment::Unix(seconds))
            }

            fn visit_i64<E: de::Error>(self, seconds: i64) -> Result<Moment, E> {
                let unsigned = u64::try_from(seconds);
                unsigned
                    .map(Moment::Unix)
                    .map_err(|_| E::invalid_value(de::Unexpected::Signed(seconds), &self))
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<Moment, E> {
                text.parse().map_err(E::custom)
            }
        }

        deserializer.deserialize_any(MomentVisitor)
    }
}

impl JsonSchema for Moment {
    fn schema_name() -> Cow<'static, str> {
        "Moment".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "description": "Unix seconds, or text relative to the run's start T, such as `T`, \
                            `T-1h`, `T+90s` or `T-1d 12h`, in whole seconds.",
            "anyOf": [
                { "type": "integer", "minimum": 0 },
                { "type": "string", "pattern": r"^\s*T\s*([+-]\s*[0-9].*)?$" },
            ],
        })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn read(value: serde_json::Value) -> Result<Moment, String> {
        serde_json::from_value(value).map_err(|error| error.to_string())
    }

    #[test]
    fn counts_from_the_start() {
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
            let moment = read(written.clone()).expect("a moment");
            assert_eq!(moment.unix_seconds(start), expected, "{written}");
        }
        let before_1970 = read(json!("T-99999d")).expect("a moment");
        assert_eq!(before_1970.unix_seconds(start), 0);
    }

    #[test]
    fn says_what_it_expected() {
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
            let error = read(wrong.clone()).expect_err("no moment");
            assert!(error.contains("expected Unix seconds"), "{wrong}: {error}");
        }
    }

    proptest! {
        #[test]
        fn no_text_makes_it_panic(text in "T?[+-]?.{0,20}") {
            let _ = text.parse::<Moment>();
        }
    }
}
