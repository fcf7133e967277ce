//! The reports of runs, which see nothing but the run's events, and the reports of replays and loads.

mod annotations;
mod body_text;
mod counts;
mod dry_run;
mod failure_groups;
mod fire;
mod har;
mod html;
mod json_lines;
mod junit;
mod load;
mod lost_target;
mod markdown;
mod progress;
mod replay;
mod resend;
mod sanitize;
mod scenario_record;
mod snapshot;
mod terminal;

use std::io;

use crate::run::RunEvent;

pub use annotations::Annotations;
pub use dry_run::write_dry_run;
pub use fire::FireReport;
pub use har::HarReport;
pub use html::HtmlReport;
pub use json_lines::JsonLines;
pub use junit::JunitReport;
pub use load::{
    write_load_annotations, write_load_junit, write_load_markdown, write_load_page,
    write_load_summary,
};
pub use markdown::MarkdownReport;
pub use progress::ProgressReport;
pub use replay::ReplayReport;
pub use resend::{ResentCounts, ResentEvent, count_resent, write_resent};
pub use sanitize::sanitize;
pub use snapshot::{SnapshotReport, SnapshotReports};
pub use terminal::{Detail, TerminalReport, write_difference};

/// A report of a run. It gets every event as it happens; the last is [`RunEvent::RunEnded`].
pub trait Report {
    /// Handles one event. After an error the report can't be continued.
    fn observe(&mut self, event: &RunEvent) -> io::Result<()>;
}
