//! What a search has tried and found so far.

use super::case_runner::Try;
use super::corpus::CorpusCase;
use super::coverage::Coverage;
use super::failure_class::FailureClass;
use super::found_failure::{FoundFailure, Origin};
use super::history::History;
use super::recent_cases::RecentCases;
use crate::run::RunEvent;
use crate::verify::{Verdict, VerdictCounts};

#[derive(Default)]
pub(super) struct SearchState {
    pub(super) cases: VerdictCounts,
    pub(super) checks: VerdictCounts,
    pub(super) coverage: Coverage,
    pub(super) recent: RecentCases,
    pub(super) kept: Vec<CorpusCase>,
    pub(super) found: Vec<FoundFailure>,
    /// The first case that failed, until it was tried again.
    pub(super) seen_once: Option<FoundFailure>,
    /// Warnings, which are shrunk only when the search for failures is over.
    pub(super) postponed: Vec<SeenFailure>,
    /// The events of the first case that could not be decided.
    pub(super) broken: Option<Vec<RunEvent>>,
    /// Failures that are like one that was found.
    pub(super) explained: u64,
    pub(super) explained_in_a_row: u32,
    pub(super) is_shrinking: bool,
    pub(super) is_diagnosing: bool,
}

/// A case that failed, and the cases that ran beside it.
pub(super) struct SeenFailure {
    pub(super) class: FailureClass,
    pub(super) history: History,
    pub(super) tried: Try,
    pub(super) origin: Origin,
    pub(super) others: [Vec<History>; 2],
}

impl SearchState {
    /// Whether a failure was found, and not only a warning.
    pub(super) fn has_failed(&self) -> bool {
        let mut verdicts = self.found.iter().map(FoundFailure::verdict);
        verdicts.any(|verdict| verdict == Verdict::Failed)
    }

    pub(super) fn add_explained(&mut self) {
        self.explained += 1;
        self.explained_in_a_row += 1;
    }
}
