//! The report on a mix: its entries and the results of their events.

use std::ops::AddAssign;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::event_mix::EventMix;
use crate::generate::Seed;

/// An entry of the mix and the results of its events.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct MixEntryReport {
    /// The source: a path, `bundled` or `random`.
    pub from: String,
    /// Its weight relative to the other entries.
    pub weight: u32,
    /// A hash of its events, equal for senders that send the same events.
    pub fingerprint: String,
    /// The counts of its events, without the warm-up.
    pub counts: MixCounts,
    /// Its scenarios; empty for generated events.
    pub scenarios: Vec<MixScenarioReport>,
    /// The events that could not be sent, with the reason.
    pub left_out: Vec<String>,
}

/// A scenario of the mix and the results of its events.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct MixScenarioReport {
    /// Its name, including the matrix choice.
    pub name: String,
    /// Its file.
    pub file: String,
    /// The counts of its events, without the warm-up.
    pub counts: MixCounts,
}

/// The counts of some of the events, defined as in the counts of the whole load.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct MixCounts {
    /// Events that were started, including forged ones.
    pub events: u64,
    /// Genuine deliveries that were started.
    pub deliveries: u64,
    /// Deliveries that ended with a 2xx response, which the sender received.
    pub acknowledged: u64,
    /// Refused deliveries whose event may be refused.
    pub allowed_refusals: u64,
    /// Attempts without a 2xx response, except those whose response was lost on purpose.
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

/// Whether two senders used the same mix.
pub(super) fn is_same_mix(one: &[MixEntryReport], other: &[MixEntryReport]) -> bool {
    let mut pairs = one.iter().zip(other);
    one.len() == other.len() && pairs.all(|(one, other)| one.is_same(other))
}

impl MixEntryReport {
    /// Adds another sender's counts of the same entry.
    pub(super) fn add(&mut self, other: &Self) {
        self.counts += other.counts;
        for (own, other) in self.scenarios.iter_mut().zip(&other.scenarios) {
            own.counts += other.counts;
        }
    }

    fn is_same(&self, other: &Self) -> bool {
        let names = |entry: &Self| {
            let scenarios = entry.scenarios.iter();
            scenarios
                .map(|scenario| (scenario.name.clone(), scenario.file.clone()))
                .collect::<Vec<_>>()
        };
        self.from == other.from
            && self.weight == other.weight
            && self.fingerprint == other.fingerprint
            && names(self) == names(other)
    }
}

impl EventMix {
    /// The report with the values of each counter.
    pub(super) fn report(&self, counted: &[MixCounts]) -> Vec<MixEntryReport> {
        let mut counted = counted
            .iter()
            .copied()
            .chain(std::iter::repeat(MixCounts::default()));
        let entries = self.entries().iter();
        entries
            .map(|entry| {
                let own: Vec<MixCounts> = counted.by_ref().take(entry.counters()).collect();
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
                let templates = entry.scenarios.iter().flat_map(|scenario| &scenario.events);
                templates.for_each(|template| template.content(0).write(&mut bodies));
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

/// Hashes the bodies of templates. Generated events need none: they depend only on the seed and the
/// start time, which are compared separately.
fn fingerprint(bodies: &[u8]) -> String {
    let seed = Seed::of_text(&String::from_utf8_lossy(bodies));
    format!("{:016x}", seed.number())
}
