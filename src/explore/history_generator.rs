//! Draws a history from a seed.
//!
//! Each history has its own subset of the kinds, so that some kinds are frequent in it and others do
//! not hide what they do.

use std::collections::BTreeSet;

use rand::RngExt as _;
use rand::seq::{IndexedRandom as _, SliceRandom as _};
use rand_chacha::ChaCha8Rng;
use serde_json::{Map, Value, json};

use super::drawn_values::{
    BUNDLE_SIZES, CODES, LAYOUTS, LENGTHS, PLAYER_ENDINGS, QUANTITIES, TEXTS,
};
use super::history::{History, coupon_of};
use super::kind::{Kind, Trace};
use crate::generate::Seed;
use crate::policy::{Fault, Forgery};

/// The forgeries that a receiver must refuse.
const FORGERIES: [Forgery; 9] = [
    Forgery::WrongSecret,
    Forgery::WrongAlgorithm,
    Forgery::MissingTimestamp,
    Forgery::TruncatedSignature,
    Forgery::TamperedBody,
    Forgery::MissingSignature,
    Forgery::EmptySignature,
    Forgery::SwappedTimestamp,
    Forgery::BodyOnlySignature,
];

/// The kinds of events that a game may grant in several ways.
const OPEN: [Kind; 5] = [
    Kind::Bundle,
    Kind::NestedBundle,
    Kind::Fallback,
    Kind::Sandbox,
    Kind::Trigger,
];
/// With more such events of one player, a wrong sum could be right by chance.
const MOST_OPEN: u32 = 5;

/// Draws histories of some kinds.
#[derive(Debug, Clone)]
pub(super) struct HistoryGenerator {
    /// The kinds to choose from.
    pub(super) kinds: BTreeSet<Kind>,
    /// The SKUs that events grant; without any, some are made up.
    pub(super) skus: Vec<String>,
}

struct Draft<'kinds> {
    random: ChaCha8Rng,
    /// The kinds of this history.
    kinds: BTreeSet<Kind>,
    skus: &'kinds [String],
    /// The first event of each player.
    players: Vec<String>,
    /// How many events so far have more than one right grant.
    open: u32,
    history: History,
}

