//! The names of a history and of its events.

use serde_json::{Map, Value};

use super::history::History;

impl History {
    /// Its name as a scenario. The contents of its events depend on it.
    pub(super) fn name(&self) -> String {
        let kinds = self.kinds();
        let kinds: Vec<&str> = kinds.iter().map(|kind| kind.about()).collect();
        let with = if kinds.is_empty() { "" } else { " with " };
        format!(
            "each coupon is granted exactly once{with}{}",
            kinds.join(", ")
        )
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
