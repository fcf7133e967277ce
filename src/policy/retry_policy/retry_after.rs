//! Whether the sender honors a `Retry-After` header.

use std::time::Duration;

use schemars::JsonSchema;
use serde::Deserialize;
use serde::de::value::MapAccessDeserializer;
use serde::de::{self, MapAccess, Unexpected};

use crate::policy::duration_text::DurationText;
use crate::policy::written::{Written, deserialize_written, written_schema};

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub enum RetryAfter {
    #[default]
    Ignored,
    /// Extend the policy's delay to what the header requests, but at most to this.
    UpTo(DurationText),
}

/// The form with a limit: `{ max: 10m }`.
#[derive(Debug, Clone, Copy, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "Bound")]
struct RetryAfterLimit {
    /// The maximum delay that a receiver can request.
    max: DurationText,
}

impl RetryAfter {
    /// The meaning of `true`: a receiver can request up to an hour. `[A]`
    pub const HONORED: Self = Self::UpTo(DurationText(Duration::from_hours(1)));

    /// The next delay, from the policy's delay and the one that the receiver requested.
    #[must_use]
    pub fn wait(self, delay: Duration, requested: Option<Duration>) -> Duration {
        match (self, requested) {
            (Self::UpTo(max), Some(requested)) => delay.max(requested.min(max.0)),
            _ => delay,
        }
    }
}

impl Written for RetryAfter {
    const EXPECTED: &'static str = "`true`, `false`, or `{ max: 10m }`";

    fn from_scalar<E: de::Error>(scalar: Unexpected<'_>) -> Result<Self, E> {
        match scalar {
            Unexpected::Bool(true) => Ok(Self::HONORED),
            Unexpected::Bool(false) => Ok(Self::Ignored),
            other => Err(E::invalid_type(other, &Self::EXPECTED)),
        }
    }

    fn from_map<'de, M: MapAccess<'de>>(map: M) -> Result<Self, M::Error> {
        RetryAfterLimit::deserialize(MapAccessDeserializer::new(map))
            .map(|limit| Self::UpTo(limit.max))
    }
}

deserialize_written!(RetryAfter);

written_schema!(RetryAfter, "RetryAfter", |generator| {
    "description": "Whether a `Retry-After` header can extend the next delay. With `true`, at most to \
        an hour.",
    "anyOf": [{ "type": "boolean" }, generator.subschema_for::<RetryAfterLimit>()],
});
