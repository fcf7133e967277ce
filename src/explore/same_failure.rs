//! Whether a smaller history still shows a failure.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Instant;

use super::case_runner::CaseRunner;
use super::failure_class::FailureClass;
use super::history::History;
use super::kind::Kind;
use super::shrinker::Trial;

/// Whether a history fails with a class of failure.
pub(super) struct SameFailure<'explorer, 'run> {
    pub(super) runner: &'explorer CaseRunner<'run>,
    pub(super) class: FailureClass,
    /// The kinds that a smaller history may have.
    pub(super) kinds: BTreeSet<Kind>,
    /// How often a history is tried, and how often it must fail.
    pub(super) tries: u32,
    pub(super) needed: u32,
    /// Whether the receiver forgets the larger histories before.
    pub(super) forgets: bool,
    pub(super) stop: &'explorer AtomicBool,
    pub(super) deadline: Instant,
    /// The number of events of the smallest history that failed.
    pub(super) events_left: &'explorer AtomicUsize,
}

impl Trial for SameFailure<'_, '_> {
    async fn fails(&self, history: &History) -> bool {
        if !history.kinds().is_subset(&self.kinds) {
            return false;
        }
        if self.forgets && !self.is_late() && !self.runner.forget().await {
            return false;
        }
        let mut failed = 0;
        for number in 1..=self.tries {
            if self.is_late() {
                return false;
            }
            let patience = self.runner.patience_for(self.class, self.deadline);
            let Some(tried) = self.runner.attempt_alone(history, patience).await else {
                return false;
            };
            failed += u32::from(tried.classes.contains(&self.class));
            if failed == self.needed || failed + self.tries - number < self.needed {
                break;
            }
        }
        let is_smaller = failed >= self.needed;
        if is_smaller {
            self.events_left
                .store(history.events.len(), Ordering::Relaxed);
        }
        is_smaller
    }
}

impl SameFailure<'_, '_> {
    fn is_late(&self) -> bool {
        Instant::now() >= self.deadline || self.stop.load(Ordering::Relaxed)
    }
}
