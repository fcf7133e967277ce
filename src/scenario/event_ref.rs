//! References to events.

use super::document::Span;

/// A reference to an event of the same scenario.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EventRef {
    /// The position of the event among the scenario's events.
    pub index: usize,
    /// Its name.
    pub name: String,
    /// Where the file refers to it.
    pub span: Span,
}
