//! How deliveries go: retries, backoff, jitter, faults, forgeries, status classes, and the texts of
//! durations and percentages.
//!
//! Types and pure functions with their texts and schemas. Nothing here reads files or uses the network.

mod clock_offset;
mod connect_to;
mod duration_text;
mod fault;
mod forgery;
mod http_version;
mod max_rate;
mod percent;
mod retry_policy;
mod schedule;
mod status_class;
mod sweep;
mod wire_form;

use crate::generate::{decimal, written};

pub(crate) use clock_offset::ClockOffset;
pub(crate) use connect_to::ConnectTo;
pub(crate) use duration_text::DurationText;
pub use fault::Fault;
pub(crate) use fault::{LateRetry, Lost};
#[cfg(test)]
pub(crate) use fault::{SlowBody, TimeoutOverlap};
pub use forgery::Forgery;
pub(crate) use http_version::HttpVersion;
pub(crate) use max_rate::MaxRate;
pub(crate) use percent::Percent;
pub(crate) use retry_policy::{
    ConnectionChoice, EventIdOnRetry, RetryOn, RetryOverride, RetrySetting,
};
pub use retry_policy::{Delays, Outcome, RetryPolicy};
#[cfg(test)]
pub(crate) use retry_policy::{Exponential, RetryAfter};
pub(crate) use schedule::{Schedule, schedule, total_wait};
pub(crate) use status_class::{StatusClass, StatusPattern};

pub(crate) use wire_form::{HeaderCase, Pieces, Transfer, WireForm};
pub(crate) use written::{Written, deserialize_written, written_schema};
