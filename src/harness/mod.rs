//! Runs scenarios: plans, steps, effects and expectations, reported as a stream of run events.
//!
//! Expectations and grants are checked by pure functions. Nothing here prints or writes files.

mod attempt_record;
mod delivery_order;
mod dry_run;
mod effect_probe;
mod event_outcomes;
mod expectation;
mod expected_grant;
mod expected_inventory;
mod grant_check;
mod http_hook;
mod json_match;
mod missing_capability;
mod placeholders;
mod plan;
mod prepared_probe;
mod prepared_restart;
mod probe_path_hint;
mod redaction;
mod retry_check;
mod run;
mod run_context;
mod run_event;
mod scenario_effects;
mod scenario_request;
mod snapshot_event;
mod step_description;
mod step_runner;
mod verdict;
mod volatile_values;

pub use attempt_record::{AttemptLocation, attempt_record, response_record};
pub use dry_run::{Capabilities, DryRun, DryRunItem};
pub use expected_inventory::{ExpectedInventory, GrantCount, InventoryCheck};
pub use http_hook::PreparedScript;
pub use plan::{Plan, PlanSettings, PlannedEvent};
pub use prepared_probe::{HookError, PreparedProbe};
pub use prepared_restart::PreparedRestart;
pub use redaction::Redaction;
pub use retry_check::policy_deviations;
pub use run_context::RunContext;
pub use run_event::{
    AttemptEnded, BodyContent, BodyRecord, ConnectionRecord, DeliveryEnded, EffectsEnded,
    FORMAT_VERSION, ProbeReading, ResponseRecord, RunEnded, RunEvent, RunStarted, ScenarioEnded,
    ScenarioStarted, ScriptedResponses, SentRequestRecord, StepEnded, TimingsRecord,
    run_event_schema,
};
pub use snapshot_event::{SnapshotCompared, SnapshotOutcome, SnapshotsEnded};
pub use verdict::{Check, Verdict, VerdictCounts};
pub use volatile_values::{VolatileKind, VolatileValue};
