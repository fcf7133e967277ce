//! The retry policy, as data. `schedule` computes the delays; `delivery` decides and waits.
//!
//! No public source documents Aghanim's retry schedule, its timeout, or which statuses it retries
//! (`docs/protocol.md`, "Retries"). All defaults are our assumptions `[A]`, so all of them are settings.

mod delays;
mod retry_after;
mod retry_on;
mod setting;
#[cfg(test)]
mod tests;

use std::fmt;
use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use self::delays::Delays;
#[cfg(test)]
pub(crate) use self::delays::Exponential;
pub(crate) use self::retry_after::RetryAfter;
pub(crate) use self::retry_on::RetryOn;
pub(crate) use self::setting::{RetryOverride, RetrySetting};
use super::duration_text::DurationText;
use super::percent::Percent;
use super::status_class::{StatusClass, StatusPattern};

/// When and how often a delivery is retried. The keys of `RetryOverride` describe the fields.
#[derive(Debug, Clone, PartialEq)]
pub struct RetryPolicy {
    /// [A: 5]
    pub attempts: u32,
    /// [A: 1s, 5s, 30s, 5m]
    pub delays: Delays,
    /// [A: 0%]
    pub jitter: Percent,
    /// [A: 10s]
    pub timeout: DurationText,
    /// [A: 5xx, 429, timeout, connection]
    pub retry_on: Vec<RetryOn>,
    /// [A: true]
    pub resign: bool,
    /// [A: keep]
    pub event_id: EventIdOnRetry,
    /// [A: false]
    pub retry_after: RetryAfter,
    /// [A: reuse]
    pub connection: ConnectionChoice,
}

/// Whether a retry keeps the event's ID. The idempotency key always stays the same.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum EventIdOnRetry {
    /// Every attempt has the same event ID and the same body.
    #[default]
    Keep,
    /// Every retry has a new event ID.
    Fresh,
}

/// Which connection a request uses.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ConnectionChoice {
    /// The connection of the previous request if it is still open; otherwise a new one.
    #[default]
    Reuse,
    /// A new connection, for this request only.
    New,
}

/// How a delivery ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(rename = "OutcomeName")]
pub enum Outcome {
    /// Answered 2xx.
    Delivered,
    /// Answered with a status that is not retried.
    Refused,
    /// Every attempt allowed by the retry policy failed.
    Exhausted,
}

impl fmt::Display for Outcome {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Delivered => "delivered",
            Self::Refused => "refused",
            Self::Exhausted => "exhausted",
        })
    }
}

impl Default for RetryPolicy {
    fn default() -> Self {
        let seconds = |seconds| DurationText(Duration::from_secs(seconds));
        Self {
            attempts: 5,
            delays: Delays::List([1, 5, 30, 300].map(seconds).to_vec()),
            jitter: Percent::ZERO,
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
    /// Whether a response with this status is followed by a retry.
    pub fn retries_status(&self, status: u16) -> bool {
        let matches =
            |on: &RetryOn| matches!(on, RetryOn::Status(pattern) if pattern.matches(status));
        self.retry_on.iter().any(matches)
    }
}
