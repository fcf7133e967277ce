//! How long a try of an exploration waits, where a run would wait longer. An exploration tries so much
//! that it waits as long as a run only to confirm what it found.

use std::time::{Duration, Instant};

use super::run_event::StepEnded;
use crate::verify::Verdict;

/// Without a limit, a try waits as long as a run.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Patience {
    /// For wrong effects to become right.
    pub(crate) effects: Option<Duration>,
    /// For a response. The steps end with one that fails because it waited so long.
    pub(crate) responses: Option<Duration>,
    /// When the steps end, whatever is left of them.
    pub(crate) until: Option<Instant>,
}

impl Patience {
    /// The limit for an attempt where a run has this one.
    pub(crate) fn timeout(&self, of_run: Duration) -> Duration {
        self.responses.map_or(of_run, |limit| of_run.min(limit))
    }

    /// Whether a step that took so long, with this limit for an attempt, shows that further steps would
    /// only wait.
    pub(crate) fn is_at_end(&self, step: &StepEnded, took: Duration, timeout: Duration) -> bool {
        let mut checks = step.deliveries.iter().flat_map(|ended| &ended.checks);
        self.responses.is_some()
            && took >= timeout
            && checks.any(|check| check.verdict == Verdict::Failed)
    }
}
