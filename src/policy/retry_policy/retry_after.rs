//! Whether the sender honors a `Retry-After` header.

use std::borrow::Cow;
use std::fmt;
use std::time::Duration;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::{self, MapAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::policy::duration_text::DurationText;

/// Whether a `Retry-After` header can extend the next delay: `false`, `true`, or `{ max: 10m }`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub enum RetryAfter {
    /// Ignore the header.
    #[default]
    Ignored,
    /// Extend the policy's delay to what the header requests, but at most to this.
    UpTo(DurationText),
}

/// The form with a limit: `{ max: 10m }`.
#[derive(Debug, Clone, Copy, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "Bound")]
struct RetryAfterLimit {
    /// The maximum delay that a receiver can request.
    max: DurationText,
}

impl RetryAfter {
    /// The meaning of `true`: a receiver can request up to an hour. `[A]`
    pub const HONORED: Self = Self::UpTo(DurationText(Duration::from_hours(1)));

    const EXPECTED: &str = "`true`, `false`, or `{ max: 10m }`";

    /// The next delay, from the policy's delay and the one that the receiver requested.
    #[must_use]
    pub fn wait(self, delay: Duration, requested: Option<Duration>) -> Duration {
        match (self, requested) {
            (Self::UpTo(max), Some(requested)) => delay.max(requested.min(max.0)),
            _ => delay,
        }
    }
}

impl Serialize for RetryAfter {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match *self {
            Self::Ignored => serializer.serialize_bool(false),
            Self::HONORED => serializer.serialize_bool(true),
            Self::UpTo(max) => RetryAfterLimit { max }.serialize(serializer),
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
                    RetryAfter::HONORED
                } else {
                    RetryAfter::Ignored
                })
            }

            fn visit_map<A: MapAccess<'de>>(self, entries: A) -> Result<RetryAfter, A::Error> {
                let map = de::value::MapAccessDeserializer::new(entries);
                let RetryAfterLimit { max } = RetryAfterLimit::deserialize(map)?;
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
            "description": "Whether a `Retry-After` header can extend the next delay. With `true`, \
                at most to an hour.",
            "anyOf": [{ "type": "boolean" }, generator.subschema_for::<RetryAfterLimit>()],
        })
    }
}
