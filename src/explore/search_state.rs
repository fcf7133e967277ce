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

/// After so many failures that did not show again, another is reported like one that did.
const MOST_UNCONFIRMED: usize = 5;

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
    /// Failures that did not show again. They are reported if nothing like them is found.
    unconfirmed: Vec<FoundFailure>,
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

    /// Adds what a case that failed was made into: `None` if it was only slow. Returns the history of a new
    /// failure.
    pub(super) fn add_isolated(&mut self, isolated: Option<FoundFailure>) -> Option<History> {
        let Some(found) = isolated else {
            self.cases.add(Verdict::Passed);
            return None;
        };
        if self.is_like_found(&found) {
            self.add_explained();
            return None;
        }
        self.explained_in_a_row = 0;
        if !found.showed_again && self.unconfirmed.len() < MOST_UNCONFIRMED {
            self.unconfirmed.push(found);
            return None;
        }
        let history = found.history.clone();
        self.cases.add(found.verdict());
        self.found.push(found);
        Some(history)
    }

    /// At the end, adds the failures that were seen, but did not show again.
    pub(super) fn add_unconfirmed(&mut self) {
        let seen_once = self.seen_once.take().filter(|_| self.found.is_empty());
        let unconfirmed = std::mem::take(&mut self.unconfirmed);
        for seen in unconfirmed.into_iter().chain(seen_once) {
            if self.is_like_found(&seen) {
                self.explained += 1;
            } else {
                self.cases.add(seen.verdict());
                self.found.push(seen);
            }
        }
    }

    fn is_like_found(&self, found: &FoundFailure) -> bool {
        self.found.iter().any(|other| found.is_like(other))
    }

    pub(super) fn has_found(&self) -> bool {
        !self.found.is_empty() || !self.unconfirmed.is_empty()
    }

    pub(super) fn add_explained(&mut self) {
        self.explained += 1;
        self.explained_in_a_row += 1;
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Map, json};

    use super::*;

    #[test]
    fn failures_that_did_not_show_again_are_one_unless_they_differ() {
        let seen = |class, step| FoundFailure {
            class,
            history: History {
                events: Map::from_iter([("a".to_owned(), json!({}))]),
                steps: vec![step],
                ..History::default()
            },
            seen: (1, 1),
            showed_again: false,
            origin: Origin::Elsewhere,
            events: Vec::new(),
        };
        let twice = json!({ "deliver": "a", "times": 2 });
        let lost = json!({ "deliver": "a", "fault": "lost_ack" });
        let mut state = SearchState::default();
        let isolated = Some(seen(FailureClass::TooMuch, twice));
        assert_eq!(state.add_isolated(isolated), None);
        assert!(state.has_found() && state.found.is_empty());
        state.seen_once = Some(seen(FailureClass::TooMuch, lost.clone()));
        let other = Some(seen(FailureClass::WrongResponse, lost));
        assert_eq!(state.add_isolated(other), None);
        state.add_unconfirmed();
        let classes: Vec<_> = state.found.iter().map(|found| found.class).collect();
        assert_eq!(
            classes,
            [FailureClass::TooMuch, FailureClass::WrongResponse]
        );
    }
}
