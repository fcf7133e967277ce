//! Why the value of an option is refused.

use std::fmt;

use crate::scenario::document::nearest;

/// Why the value of an option is refused: what was expected, or what to write instead.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub(crate) struct InvalidValue(String);

impl InvalidValue {
    pub(super) fn new(reason: impl fmt::Display) -> Self {
        Self(reason.to_string())
    }

    pub(super) fn expected(what: impl fmt::Display) -> Self {
        Self(format!("expected {what}"))
    }
}

/// The name that was probably meant, or else all known names.
pub(super) fn suggestion<'a>(text: &str, known: impl Iterator<Item = &'a str> + Clone) -> String {
    match nearest(text, known.clone()) {
        Some(name) => format!("did you mean `{name}`?"),
        None => format!("known: {}", known.collect::<Vec<_>>().join(", ")),
    }
}
