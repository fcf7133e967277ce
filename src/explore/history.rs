//! A history: events and the steps that send them, in the words of scenario files, without expectations.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value, json};

use super::kind::{Kind, Trace};

/// What a sender does, written as in a scenario file.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct History {
    /// From which the contents follow that the events leave open.
    pub(super) seed: u64,
    pub(super) events: Map<String, Value>,
    pub(super) steps: Vec<Value>,
}

/// The keys by which an event can share an ID with another.
const SHARED: [&str; 2] = ["player_id", "transaction_id"];

impl History {
    /// Removes the events that no step names. Events that shared an ID with a removed one then share it
    /// with each other.
    pub(super) fn without_unused_events(mut self) -> Self {
        let hooks = self.steps.iter();
        let scripted =
            hooks.filter_map(|step| step["script"]["of"].as_str().or(step["of"].as_str()));
        let mut used: BTreeSet<String> = self
            .deliveries()
            .chain(scripted)
            .map(str::to_owned)
            .collect();
        let credited = self.events.iter().filter(|(name, _)| used.contains(*name));
        let credited: Vec<String> = credited.filter_map(|(_, event)| coupon_of(event)).collect();
        used.extend(credited);
        let owners: Vec<BTreeMap<String, String>> = SHARED.map(|key| self.owners(key)).into();
        self.events.retain(|name, _| used.contains(name));
        for (key, owners) in SHARED.into_iter().zip(owners) {
            let mut first: BTreeMap<&str, String> = BTreeMap::new();
            for (name, event) in &mut self.events {
                let Some(owner) = owners.get(name) else {
                    continue;
                };
                let Some(keys) = event.as_object_mut() else {
                    continue;
                };
                if let Some(same) = first.get(owner.as_str()) {
                    keys.insert(key.to_owned(), json!({ "same_as": same }));
                } else {
                    if is_shared(keys.get(key)) {
                        keys.shift_remove(key);
                    }
                    first.insert(owner, name.clone());
                }
            }
        }
        self
    }

    /// The event that each event has this ID from, for events that share it.
    fn owners(&self, key: &str) -> BTreeMap<String, String> {
        let owner = |name: &String| {
            let mut owner = name;
            for _ in &self.events {
                match self
                    .events
                    .get(owner)
                    .and_then(|event| event[key]["same_as"].as_str())
                {
                    Some(other) => owner = self.events.keys().find(|name| *name == other)?,
                    None => break,
                }
            }
            Some(owner.clone())
        };
        let mut owners = BTreeMap::new();
        for name in self.events.keys() {
            if let Some(owner) = owner(name).filter(|owner| owner != name) {
                owners.insert(owner.clone(), owner.clone());
                owners.insert(name.clone(), owner);
            }
        }
        owners
    }

    pub(super) fn event(&self, name: &str) -> &Value {
        self.events.get(name).unwrap_or(&Value::Null)
    }

    /// The event that stands for the player of an event: the first one of this player.
    pub(super) fn player<'name>(&'name self, name: &'name str) -> &'name str {
        let mut first = name;
        for _ in 0..=self.events.len() {
            let event = self.event(first);
            match event["for"]
                .as_str()
                .or(event["player_id"]["same_as"].as_str())
            {
                Some(other) if self.events.contains_key(other) => first = other,
                _ => break,
            }
        }
        first
    }

    /// Whether an earlier step than this one delivers the event, and not only a forgery of it.
    pub(super) fn is_delivered_before(&self, name: &str, step: usize) -> bool {
        let mut genuine = self.steps[..step].iter().filter(|step| is_genuine(step));
        genuine.any(|step| delivered(step).any(|other| other == name))
    }

    /// The names of the delivered events, in the order of the steps.
    pub(super) fn deliveries(&self) -> impl Iterator<Item = &str> {
        self.steps.iter().flat_map(delivered)
    }

    /// The kinds that it contains.
    pub(super) fn kinds(&self) -> BTreeSet<Kind> {
        let mut kinds: BTreeSet<Kind> = self.events.values().flat_map(event_kinds).collect();
        let mut earlier = BTreeSet::new();
        for step in &self.steps {
            kinds.extend(step_kinds(step, &mut earlier));
        }
        kinds
    }

