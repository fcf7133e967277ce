//! The reports of runs, which see nothing but the run's events, and the reports of replays and loads.
//!
//! A run's events are collected in one [`RunRecord`]; every report of the run is a pure function of it.
//! Only the lines that a report writes while the run proceeds are written from single events.

mod annotations;
mod body_text;
mod checkup;
mod counts;
mod coverage;
mod dry_run;
mod escaped_event;
mod event_trace;
mod failure_groups;
mod fire;
mod har;
mod html;
mod json_output;
mod junit;
mod limits;
mod load;
mod lost_target;
mod markdown;
mod problem_section;
mod progress;
mod repetition;
mod replay;
mod report_kind;
mod resend;
mod run_record;
mod sanitize;
mod scenario_record;
mod snapshot;
mod terminal;
mod verdict_mark;

pub(crate) use checkup::write_finding;
pub(crate) use dry_run::write_dry_run;
pub(crate) use failure_groups::{GrantCause, Repetition};
pub(crate) use fire::FireReport;
pub(crate) use html::COLORS;
pub(crate) use json_output::{write_indented, write_line};
pub(crate) use load::{
    write_load_annotations, write_load_junit, write_load_markdown, write_load_page,
    write_load_summary,
};
pub(crate) use progress::ProgressLine;
pub(crate) use replay::ReplayReport;
pub use report_kind::ReportKind;
pub(crate) use resend::write_resent;
pub use run_record::RunRecorder;
pub(crate) use sanitize::{escape, escape_lines, sanitize};
pub use scenario_record::KeptAttempts;
pub(crate) use scenario_record::{RunningScenarios, ScenarioRecord};
pub(crate) use snapshot::snapshot_text;
pub(crate) use terminal::write_difference;
pub use terminal::{Detail, TerminalFormat};
