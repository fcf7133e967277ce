//! The retry policy, as data. `schedule` computes the delays; `delivery` decides and waits.
//!
//! No public source documents Aghanim's retry schedule, its timeout, or which statuses it retries
//! (`docs/protocol.md`, "Retries"). All defaults are our assumptions `[A]`, so all of them are settings.

mod delays;
mod event_id_on_retry;
mod jitter;
mod retry_after;
mod retry_on;
mod setting;
#[cfg(test)]
mod tests;

use std::time::Duration;

pub use self::delays::Delays;
#[cfg(test)]
pub(crate) use self::delays::Exponential;
pub(crate) use self::event_id_on_retry::EventIdOnRetry;
pub(crate) use self::retry_after::RetryAfter;
pub(crate) use self::retry_on::RetryOn;
pub(crate) use self::setting::{RetryOverride, RetrySetting};
use super::connection_choice::ConnectionChoice;
use super::duration_text::DurationText;
use super::percent::Percent;
use super::status_class::{StatusClass, StatusPattern};

/// When and how often a delivery is retried. The defaults are assumptions: Aghanim does not document
/// its policy. `[A]`
#[derive(Debug, Clone, PartialEq)]
pub struct RetryPolicy {
    /// The maximum number of attempts, including the first; at least 1. [A: 5]
    pub attempts: u32,
    /// The delay before each retry. [A: 1s, 5s, 30s, 5m]
    pub delays: Delays,
    /// How much a delay may randomly vary in either direction, as a fraction of it. [A: 0%]
    pub jitter: Percent,
    /// The maximum duration of an attempt, from connecting to the end of the response. [A: 10s]
    pub timeout: DurationText,
    /// The responses and failures after which the delivery is retried. [A: 5xx, 429, timeout,
    /// connection]
    pub retry_on: Vec<RetryOn>,
    /// Whether each attempt is signed afresh, with a new timestamp. If false, retries repeat the
    /// signature of the first attempt. [A: true]
    pub resign: bool,
    /// Whether a retry keeps the event's ID, and with it the exact body. The idempotency key always
    /// stays the same. [A: keep]
    pub event_id: EventIdOnRetry,
    /// Whether a `Retry-After` header in the response, in seconds or as a date, can extend the next
    /// delay. [A: false]
    pub retry_after: RetryAfter,
    /// Which connection a retry uses. [A: reuse]
    pub connection: ConnectionChoice,
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
