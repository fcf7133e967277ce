//! Scenarios that deliver again what was recorded, with new identities.
//!
//! What a recorded event has in common with a generated one is left out.

use indexmap::IndexMap;
use serde::Serialize;
use serde_json::{Map, Value, json};

use super::compare::IdForm;
use super::recorded_delivery::RecordedDelivery;
use crate::protocol::EventKind;

/// Which deliveries a scenario has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ScenarioScope {
    /// Those of one event, with its retries.
    Event,
    /// Those of all events of one transaction.
    Transaction,
}

/// A scenario file.
#[derive(Debug)]
pub(crate) struct ScenarioText {
    pub(crate) name: String,
    pub(crate) yaml: String,
    /// How many deliveries it has.
    pub(crate) deliveries: usize,
}

#[derive(Serialize)]
struct Scenario {
    name: String,
    about: &'static str,
    tags: [&'static str; 1],
    events: IndexMap<String, Value>,
    steps: Vec<Value>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    effects: Vec<Value>,
}

/// The deliveries of a scenario.
#[derive(Default)]
struct Group {
    /// The distinct events, by their type and idempotency key.
    events: IndexMap<(String, String), Value>,
    /// Which event was delivered, and whether it was accepted.
    deliveries: Vec<(usize, bool)>,
}

/// A scenario for each event or transaction. Event types that scenarios do not know are left out.
pub(crate) fn scenarios(
    deliveries: &[RecordedDelivery],
    scope: ScenarioScope,
) -> Result<Vec<ScenarioText>, serde_saphyr::ser::Error> {
    let mut groups: IndexMap<(String, String), Group> = IndexMap::new();
    for delivery in deliveries {
        let Some(event) = delivery.event() else {
            continue;
        };
        let text = |name: &str| event[name].as_str().unwrap_or_default().to_owned();
        let kind = text("event_type");
        if EventKind::of_type(&kind).is_none() || !event["event_data"].is_object() {
            continue;
        }
        let key = (kind, text("idempotency_key"));
        let group = match scope {
            ScenarioScope::Event => key.clone(),
            ScenarioScope::Transaction => (String::new(), text("transaction_id")),
        };
        let group = groups.entry(group).or_default();
        let entry = group.events.entry(key);
        let index = entry.index();
        entry.or_insert(event);
        let status = delivery.response.as_ref().map(|response| response.status);
        let accepted = status.is_some_and(|status| (200..300).contains(&status));
        group.deliveries.push((index, accepted));
    }
    let groups = groups.values().enumerate();
    groups
        .map(|(index, group)| group.scenario(index + 1))
        .collect()
}

impl Group {
    fn scenario(&self, number: usize) -> Result<ScenarioText, serde_saphyr::ser::Error> {
        let mut events = IndexMap::new();
        let names: Vec<String> = self
            .events
            .keys()
            .enumerate()
            .map(|(index, (kind, _))| match index {
                0 => kind.replace('.', "_"),
                _ => format!("{}_{}", kind.replace('.', "_"), index + 1),
            })
            .collect();
        let coupon = self.coupon_event(&names, &mut events);
        for (name, event) in names.iter().zip(self.events.values()) {
            let spec = match EventKind::of_type(text(event, "event_type")) {
                Some(EventKind::CouponRedeemed) => coupon_spec(event),
                kind => item_spec(event, kind.unwrap_or_default(), &coupon, self.shares_key()),
            };
            events.insert(name.clone(), spec);
        }
        let scenario = Scenario {
            name: format!("recorded deliveries {number} are handled as before"),
            about: "Made from a capture. IDs and players are new in every run.",
            tags: ["captured"],
            steps: self.steps(&names),
            effects: self.effects(&names, &coupon),
            events,
        };
        Ok(ScenarioText {
            name: format!("captured-{number:04}.yaml"),
            yaml: serde_saphyr::to_string(&scenario)?,
            deliveries: self.deliveries.len(),
        })
    }

    /// The name of the coupon's event, for which other events are made. One that was not recorded is
    /// added, and not delivered.
    fn coupon_event(&self, names: &[String], events: &mut IndexMap<String, Value>) -> String {
        let mut kinds = self.events.keys().map(|(kind, _)| kind);
        if let Some(index) = kinds.position(|kind| kind == EventKind::CouponRedeemed.name()) {
            return names[index].clone();
        }
        let item = self
            .events
            .values()
            .next()
            .map(|event| event["event_data"]["items"][0].clone());
        let mut set = Map::new();
        if let Some(item) = item.filter(Value::is_object) {
            set.insert("/event_data/item".to_owned(), item);
        }
        let name = "coupon".to_owned();
        events.insert(
            name.clone(),
            json!({ "kind": "coupon.redeemed", "set": set }),
        );
        name
    }

    /// Whether the events of the transaction have one idempotency key.
    fn shares_key(&self) -> bool {
        let mut keys = self.events.keys().map(|(_, key)| key);
        let first = keys.next();
        keys.any(|key| Some(key) == first)
    }

    fn steps(&self, names: &[String]) -> Vec<Value> {
        let mut steps: Vec<(usize, u64)> = Vec::new();
        for (index, _) in &self.deliveries {
            match steps.last_mut() {
                Some((last, times)) if last == index => *times += 1,
                _ => steps.push((*index, 1)),
            }
        }
        let step = |(index, times): &(usize, u64)| {
            let status = if self.is_accepted(*index) {
                json!("2xx")
            } else {
                json!(["2xx", "4xx"])
            };
            let mut step = json!({ "deliver": names[*index], "expect": { "status": status } });
            if *times > 1 {
                step["times"] = (*times).into();
            }
            step
        };
        steps.iter().map(step).collect()
    }