    /// The kinds of each step, with those of its events.
    pub(super) fn kinds_by_step(&self) -> Vec<BTreeSet<Kind>> {
        let mut earlier = BTreeSet::new();
        let steps = self.steps.iter().map(|step| {
            let mut kinds = step_kinds(step, &mut earlier);
            let events = delivered(step).filter_map(|name| self.events.get(name));
            kinds.extend(events.flat_map(event_kinds));
            kinds
        });
        steps.collect()
    }
}

/// The events that a step delivers, or forges.
pub(super) fn delivered(step: &Value) -> impl Iterator<Item = &str> {
    let names = match &step["deliver"] {
        Value::Array(names) => names.as_slice(),
        Value::Null => &[],
        name => std::slice::from_ref(name),
    };
    names.iter().filter_map(Value::as_str)
}

/// The event of the coupon whose items an `item.add` credits, or an `item.remove` takes away.
pub(super) fn coupon_of(event: &Value) -> Option<String> {
    event["for"].as_str().map(str::to_owned)
}

pub(super) fn is_removal(event: &Value) -> bool {
    event["kind"] == "item.remove"
}

/// Whether it is of a type that grants nothing.
pub(super) fn is_other_type(event: &Value) -> bool {
    event["set"].get("/event_type").is_some()
}

pub(super) fn is_genuine(step: &Value) -> bool {
    step.get("forge").is_none()
}

pub(super) fn fault_of(step: &Value) -> Option<&str> {
    match step.get("fault")? {
        Value::Object(parameters) => parameters.keys().next().map(String::as_str),
        name => name.as_str(),
    }
}

fn is_shared(id: Option<&Value>) -> bool {
    id.is_some_and(|id| id.get("same_as").is_some())
}

fn event_kinds(event: &Value) -> Vec<Kind> {
    let has = |kind: &&Kind| match kind.trace() {
        Trace::Event(pointer) => event.pointer(pointer).is_some(),
        Trace::EventKind(name) => event["kind"] == name,
        _ => false,
    };
    Kind::ALL.iter().filter(has).copied().collect()
}

fn step_kinds<'step>(step: &'step Value, earlier: &mut BTreeSet<&'step str>) -> BTreeSet<Kind> {
    let fault = fault_of(step);
    let mut is_redelivery = false;
    if is_genuine(step) {
        for name in delivered(step) {
            is_redelivery |= !earlier.insert(name);
        }
    }
    let has = |kind: &&Kind| match kind.trace() {
        Trace::Event(_) | Trace::EventKind(_) => false,
        Trace::Step(pointer) => step.pointer(pointer).is_some(),
        Trace::NoRetry => step["retry"] == "off",
        Trace::Fault => fault == Some(kind.name()),
        Trace::Redelivered => is_redelivery,
    };
    Kind::ALL.iter().filter(has).copied().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn events_that_shared_the_id_of_a_removed_one_share_it_with_each_other() {
        let history = History {
            events: Map::from_iter([
                ("a".to_owned(), json!({ "sandbox": true })),
                ("b".to_owned(), json!({ "player_id": { "same_as": "a" } })),
                ("c".to_owned(), json!({ "player_id": { "same_as": "b" } })),
                ("d".to_owned(), json!({})),
            ]),
            steps: vec![
                json!({ "deliver": ["b", "c"] }),
                json!({ "script": { "of": "d" } }),
            ],
            ..History::default()
        };
        let events = history.without_unused_events().events;
        let expected = json!({ "b": {}, "c": { "player_id": { "same_as": "b" } }, "d": {} });
        assert_eq!(Value::Object(events), expected);
    }

    #[test]
    fn kinds_are_recognised() {
        let history = History {
            events: Map::from_iter([("a".to_owned(), json!({ "item": { "bundle": [{}] } }))]),
            steps: vec![
                json!({ "deliver": "a", "fault": "lost_ack" }),
                json!({ "deliver": "a", "fault": { "slow_body": {} }, "times": 2 }),
            ],
            ..History::default()
        };
        let steps = [
            BTreeSet::from([Kind::Bundle, Kind::LostAck]),
            BTreeSet::from([Kind::Bundle, Kind::Redelivery, Kind::SlowBody, Kind::Times]),
        ];
        assert_eq!(history.kinds_by_step(), steps);
        assert_eq!(history.kinds(), &steps[0] | &steps[1]);
    }
}
