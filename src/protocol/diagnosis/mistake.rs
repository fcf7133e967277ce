//! A mistake in the making or checking of a signature, in words.

use std::borrow::Cow;

/// One mistake: its stable name, what happened, and what to do about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mistake {
    /// A name in snake case that does not change between versions.
    pub name: Cow<'static, str>,
    /// What happened, in a sentence.
    pub happened: Cow<'static, str>,
    /// What to do about it, in a sentence or two.
    pub fix: Cow<'static, str>,
}

impl Mistake {
    /// A mistake whose words are known in advance.
    pub(super) const fn new(name: &'static str, happened: &'static str, fix: &'static str) -> Self {
        Self {
            name: Cow::Borrowed(name),
            happened: Cow::Borrowed(happened),
            fix: Cow::Borrowed(fix),
        }
    }
}