impl HistoryGenerator {
    /// The history of this seed.
    pub(super) fn history(&self, seed: Seed) -> History {
        let mut random = seed.random();
        let kinds = self.kinds.iter().copied();
        let kinds = kinds.filter(|_| random.random::<bool>()).collect();
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
            skus: &skus[..most],
            players: Vec::new(),
            open: 0,
            history: History::default(),
        };
        draft.draw();
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
        let steps = self.random.random_range(steps);
        for _ in 0..steps {
            let step = self.step();
            self.history.steps.push(step);
        }
        if self.history.deliveries().next().is_none() {
            let name = self.new_event();
            self.history.steps.push(json!({ "deliver": name }));
        }
        if self.has(Kind::Redelivery) && self.random.random::<bool>() {
            self.redeliver_everything();
        }
    }

    fn step(&mut self) -> Value {
        if self.happens(Kind::Restart, 12) {
            return json!({ "restart": true });
        }
        if self.happens(Kind::Script, 8) {
            return self.script();
        }
        if self.happens(Kind::Forgery, 5) {
            return self.forgery();
        }
        let mut step = Map::new();
        let again = self
            .happens(Kind::Redelivery, 2)
            .then(|| self.earlier_event())
            .flatten();
        let is_list = again.is_none() && self.random.random_ratio(1, 5);
        let mut deliveries = 1;
        let deliver = if let Some(name) = again {
            json!(name)
        } else if is_list {
            let names: Vec<String> = (0..self.random.random_range(2..=5))
                .map(|_| self.new_event())
                .collect();
            deliveries = names.len();
            json!(names)
        } else {
            json!(self.new_event())
        };
        step.insert("deliver".to_owned(), deliver);
        if self.happens(Kind::Times, 4) {
            let times = *[2_usize, 2, 3, 8].choose(&mut self.random).unwrap_or(&2);
            deliveries *= times;
            step.insert("times".to_owned(), json!(times));
        }
        let is_together = deliveries > 1 && self.happens(Kind::Together, 2);
        if is_together {
            step.insert("together".to_owned(), json!(true));
        } else if deliveries > 1 && self.happens(Kind::Shuffle, 3) {
            step.insert("shuffle".to_owned(), json!(true));
        }
        if self.happens(Kind::NewConnection, 4) {
            step.insert("connection".to_owned(), json!("new"));
        }
        if let Some(fault) = self.fault(is_together, deliveries) {
            let fault = match fault {
                // As slow as the network: large bodies have many bytes.
                Fault::SlowBody(_) => json!({ fault.name(): { "per_byte": "0ms" } }),
                fault => json!(fault.name()),
            };
            step.insert("fault".to_owned(), fault);
            if self.happens(Kind::FreshEventId, 2) {
                step.insert("retry".to_owned(), json!({ "event_id": "fresh" }));
            }
        }
        if self.happens(Kind::Wire, 4) {
            let spelling = ["lower", "upper"].choose(&mut self.random);
            let form = json!({ "header_case": spelling });
            step.insert("wire".to_owned(), form);
        }
        Value::Object(step)
    }

    fn fault(&mut self, is_together: bool, deliveries: usize) -> Option<Fault> {
        if self.random.random_ratio(2, 3) {
            return None;
        }
        let allowed = Fault::ALL.into_iter().filter(|fault| {
            let kind = self.kinds.iter().find(|kind| kind.name() == fault.name());
            let enough = *fault != Fault::OutOfOrder || deliveries > 1;
            kind.is_some_and(|kind| kind.trace() == Trace::Fault)
                && enough
                && (!is_together || fault.allows_together())
        });
        allowed
            .collect::<Vec<_>>()
            .choose(&mut self.random)
            .copied()
    }

    /// A forgery of a new event, which is sometimes never delivered, or of an earlier one.
    fn forgery(&mut self) -> Value {
        let is_new = self.random.random::<bool>();
        let earlier = if is_new { None } else { self.earlier_event() };
        let name = earlier.unwrap_or_else(|| self.new_event());
        let forgery = FORGERIES.choose(&mut self.random).unwrap_or(&FORGERIES[0]);
        json!({ "deliver": name, "forge": forgery.name() })
    }

    /// Makes the receiver refuse the next deliveries to a player. The retries get through.
    fn script(&mut self) -> Value {
        let name = self.earlier_event().unwrap_or_else(|| self.new_event());
        let statuses = vec![503; self.random.random_range(1..=2)];
        json!({ "script": { "of": name, "answers": statuses } })
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

    fn is_delivered(&self, name: &str) -> bool {
        let mut genuine = self
            .history
            .steps
            .iter()
            .filter(|step| step.get("forge").is_none());
        genuine.any(|step| super::history::delivered(step).any(|other| other == name))
    }

    /// An event of an earlier step: often the first or the last one.
    fn earlier_event(&mut self) -> Option<String> {
        let names: Vec<&String> = self.history.events.keys().collect();
        let name = match self.random.random_range(0..4) {
            0 => names.first(),
            1 => names.last(),
            _ => names.choose(&mut self.random),
        };
        name.map(|name| (*name).clone())
    }

    fn new_event(&mut self) -> String {
        let name = format!("coupon_{}", self.history.events.len() + 1);
        let mut event = Map::new();
        if self.happens(Kind::ItemAdd, 4)
            && let Some(coupon) = self.coupon()
        {
            let key = ["own", "shared"].choose(&mut self.random);
            let event = json!({ "kind": "item.add", "for": coupon, "idempotency_key": key });
            self.history.events.insert(name.clone(), event);
            return name;
        }
        let is_other = !self.has(Kind::SamePlayer) || self.random.random_ratio(1, 4);
        match self.players.choose(&mut self.random) {
            Some(player) if !is_other => {
                event.insert("player_id".to_owned(), json!({ "same_as": player }));
            }
            _ => {
                self.players.push(name.clone());
                if self.happens(Kind::PlayerText, 2) {
                    let ending = PLAYER_ENDINGS.choose(&mut self.random);
                    event.insert("player_id".to_owned(), json!({ "ending": ending }));
                }
            }
        }
        self.add_item(&mut event);
        self.add_circumstances(&mut event);
        self.history
            .events
            .insert(name.clone(), Value::Object(event));
        name
    }

    /// An earlier coupon of the documented event type.
    fn coupon(&mut self) -> Option<String> {
        let events = self.history.events.iter();
        let coupons =
            events.filter(|(_, event)| coupon_of(event).is_none() && event.get("set").is_none());
        let coupons: Vec<&String> = coupons.map(|(name, _)| name).collect();
        coupons.choose(&mut self.random).map(|name| (*name).clone())
    }

    /// Whether neither the event's key is like another's nor another key is like its own. Two keys like
    /// one could be equal.
    fn has_own_key(&self, name: &str) -> bool {
        let mut events = self.history.events.iter();
        events.all(
            |(other, event)| match event["idempotency_key"]["like"].as_str() {
                Some(like) => like != name && other != name,
                None => true,
            },
        )
    }

    fn add_item(&mut self, event: &mut Map<String, Value>) {
        let mut item = Map::new();
        if self.happens(Kind::Bundle, 3) {
            let size = *BUNDLE_SIZES.choose(&mut self.random).unwrap_or(&1);
            let parts: Vec<Value> = (0..size).map(|_| self.part()).collect();
            item.insert("bundle".to_owned(), json!(parts));
        } else {
            item.insert("sku".to_owned(), self.sku());
            if self.happens(Kind::Quantity, 2) {
                item.insert("quantity".to_owned(), self.quantity());
            }
        }
        if self.happens(Kind::Fallback, 3) {
            item.insert(
                "fallback".to_owned(),
                json!({ "sku": self.sku(), "quantity": 1 }),
            );
        }
        if self.happens(Kind::Description, 3) {
            let description = match self.random.random_range(0..3) {
                0 => Value::Null,
                1 => json!(TEXTS.choose(&mut self.random)),
                _ => json!("x".repeat(*LENGTHS.choose(&mut self.random).unwrap_or(&1))),
            };
            item.insert("description".to_owned(), description);
        }
        event.insert("item".to_owned(), Value::Object(item));
    }

    /// An item in a bundle, or a bundle.
    fn part(&mut self) -> Value {
        if self.happens(Kind::NestedBundle, 3) {
            let parts = [self.leaf(), self.leaf()];
            return json!({ "bundle": parts });
        }
        self.leaf()
    }

    fn leaf(&mut self) -> Value {
        json!({ "sku": self.sku(), "quantity": self.random.random_range(1..=9) })
    }

    fn add_circumstances(&mut self, event: &mut Map<String, Value>) {
        let other = self.coupon().filter(|other| self.has_own_key(other));
        let mut add = |key: &str, value: Value| event.insert(key.to_owned(), value);
        if self.happens(Kind::Code, 2) {
            add("coupon", json!({ "code": CODES.choose(&mut self.random) }));
        }
        if self.happens(Kind::Context, 3) {
            let (player, order) = (self.random.random::<bool>(), self.random.random::<bool>());
            let part = |is_sent| if is_sent { json!(true) } else { Value::Null };
            add(
                "context",
                json!({ "player": part(player), "order": part(order) }),
            );
        }
        if self.happens(Kind::Sandbox, 6) {
            add("sandbox", json!(true));
        }
        if self.happens(Kind::Trigger, 5) {
            let triggers = [json!("test"), Value::Null];
            add(
                "trigger",
                triggers
                    .choose(&mut self.random)
                    .cloned()
                    .unwrap_or_default(),
            );
        }
        if self.happens(Kind::RequestId, 3) {
            let ids = [json!(true), Value::Null];
            add(
                "request_id",
                ids.choose(&mut self.random).cloned().unwrap_or_default(),
            );
        }
        if self.happens(Kind::EventTime, 3) {
            let seconds = self.random.random_range(1..=600);
            add("event_time", json!(format!("T-{seconds}s")));
        }
        if self.happens(Kind::Transaction, 3)
            && let Some(other) = self.history.events.keys().next_back()
        {
            add("transaction_id", json!({ "same_as": other }));
        }
        if self.happens(Kind::Layout, 3) {
            add("layout", json!(LAYOUTS.choose(&mut self.random)));
        }
        if self.happens(Kind::LongKey, 4) {
            add("idempotency_key", json!({ "length": 200 }));
        } else if self.happens(Kind::SimilarKey, 4)
            && let Some(other) = other
        {
            let key = json!({ "like": other, "differing_in": "case" });
            add("idempotency_key", key);
        }
        if self.happens(Kind::UnknownKeys, 4) {
            let changes = [
                json!({ "/added_later": { "a": [1] } }),
                json!({ "/event_type": "aghook.never_heard_of" }),
            ];
            add(
                "set",
                changes
                    .choose(&mut self.random)
                    .cloned()
                    .unwrap_or_default(),
            );
        }
    }

    fn quantity(&mut self) -> Value {
        json!(QUANTITIES.choose(&mut self.random))
    }

    fn sku(&mut self) -> Value {
        json!(self.skus.choose(&mut self.random))
    }

    fn has(&self, kind: Kind) -> bool {
        self.kinds.contains(&kind)
    }

    /// Whether a kind of this history happens now, once in `of` times.
    fn happens(&mut self, kind: Kind, of: u32) -> bool {
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
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scenario::Case;
    use crate::scenario::document::SourceFile;

    fn generator(kinds: impl IntoIterator<Item = Kind>) -> HistoryGenerator {
        HistoryGenerator {
            kinds: kinds.into_iter().collect(),
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
            let text = history.scenario_text("a history", "");
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
