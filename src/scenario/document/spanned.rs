//! A typed value together with its source span.

use std::ops::Deref;

use schemars::JsonSchema;
use serde::Deserialize;

/// A range of a file's text, in bytes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Span {
    pub start: usize,
    /// The length; 0 for a position between characters.
    pub length: usize,
}

// A value and where the author wrote it. No doc comment: it would be a description in JSON Schemas.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(from = "Parts<T>")]
#[schemars(with = "T")]
pub struct Spanned<T> {
    pub value: T,
    pub span: Span,
}

/// The name of the type that [`decode`](super::decode) makes of the start and length of a span and the
/// value.
pub(super) const SPANNED_MARKER: &str = "$aghook::Spanned";

impl<T> Deref for Spanned<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.value
    }
}

#[derive(Deserialize)]
#[serde(rename = "$aghook::Spanned")]
struct Parts<T>(usize, usize, T);

impl<T> From<Parts<T>> for Spanned<T> {
    fn from(Parts(start, length, value): Parts<T>) -> Self {
        let span = Span { start, length };
        Self { value, span }
    }
}
