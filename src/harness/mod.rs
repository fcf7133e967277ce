//! A run of scenarios: plans, steps, effects and expectations, told as a stream of run events.
//!
//! Expectations and grants are judged by pure functions. Nothing here prints or writes files.

mod answered;
mod description;
mod effects;
mod expectation;
mod expected_grant;
mod grant_judgement;
#[expect(
    clippy::module_inception,
    reason = "the harness itself, which its parts work for"
)]
mod harness;
mod holdings;
mod http_hook;
mod json_match;
mod lacking;
mod order;
mod other_request;
mod outline;
mod path_trail;
mod placeholders;
mod plan;
mod probe_reading;
mod record;
mod redaction;
mod restart;
mod retry_check;
mod run;
mod run_event;
mod snapshot_event;
mod steps;
mod varying;
mod verdict;
mod watched_effect;

pub use harness::Harness;
pub use holdings::{GrantDemand, HoldingsVerdict, PlayerClaims};
pub use http_hook::PreparedScript;
pub use outline::{Outline, OutlinedPart, Surroundings};
pub use plan::{Plan, PlanSettings, PlannedEvent};
pub use probe_reading::{HookProblem, PreparedProbe};
pub use record::{AttemptPlace, answer_record, attempt_record};
pub use redaction::Redaction;
pub use restart::PreparedRestart;
pub use retry_check::departures;
pub use run_event::{
    AnswerRecord, AttemptEnded, BodyContent, BodyRecord, ConnectionRecord, DeliveryEnded,
    EffectsEnded, FORMAT_VERSION, Reading, RequestRecord, RunEnded, RunEvent, RunStarted,
    ScenarioEnded, ScenarioStarted, ScriptTold, StepEnded, TimingsRecord, run_event_schema,
};
pub use snapshot_event::{SnapshotCompared, SnapshotOutcome, SnapshotsEnded};
pub use varying::{VaryingKind, VaryingValue};
pub use verdict::{Check, Counts, Verdict};
