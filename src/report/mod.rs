//! Reports: consumers of the stream of run events, and of nothing else.

mod json_lines;
mod progress;
mod terminal;

use std::io;

use crate::harness::RunEvent;

pub use json_lines::JsonLines;
pub use progress::Progress;
pub use terminal::{Detail, TerminalReport, write_attempt};

/// Reads a run as it happens. Every report gets every event, the last one being
/// [`RunEvent::RunEnded`].
pub trait Report {
    /// Takes one event. An error means that the report can't be written any further.
    fn observe(&mut self, event: &RunEvent) -> io::Result<()>;
}
