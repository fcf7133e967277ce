//! Overrides of a retry policy.

use schemars::JsonSchema;
use serde::de::value::MapAccessDeserializer;
use serde::de::{self, MapAccess, Unexpected};
use serde::{Deserialize, Deserializer};

use super::{ConnectionChoice, Delays, EventIdOnRetry, RetryAfter, RetryOn, RetryPolicy};
use crate::policy::duration_text::DurationText;
use crate::policy::percent::Percent;
use crate::policy::written::{Written, deserialize_written, read_written, written_schema};

#[derive(Debug, Clone, PartialEq)]
pub enum RetrySetting {
    Off,
    /// The given keys; the others come from the base policy.
    Override(RetryOverride),
}

/// Parts of a retry policy. A step's omitted keys come from the profile's policy, a profile's from the
/// default policy.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RetryOverride {
    /// The maximum number of attempts, including the first; at least 1.
    #[serde(default, deserialize_with = "attempts")]
    // Keeps the default, null, out of the schema.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1))]
    pub attempts: Option<u32>,
    /// The delay before each retry.
    pub delays: Option<Delays>,
    /// How much a delay may randomly vary in either direction, as a fraction of it.
    pub jitter: Option<Percent>,
    /// The maximum duration of an attempt, from connecting to the end of the response.
    pub timeout: Option<DurationText>,
    /// The responses and failures after which the delivery is retried.
    pub retry_on: Option<Vec<RetryOn>>,
    /// Whether each attempt is signed afresh, with a new timestamp. If false, retries repeat the
    /// signature of the first attempt.
    pub resign: Option<bool>,
    /// Whether a retry keeps the event's ID, and with it the exact body. The idempotency key always
    /// stays the same.
    pub event_id: Option<EventIdOnRetry>,
    /// Whether a `Retry-After` header in the response, in seconds or as a date, can extend the next
    /// delay.
    pub retry_after: Option<RetryAfter>,
    /// Which connection a retry uses.
    pub connection: Option<ConnectionChoice>,
}

impl RetrySetting {
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

impl Written for RetrySetting {
    const EXPECTED: &'static str = "`off` or a mapping of retry settings";

    fn from_scalar<E: de::Error>(scalar: Unexpected<'_>) -> Result<Self, E> {
        match scalar {
            // YAML 1.1 parsers read the bare word `off` as `false`.
            Unexpected::Str("off") | Unexpected::Bool(false) => Ok(Self::Off),
            Unexpected::Str(_) | Unexpected::Bool(_) => {
                Err(E::invalid_value(scalar, &Self::EXPECTED))
            }
            _ => Err(E::invalid_type(scalar, &Self::EXPECTED)),
        }
    }

    fn from_map<'de, M: MapAccess<'de>>(map: M) -> Result<Self, M::Error> {
        RetryOverride::deserialize(MapAccessDeserializer::new(map)).map(Self::Override)
    }
}

deserialize_written!(RetrySetting);

struct Attempts(u32);

impl Written for Attempts {
    const EXPECTED: &'static str = "a number of attempts, at least 1";

    fn from_scalar<E: de::Error>(scalar: Unexpected<'_>) -> Result<Self, E> {
        let number = match scalar {
            Unexpected::Unsigned(number) => u32::try_from(number).ok(),
            Unexpected::Signed(_) => None,
            _ => return Err(E::invalid_type(scalar, &Self::EXPECTED)),
        };
        let attempts = number.filter(|attempts| *attempts > 0).map(Self);
        attempts.ok_or_else(|| E::invalid_value(scalar, &Self::EXPECTED))
    }
}

fn attempts<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<u32>, D::Error> {
    read_written(deserializer).map(|Attempts(attempts)| Some(attempts))
}

written_schema!(RetrySetting, "RetrySetting", |generator| {
    "description": "Parts of a retry policy, or `off` for a single attempt.",
    "anyOf": [
        { "const": "off", "description": "Only one attempt, whatever its result." },
        generator.subschema_for::<RetryOverride>(),
    ],
});
