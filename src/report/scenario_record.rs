//! Collects the events of each scenario, for reports that need a scenario as a whole.

use std::collections::{BTreeMap, BTreeSet};

use super::sanitize::sanitize;
use crate::run::{
    AttemptEnded, DeliveryEnded, EffectsEnded, ProbeReading, RunEvent, ScenarioEnded,
    ScenarioStarted, SnapshotCompared, StepEnded,
};
use crate::verify::{Check, Verdict};

/// The running scenarios.
#[derive(Debug, Default)]
pub(super) struct RunningScenarios(BTreeMap<usize, ScenarioRecord>);

/// The events of one scenario.
#[derive(Debug)]
pub(super) struct ScenarioRecord {
    pub(super) started: ScenarioStarted,
    pub(super) attempts: Vec<AttemptEnded>,
    pub(super) steps: Vec<StepEnded>,
    pub(super) effects: Option<EffectsEnded>,
    pub(super) snapshot: Option<SnapshotCompared>,
}

impl RunningScenarios {
    /// Handles an event. The one that ends a scenario returns its record.
    pub(super) fn observe<'event>(
        &mut self,
        event: &'event RunEvent,
    ) -> Option<(ScenarioRecord, &'event ScenarioEnded)> {
        match event {
            RunEvent::ScenarioStarted(started) => {
                let record = ScenarioRecord::new(started.clone());
                self.0.insert(started.scenario, record);
            }
            RunEvent::AttemptEnded(attempt) => {
                if let Some(record) = self.0.get_mut(&attempt.scenario) {
                    record.attempts.push(attempt.as_ref().clone());
                }
            }
            RunEvent::StepEnded(step) => {
                if let Some(record) = self.0.get_mut(&step.scenario) {
                    record.steps.push(step.clone());
                }
            }
            RunEvent::EffectsEnded(effects) => {
                if let Some(record) = self.0.get_mut(&effects.scenario) {
                    record.effects = Some(effects.clone());
                }
            }
            RunEvent::SnapshotCompared(compared) => {
                if let Some(record) = self.0.get_mut(&compared.scenario) {
                    record.snapshot = Some(compared.clone());
                }
            }
            RunEvent::ScenarioEnded(ended) => {
                return self.0.remove(&ended.scenario).map(|record| (record, ended));
            }
            RunEvent::RunStarted(_) | RunEvent::SnapshotsEnded(_) | RunEvent::RunEnded(_) => {}
        }
        None
    }
}

impl ScenarioRecord {
    fn new(started: ScenarioStarted) -> Self {
        Self {
            started,
            attempts: Vec::new(),
            steps: Vec::new(),
            effects: None,
            snapshot: None,
        }
    }

    /// All checks in order.
    pub(super) fn checks(&self) -> impl Iterator<Item = &Check> {
        let of_steps = self.steps.iter().flat_map(|step| {
            let deliveries = step.deliveries.iter().flat_map(|delivery| &delivery.checks);
            deliveries.chain(&step.not_made)
        });
        let of_effects = self.effects.iter().flat_map(|effects| &effects.checks);
        of_steps.chain(of_effects).chain(self.snapshot_problem())
    }

    /// The problem with the snapshot, if any.
    pub(super) fn snapshot_problem(&self) -> Option<&Check> {
        self.snapshot.as_ref()?.check.as_ref()
    }

    /// Drops all attempts except the last one of each delivery with a problem, to save memory.
    pub(super) fn only_problems(mut self) -> Self {
        let mut wanted = BTreeSet::new();
        for step in &self.steps {
            let has_problem = |delivery: &&DeliveryEnded| delivery.checks.iter().any(is_problem);
            let deliveries = step.deliveries.iter().filter(has_problem);
            wanted.extend(deliveries.map(|delivery| (step.step, delivery.delivery)));
        }
        // In reverse order, so that the last attempt of each delivery is kept.
        let mut attempts: Vec<_> = std::mem::take(&mut self.attempts);
        attempts.reverse();
        attempts.retain(|attempt| wanted.remove(&(attempt.step, attempt.delivery)));
        attempts.reverse();
        self.attempts = attempts;
        self.started.varying.clear();
        self
    }

    /// The checks that warned, failed or broke.
    pub(super) fn problems(&self) -> impl Iterator<Item = &Check> {
        self.checks().filter(|check| is_problem(check))
    }

    /// The checks that were not made.
    pub(super) fn not_checked(&self) -> impl Iterator<Item = &Check> {
        self.checks()
            .filter(|check| check.verdict == Verdict::NotChecked)
    }

    /// The probe readings, one per line, if an effect has a problem.
    pub(super) fn problem_readings(&self) -> Vec<String> {
        let effects = self.effects.iter();
        let with_problems = effects.filter(|effects| effects.checks.iter().any(is_problem));
        let readings = with_problems.flat_map(|effects| &effects.readings);
        readings.map(reading_line).collect()
    }

    /// The last attempt of a delivery, which its expectations are about.
    pub(super) fn last_attempt(&self, step: usize, delivery: usize) -> Option<&AttemptEnded> {
        let of_delivery =
            |attempt: &&AttemptEnded| attempt.step == step && attempt.delivery == delivery;
        self.attempts.iter().rfind(of_delivery)
    }
}

/// Whether a check warned, failed or broke.
pub(super) fn is_problem(check: &Check) -> bool {
    !check.verdict.is_passed_or_not_checked()
}

/// A reading in one sanitized line.
pub(super) fn reading_line(reading: &ProbeReading) -> String {
    format!(
        "{} of {} for {}: {} → {}",
        reading.probe,
        sanitize(&reading.sku),
        sanitize(&reading.player_id),
        reading.before,
        reading.after
    )
}

/// A check in one sanitized line.
pub(super) fn check_line(check: &Check) -> String {
    format!(
        "{}: expected {}, observed {}",
        check.subject,
        sanitize(&check.expected),
        sanitize(&check.observed)
    )
}
