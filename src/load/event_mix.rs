//! From where each event of a load comes: drawn by weight, a pure function of the seed and the
//! event's number.

use std::num::NonZeroU32;
use std::sync::Arc;

use rand::RngExt;
use rand_chacha::ChaCha8Rng;

use super::event_template::EventTemplate;
use crate::generate::Seed;

/// Scenarios' events and generated ones, by weight. Clones share the templates.
#[derive(Debug, Clone)]
pub struct EventMix {
    entries: Arc<[MixEntry]>,
    total: u64,
    random: ChaCha8Rng,
}

/// What an `--mix` names.
#[derive(Debug, Clone)]
pub struct MixEntry {
    /// As it was named.
    pub name: String,
    /// How many of the events come from here, compared with the other entries.
    pub weight: NonZeroU32,
    /// Each of them is as likely as any other; none where events are generated.
    pub scenarios: Vec<MixScenario>,
    /// What of it is not sent, and why.
    pub left_out: Vec<String>,
}

/// A scenario whose events are sent, with one choice of its matrix.
#[derive(Debug, Clone)]
pub struct MixScenario {
    /// Its name, with the choice.
    pub name: String,
    /// Its file.
    pub file: String,
    /// Each of them is as likely as any other.
    pub events: Vec<EventTemplate>,
}

/// From where one event comes.
#[derive(Debug, Clone, Copy)]
pub(super) struct Drawn<'mix> {
    /// The number of what it is counted for: a scenario, or the generated events of an entry.
    pub(super) place: usize,
    /// The scenario and its event; none where it is generated.
    pub(super) from: Option<(&'mix MixScenario, &'mix EventTemplate)>,
}

impl MixEntry {
    /// How many places it counts for: one of each scenario, or one for generated events.
    pub(super) fn places(&self) -> usize {
        self.scenarios.len().max(1)
    }
}

impl EventMix {
    /// A mix of these entries, drawn from a stream of its own.
    pub fn new(entries: Vec<MixEntry>, seed: Seed) -> Self {
        let total = entries.iter().map(|entry| u64::from(entry.weight.get()));
        Self {
            total: total.sum(),
            entries: entries.into(),
            random: seed.derive("mix").random(),
        }
    }

    /// The entries, in their order.
    pub fn entries(&self) -> &[MixEntry] {
        &self.entries
    }

    /// From where the event of this number comes.
    pub(super) fn draw(&mut self, number: u64) -> Drawn<'_> {
        let random = &mut self.random;
        random.set_word_pos(0);
        random.set_stream(number);
        let mut left = random.random_range(0..self.total.max(1));
        let mut place = 0;
        for entry in self.entries.iter() {
            let weight = u64::from(entry.weight.get());
            if left >= weight {
                left -= weight;
                place += entry.places();
                continue;
            }
            let Some((index, scenario)) = any_of(&entry.scenarios, random) else {
                break;
            };
            let event = any_of(&scenario.events, random);
            return Drawn {
                place: place + index,
                from: event.map(|(_, event)| (scenario, event)),
            };
        }
        Drawn { place, from: None }
    }
}

fn any_of<'all, T>(all: &'all [T], random: &mut ChaCha8Rng) -> Option<(usize, &'all T)> {
    let index = random.random_range(0..all.len().max(1));
    all.get(index).map(|one| (index, one))
}

#[cfg(test)]
mod tests;
