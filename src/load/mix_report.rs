//! The report on a mix: its entries and the results of their events.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::counts::MixCounts;
use super::event_mix::{EventMix, MixEntry};
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

/// Whether two senders used the same mix.
pub(super) fn is_same_mix(one: &[MixEntryReport], other: &[MixEntryReport]) -> bool {
    one.iter().map(identity).eq(other.iter().map(identity))
}

/// All of an entry but its results.
fn identity(entry: &MixEntryReport) -> (&str, u32, &str, Vec<(&str, &str)>) {
    let scenarios = entry.scenarios.iter();
    let scenarios = scenarios.map(|scenario| (scenario.name.as_str(), scenario.file.as_str()));
    let scenarios = scenarios.collect();
    (&entry.from, entry.weight, &entry.fingerprint, scenarios)
}

impl MixEntryReport {
    pub(super) fn add(&mut self, other: &Self) {
        self.counts += other.counts;
        for (own, other) in self.scenarios.iter_mut().zip(&other.scenarios) {
            own.counts += other.counts;
        }
    }
}

impl EventMix {
    pub(super) fn report(&self, counted: &[MixCounts]) -> Vec<MixEntryReport> {
        let mut counted = counted.iter().copied();
        let report = |entry: &MixEntry| {
            let mut all = MixCounts::default();
            let mut next = || {
                let counts = counted.next().unwrap_or_default();
                all += counts;
                counts
            };
            let mut scenarios = Vec::new();
            let mut bodies = Vec::new();
            for scenario in &entry.scenarios {
                scenarios.push(MixScenarioReport {
                    name: scenario.name.clone(),
                    file: scenario.file.clone(),
                    counts: next(),
                });
                for template in &scenario.events {
                    template.content(0).write(&mut bodies);
                }
            }
            if scenarios.is_empty() {
                next();
            }
            MixEntryReport {
                from: entry.name.clone(),
                weight: entry.weight.get(),
                fingerprint: fingerprint(&bodies),
                counts: all,
                scenarios,
                left_out: entry.left_out.clone(),
            }
        };
        self.entries().iter().map(report).collect()
    }
}

/// Hashes the bodies of templates. Generated events need none: they depend only on the seed and the
/// start time, which are compared separately.
fn fingerprint(bodies: &[u8]) -> String {
    let seed = Seed::of_text(&String::from_utf8_lossy(bodies));
    format!("{:016x}", seed.number())
}
