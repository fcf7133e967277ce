//! Reports: consumers of the stream of run events, and of nothing else; and of what comes of a
//! replay and of a load, which have no such stream.

mod annotations;
mod body_text;
mod causes;
mod counts;
mod fired;
mod gone_target;
mod har;
mod html;
mod json_lines;
mod junit;
mod load;
mod markdown;
mod outline;
mod printable;
mod progress;
mod replay;
mod resent;
mod scenario_story;
mod snapshot;
mod terminal;

use std::io;

use crate::harness::RunEvent;

pub use annotations::Annotations;
pub use fired::FiredReport;
pub use har::HarReport;
pub use html::HtmlReport;
pub use json_lines::JsonLines;
pub use junit::JunitReport;
pub use load::{
    write_load_annotations, write_load_junit, write_load_markdown, write_load_page,
    write_load_summary,
};
pub use markdown::MarkdownReport;
pub use outline::write_outlines;
pub use printable::printable;
pub use progress::Progress;
pub use replay::ReplayReport;
pub use resent::{ResentCounts, ResentEvent, count_resent, write_resent};
pub use snapshot::{SnapshotReport, SnapshotReports};
pub use terminal::{Detail, TerminalReport, write_difference};

/// Reads a run as it happens. Every report gets every event, the last one being
/// [`RunEvent::RunEnded`].
pub trait Report {
    /// Takes one event. An error means that the report can't be written any further.
    fn observe(&mut self, event: &RunEvent) -> io::Result<()>;
}
