//! Draws the source of each event by weight: a pure function of the seed and the event's number.

use std::borrow::Cow;
use std::num::NonZeroU32;
use std::sync::Arc;

use rand::RngExt;
use rand_chacha::ChaCha8Rng;

use super::event_template::EventTemplate;
use crate::generate::Seed;

/// Events of scenarios and generated events, by weight. Clones share the templates.
#[derive(Debug, Clone)]
pub(crate) struct EventMix {
    entries: Arc<[MixEntry]>,
    total: u64,
    random: ChaCha8Rng,
}

/// One `--mix` option.
#[derive(Debug, Clone)]
pub(crate) struct MixEntry {
    pub name: String,
    pub weight: NonZeroU32,
    /// Its scenarios, all equally likely; empty for generated events.
    pub scenarios: Vec<MixScenario>,
    pub left_out: Vec<String>,
}

/// A scenario whose events are sent, with one choice of its matrix.
#[derive(Debug, Clone)]
pub(crate) struct MixScenario {
    /// Its name, including the matrix choice.
    pub name: String,
    pub file: String,
    /// Its events, all equally likely.
    pub events: Vec<EventTemplate>,
}

#[derive(Debug, Clone, Copy)]
pub(super) struct Drawn<'mix> {
    /// The index of the counter it belongs to: one per scenario, or one for an entry's generated
    /// events.
    pub(super) counter: usize,
    /// The scenario and its event; `None` if it is generated.
    pub(super) from: Option<(&'mix MixScenario, &'mix EventTemplate)>,
}

impl MixEntry {
    pub(super) fn counters(&self) -> usize {
        self.scenarios.len().max(1)
    }
}

impl EventMix {
    pub(crate) fn new(entries: Vec<MixEntry>, seed: Seed) -> Self {
        let total = entries.iter().map(|entry| u64::from(entry.weight.get()));
        Self {
            total: total.sum(),
            entries: entries.into(),
            random: seed.derive("mix").random(),
        }
    }

    pub(crate) fn entries(&self) -> &[MixEntry] {
        &self.entries
    }

    pub(super) fn draw(&mut self, number: u64) -> Drawn<'_> {
        let random = &mut self.random;
        random.set_word_pos(0);
        random.set_stream(number);
        let mut left = random.random_range(0..self.total.max(1));
        let mut counter = 0;
        for entry in self.entries.iter() {
            let weight = u64::from(entry.weight.get());
            if left >= weight {
                left -= weight;
                counter += entry.counters();
                continue;
            }
            let Some((index, scenario)) = any_of(&entry.scenarios, random) else {
                break;
            };
            let event = any_of(&scenario.events, random);
            return Drawn {
                counter: counter + index,
                from: event.map(|(_, event)| (scenario, event)),
            };
        }
        Drawn {
            counter,
            from: None,
        }
    }
}

/// The option that adds a source to the mix, quoted for a shell.
pub(crate) fn mix_option(source: &str, weight: u32) -> String {
    let word = format!("{source}={weight}");
    let quoted = shlex::try_quote(&word).map(Cow::into_owned);
    format!(" --mix {}", quoted.unwrap_or(word))
}

fn any_of<'all, T>(all: &'all [T], random: &mut ChaCha8Rng) -> Option<(usize, &'all T)> {
    let index = random.random_range(0..all.len().max(1));
    all.get(index).map(|one| (index, one))
}

#[cfg(test)]
mod tests;
