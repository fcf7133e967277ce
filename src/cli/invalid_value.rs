//! Why the value of an option is refused.

use std::fmt;

/// Why the value of an option is refused: what was expected, or what to write instead.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub(super) struct InvalidValue(String);

impl InvalidValue {
    pub(super) fn new(reason: impl fmt::Display) -> Self {
        Self(reason.to_string())
    }

    pub(super) fn expected(what: &str) -> Self {
        Self(format!("expected {what}"))
    }
}
