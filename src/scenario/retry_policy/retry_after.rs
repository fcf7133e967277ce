//! Whether the sender does what a `Retry-After` header asks for, as data.

use std::borrow::Cow;
use std::fmt;
use std::time::Duration;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::{self, MapAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::scenario::DurationText;

/// Whether an answer's `Retry-After` makes the next wait longer: `false`, `true`, or
/// `{ max: 10m }`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub enum RetryAfter {
    /// The header is not looked at.
    #[default]
    Ignored,
    /// The next wait is as long as the header asks for, where that is longer than the policy's own
    /// delay, but no longer than this.
    UpTo(DurationText),
}

/// The keys of the long form.
#[derive(Debug, Clone, Copy, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Bound {
    /// The longest that a receiver can ask the sender to wait.
    max: DurationText,
}

impl RetryAfter {
    /// What `true` stands for: no receiver can ask for more than an hour. `[A]`
    pub const HONOURED: Self = Self::UpTo(DurationText(Duration::from_hours(1)));

    const EXPECTED: &str = "`true`, `false`, or `{ max: 10m }`";

    /// The wait that follows from the policy's own delay and what the receiver asked for.
    #[must_use]
    pub fn wait(self, delay: Duration, asked: Option<Duration>) -> Duration {
        match (self, asked) {
            (Self::UpTo(max), Some(asked)) => delay.max(asked.min(max.0)),
            _ => delay,
        }
    }
}

impl Serialize for RetryAfter {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match *self {
            Self::Ignored => serializer.serialize_bool(false),
            Self::HONOURED => serializer.serialize_bool(true),
            Self::UpTo(max) => Bound { max }.serialize(serializer),
        }
    }
}

impl<'de> Deserialize<'de> for RetryAfter {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct FlagOrMap;

        impl<'de> Visitor<'de> for FlagOrMap {
            type Value = RetryAfter;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str(RetryAfter::EXPECTED)
            }

            fn visit_bool<E: de::Error>(self, on: bool) -> Result<RetryAfter, E> {
                Ok(if on {
                    RetryAfter::HONOURED
                } else {
                    RetryAfter::Ignored
                })
            }

            fn visit_map<A: MapAccess<'de>>(self, entries: A) -> Result<RetryAfter, A::Error> {
                let map = de::value::MapAccessDeserializer::new(entries);
                let Bound { max } = Bound::deserialize(map)?;
                Ok(RetryAfter::UpTo(max))
            }
        }

        deserializer.deserialize_any(FlagOrMap)
    }
}

impl JsonSchema for RetryAfter {
    fn schema_name() -> Cow<'static, str> {
        "RetryAfter".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "description": "Whether an answer's `Retry-After` makes the next wait longer. `true` \
                waits for an hour at most.",
            "anyOf": [{ "type": "boolean" }, generator.subschema_for::<Bound>()],
        })
    }
}
