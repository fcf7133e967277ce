//! Counts the results of a run from its events, even if the run was killed.

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::Timestamp;

use crate::run::run_event::{AttemptEnded, RunEnded, RunEvent};
use crate::verify::VerdictCounts;

#[derive(Debug, Default)]
pub(crate) struct RunTally {
    pub planned: usize,
    scenarios: VerdictCounts,
    checks: VerdictCounts,
    /// The scenarios that started and did not end, by their numbers.
    pub unfinished: BTreeMap<usize, UnfinishedScenario>,
    /// The start of the first attempt, by the wall clock.
    started_at: Option<Timestamp>,
    /// The end of the last attempt, by the wall clock.
    ended: Option<Timestamp>,
    pub run_ended: Option<RunEnded>,
}

#[derive(Debug)]
pub(crate) struct UnfinishedScenario {
    pub name: String,
    pub attempts: usize,
}

impl RunTally {
    pub(crate) fn observe(&mut self, event: &RunEvent) {
        match event {
            RunEvent::RunStarted(started) => self.planned = started.scenarios,
            RunEvent::ScenarioStarted(started) => {
                let name = started.name.clone();
                let unfinished = UnfinishedScenario { name, attempts: 0 };
                self.unfinished.insert(started.scenario, unfinished);
            }
            RunEvent::AttemptEnded(attempt) => self.attempt_ended(attempt),
            RunEvent::ScenarioEnded(ended) => {
                self.unfinished.remove(&ended.scenario);
                self.scenarios.add(ended.verdict);
                self.checks += ended.checks;
            }
            RunEvent::RunEnded(ended) => self.run_ended = Some(ended.clone()),
            _ => {}
        }
    }

    fn attempt_ended(&mut self, attempt: &AttemptEnded) {
        if let Some(scenario) = self.unfinished.get_mut(&attempt.scenario) {
            scenario.attempts += 1;
        }
        let started_at = attempt.started_at;
        let ended = started_at.checked_add(attempt.took).unwrap_or(started_at);
        self.started_at = self.started_at.into_iter().chain([started_at]).min();
        self.ended = self.ended.max(Some(ended));
    }

    /// The result of an incomplete run. Unfinished scenarios count as not run, and the time is
    /// measured from the first attempt to the last.
    pub(crate) fn partial_result(&self) -> RunEnded {
        let took = match (self.started_at, self.ended) {
            (Some(started_at), Some(ended)) => ended.duration_since(started_at).try_into(),
            _ => Ok(Duration::ZERO),
        };
        RunEnded {
            scenarios: self.scenarios,
            checks: self.checks,
            not_run: self.planned.saturating_sub(self.scenarios.total()),
            setup_problem: None,
            refused_items: None,
            receiver_stopped: false,
            likely_causes: Vec::new(),
            since_baseline: None,
            explored: None,
            took: took.unwrap_or_default(),
            held_back: Duration::ZERO,
        }
    }
}
