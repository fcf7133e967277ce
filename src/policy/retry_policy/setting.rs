//! Overrides of a retry policy.

use std::borrow::Cow;
use std::fmt;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::value::MapAccessDeserializer;
use serde::de::{self, MapAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::RetryPolicy;
use crate::policy::connection_choice::ConnectionChoice;
use crate::policy::duration_text::DurationText;
use crate::policy::retry_policy::Delays;
use crate::policy::retry_policy::EventIdOnRetry;
use crate::policy::retry_policy::Jitter;
use crate::policy::retry_policy::RetryAfter;
use crate::policy::retry_policy::RetryOn;

/// Retry settings of a profile or a step: parts of a policy, or `off` for a single attempt.
#[derive(Debug, Clone, PartialEq)]
pub enum RetrySetting {
    /// Only one attempt, whatever its result.
    Off,
    /// The given keys; the others come from the base policy.
    Override(RetryOverride),
}

/// Parts of a retry policy. A step's omitted keys come from the profile's policy, a profile's from the
/// default policy.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct RetryOverride {
    /// The maximum number of attempts, including the first; at least 1.
    #[serde(
        deserialize_with = "some_attempts",
        skip_serializing_if = "Option::is_none"
    )]
    #[schemars(range(min = 1))]
    pub attempts: Option<u32>,
    /// The delay before each retry.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub delays: Option<Delays>,
    /// How much a delay may randomly vary in either direction, as a fraction of it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub jitter: Option<Jitter>,
    /// The maximum duration of an attempt, from connecting to the end of the response.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub timeout: Option<DurationText>,
    /// The responses and failures after which the delivery is retried.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub retry_on: Option<Vec<RetryOn>>,
    /// Whether each attempt is signed afresh, with a new timestamp. If false, retries repeat the
    /// signature of the first attempt.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub resign: Option<bool>,
    /// Whether a retry keeps the event's ID, and with it the exact body. The idempotency key always
    /// stays the same.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub event_id: Option<EventIdOnRetry>,
    /// Whether a `Retry-After` header in the response, in seconds or as a date, can extend the next
    /// delay.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub retry_after: Option<RetryAfter>,
    /// Which connection a retry uses.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub connection: Option<ConnectionChoice>,
}

impl RetrySetting {
    const EXPECTED: &'static str = "`off` or a mapping of retry settings";

    /// The complete policy: these settings, and `base` for the rest.
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
    super::deserialize_attempts(deserializer).map(Some)
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

            // YAML 1.1 parsers read the bare word `off` as `false`.
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
            "description": "Parts of a retry policy, or `off` for a single attempt.",
            "anyOf": [
                { "const": "off", "description": "Only one attempt, whatever its result." },
                generator.subschema_for::<RetryOverride>(),
            ],
        })
    }
}
