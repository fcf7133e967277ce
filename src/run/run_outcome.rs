//! The result of a run as a whole.

use serde::{Deserialize, Serialize};

use super::run_event::RunEnded;

/// The result of a run as a whole. A run that checked nothing or skipped scenarios never passes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum RunOutcome {
    /// No `must` check failed.
    Passed,
    /// A `must` check failed.
    Failed,
    /// Nothing was checked, a check could not be completed, or scenarios were not run.
    Incomplete,
}

impl RunEnded {
    /// The result of the run.
    pub fn outcome(&self) -> RunOutcome {
        // Failures say nothing about the receiver then.
        if self.refused_items.is_some() {
            return RunOutcome::Incomplete;
        }
        if self.scenarios.failed > 0 {
            return RunOutcome::Failed;
        }
        let undecided = self.scenarios.broken > 0 || self.checks.decided() == 0;
        if undecided || self.not_run > 0 || self.setup_problem.is_some() {
            return RunOutcome::Incomplete;
        }
        RunOutcome::Passed
    }
}
