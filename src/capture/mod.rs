//! Deliveries that a game has received: recorded by a proxy or read from logs, redacted, and compared
//! with what aghook generates.
//!
//! Nothing here sends events. An [`Exchange`] has what was received and stays in memory; a
//! [`RecordedDelivery`] is what may be written.

mod capture_file;
mod compare;
mod connection_observer;
mod exchange;
mod fresh_identities;
mod import;
mod json_tokens;
mod message_reader;
mod profile_fragment;
mod proxy;
mod pseudonyms;
mod recorded_delivery;
mod recorder;
mod redaction;
mod scenario_text;

#[cfg(any(test, fuzzing))]
pub(crate) use capture_file::read as read_capture_text;
pub(crate) use capture_file::{CaptureWriter, Captured, is_capture, is_capture_file, read_capture};
pub(crate) use compare::{Comparison, Difference, Expectation, compare};
pub(crate) use fresh_identities::FreshIdentities;
pub(crate) use import::read_log;
pub(crate) use profile_fragment::profile_fragment;
pub(crate) use proxy::{Observed, Proxy};
pub(crate) use recorded_delivery::RecordedDelivery;
pub(crate) use recorder::Recorder;
pub(crate) use scenario_text::{ScenarioScope, scenarios};