    fn is_accepted(&self, event: usize) -> bool {
        self.deliveries.contains(&(event, true))
    }

    /// Each redemption is granted once. Whether a sandbox or test event grants is the game's choice.
    fn effects(&self, names: &[String], coupon: &str) -> Vec<Value> {
        let mut effects = Vec::new();
        for (index, (name, event)) in names.iter().zip(self.events.values()).enumerate() {
            let is_live = event["sandbox"] != true && event["trigger"] != "test";
            if !is_live || !self.is_accepted(index) {
                continue;
            }
            let effect = match EventKind::of_type(text(event, "event_type")) {
                Some(EventKind::CouponRedeemed) => json!({ "granted": name }),
                Some(EventKind::ItemAdd) => json!({ "granted": coupon }),
                _ => json!({ "removed": name }),
            };
            if !effects.contains(&effect) {
                effects.push(effect);
            }
        }
        effects
    }
}

fn text<'event>(event: &'event Value, key: &str) -> &'event str {
    event[key].as_str().unwrap_or_default()
}

/// The event of a coupon: its items, what caused it, and the keys that aghook does not know.
fn coupon_spec(event: &Value) -> Value {
    let mut set = common_values(event);
    for key in ["item", "items"] {
        if let Some(value) = event["event_data"].get(key) {
            set.insert(format!("/event_data/{key}"), value.clone());
        }
    }
    let mut spec =
        json!({ "kind": "coupon.redeemed", "sandbox": event["sandbox"] == true, "set": set });
    if event["event_data"].get("item").is_none() {
        spec["unset"] = json!(["/event_data/item"]);
    }
    if let Some(trigger) = event.get("trigger") {
        spec["trigger"] = trigger.clone();
    }
    let key = event["idempotency_key"].as_str().map(IdForm::of);
    if key.is_some_and(|key| key.is_uuid()) {
        spec["idempotency_key"] = json!({ "form": "uuid" });
    }
    spec
}

/// An event that is made for that of a coupon.
fn item_spec(event: &Value, kind: EventKind, coupon: &str, shares_key: bool) -> Value {
    let mut set = common_values(event);
    let items = event["event_data"].get("items");
    set.extend(items.map(|items| ("/event_data/items".to_owned(), items.clone())));
    let key = if shares_key { "shared" } else { "own" };
    json!({ "kind": kind, "for": coupon, "idempotency_key": key, "set": set })
}

/// The context, and the keys that no generated event has.
fn common_values(event: &Value) -> Map<String, Value> {
    const KNOWN: [&str; 10] = [
        "event_type",
        "event_data",
        "event_time",
        "event_id",
        "idempotency_key",
        "request_id",
        "sandbox",
        "trigger",
        "transaction_id",
        "game_id",
    ];
    let entries = event.as_object().into_iter().flatten();
    let others = entries.filter(|(key, value)| {
        let is_null_context = *key == "context" && value.is_null();
        !is_null_context && !KNOWN.contains(&key.as_str())
    });
    others
        .map(|(key, value)| {
            let key = key.replace('~', "~0").replace('/', "~1");
            (format!("/{key}"), value.clone())
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scenario::Case;
    use crate::scenario::document::SourceFile;

    fn recorded(event: &Value, status: u16) -> RecordedDelivery {
        let delivery = json!({
            "capture": 1, "at": null, "attempt": 1, "previous": null, "signature": "not_checked",
            "request": {
                "method": "POST", "path": "/", "version": null, "headers": [], "chunked": false,
                "body": { "length": 1, "text": event.to_string() },
            },
            "response": { "status": status, "headers": [], "body": { "length": 0 } },
            "failure": null, "timings": null,
        });
        serde_json::from_value(delivery).expect("a delivery")
    }

    fn event(kind: &str, key: &str, transaction: &str, data: &Value) -> Value {
        json!({
            "event_type": kind, "event_data": data, "event_time": 7, "event_id": "whevt_1",
            "idempotency_key": key, "request_id": null, "sandbox": false, "trigger": "hub.redeem",
            "transaction_id": transaction, "context": { "player": { "level": 3 } },
            "game_id": "gm_1", "shard": "eu",
        })
    }

    #[test]
    fn a_transaction_becomes_a_valid_scenario() {
        let item =
            json!({ "id": "itm_1", "name": "Gem", "sku": "gem", "quantity": 2, "type": "item" });
        let coupon = json!({ "player_id": "P1", "coupon": { "code": "A", "sku": "gem", "redeemed_at": 7 }, "item": item });
        let items = json!({ "player_id": "P1", "items": [item], "reason": "x" });
        let deliveries = [
            recorded(&event("coupon.redeemed", "a", "t1", &coupon), 503),
            recorded(&event("coupon.redeemed", "a", "t1", &coupon), 200),
            recorded(&event("item.add", "b", "t1", &items), 200),
            recorded(&event("item.add", "c", "t2", &items), 400),
            recorded(&event("store.get", "d", "t3", &json!({})), 200),
        ];
        for (scope, count) in [(ScenarioScope::Event, 3), (ScenarioScope::Transaction, 2)] {
            let scenarios = scenarios(&deliveries, scope).expect("YAML");
            assert_eq!(scenarios.len(), count);
            for scenario in scenarios {
                let source = SourceFile::new(scenario.name.as_str(), scenario.yaml.as_str());
                let read = Case::from_file(&source);
                assert!(read.is_ok(), "{}", scenario.yaml);
            }
        }
        let transaction = &scenarios(&deliveries, ScenarioScope::Transaction).expect("YAML")[0];
        insta::assert_snapshot!(transaction.yaml);
    }
}
