//! What a step changes in the policy below it.

use std::borrow::Cow;
use std::fmt;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::value::MapAccessDeserializer;
use serde::de::{self, MapAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::{Delays, EventIdOnRetry, Jitter, RetryAfter, RetryOn, RetryPolicy};
use crate::scenario::{ConnectionChoice, DurationText};

/// What a step says about retries: parts of a policy, or `off` for a single attempt.
#[derive(Debug, Clone, PartialEq)]
pub enum RetrySetting {
    /// One attempt, whatever comes of it.
    Off,
    /// The keys that are given; the others come from the policy below.
    Override(RetryOverride),
}

/// Parts of a retry policy; what is left out comes from the policy below.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct RetryOverride {
    /// How many attempts a delivery has, the first included; at least 1.
    #[serde(
        deserialize_with = "some_attempts",
        skip_serializing_if = "Option::is_none"
    )]
    #[schemars(range(min = 1))]
    pub attempts: Option<u32>,
    /// How long to wait before each further attempt.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub delays: Option<Delays>,
    /// How far a delay may stray to either side, as a share of it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub jitter: Option<Jitter>,
    /// How long a whole attempt may take, from connecting to the end of the answer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub timeout: Option<DurationText>,
    /// After which answers and failures the delivery is tried again.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub retry_on: Option<Vec<RetryOn>>,
    /// Whether each attempt is signed afresh, with a new timestamp.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub resign: Option<bool>,
    /// Whether a retry keeps the event's ID, and so the bytes of the body.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub event_id: Option<EventIdOnRetry>,
    /// Whether an answer's `Retry-After`, in seconds or as a date, makes the next wait longer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub retry_after: Option<RetryAfter>,
    /// Which connection a retry takes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub connection: Option<ConnectionChoice>,
}

impl RetrySetting {
    const EXPECTED: &'static str = "`off` or a map of retry settings";

    /// The whole policy: what is set here, and `base` for the rest.
    #[must_use]
    pub fn over(&self, base: &RetryPolicy) -> RetryPolicy {
        let base = base.clone();
        match self {
            Self::Off => RetryPolicy {
                attempts: 1,
                ..base
            },
            Self::Override(set) => RetryPolicy {
                attempts: set.attempts.unwrap_or(base.attempts),
                delays: set.delays.clone().unwrap_or(base.delays),
                jitter: set.jitter.unwrap_or(base.jitter),
                timeout: set.timeout.unwrap_or(base.timeout),
                retry_on: set.retry_on.clone().unwrap_or(base.retry_on),
                resign: set.resign.unwrap_or(base.resign),
                event_id: set.event_id.unwrap_or(base.event_id),
                retry_after: set.retry_after.unwrap_or(base.retry_after),
                connection: set.connection.unwrap_or(base.connection),
            },
        }
    }
}

fn some_attempts<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<u32>, D::Error> {
    super::attempts(deserializer).map(Some)
}

impl Serialize for RetrySetting {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Off => serializer.serialize_str("off"),
            Self::Override(set) => set.serialize(serializer),
        }
    }
}

impl<'de> Deserialize<'de> for RetrySetting {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct OffOrMap;

        impl<'de> Visitor<'de> for OffOrMap {
            type Value = RetrySetting;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str(RetrySetting::EXPECTED)
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<RetrySetting, E> {
                match text {
                    "off" => Ok(RetrySetting::Off),
                    _ => Err(E::invalid_value(de::Unexpected::Str(text), &self)),
                }
            }

            // YAML readers of the older kind take the bare word `off` for `false`.
            fn visit_bool<E: de::Error>(self, on: bool) -> Result<RetrySetting, E> {
                if on {
                    return Err(E::invalid_value(de::Unexpected::Bool(on), &self));
                }
                Ok(RetrySetting::Off)
            }

            fn visit_map<A: MapAccess<'de>>(self, entries: A) -> Result<RetrySetting, A::Error> {
                let set = Deserialize::deserialize(MapAccessDeserializer::new(entries))?;
                Ok(RetrySetting::Override(set))
            }
        }

        deserializer.deserialize_any(OffOrMap)
    }
}

impl JsonSchema for RetrySetting {
    fn schema_name() -> Cow<'static, str> {
        "RetrySetting".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "description": "Parts of a retry policy, or off for a single attempt.",
            "anyOf": [
                { "const": "off", "description": "One attempt, whatever comes of it." },
                generator.subschema_for::<RetryOverride>(),
            ],
        })
    }
}
