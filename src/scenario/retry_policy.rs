//! When a delivery is tried again, as data. Computing the delays and waiting for them is
//! delivery's work.
//!
//! No public source gives Aghanim's retry schedule, its timeout or which statuses it retries
//! (`docs/protocol.md`, "Retries"). Everything here is our assumption `[A]`, and so a setting.

mod delays;
mod event_id_on_retry;
mod jitter;
mod retry_after;
mod retry_on;
mod setting;
#[cfg(test)]
mod tests;

use std::fmt;
use std::time::Duration;

use schemars::JsonSchema;
use serde::de::{self, Visitor};
use serde::{Deserialize, Deserializer, Serialize};

pub use self::delays::{Delays, Exponential};
pub use self::event_id_on_retry::EventIdOnRetry;
pub use self::jitter::{Jitter, JitterError};
pub use self::retry_after::RetryAfter;
pub use self::retry_on::{RetryOn, RetryOnError};
pub use self::setting::{RetryOverride, RetrySetting};
use super::{ConnectionChoice, DurationText, StatusClass, StatusPattern};

/// When and how often a delivery is tried again. The values that are left out are our assumption:
/// Aghanim documents none of them. `[A]`
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct RetryPolicy {
    /// How many attempts a delivery has, the first included; at least 1. [A: 5]
    #[serde(deserialize_with = "attempts")]
    #[schemars(range(min = 1))]
    pub attempts: u32,
    /// How long to wait before each further attempt. [A: 1s, 5s, 30s, 5m]
    pub delays: Delays,
    /// How far a delay may stray to either side, as a share of it. [A: not at all]
    pub jitter: Jitter,
    /// How long a whole attempt may take, from connecting to the end of the answer. [A: 10s]
    pub timeout: DurationText,
    /// After which answers and failures the delivery is tried again. [A: 5xx, 429, timeout,
    /// connection]
    pub retry_on: Vec<RetryOn>,
    /// Whether each attempt is signed afresh, with a new timestamp. Otherwise the first attempt's
    /// signature is repeated. [A: true]
    pub resign: bool,
    /// Whether a retry keeps the event's ID, and so the bytes of the body. The idempotency key stays
    /// in any case. [A: keep]
    pub event_id: EventIdOnRetry,
    /// Whether an answer's `Retry-After`, in seconds or as a date, makes the next wait longer.
    /// [A: false]
    pub retry_after: RetryAfter,
    /// Which connection a retry takes. [A: reuse]
    pub connection: ConnectionChoice,
}

impl Default for RetryPolicy {
    fn default() -> Self {
        let seconds = |seconds| DurationText(Duration::from_secs(seconds));
        Self {
            attempts: 5,
            delays: Delays::List([1, 5, 30, 300].map(seconds).to_vec()),
            jitter: Jitter::NONE,
            timeout: seconds(10),
            retry_on: vec![
                RetryOn::Status(StatusPattern::Class(StatusClass::ServerError)),
                RetryOn::Status(StatusPattern::Exact(429)),
                RetryOn::Timeout,
                RetryOn::Connection,
            ],
            resign: true,
            event_id: EventIdOnRetry::Keep,
            retry_after: RetryAfter::Ignored,
            connection: ConnectionChoice::Reuse,
        }
    }
}

impl RetryPolicy {
    /// Whether an answer with this status is followed by another attempt.
    pub fn retries_status(&self, status: u16) -> bool {
        let fits = |on: &RetryOn| matches!(on, RetryOn::Status(pattern) if pattern.matches(status));
        self.retry_on.iter().any(fits)
    }
}

fn attempts<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u32, D::Error> {
    struct Attempts;

    impl Visitor<'_> for Attempts {
        type Value = u32;

        fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
            formatter.write_str("a number of attempts, at least 1")
        }

        fn visit_u64<E: de::Error>(self, number: u64) -> Result<u32, E> {
            let found = de::Unexpected::Unsigned(number);
            match u32::try_from(number) {
                Ok(attempts) if attempts > 0 => Ok(attempts),
                _ => Err(E::invalid_value(found, &self)),
            }
        }

        fn visit_i64<E: de::Error>(self, number: i64) -> Result<u32, E> {
            match u64::try_from(number) {
                Ok(number) => self.visit_u64(number),
                Err(_) => Err(E::invalid_value(de::Unexpected::Signed(number), &self)),
            }
        }
    }

    deserializer.deserialize_any(Attempts)
}
