//! References to events.

use super::document::Span;

/// A reference to an event of the same scenario.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EventRef {
    pub index: usize,
    pub name: String,
    pub span: Span,
}
