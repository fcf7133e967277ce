//! The formats of scenario files and of `aghook.yaml`: types, parsing, checks and JSON Schemas.
//!
//! This module sends nothing. Policies and expectations are data here; other modules apply them.

mod case;
mod check;
mod count_range;
mod discovery;
pub mod document;
mod effect;
mod event_ref;
mod event_spec;
mod expectation;
mod json_match;
mod json_path;
mod level;
mod matcher;
mod matrix;
mod player_list;
mod probe;
mod profile;
mod restart_hook;
mod scenario_model;
mod schema;
mod shared_id;
mod snapshot_settings;
mod step;
#[cfg(test)]
mod tests;

pub use case::Case;
pub use count_range::CountRange;
pub use discovery::{bundled_sources, bundled_suite, find, load};
pub use effect::{Effect, ExpectedEffect, ExpectedNumber};
pub use event_ref::EventRef;
pub use event_spec::{EventSpec, Shareable, amend};
pub use expectation::{Expectation, StatusExpectation};
pub(crate) use json_match::{equal, mismatch, shortened};
pub use json_path::{JsonPath, JsonPathError, JsonPointer, JsonPointerError};
pub use level::Level;
pub use matcher::{JsonType, Matcher, MatcherError};
pub use player_list::PlayerList;
pub use probe::{InvalidHook, PLACEHOLDERS, Probe, ProbeRequest, ProbeSource};
pub use profile::{BundlePolicy, BundleQuantity, Config, GrantPolicy, Policy, Profile, ScriptHook};
pub use restart_hook::{RestartHook, RestartSource};
pub use scenario_model::Scenario;
pub(crate) use schema::describe_single_keys;
pub use schema::{config_schema, scenario_schema};
pub use shared_id::SharedId;
pub use snapshot_settings::{SnapshotSettings, TextPattern, TextPatternError};
pub use step::{Action, Deliver, RequestStep, Script, Step};
