//! The formats of scenario files and of `aghook.yaml`: types, parsing, checks and JSON Schemas.
//!
//! This module sends nothing. Policies and expectations are data here; other modules apply them.

mod check;
mod connection_choice;
mod count_range;
mod discovery;
pub mod document;
mod duration_text;
mod effect;
mod event_spec;
mod expectation;
mod fault;
mod forgery;
mod json_path;
mod level;
mod matcher;
mod matrix;
mod max_rate;
mod player_list;
mod probe;
mod profile;
mod restart_hook;
mod retry_policy;
mod scenario_file;
mod schema;
mod snapshot_settings;
mod status_class;
mod step;
#[cfg(test)]
mod tests;

pub use connection_choice::ConnectionChoice;
pub use count_range::CountRange;
pub use discovery::{bundled_sources, bundled_suite, find, load};
pub use duration_text::{DurationText, DurationTextError};
pub use effect::Effect;
pub use event_spec::{EventSpec, Shareable, amend};
pub use expectation::{Expectation, OutcomeName, StatusExpectation};
pub use fault::{Fault, LateRetry, Lost, SlowBody, TimeoutOverlap};
pub use forgery::Forgery;
pub use json_path::{JsonPath, JsonPointer};
pub use level::Level;
pub use matcher::{JsonType, Matcher};
pub use max_rate::MaxRate;
pub use player_list::PlayerList;
pub use probe::{PLACEHOLDERS, Probe, ProbeRequest, ProbeSource};
pub use profile::{
    BundlePolicy, BundleQuantity, Config, GrantPolicy, HttpVersionName, Policy, Profile, ScriptHook,
};
pub use restart_hook::{RestartHook, RestartSource};
pub use retry_policy::{
    Delays, EventIdOnRetry, Exponential, Jitter, JitterError, RetryAfter, RetryOn, RetryOnError,
    RetryOverride, RetryPolicy, RetrySetting,
};
pub use scenario_file::{Case, Scenario};
pub(crate) use schema::describe_single_keys;
pub use schema::{config_schema, scenario_schema};
pub use snapshot_settings::{SnapshotSettings, TextPattern};
pub use status_class::{StatusClass, StatusPattern, StatusPatternError};
pub use step::{RequestStep, Script, Step};
