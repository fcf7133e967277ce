//! A cause that scenarios share, as the page shows it above the list.

use super::row::Shown;
use crate::report::causes::{Cause, Concerned};
use crate::report::counts::{counted, troubles_in_words};

/// The most scenarios that a cause leads to.
const NAMED: usize = 500;

/// What the template shows of a cause. The template escapes all of it.
pub(super) struct ShownCause {
    pub(super) number: usize,
    pub(super) verdict: Shown,
    pub(super) title: String,
    pub(super) hint: Option<String>,
    /// How many checks, and in how many scenarios.
    pub(super) concerned: String,
    pub(super) scenarios: Vec<Concerned>,
    /// How many more scenarios there are.
    pub(super) more: usize,
    pub(super) example: Option<String>,
}

impl ShownCause {
    pub(super) fn new(cause: &Cause) -> Self {
        let (checks, count) = (troubles_in_words(&cause.checks), cause.scenarios.len());
        Self {
            number: cause.number,
            verdict: Shown::new(cause.verdict),
            title: cause.title.clone(),
            hint: cause.example.check.hint.clone(),
            concerned: format!("{checks}, in {}", counted(count, "scenario")),
            scenarios: cause.scenarios.iter().take(NAMED).cloned().collect(),
            more: count.saturating_sub(NAMED),
            example: cause.example_in_words(),
        }
    }
}
