//! The delays between attempts, as data.

use std::borrow::Cow;
use std::fmt;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::value::MapAccessDeserializer;
use serde::de::{self, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::policy::duration_text::DurationText;

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
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
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
        let found = de::Unexpected::Float(factor);
        Err(de::Error::invalid_value(
            found,
            &"a factor of 1 or more, such as 2",
        ))
    }
}

impl Serialize for Delays {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::List(delays) => delays.serialize(serializer),
            Self::Exponential(exponential) => exponential.serialize(serializer),
        }
    }
}

impl<'de> Deserialize<'de> for Delays {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct ListOrMap;

        impl<'de> Visitor<'de> for ListOrMap {
            type Value = Delays;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str(
                    "a list of delays such as `[1s, 5s, 30s]`, or \
                     `{ first: 1s, factor: 2, max: 1h }`",
                )
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut entries: A) -> Result<Delays, A::Error> {
                let mut delays = Vec::new();
                while let Some(delay) = entries.next_element()? {
                    delays.push(delay);
                }
                if delays.is_empty() {
                    return Err(de::Error::custom("expected at least one delay"));
                }
                Ok(Delays::List(delays))
            }

            fn visit_map<A: MapAccess<'de>>(self, entries: A) -> Result<Delays, A::Error> {
                let exponential = Deserialize::deserialize(MapAccessDeserializer::new(entries))?;
                Ok(Delays::Exponential(exponential))
            }
        }

        deserializer.deserialize_any(ListOrMap)
    }
}

impl JsonSchema for Delays {
    fn schema_name() -> Cow<'static, str> {
        "Delays".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "description": "The delays between attempts: a list whose last entry repeats, or an \
                exponential backoff.",
            "oneOf": [
                {
                    "type": "array",
                    "items": generator.subschema_for::<DurationText>(),
                    "minItems": 1,
                },
                generator.subschema_for::<Exponential>(),
            ],
        })
    }
}
