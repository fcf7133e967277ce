//! What came of a run as far as its events go: of one that was killed, too.

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::Timestamp;

use crate::harness::{AttemptEnded, Counts, RunEnded, RunEvent};

/// Counts what came of the scenarios of a run, an event at a time.
#[derive(Debug, Default)]
pub struct RunTally {
    /// How many scenarios were meant to run.
    meant: usize,
    scenarios: Counts,
    checks: Counts,
    /// The scenarios that began and did not end, by their numbers, with the attempts that ended.
    under_way: BTreeMap<usize, UnderWay>,
    /// From the start of the first attempt to the end of the last, by the wall clock.
    began: Option<Timestamp>,
    ended: Option<Timestamp>,
    /// What the run itself says of its end.
    own: Option<RunEnded>,
}

/// A scenario that began and did not end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnderWay {
    /// Its name.
    pub name: String,
    /// How many attempts of it ended.
    pub attempts: usize,
}

impl RunTally {
    /// Takes one event.
    pub fn observe(&mut self, event: &RunEvent) {
        match event {
            RunEvent::RunStarted(started) => self.meant = started.scenarios,
            RunEvent::ScenarioStarted(started) => {
                let name = started.name.clone();
                let begun = UnderWay { name, attempts: 0 };
                self.under_way.insert(started.scenario, begun);
            }
            RunEvent::AttemptEnded(attempt) => self.attempt_ended(attempt),
            RunEvent::ScenarioEnded(ended) => {
                self.under_way.remove(&ended.scenario);
                self.scenarios.add(ended.verdict);
                self.checks += ended.checks;
            }
            RunEvent::RunEnded(ended) => self.own = Some(ended.clone()),
            RunEvent::StepEnded(_)
            | RunEvent::EffectsEnded(_)
            | RunEvent::SnapshotCompared(_)
            | RunEvent::SnapshotsEnded(_) => {}
        }
    }

    fn attempt_ended(&mut self, attempt: &AttemptEnded) {
        if let Some(scenario) = self.under_way.get_mut(&attempt.scenario) {
            scenario.attempts += 1;
        }
        let began = attempt.started_at;
        let ended = began.checked_add(attempt.took).unwrap_or(began);
        self.began = Some(self.began.map_or(began, |first| first.min(began)));
        self.ended = Some(self.ended.map_or(ended, |last| last.max(ended)));
    }

    /// The end of the run, if it came to it.
    pub fn whole(&self) -> Option<&RunEnded> {
        self.own.as_ref()
    }

    /// How many scenarios were meant to run.
    pub fn meant(&self) -> usize {
        self.meant
    }

    /// The scenarios that began and did not end.
    pub fn under_way(&self) -> impl Iterator<Item = &UnderWay> {
        self.under_way.values()
    }

    /// The end that the run would have had, had it been stopped where its events end: what is under
    /// way counts as not run, and the time is that from the first attempt to the last.
    pub fn cut_short(&self) -> RunEnded {
        let took = match (self.began, self.ended) {
            (Some(began), Some(ended)) => ended.duration_since(began).try_into(),
            _ => Ok(Duration::ZERO),
        };
        RunEnded {
            scenarios: self.scenarios,
            checks: self.checks,
            not_run: self.meant.saturating_sub(self.scenarios.total()),
            took: took.unwrap_or_default(),
            held_back: Duration::ZERO,
        }
    }
}
