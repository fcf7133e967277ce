//! The delays between attempts, as data.

use schemars::JsonSchema;
use serde::de::value::MapAccessDeserializer;
use serde::de::{Error as _, MapAccess, Unexpected};
use serde::{Deserialize, Deserializer};

use crate::policy::duration_text::DurationText;
use crate::policy::written::{Written, deserialize_written, written_schema};

/// The delays between attempts: a list whose last entry repeats, or an exponential backoff.
#[derive(Debug, Clone, PartialEq)]
pub enum Delays {
    /// The delay before each retry; the last entry repeats. An empty list, which files can't contain,
    /// means no delay.
    List(Vec<DurationText>),
    /// Each delay is `factor` times the previous one, up to a maximum.
    Exponential(Exponential),
}

/// An exponential backoff.
#[derive(Debug, Clone, Copy, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Exponential {
    /// The delay before the first retry.
    pub first: DurationText,
    /// The factor by which each delay is longer than the previous one; at least 1.
    #[serde(deserialize_with = "deserialize_factor")]
    #[schemars(range(min = 1))]
    pub factor: f64,
    /// The maximum delay.
    pub max: DurationText,
}

fn deserialize_factor<'de, D: Deserializer<'de>>(deserializer: D) -> Result<f64, D::Error> {
    let factor = f64::deserialize(deserializer)?;
    if factor.is_finite() && factor >= 1.0 {
        Ok(factor)
    } else {
        let expected = &"a factor of 1 or more, such as 2";
        Err(D::Error::invalid_value(Unexpected::Float(factor), expected))
    }
}

impl Written for Delays {
    const EXPECTED: &'static str =
        "a list of delays such as `[1s, 5s, 30s]`, or `{ first: 1s, factor: 2, max: 1h }`";

    fn from_list<'de, L: Deserializer<'de>>(list: L) -> Result<Self, L::Error> {
        match Vec::deserialize(list)? {
            delays if delays.is_empty() => Err(L::Error::custom("expected at least one delay")),
            delays => Ok(Self::List(delays)),
        }
    }

    fn from_map<'de, M: MapAccess<'de>>(map: M) -> Result<Self, M::Error> {
        Exponential::deserialize(MapAccessDeserializer::new(map)).map(Self::Exponential)
    }
}

deserialize_written!(Delays);

written_schema!(Delays, "Delays", |generator| {
    "description": "The delays between attempts: a list whose last entry repeats, or an exponential \
        backoff.",
    "oneOf": [
        { "type": "array", "items": generator.subschema_for::<DurationText>(), "minItems": 1 },
        generator.subschema_for::<Exponential>(),
    ],
});
