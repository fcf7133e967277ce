//! Reports: consumers of the stream of run events, and of nothing else; a load, which has no such
//! stream, is read from its own report.

mod annotations;
mod body_text;
mod counts;
mod har;
mod json_lines;
mod junit;
mod load_summary;
mod markdown;
mod printable;
mod progress;
mod scenario_story;
mod terminal;

use std::io;

use crate::harness::RunEvent;

pub use annotations::Annotations;
pub use har::HarReport;
pub use json_lines::JsonLines;
pub use junit::JunitReport;
pub use load_summary::write_load_summary;
pub use markdown::MarkdownReport;
pub use progress::Progress;
pub use terminal::{Detail, TerminalReport, write_attempt};

/// Reads a run as it happens. Every report gets every event, the last one being
/// [`RunEvent::RunEnded`].
pub trait Report {
    /// Takes one event. An error means that the report can't be written any further.
    fn observe(&mut self, event: &RunEvent) -> io::Result<()>;
}
