//! What aghook itself would send, learned from many events of its generator.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use serde_json::json;

use super::event_text::{ObjectText, ValueType, member_place, objects};
use super::id_form::IdForm;
use crate::generate::{BodyLayout, EventShape, Generator, as_kind};
use crate::policy::RetryPolicy;
use crate::protocol::{Event, EventKind};

/// How many events of each shape are generated. They have all currencies and catalogue items.
const SAMPLES: u64 = 40;
const RANDOM_SAMPLES: u64 = 400;

/// The keys with IDs that aghook makes up, or that Aghanim does.
const IDS: [&str; 6] = [
    "event_id",
    "idempotency_key",
    "request_id",
    "transaction_id",
    "game_id",
    "event_data.item.id",
];

#[derive(Debug)]
pub(crate) struct Expectation {
    pub(super) kinds: HashMap<&'static str, KindForm>,
    pub(super) layout: BodyLayout,
    pub(super) policy: RetryPolicy,
    /// The names of headers that the profile adds.
    pub(super) added_headers: Vec<String>,
}

/// The objects of an event type, by place.
#[derive(Debug, Default)]
pub(super) struct KindForm {
    pub(super) objects: BTreeMap<String, ObjectForm>,
    pub(super) ids: BTreeMap<String, BTreeSet<IdForm>>,
}

#[derive(Debug, Default)]
pub(super) struct ObjectForm {
    /// The keys in their order.
    pub(super) keys: Vec<String>,
    pub(super) types: HashMap<String, BTreeSet<ValueType>>,
    seen: u64,
    counts: HashMap<String, u64>,
}

impl Expectation {
    pub(crate) fn new(
        generator: &Generator,
        policy: RetryPolicy,
        added_headers: Vec<String>,
    ) -> Self {
        let mut generator = generator.clone();
        let layout = generator.form.layout;
        let mut kinds = HashMap::new();
        let mut learn = |event: Event| {
            let event = serde_json::to_value(event).unwrap_or_default();
            for kind in EventKind::ALL {
                let form: &mut KindForm = kinds.entry(kind.name()).or_default();
                form.learn(&layout.text(&as_kind(event.clone(), kind)));
            }
        };
        for shape in shapes() {
            for _ in 0..SAMPLES {
                learn(generator.event(&shape));
            }
        }
        // Those of a load, which leave out more.
        for _ in 0..RANDOM_SAMPLES {
            learn(generator.random_event());
        }
        Self {
            kinds,
            layout,
            policy,
            added_headers,
        }
    }
}

/// Shapes that together have every key.
fn shapes() -> impl Iterator<Item = EventShape> {
    let shapes = [
        json!({}),
        json!({ "item": { "bundle": [{}, { "bundle": [{}, { "description": null }] }] } }),
        json!({ "item": { "fallback": {}, "description": null } }),
        json!({ "context": { "player": true, "order": true } }),
        json!({ "context": { "player": true }, "trigger": null }),
        json!({ "context": { "order": true }, "sandbox": true }),
    ];
    shapes
        .into_iter()
        .filter_map(|shape| serde_json::from_value(shape).ok())
}

impl KindForm {
    fn learn(&mut self, text: &str) {
        for object in objects(text).unwrap_or_default() {
            for (place, id) in ids(&object, text) {
                self.ids.entry(place).or_default().insert(IdForm::of(&id));
            }
            self.objects
                .entry(object.place.clone())
                .or_default()
                .learn(&object);
        }
    }
}

impl ObjectForm {
    fn learn(&mut self, object: &ObjectText) {
        self.seen += 1;
        let mut at = 0;
        for member in &object.members {
            if let Some(index) = self.keys.iter().position(|key| *key == member.key) {
                at = index + 1;
            } else {
                self.keys.insert(at, member.key.clone());
                at += 1;
            }
            *self.counts.entry(member.key.clone()).or_default() += 1;
            let types = self.types.entry(member.key.clone()).or_default();
            types.insert(member.value_type);
        }
    }

    /// Whether every such object has this key.
    pub(super) fn is_required(&self, key: &str) -> bool {
        self.counts.get(key) == Some(&self.seen)
    }
}

/// The IDs of an object and their places.
pub(super) fn ids(object: &ObjectText, text: &str) -> Vec<(String, String)> {
    let ids = object.members.iter().filter_map(|member| {
        let place = member_place(&object.place, &member.key);
        if !IDS.contains(&place.as_str()) {
            return None;
        }
        Some((
            place,
            serde_json::from_str(&text[member.value.clone()]).ok()?,
        ))
    });
    ids.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_shape_is_one() {
        assert_eq!(shapes().count(), 6);
    }
}
