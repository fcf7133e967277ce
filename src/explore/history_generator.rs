//! Draws a history from a seed.
//!
//! Each history has its own subset of the kinds, so that some kinds are frequent in it and others do
//! not hide what they do.

use std::collections::BTreeSet;

use rand::RngExt as _;
use rand::seq::{IndexedRandom as _, SliceRandom as _};
use rand_chacha::ChaCha8Rng;
use serde_json::json;

use super::history::History;
use super::kind::Kind;
use super::restarts::leave_out_one;
use crate::generate::Seed;
use crate::policy::Forgery;

/// The kinds of events that a game may grant in several ways.
const OPEN: [Kind; 6] = [
    Kind::Bundle,
    Kind::NestedBundle,
    Kind::Fallback,
    Kind::Sandbox,
    Kind::Trigger,
    Kind::ItemRemove,
];
/// With more such events of one player, a wrong sum could be right by chance.
const MOST_OPEN: u32 = 5;

/// Seeds of contents stay short, because people read them.
const SEEDS: u64 = 1_000_000;

/// Draws histories of some kinds.
#[derive(Debug, Clone)]
pub(super) struct HistoryGenerator {
    /// The kinds to choose from.
    pub(super) kinds: BTreeSet<Kind>,
    pub(super) forgeries: Vec<Forgery>,
    /// The SKUs that events grant; without any, some are made up.
    pub(super) skus: Vec<String>,
}

/// A history that is being drawn.
pub(super) struct Draft<'kinds> {
    pub(super) random: ChaCha8Rng,
    /// The kinds of this history.
    pub(super) kinds: BTreeSet<Kind>,
    pub(super) forgeries: &'kinds [Forgery],
    pub(super) skus: &'kinds [String],
    /// The first event of each player.
    pub(super) players: Vec<String>,
    /// How many events so far have more than one right grant.
    open: u32,
    /// How many hours have passed.
    pub(super) hours: u32,
    pub(super) history: History,
}

impl HistoryGenerator {
    /// The history of this seed.
    pub(super) fn history(&self, seed: Seed) -> History {
        let mut random = seed.random();
        let kinds = self.kinds.iter().copied();
        let mut kinds = kinds.filter(|_| random.random::<bool>()).collect();
        leave_out_one(&mut kinds, &mut random);
        let made_up: Vec<String> = ["gems", "gold", "hat"].map(str::to_owned).into();
        let mut skus = if self.skus.is_empty() {
            made_up
        } else {
            self.skus.clone()
        };
        skus.shuffle(&mut random);
        let most = random.random_range(1..=skus.len().min(3));
        let mut draft = Draft {
            random,
            kinds,
            forgeries: &self.forgeries,
            skus: &skus[..most],
            players: Vec::new(),
            open: 0,
            hours: 0,
            history: History::default(),
        };
        draft.draw();
        draft.history.seed = seed.number() % SEEDS;
        draft.history
    }
}

impl Draft<'_> {
    fn draw(&mut self) {
        let steps = match self.random.random_range(0..10) {
            0..4 => 1..=4,
            4..8 => 5..=15,
            _ => 16..=50,
        };
        for _ in 0..self.random.random_range(steps) {
            self.add_step();
        }
        if self.history.deliveries().next().is_none() {
            let name = self.new_event();
            self.history.steps.push(json!({ "deliver": name }));
        }
        if self.has(Kind::Redelivery) && self.random.random::<bool>() {
            self.redeliver_everything();
        }
    }

    /// Delivers all earlier genuine events again, in order or not. This shows what was forgotten.
    fn redeliver_everything(&mut self) {
        let names: BTreeSet<&str> = self.history.deliveries().collect();
        let names: Vec<&str> = names
            .into_iter()
            .filter(|name| self.is_delivered(name))
            .collect();
        if names.is_empty() {
            return;
        }
        let mut step = json!({ "deliver": names });
        if self.random.random::<bool>() && names.len() > 1 && self.has(Kind::Shuffle) {
            step["shuffle"] = json!(true);
        }
        self.history.steps.push(step);
    }

    pub(super) fn is_delivered(&self, name: &str) -> bool {
        let steps = self.history.steps.len();
        self.history.is_delivered_before(name, steps)
    }

    /// An event of an earlier step: often the first or the last one.
    pub(super) fn earlier_event(&mut self) -> Option<String> {
        let names: Vec<&String> = self.history.events.keys().collect();
        let name = match self.random.random_range(0..4) {
            0 => names.first(),
            1 => names.last(),
            _ => names.choose(&mut self.random),
        };
        name.map(|name| (*name).clone())
    }

    pub(super) fn has(&self, kind: Kind) -> bool {
        self.kinds.contains(&kind)
    }

    /// Whether a kind of this history happens now, once in `of` times.
    pub(super) fn happens(&mut self, kind: Kind, of: u32) -> bool {
        if !self.has(kind) || !self.random.random_ratio(1, of) {
            return false;
        }
        let opens = OPEN.contains(&kind);
        if opens && self.open >= MOST_OPEN {
            return false;
        }
        self.open += u32::from(opens);
        true
    }

    /// One of these values.
    pub(super) fn one_of<T: Clone>(&mut self, values: &[T]) -> Option<T> {
        values.choose(&mut self.random).cloned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::explore::drawn_values::FORGERIES;
    use crate::explore::restarts::may_undo;
    use crate::scenario::Case;
    use crate::scenario::document::SourceFile;

    fn generator(kinds: impl IntoIterator<Item = Kind>) -> HistoryGenerator {
        HistoryGenerator {
            kinds: kinds.into_iter().collect(),
            forgeries: FORGERIES.to_vec(),
            skus: Vec::new(),
        }
    }

    #[test]
    fn every_history_is_a_valid_scenario_of_the_chosen_kinds() {
        for number in 0..300 {
            let without = Kind::ALL[number % Kind::ALL.len()];
            let kinds = Kind::ALL.iter().copied().filter(|kind| *kind != without);
            let seed = Seed::new(number as u64);
            let history = generator(kinds.clone()).history(seed);
            assert_eq!(
                history,
                generator(kinds).history(seed),
                "the same seed, the same history"
            );
            assert!(!history.kinds().contains(&without), "{number}: {without}");
            assert!(history.is_lawful(), "{number}: {history:?}");
            assert!(
                !may_undo(std::iter::once(&history)),
                "{number}: {history:?}"
            );
            let text = history.scenario_text("");
            let cases = Case::from_file(&SourceFile::new("history.yaml", text.clone()));
            let cases = cases.unwrap_or_else(|problems| panic!("{problems}\n{text}"));
            let written = &cases[0].scenario;
            assert_eq!(written.events.len(), history.events.len());
            assert!(!written.effects.is_empty());
        }
    }

    #[test]
    fn all_kinds_are_drawn() {
        let generator = generator(Kind::ALL.iter().copied());
        let histories = (0..100).map(|number| generator.history(Seed::new(number)));
        let kinds: BTreeSet<Kind> = histories.flat_map(|history| history.kinds()).collect();
        assert_eq!(kinds, Kind::ALL.iter().copied().collect());
    }
}
