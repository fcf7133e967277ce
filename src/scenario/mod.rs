//! The formats of scenario files and of `aghook.yaml`: types, parsing, checks and JSON Schemas.
//!
//! This module sends nothing. Policies and expectations are data here; other modules apply them.

mod capture;
mod case;
mod check;
mod count_range;
mod delivery_headers;
mod discovery;
pub(crate) mod document;
mod effect;
mod event_spec;
mod expectation;
mod game_policy;
mod header_source;
mod hook;
mod hook_value;
mod hooks;
mod json_match;
mod json_path;
mod level;
mod matcher;
mod matrix;
mod pattern;
mod player_list;
mod profile;
mod read_path;
mod scenario_model;
mod schema;
mod shareable;
mod shared_id;
mod snapshot_settings;
mod step;
#[cfg(test)]
mod tests;

pub(crate) use capture::{
    CaptureSource, CapturedValues, captured_names, insert_captured, insert_captured_in_json,
};
pub use case::Case;
pub(crate) use case::one_line;
pub(crate) use count_range::CountRange;
pub(crate) use delivery_headers::{DeliveryHeader, DeliveryHeaders};
pub use discovery::{bundled_sources, bundled_suite};
pub(crate) use discovery::{find, load};
pub(crate) use effect::{Effect, ExpectedEffect, ExpectedValue};
pub(crate) use event_spec::{EventSpec, amend};
pub(crate) use expectation::{Expectation, StatusExpectation};
pub(crate) use game_policy::{
    BundlePolicy, BundleQuantity, CreditOn, GrantPolicy, Policy, RemovalPolicy,
};
pub(crate) use header_source::HeaderSource;
pub(crate) use hook::{EVENT_PLACEHOLDERS, HookSource, Probe, ProbeRequest, placeholders};
pub(crate) use hook_value::HookValue;
pub(crate) use hooks::{Hook, Hooks};
pub(crate) use json_match::{equal, mismatch, shortened};
pub(crate) use json_path::{JsonPath, JsonPointer, JsonPointerError};
pub use level::Level;
pub(crate) use matcher::Matcher;
pub(crate) use player_list::PlayerList;
pub use profile::Config;
pub(crate) use profile::Profile;
pub(crate) use read_path::ReadPath;
pub(crate) use scenario_model::Scenario;
pub(crate) use schema::describe_single_keys;
pub use schema::{config_schema, scenario_schema};
pub(crate) use shareable::Shareable;
pub(crate) use shared_id::SharedId;
pub(crate) use snapshot_settings::SnapshotSettings;
pub use step::Action;
pub(crate) use step::{Deliver, EventRef, HookStep, InstanceChoice, RequestStep, Script, Step};
