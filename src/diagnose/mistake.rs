//! A mistake in making or verifying a signature, described for people.

use std::borrow::Cow;

/// One mistake: its stable name, what happened, and how to fix it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mistake {
    /// The stable name in snake case.
    pub name: Cow<'static, str>,
    /// What happened, in one sentence.
    pub happened: Cow<'static, str>,
    /// How to fix it, in a few sentences.
    pub fix: Cow<'static, str>,
}

impl Mistake {
    /// A mistake with static texts.
    pub(super) const fn new(name: &'static str, happened: &'static str, fix: &'static str) -> Self {
        Self {
            name: Cow::Borrowed(name),
            happened: Cow::Borrowed(happened),
            fix: Cow::Borrowed(fix),
        }
    }
}
