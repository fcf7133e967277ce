//! Random variation of delays.

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::{self, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// What error messages say is expected.
const EXPECTED: &str = "a percentage such as `10%`, from 0% to 100%, or a number from 0 to 1";

/// How much a delay may randomly vary in either direction, in millionths of the delay.
///
/// Written as `10%`. A file can also contain a number from 0 to 1.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Jitter(u32);

/// A text or number that is not a valid jitter.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("expected {EXPECTED}, found `{0}`")]
pub struct JitterError(String);

impl Jitter {
    /// No variation: delays are exact.
    pub const NONE: Self = Self(0);
    const FULL: u32 = 1_000_000;

    /// Creates a jitter from a fraction between 0 and 1, rounded to millionths.
    pub fn from_fraction(fraction: f64) -> Result<Self, JitterError> {
        if !(0.0..=1.0).contains(&fraction) {
            return Err(JitterError(fraction.to_string()));
        }
        // The check above ensures a value from 0 to a million, which fits without loss.
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
        Ok(Self((fraction * f64::from(Self::FULL)).round() as u32))
    }

    /// The jitter in millionths of the delay, from 0 to 1,000,000.
    pub fn millionths(self) -> u32 {
        self.0
    }
}

impl FromStr for Jitter {
    type Err = JitterError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let invalid = || JitterError(text.to_owned());
        let percent = text.strip_suffix('%').ok_or_else(invalid)?;
        if !percent.starts_with(|first: char| first.is_ascii_digit()) {
            return Err(invalid());
        }
        let percent: f64 = percent.parse().map_err(|_| invalid())?;
        Self::from_fraction(percent / 100.0).map_err(|_| invalid())
    }
}

impl fmt::Display for Jitter {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (percent, rest) = (self.0 / 10_000, self.0 % 10_000);
        let fraction = format!("{rest:04}");
        match fraction.trim_end_matches('0') {
            "" => write!(formatter, "{percent}%"),
            fraction => write!(formatter, "{percent}.{fraction}%"),
        }
    }
}

impl Serialize for Jitter {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Jitter {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct PercentOrFraction;

        impl Visitor<'_> for PercentOrFraction {
            type Value = Jitter;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str(EXPECTED)
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<Jitter, E> {
                text.parse().map_err(E::custom)
            }

            fn visit_f64<E: de::Error>(self, fraction: f64) -> Result<Jitter, E> {
                Jitter::from_fraction(fraction).map_err(E::custom)
            }

            fn visit_u64<E: de::Error>(self, fraction: u64) -> Result<Jitter, E> {
                match fraction {
                    0 => Ok(Jitter::NONE),
                    1 => Ok(Jitter(Jitter::FULL)),
                    _ => Err(E::custom(JitterError(fraction.to_string()))),
                }
            }

            fn visit_i64<E: de::Error>(self, fraction: i64) -> Result<Jitter, E> {
                match u64::try_from(fraction) {
                    Ok(fraction) => self.visit_u64(fraction),
                    Err(_) => Err(E::custom(JitterError(fraction.to_string()))),
                }
            }
        }

        deserializer.deserialize_any(PercentOrFraction)
    }
}

impl JsonSchema for Jitter {
    fn schema_name() -> Cow<'static, str> {
        "Jitter".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "description": "How much a delay may randomly vary in either direction: 10% or 0.1.",
            "oneOf": [
                { "type": "string", "pattern": "^[0-9]+(\\.[0-9]+)?%$" },
                { "type": "number", "minimum": 0, "maximum": 1 },
            ],
        })
    }
}
