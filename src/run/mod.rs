//! Runs scenarios: sessions, plans, steps, effects and expectations, reported as a stream of run events.
//!
//! Expectations and grants are checked by pure functions. Nothing here prints or writes files.

mod attempt_record;
mod baseline;
mod checkup;
mod dry_run;
mod execution;
mod fault_dictionary;
mod inventory;
mod item_responses;
mod journal;
mod missing_capability;
mod patience;
mod pilot;
mod plan;
mod record_room;
mod replay;
mod run_context;
mod run_event;
mod run_outcome;
mod scenario_effects;
mod session;
mod setup_problem;
mod snapshot_event;
mod step_runner;
mod symptoms;
mod target_watch;
mod turn;
mod volatile_values;

pub(crate) use attempt_record::{AttemptLocation, attempt_record, response_record};
pub(crate) use baseline::ScenarioResults;
pub(crate) use checkup::{Finding, ItemEvents, checkup_case};
pub(crate) use dry_run::{Capabilities, DryRun, DryRunItem};
pub use fault_dictionary::FaultDictionary;
pub(crate) use journal::{
    CreateJournalError, JOURNAL_FILE_NAME, Journal, JournalError, JournalWriter, RunTally,
    TruncatedLine,
};
pub(crate) use patience::Patience;
pub(crate) use pilot::setup_mistake;

pub(crate) use item_responses::DeliveredItems;
pub use plan::{KnownHook, Plan, PlanSettings};
pub(crate) use plan::{PlannedEvent, PlannedSizes, SentAs};
pub(crate) use replay::{
    CompareBy, Replay, ReplayEnded, ReplayResult, ResponseComparison, Signatures, SkipReason,
    recorded_response,
};
pub(crate) use run_context::RunContext;
pub use run_event::{
    AttemptEnded, BodyRecord, ConnectionRecord, DeliveryEnded, EffectsEnded, FORMAT_VERSION,
    LikelyCause, ProbeReading, ResponseRecord, RunEnded, RunEvent, RunStarted, ScenarioEnded,
    ScenarioStarted, SentRequestRecord, StepEnded, TextReading, TimingsRecord, run_event_schema,
};
pub(crate) use run_event::{
    BaselineChanges, BodyContent, Certainty, Explored, ExploredKind, ExploredPair, RefusedItems,
    header,
};
pub use run_outcome::RunOutcome;
pub(crate) use session::{
    ConnectionOptions, RunOptions, Secrets, Session, SessionError, profile_generator,
};
pub(crate) use setup_problem::SetupProblem;
pub use snapshot_event::{SnapshotCompared, SnapshotOutcome, SnapshotsEnded};
pub use symptoms::Symptoms;
pub(crate) use target_watch::TargetWatch;
pub(crate) use turn::Turn;
pub(crate) use volatile_values::VolatileKind;
#[cfg(test)]
pub(crate) use volatile_values::VolatileValue;
