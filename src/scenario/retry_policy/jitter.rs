//! How far a delay strays from its length.

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::{self, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// What a reader is told that is expected here.
const EXPECTED: &str =
    "a share of the delay such as `10%`, from 0% to 100%, or a number from 0 to 1";

/// How far a delay may stray to either side of its length, as a share of it, in millionths.
///
/// Written `10%`, or read from a number between 0 and 1.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Jitter(u32);

/// A text or number that is no share.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("expected {EXPECTED}, found `{0}`")]
pub struct JitterError(String);

impl Jitter {
    /// Delays are kept to the nanosecond.
    pub const NONE: Self = Self(0);
    const WHOLE: u32 = 1_000_000;

    /// A share between 0 and 1, to the millionth.
    pub fn from_share(share: f64) -> Result<Self, JitterError> {
        if !(0.0..=1.0).contains(&share) {
            return Err(JitterError(share.to_string()));
        }
        // Checked above: from 0 to a million, so neither the sign nor the size is lost.
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
        Ok(Self((share * f64::from(Self::WHOLE)).round() as u32))
    }

    /// The share, from 0 to 1 000 000 millionths.
    pub fn millionths(self) -> u32 {
        self.0
    }
}

impl FromStr for Jitter {
    type Err = JitterError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let refused = || JitterError(text.to_owned());
        let percent = text.strip_suffix('%').ok_or_else(refused)?;
        if !percent.starts_with(|first: char| first.is_ascii_digit()) {
            return Err(refused());
        }
        let percent: f64 = percent.parse().map_err(|_| refused())?;
        Self::from_share(percent / 100.0).map_err(|_| refused())
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
        struct PercentOrShare;

        impl Visitor<'_> for PercentOrShare {
            type Value = Jitter;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str(EXPECTED)
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<Jitter, E> {
                text.parse().map_err(E::custom)
            }

            fn visit_f64<E: de::Error>(self, share: f64) -> Result<Jitter, E> {
                Jitter::from_share(share).map_err(E::custom)
            }

            fn visit_u64<E: de::Error>(self, share: u64) -> Result<Jitter, E> {
                match share {
                    0 => Ok(Jitter::NONE),
                    1 => Ok(Jitter(Jitter::WHOLE)),
                    _ => Err(E::custom(JitterError(share.to_string()))),
                }
            }

            fn visit_i64<E: de::Error>(self, share: i64) -> Result<Jitter, E> {
                match u64::try_from(share) {
                    Ok(share) => self.visit_u64(share),
                    Err(_) => Err(E::custom(JitterError(share.to_string()))),
                }
            }
        }

        deserializer.deserialize_any(PercentOrShare)
    }
}

impl JsonSchema for Jitter {
    fn schema_name() -> Cow<'static, str> {
        "Jitter".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "description": "How far a delay may stray to either side, as a share of it: 10% or 0.1.",
            "oneOf": [
                { "type": "string", "pattern": "^[0-9]+(\\.[0-9]+)?%$" },
                { "type": "number", "minimum": 0, "maximum": 1 },
            ],
        })
    }
}
