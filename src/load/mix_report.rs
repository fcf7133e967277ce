//! What a report tells of a mix: its entries, and what came of their events.

use std::ops::AddAssign;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::event_mix::EventMix;
use crate::generate::Seed;

/// An entry of the mix, and what came of its events.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct MixEntryReport {
    /// What was named: a path, `bundled` or `random`.
    pub from: String,
    /// How many of the events come from it, compared with the other entries.
    pub weight: u32,
    /// Follows from its events: senders mix the same where it is the same.
    pub fingerprint: String,
    /// What came of its events, the warm-up aside.
    pub counts: MixCounts,
    /// Its scenarios; none where the events are generated.
    pub scenarios: Vec<MixScenarioReport>,
    /// What of it was not sent, and why.
    pub left_out: Vec<String>,
}

/// A scenario of the mix, and what came of its events.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct MixScenarioReport {
    /// Its name, with the choice of its matrix.
    pub name: String,
    /// Its file.
    pub file: String,
    /// What came of its events, the warm-up aside.
    pub counts: MixCounts,
}

/// What came of some of the events: each as in the counts of the whole load.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct MixCounts {
    /// Events that were begun, forged ones among them.
    pub events: u64,
    /// Genuine deliveries that were begun.
    pub deliveries: u64,
    /// Deliveries that were answered 2xx in the end, and heard it.
    pub acknowledged: u64,
    /// Deliveries that were refused and may be.
    pub allowed_refusals: u64,
    /// Attempts without a 2xx answer, other than those whose answer was lost on purpose.
    pub errors: u64,
}

impl AddAssign for MixCounts {
    fn add_assign(&mut self, other: Self) {
        let Self {
            events,
            deliveries,
            acknowledged,
            allowed_refusals,
            errors,
        } = other;
        self.events += events;
        self.deliveries += deliveries;
        self.acknowledged += acknowledged;
        self.allowed_refusals += allowed_refusals;
        self.errors += errors;
    }
}

/// Whether two senders mixed the same.
pub(super) fn is_same_mix(one: &[MixEntryReport], other: &[MixEntryReport]) -> bool {
    let mut pairs = one.iter().zip(other);
    one.len() == other.len() && pairs.all(|(one, other)| one.is_same(other))
}

impl MixEntryReport {
    /// Adds what another sender counted of the same entry.
    pub(super) fn add(&mut self, other: &Self) {
        self.counts += other.counts;
        for (own, other) in self.scenarios.iter_mut().zip(&other.scenarios) {
            own.counts += other.counts;
        }
    }

    fn is_same(&self, other: &Self) -> bool {
        let named = |entry: &Self| {
            let scenarios = entry.scenarios.iter();
            scenarios
                .map(|one| (one.name.clone(), one.file.clone()))
                .collect::<Vec<_>>()
        };
        self.from == other.from
            && self.weight == other.weight
            && self.fingerprint == other.fingerprint
            && named(self) == named(other)
    }
}

impl EventMix {
    /// What there is to tell, with what was counted for each place.
    pub(super) fn report(&self, counted: &[MixCounts]) -> Vec<MixEntryReport> {
        let mut counted = counted
            .iter()
            .copied()
            .chain(std::iter::repeat(MixCounts::default()));
        let entries = self.entries().iter();
        entries
            .map(|entry| {
                let own: Vec<MixCounts> = counted.by_ref().take(entry.places()).collect();
                let mut all = MixCounts::default();
                for counts in &own {
                    all += *counts;
                }
                let scenarios = entry.scenarios.iter().zip(own);
                let scenarios = scenarios.map(|(scenario, counts)| MixScenarioReport {
                    name: scenario.name.clone(),
                    file: scenario.file.clone(),
                    counts,
                });
                let mut bodies = Vec::new();
                let templates = entry.scenarios.iter().flat_map(|one| &one.events);
                templates.for_each(|one| one.write_body(0, &mut bodies));
                MixEntryReport {
                    from: entry.name.clone(),
                    weight: entry.weight.get(),
                    fingerprint: fingerprint(&bodies),
                    counts: all,
                    scenarios: scenarios.collect(),
                    left_out: entry.left_out.clone(),
                }
            })
            .collect()
    }
}

/// Generated events follow from the seed and the start time, which are compared by themselves.
fn fingerprint(bodies: &[u8]) -> String {
    let seed = Seed::of_text(&String::from_utf8_lossy(bodies));
    format!("{:016x}", seed.number())
}
