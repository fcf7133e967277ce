//! Draws the steps of a history.

use std::mem;

use rand::RngExt as _;
use serde_json::{Map, Value, json};

use super::drawn_values::CLOCK_OFFSETS;
use super::expectations::SCRIPTED_STATUS;
use super::history_generator::Draft;
use super::kind::{Kind, Trace};
use crate::policy::Fault;

/// A receiver may forget keys after a day.
const MOST_HOURS: u32 = 4;
/// The number of items of a bundle that a game can't grant for a while.
const PARTS: usize = 3;

impl Draft<'_> {
    pub(super) fn add_step(&mut self) {
        let step = if self.happens(Kind::Restart, 12) {
            json!({ "restart": true })
        } else if self.hours < MOST_HOURS && self.happens(Kind::Clock, 12) {
            self.hours += 1;
            json!({ "hook": "shift_clock", "advances": "1h" })
        } else if self.happens(Kind::Script, 8) {
            self.script()
        } else if self.happens(Kind::Forgery, 5) {
            self.forgery()
        } else if self.happens(Kind::FullInventory, 6) {
            return self.fill_and_free();
        } else {
            self.delivery()
        };
        self.history.steps.push(step);
    }

    fn delivery(&mut self) -> Value {
        let mut step = Map::new();
        let mut add = |key: &str, value: Value| step.insert(key.to_owned(), value);
        let again = self.happens(Kind::Redelivery, 2);
        let again = again.then(|| self.earlier_event()).flatten();
        let mut deliveries = 1;
        let deliver = if let Some(name) = again {
            json!(name)
        } else if self.random.random_ratio(1, 5) {
            let most = self.one_of(&[5, 5, 5, 30]).unwrap_or(5);
            deliveries = self.random.random_range(2..=most);
            self.new_events(deliveries).into()
        } else {
            json!(self.new_event())
        };
        add("deliver", deliver);
        if self.happens(Kind::Times, 4) {
            let times = self.one_of(&[2_usize, 2, 3, 8]).unwrap_or(2);
            deliveries *= times;
            add("times", json!(times));
        }
        let is_together = deliveries > 1 && self.happens(Kind::Together, 2);
        if is_together {
            add("together", json!(true));
            if self.random.random_ratio(1, 3) {
                add("apart", json!("2ms"));
            }
        } else if deliveries > 1 && self.happens(Kind::Shuffle, 3) {
            add("shuffle", json!(true));
        }
        if self.happens(Kind::Instances, 2) {
            add("spread", json!(true));
        }
        if self.happens(Kind::NewConnection, 4) {
            add("connection", json!("new"));
        }
        let fault = self.fault(is_together, deliveries);
        if let Some(fault) = fault {
            let fault = match fault {
                // As slow as the network: large bodies have many bytes.
                Fault::SlowBody(_) => json!({ fault.name(): { "per_byte": "0ms" } }),
                fault => json!(fault.name()),
            };
            add("fault", fault);
            if self.happens(Kind::FreshEventId, 2) {
                add("retry", json!({ "event_id": "fresh" }));
            }
        } else {
            if self.happens(Kind::NoRetry, 3) {
                add("retry", json!("off"));
            }
            if self.happens(Kind::SignedAt, 6) {
                add("signed_at", json!(self.one_of(&CLOCK_OFFSETS)));
            }
        }
        let wire = self.wire(fault.is_none() && !is_together);
        if !wire.is_empty() {
            add("wire", Value::Object(wire));
        }
        Value::Object(step)
    }

    /// New events, in half of the cases most of them for one player.
    fn new_events(&mut self, count: usize) -> Vec<Value> {
        let others = if self.random.random::<bool>() {
            mem::take(&mut self.players)
        } else {
            Vec::new()
        };
        let names = (0..count).map(|_| json!(self.new_event())).collect();
        self.players.extend(others);
        names
    }

    fn wire(&mut self, is_plain: bool) -> Map<String, Value> {
        let mut wire = Map::new();
        if self.happens(Kind::HeaderCase, 4) {
            let spelling = self.one_of(&["lower", "upper", "mixed"]);
            wire.insert("header_case".to_owned(), json!(spelling));
        }
        if self.happens(Kind::ContentType, 6) {
            let content_type = "application/json; charset=utf-8";
            wire.insert("content_type".to_owned(), json!(content_type));
        }
        if is_plain && self.happens(Kind::Pieces, 4) {
            let pieces = self.one_of(&[400, 1_000]);
            wire.insert("pieces".to_owned(), json!(pieces));
        }
        if is_plain && self.happens(Kind::Chunked, 6) {
            wire.insert("transfer".to_owned(), json!("chunked"));
        }
        wire
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
        let allowed: Vec<Fault> = allowed.collect();
        self.one_of(&allowed)
    }

    /// A forgery of a new event, which is sometimes never delivered, or of an earlier one.
    fn forgery(&mut self) -> Value {
        let is_new = self.random.random::<bool>();
        let earlier = if is_new { None } else { self.earlier_event() };
        let name = earlier.unwrap_or_else(|| self.new_coupon());
        let forgery = self
            .one_of(self.forgeries)
            .map(crate::policy::Forgery::name);
        json!({ "deliver": name, "forge": forgery })
    }

    /// Makes the receiver refuse the next deliveries to a player. The retries get through.
    fn script(&mut self) -> Value {
        let name = self.earlier_event().unwrap_or_else(|| self.new_event());
        let statuses = vec![SCRIPTED_STATUS; self.random.random_range(1..=2)];
        json!({ "script": { "of": name, "answers": statuses } })
    }

    /// Delivers an item, or a bundle, while the game can't grant it or a part, and again when it can. In
    /// between, another player may get the same item.
    fn fill_and_free(&mut self) {
        let is_plain = !self.has(Kind::Bundle) || self.random.random::<bool>();
        let sku = self.sku();
        let mut item = if is_plain {
            json!({ "sku": sku })
        } else {
            json!({ "bundle": vec![json!({}); PARTS] })
        };
        let other = json!({ "item": { "sku": sku } });
        if self.happens(Kind::Fallback, 2) {
            item["fallback"] = self.fallback();
        }
        let name = self.add(json!({ "item": item }));
        self.players.push(name.clone());
        let part = self.random.random_range(0..PARTS);
        let sku = json!({ "at": format!("/event_data/item/nested_items/{part}/sku") });
        let hook = |hook: &str| {
            let mut step = json!({ "hook": hook, "of": name });
            if !is_plain {
                step["with"] = json!({ "sku": sku });
            }
            step
        };
        let mut refused = json!({ "deliver": name, "retry": { "attempts": 2 } });
        if self.has(Kind::NoRetry) && self.has(Kind::Together) && self.happens(Kind::Times, 2) {
            refused = json!({ "deliver": name, "retry": "off", "times": 4, "together": true });
        }
        self.history.steps.extend([hook("fill_inventory"), refused]);
        let free = hook("free_inventory");
        if self.random.random::<bool>() {
            let other = self.add(other);
            self.players.push(other.clone());
            self.history.steps.push(json!({ "deliver": other }));
        }
        self.history.steps.push(free);
        if self.has(Kind::Redelivery) {
            self.history.steps.push(json!({ "deliver": name }));
        }
    }
}
