//! What is known of each scenario while it runs: for reports that tell of a scenario once it is
//! over.

use std::collections::{BTreeMap, BTreeSet};

use super::printable::printable;
use crate::harness::{
    AttemptEnded, Check, DeliveryEnded, EffectsEnded, ProbeReading, RunEvent, ScenarioEnded,
    ScenarioStarted, SnapshotCompared, StepEnded, Verdict,
};

/// The scenarios that are under way.
#[derive(Debug, Default)]
pub(super) struct RunningScenarios(BTreeMap<usize, ScenarioStory>);

/// What is known of a scenario.
#[derive(Debug)]
pub(super) struct ScenarioStory {
    pub(super) started: ScenarioStarted,
    pub(super) attempts: Vec<AttemptEnded>,
    pub(super) steps: Vec<StepEnded>,
    pub(super) effects: Option<EffectsEnded>,
    pub(super) snapshot: Option<SnapshotCompared>,
}

impl RunningScenarios {
    /// Takes an event. The one that ends a scenario gives its story back.
    pub(super) fn observe<'event>(
        &mut self,
        event: &'event RunEvent,
    ) -> Option<(ScenarioStory, &'event ScenarioEnded)> {
        match event {
            RunEvent::ScenarioStarted(started) => {
                let story = ScenarioStory::new(started.clone());
                self.0.insert(started.scenario, story);
            }
            RunEvent::AttemptEnded(attempt) => {
                if let Some(story) = self.0.get_mut(&attempt.scenario) {
                    story.attempts.push(attempt.as_ref().clone());
                }
            }
            RunEvent::StepEnded(step) => {
                if let Some(story) = self.0.get_mut(&step.scenario) {
                    story.steps.push(step.clone());
                }
            }
            RunEvent::EffectsEnded(effects) => {
                if let Some(story) = self.0.get_mut(&effects.scenario) {
                    story.effects = Some(effects.clone());
                }
            }
            RunEvent::SnapshotCompared(compared) => {
                if let Some(story) = self.0.get_mut(&compared.scenario) {
                    story.snapshot = Some(compared.clone());
                }
            }
            RunEvent::ScenarioEnded(ended) => {
                return self.0.remove(&ended.scenario).map(|story| (story, ended));
            }
            RunEvent::RunStarted(_) | RunEvent::SnapshotsEnded(_) | RunEvent::RunEnded(_) => {}
        }
        None
    }
}

impl ScenarioStory {
    fn new(started: ScenarioStarted) -> Self {
        Self {
            started,
            attempts: Vec::new(),
            steps: Vec::new(),
            effects: None,
            snapshot: None,
        }
    }

    /// All checks in their order.
    pub(super) fn checks(&self) -> impl Iterator<Item = &Check> {
        let of_steps = self.steps.iter().flat_map(|step| {
            let deliveries = step.deliveries.iter().flat_map(|delivery| &delivery.checks);
            deliveries.chain(&step.not_made)
        });
        let of_effects = self.effects.iter().flat_map(|effects| &effects.checks);
        of_steps.chain(of_effects).chain(self.of_snapshot())
    }

    /// What is wrong with the snapshot, if something is.
    pub(super) fn of_snapshot(&self) -> Option<&Check> {
        self.snapshot.as_ref()?.check.as_ref()
    }

    /// The story with those attempts alone that a check in trouble is about, to be told later.
    pub(super) fn of_troubles(mut self) -> Self {
        let mut wanted = BTreeSet::new();
        for step in &self.steps {
            let wrong = |delivery: &&DeliveryEnded| delivery.checks.iter().any(is_trouble);
            let wrong = step.deliveries.iter().filter(wrong);
            wanted.extend(wrong.map(|delivery| (step.step, delivery.delivery)));
        }
        // From the last on, so that of each delivery the last attempt stays.
        let mut attempts: Vec<_> = std::mem::take(&mut self.attempts);
        attempts.reverse();
        attempts.retain(|attempt| wanted.remove(&(attempt.step, attempt.delivery)));
        attempts.reverse();
        self.attempts = attempts;
        self.started.varying.clear();
        self
    }

    /// The checks that warn, failed or broke.
    pub(super) fn troubles(&self) -> impl Iterator<Item = &Check> {
        self.checks().filter(|check| is_trouble(check))
    }

    /// The checks that could not be made.
    pub(super) fn not_checked(&self) -> impl Iterator<Item = &Check> {
        self.checks()
            .filter(|check| check.verdict == Verdict::NotChecked)
    }

    /// What the probes read, a line each, where an effect is in trouble: whose holdings are wrong.
    pub(super) fn readings_in_trouble(&self) -> Vec<String> {
        let effects = self.effects.iter();
        let wrong = effects.filter(|effects| effects.checks.iter().any(is_trouble));
        let readings = wrong.flat_map(|effects| &effects.readings);
        readings.map(reading_in_one_line).collect()
    }

    /// The last attempt of a delivery: the one that its expectations are about.
    pub(super) fn last_attempt(&self, step: usize, delivery: usize) -> Option<&AttemptEnded> {
        let of_delivery =
            |attempt: &&AttemptEnded| attempt.step == step && attempt.delivery == delivery;
        self.attempts.iter().rfind(of_delivery)
    }
}

/// Whether a check warns, failed or broke.
pub(super) fn is_trouble(check: &Check) -> bool {
    !check.verdict.is_passed_or_not_checked()
}

/// A reading in one line that can't steer what shows it.
pub(super) fn reading_in_one_line(reading: &ProbeReading) -> String {
    format!(
        "{} of {} for {}: {} → {}",
        reading.probe,
        printable(&reading.sku),
        printable(&reading.player_id),
        reading.before,
        reading.after
    )
}

/// A check in one line that can't steer what shows it.
pub(super) fn in_one_line(check: &Check) -> String {
    format!(
        "{}: expected {}, observed {}",
        check.subject,
        printable(&check.expected),
        printable(&check.observed)
    )
}
