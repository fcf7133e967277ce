//! The names of a history and of its events.

use serde_json::{Map, Value};

use super::history::History;
use super::kind::{Kind, Trace};

/// A longer name says only how many more kinds there are.
const LONG_NAME: usize = 90;

impl History {
    /// Its name as a scenario. The contents of its events depend on it.
    pub(super) fn name(&self) -> String {
        let kinds = self.main_kinds();
        let mut name = "each coupon is granted exactly once".to_owned();
        for (index, kind) in kinds.iter().enumerate() {
            let (word, about) = (if index == 0 { " with " } else { ", " }, kind.about());
            if index > 0 && name.len() + word.len() + about.len() > LONG_NAME {
                let left = kinds.len() - index;
                let noun = if left == 1 { "kind" } else { "kinds" };
                return format!("{name}, and {left} more {noun}");
            }
            name.extend([word, about]);
        }
        name
    }

    /// The kinds that it contains: faults and other steps come first, because they tell most.
    pub(super) fn main_kinds(&self) -> Vec<Kind> {
        let mut kinds: Vec<Kind> = self.kinds().into_iter().collect();
        kinds.sort_by_key(|kind| match kind.trace() {
            Trace::Fault => 0,
            Trace::Redelivered => 1,
            Trace::Step(_) | Trace::NoRetry => 2,
            Trace::EventKind(_) => 3,
            Trace::Event(_) => 4,
        });
        kinds
    }

    /// The same history with short names for its events.
    pub(super) fn renamed(&self) -> Self {
        let names: Map<String, Value> = match self.events.len() {
            1 => self
                .events
                .keys()
                .map(|name| (name.clone(), "coupon".into()))
                .collect(),
            _ => (1..)
                .zip(self.events.keys())
                .map(|(number, name)| (name.clone(), format!("coupon_{number}").into()))
                .collect(),
        };
        self.with_names(|name| {
            let new = names.get(name).and_then(Value::as_str);
            new.unwrap_or(name).to_owned()
        })
    }

    /// The same history with other names for its events.
    pub(super) fn with_names(&self, new: impl Fn(&str) -> String) -> Self {
        let events = self.events.iter();
        let steps = self.steps.iter();
        Self {
            seed: self.seed,
            events: events
                .map(|(name, event)| (new(name), with_names(event, &new)))
                .collect(),
            steps: steps.map(|step| with_names(step, &new)).collect(),
        }
    }
}

/// Replaces the names of events in an event or a step.
fn with_names(value: &Value, new: &impl Fn(&str) -> String) -> Value {
    let Value::Object(keys) = value else {
        return value.clone();
    };
    let replaced = keys.iter().map(|(key, value)| {
        let value = match (key.as_str(), value) {
            ("deliver" | "of" | "for" | "same_as" | "like", Value::String(name)) => {
                new(name).into()
            }
            ("deliver", Value::Array(names)) => names
                .iter()
                .filter_map(Value::as_str)
                .map(new)
                .collect::<Vec<_>>()
                .into(),
            _ => with_names(value, new),
        };
        (key.clone(), value)
    });
    Value::Object(replaced.collect())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_name_has_the_kinds_that_tell_most() {
        let history = |event: Value, step: Value| History {
            events: Map::from_iter([("a".to_owned(), event)]),
            steps: vec![step],
            ..History::default()
        };
        let lost = json!({ "deliver": "a", "fault": "lost_ack" });
        let few = history(json!({}), lost);
        let with = "each coupon is granted exactly once with a lost response, and a retry";
        assert_eq!(few.name(), with);
        let event = json!({
            "item": { "bundle": [{ "bundle": [{}] }], "description": "" }, "context": {},
            "sandbox": true, "trigger": "test", "idempotency_key": { "like": "b" },
        });
        let step = json!({
            "deliver": "a", "fault": "lost_ack", "times": 2, "connection": "new",
            "wire": { "header_case": "lower" },
        });
        let many = history(event, step);
        assert_eq!(many.name(), format!("{with}, and 10 more kinds"));
        assert_eq!(many.main_kinds()[..2], [Kind::LostAck, Kind::Times]);
    }
}
