//! Draws the events of a history.

use std::collections::BTreeSet;

use rand::RngExt as _;
use serde_json::{Map, Value, json};

use super::drawn_values::{
    BUNDLE_SIZES, BUNDLE_SKUS, CODES, ITEM_TYPES, LARGE_BUNDLE_SIZES, LAYOUTS, LENGTHS,
    PLAYER_ENDINGS, POLISH, QUANTITIES, TEXTS, TRIGGERS,
};
use super::history::{coupon_of, is_other_type};
use super::history_generator::Draft;
use super::kind::Kind;

/// The revision of the event whose `items` can be several.
const WITH_ITEMS: &str = "2026-05-25";

/// How many bundles in bundles there are at most.
const DEEPEST: u32 = 4;

impl Draft<'_> {
    /// Adds an event, and returns its name.
    pub(super) fn new_event(&mut self) -> String {
        if self.happens(Kind::ItemRemove, 5)
            && let Some(coupon) = self.granted_coupon()
        {
            return self.add(json!({ "kind": "item.remove", "for": coupon }));
        }
        if self.happens(Kind::ItemAdd, 4)
            && let Some(coupon) = self.coupon_to_credit()
        {
            let key = self.one_of(&["own", "shared"]);
            return self.add(json!({ "kind": "item.add", "for": coupon, "idempotency_key": key }));
        }
        self.new_coupon()
    }

    pub(super) fn new_coupon(&mut self) -> String {
        let mut event = Map::new();
        let is_other = !self.has(Kind::SamePlayer) || self.random.random_ratio(1, 4);
        match self.one_of(&self.players.clone()) {
            Some(player) if !is_other => {
                event.insert("player_id".to_owned(), json!({ "same_as": player }));
            }
            _ => {
                self.players.push(self.next_name());
                if let Some(similar) = self.similar_player() {
                    event.insert("player_id".to_owned(), similar);
                } else if self.happens(Kind::PlayerDigits, 6) {
                    event.insert("player_id".to_owned(), json!({ "form": "digits" }));
                } else if self.happens(Kind::PlayerText, 2) {
                    let ending = self.one_of(&PLAYER_ENDINGS);
                    event.insert("player_id".to_owned(), json!({ "ending": ending }));
                }
            }
        }
        if self.happens(Kind::Items, 8) {
            event.insert("revision".to_owned(), json!(WITH_ITEMS));
            let items = [self.part(0), self.part(0)];
            event.insert("items".to_owned(), json!(items));
        } else {
            self.add_item(&mut event);
        }
        self.add_circumstances(&mut event);
        self.add_key(&mut event);
        self.add_changes(&mut event);
        self.add(Value::Object(event))
    }

    /// An ID like that of another player. Two IDs like one could be equal.
    fn similar_player(&mut self) -> Option<Value> {
        if !self.happens(Kind::SimilarPlayer, 3) {
            return None;
        }
        let events = &self.history.events;
        let has_similar = |name: &&String| {
            let mut ids = events.values().map(|event| &event["player_id"]["like"]);
            ids.any(|like| like == *name)
        };
        let own = |name: &&String| {
            let event = events.get(*name);
            event.is_some_and(|event| event["player_id"].get("like").is_none())
        };
        let players = self.players.iter().filter(own);
        let players: Vec<String> = players.filter(|name| !has_similar(name)).cloned().collect();
        let other = self.one_of(&players)?;
        let player = &self.history.event(&other)["player_id"];
        let differences: &[&str] = if player["ending"] == POLISH {
            &["accent", "normalization", "beyond_latin1", "case"]
        } else if player["form"] == "digits" {
            &["leading_zero"]
        } else {
            &["case", "trailing_space"]
        };
        let difference = self.one_of(differences);
        Some(json!({ "like": other, "differing_in": difference }))
    }

    fn next_name(&self) -> String {
        format!("coupon_{}", self.history.events.len() + 1)
    }

    pub(super) fn add(&mut self, event: Value) -> String {
        let name = self.next_name();
        self.history.events.insert(name.clone(), event);
        name
    }

    /// The coupon of an `item.add`: an earlier one, or one that is delivered later or never.
    fn coupon_to_credit(&mut self) -> Option<String> {
        if self.random.random_ratio(1, 3) {
            let coupon = self.new_coupon();
            return (!is_other_type(self.history.event(&coupon))).then_some(coupon);
        }
        let events = &self.history.events;
        let others: BTreeSet<String> = events.values().filter_map(coupon_of).collect();
        let coupons = events.iter().filter(|(name, event)| {
            coupon_of(event).is_none() && !is_other_type(event) && !others.contains(*name)
        });
        let coupons: Vec<String> = coupons.map(|(name, _)| name.clone()).collect();
        self.one_of(&coupons)
    }

    /// A coupon that is surely granted, and by no other event.
    fn granted_coupon(&mut self) -> Option<String> {
        let removal = |name: &str| json!({ "kind": "item.remove", "for": name });
        let names = self.history.events.iter().filter(|(name, event)| {
            let mut history = self.history.clone();
            history.events.insert("removal".to_owned(), removal(name));
            history.steps.push(json!({ "deliver": "removal" }));
            coupon_of(event).is_none() && history.is_lawful()
        });
        let names: Vec<String> = names.map(|(name, _)| name.clone()).collect();
        self.one_of(&names)
    }

    fn add_item(&mut self, event: &mut Map<String, Value>) {
        let mut item = Map::new();
        if self.happens(Kind::Bundle, 3) {
            item.insert("bundle".to_owned(), self.bundle());
        } else {
            if self.happens(Kind::LongSku, 4) {
                item.insert("sku".to_owned(), json!({ "length": 255 }));
            } else {
                item.insert("sku".to_owned(), self.sku());
            }
            if self.happens(Kind::Quantity, 2) {
                item.insert("quantity".to_owned(), json!(self.one_of(&QUANTITIES)));
            }
            if self.happens(Kind::ItemType, 4) {
                item.insert("type".to_owned(), json!(self.one_of(&ITEM_TYPES)));
            }
        }
        if self.happens(Kind::Fallback, 3) {
            item.insert("fallback".to_owned(), self.fallback());
        }
        if self.happens(Kind::Description, 3) {
            let description = match self.random.random_range(0..3) {
                0 => Value::Null,
                1 => json!(self.one_of(&TEXTS)),
                _ => json!("x".repeat(self.one_of(&LENGTHS).unwrap_or(1))),
            };
            item.insert("description".to_owned(), description);
        }
        event.insert("item".to_owned(), Value::Object(item));
    }

    pub(super) fn fallback(&mut self) -> Value {
        if self.has(Kind::Bundle) && self.random.random_ratio(1, 3) {
            return json!({ "bundle": [self.part(0), self.part(0)] });
        }
        json!({ "sku": self.sku(), "quantity": 1 })
    }

    fn bundle(&mut self) -> Value {
        if self.random.random_ratio(1, 3) {
            let parts = self.one_of(&LARGE_BUNDLE_SIZES);
            let skus = self.one_of(&BUNDLE_SKUS).min(parts);
            return json!({ "parts": parts, "skus": skus });
        }
        let size = self.one_of(&BUNDLE_SIZES).unwrap_or(1);
        (0..size).map(|_| self.part(0)).collect()
    }

    /// A part of a bundle that is in this many bundles.
    fn part(&mut self, depth: u32) -> Value {
        if depth < DEEPEST && self.happens(Kind::NestedBundle, 3 - depth.min(1)) {
            return json!({ "bundle": [self.part(depth + 1), self.part(depth + 1)] });
        }
        json!({ "sku": self.sku(), "quantity": self.random.random_range(1..=9) })
    }

    fn add_circumstances(&mut self, event: &mut Map<String, Value>) {
        let mut add = |key: &str, value: Value| event.insert(key.to_owned(), value);
        if self.happens(Kind::Code, 2) {
            add("coupon", json!({ "code": self.one_of(&CODES) }));
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
            add("trigger", json!(self.one_of(&TRIGGERS).flatten()));
        }
        if self.happens(Kind::RequestId, 3) {
            let id = self.one_of(&[json!(true), Value::Null]);
            add("request_id", id.unwrap_or_default());
        }
        if self.happens(Kind::EventTime, 3) {
            let seconds = self.random.random_range(1..=600);
            add("event_time", json!(format!("T-{seconds}s")));
        }
        if self.happens(Kind::Transaction, 3)
            && let Some(other) = self.history.events.keys().next_back()
        {
            add("transaction_id", json!({ "same_as": other }));
        } else if self.happens(Kind::LongTransaction, 4) {
            add("transaction_id", json!({ "length": 31 }));
        }
        if self.happens(Kind::Layout, 3) {
            add("layout", json!(self.one_of(&LAYOUTS)));
        }
    }

    fn add_key(&mut self, event: &mut Map<String, Value>) {
        let key = if self.happens(Kind::LongKey, 4) {
            json!({ "length": 200 })
        } else if self.happens(Kind::UuidKey, 4) {
            json!({ "form": "uuid" })
        } else if self.happens(Kind::SimilarKey, 4)
            && let Some(other) = self.coupon_with_own_key()
        {
            let difference = self.one_of(&["case", "last_character"]);
            json!({ "like": other, "differing_in": difference })
        } else {
            return;
        };
        event.insert("idempotency_key".to_owned(), key);
    }

    /// A coupon whose key is not like another's, and no other key is like its own. Two keys like one could
    /// be equal.
    fn coupon_with_own_key(&mut self) -> Option<String> {
        let events = &self.history.events;
        let like = |event: &Value| event["idempotency_key"]["like"].as_str().map(str::to_owned);
        let has_own_key = |name: &String, event: &Value| {
            let mut others = events.values();
            like(event).is_none() && !others.any(|other| like(other).as_ref() == Some(name))
        };
        let coupons = events.iter().filter(|(name, event)| {
            // The letters of a UUID may all be digits.
            let is_uuid = event["idempotency_key"].get("form").is_some();
            coupon_of(event).is_none() && !is_uuid && has_own_key(name, event)
        });
        let names: Vec<String> = coupons.map(|(name, _)| name.clone()).collect();
        self.one_of(&names)
    }

    /// Adds what Aghanim may add one day, or what other kinds of events have.
    fn add_changes(&mut self, event: &mut Map<String, Value>) {
        let change = if self.happens(Kind::UnknownKeys, 4) {
            json!({ "/added_later": { "a": [1] } })
        } else if self.happens(Kind::OtherType, 5) {
            json!({ "/event_type": "aghook.never_heard_of" })
        } else if self.happens(Kind::Name, 4) {
            json!({ "/event_data/item/name": self.one_of(&TEXTS) })
        } else {
            return;
        };
        event.insert("set".to_owned(), change);
    }

    pub(super) fn sku(&mut self) -> Value {
        json!(self.one_of(self.skus))
    }
}
