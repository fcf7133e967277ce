//! How deliveries go: retries, backoff, jitter, faults, forgeries, status classes, and the texts of
//! durations and percentages.
//!
//! Types and pure functions with their texts and schemas. Nothing here reads files or uses the network.

mod connection_choice;
mod duration_text;
mod fault;
mod forgery;
mod http_version;
mod max_rate;
mod outcome;
mod percent;
mod retry_policy;
mod schedule;
mod status_class;

use crate::generate::written;

pub use connection_choice::ConnectionChoice;
pub use duration_text::{DurationText, DurationTextError};
pub use fault::{Fault, LateRetry, Lost, SlowBody, TimeoutOverlap};
pub use forgery::Forgery;
pub use http_version::HttpVersion;
pub use max_rate::{MaxRate, MaxRateError};
pub use outcome::Outcome;
pub use percent::{Percent, PercentError};
pub use retry_policy::{
    Delays, EventIdOnRetry, Exponential, RetryAfter, RetryOn, RetryOnError, RetryOverride,
    RetryPolicy, RetrySetting,
};
pub use schedule::schedule;
pub(crate) use schedule::{Schedule, total_wait};
pub use status_class::{StatusClass, StatusPattern, StatusPatternError};
pub(crate) use written::{Written, deserialize_written};
