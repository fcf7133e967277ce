//! Small changes of a history, each of which makes it simpler.
//!
//! A scenario file has defaults for all that it leaves out, so a history becomes simpler by leaving
//! out steps, events and keys, and by smaller numbers and shorter texts. This needs no knowledge of
//! what the keys mean.

use std::mem;
use std::ops::Range;

use serde_json::{Value, json};

use super::history::History;

/// With more events, there are too many pairs to try.
const FEW_EVENTS: usize = 6;
/// Texts that are not longer stay as they are.
const SHORT_TEXT: usize = 16;

/// A change of a history.
pub(super) enum Change {
    /// Replaces these steps.
    Steps(Range<usize>, Vec<Value>),
    /// Replaces an event.
    Event(String, Value),
    /// Uses another event in all steps.
    Instead { of: String, event: String },
    /// Leaves out a key of all steps.
    WithoutStepKey(String),
    /// Leaves out a key of all events.
    WithoutEventKey(String),
}

impl Change {
    pub(super) fn apply(self, mut history: History) -> History {
        match self {
            Self::Steps(range, steps) => {
                history.steps.splice(range, steps);
            }
            Self::Event(name, event) => {
                history.events.insert(name, event);
            }
            Self::Instead { of, event } => {
                let renamed = history.with_names(|name| match name {
                    name if name == of => event.clone(),
                    name => name.to_owned(),
                });
                history.steps = renamed.steps;
            }
            Self::WithoutStepKey(key) => remove(history.steps.iter_mut(), &key),
            Self::WithoutEventKey(key) => remove(history.events.values_mut(), &key),
        }
        history.without_unused_events()
    }
}

fn remove<'value>(values: impl Iterator<Item = &'value mut Value>, key: &str) {
    for value in values.filter_map(Value::as_object_mut) {
        value.shift_remove(key);
    }
}

pub(super) fn without_steps(history: &History, size: usize) -> Vec<Change> {
    let steps = history.steps.len();
    let starts = (0..steps).step_by(size).rev();
    let without = starts.map(|start| Change::Steps(start..(start + size).min(steps), Vec::new()));
    without.collect()
}

pub(super) fn without_key_everywhere(history: &History) -> Vec<Change> {
    let keys = |values: &mut dyn Iterator<Item = &Value>| {
        let keys = values
            .filter_map(Value::as_object)
            .flat_map(|keys| keys.keys().cloned());
        let mut keys: Vec<String> = keys.collect();
        keys.sort();
        keys.dedup();
        keys
    };
    let of_steps = keys(&mut history.steps.iter());
    let of_steps = of_steps.into_iter().filter(|key| key != "deliver");
    let of_events = keys(&mut history.events.values());
    let changes = of_steps.map(Change::WithoutStepKey);
    changes
        .chain(of_events.into_iter().map(Change::WithoutEventKey))
        .collect()
}

/// Delivers an earlier event instead of a later one.
pub(super) fn fewer_events(history: &History) -> Vec<Change> {
    let names: Vec<&String> = history.events.keys().collect();
    if names.len() > FEW_EVENTS {
        return Vec::new();
    }
    let later = names.iter().enumerate().rev();
    let pairs = later.flat_map(|(index, of)| names[..index].iter().map(move |event| (of, event)));
    let changes = pairs.map(|(of, event)| Change::Instead {
        of: (*of).clone(),
        event: (*event).clone(),
    });
    changes.collect()
}

/// Leaves out parts of each list of events, the longest first.
pub(super) fn listed_events(history: &History) -> Vec<Change> {
    let mut changes = Vec::new();
    for (index, step) in history.steps.iter().enumerate() {
        let names = step["deliver"].as_array().map_or(&[][..], Vec::as_slice);
        changes.extend(shorter(names).into_iter().map(|mut names| {
            let mut step = step.clone();
            step["deliver"] = match names.as_mut_slice() {
                [name] => mem::take(name),
                _ => Value::Array(names),
            };
            Change::Steps(index..index + 1, vec![step])
        }));
    }
    changes
}

/// A list without some of its parts: many at first, then single ones.
fn shorter(parts: &[Value]) -> Vec<Vec<Value>> {
    let mut all = Vec::new();
    let mut size = parts.len() / 2;
    while size > 0 {
        all.extend((0..parts.len()).step_by(size).map(|start| {
            let mut parts = parts.to_vec();
            parts.drain(start..(start + size).min(parts.len()));
            parts
        }));
        size /= 2;
    }
    all
}

/// Leaves out each key of a step or an event, and each part of a list.
pub(super) fn without_keys(history: &History) -> Vec<Change> {
    changed(history, &|value| match value {
        Value::Object(keys) => {
            let without = keys.keys().filter(|key| *key != "deliver").map(|key| {
                let mut keys = keys.clone();
                keys.shift_remove(key);
                Value::Object(keys)
            });
            without.collect()
        }
        Value::Array(parts) => shorter(parts).into_iter().map(Value::Array).collect(),
        _ => Vec::new(),
    })
}

/// Makes each number smaller and each long text shorter.
pub(super) fn smaller_values(history: &History) -> Vec<Change> {
    changed(history, &|value| match value {
        Value::Number(number) => {
            let number = number.as_u64().unwrap_or_default();
            let mut smaller = vec![1, 2, number / 2, number.saturating_sub(1)];
            smaller.retain(|smaller| (1..number).contains(smaller));
            smaller.dedup();
            smaller.into_iter().map(|number| json!(number)).collect()
        }
        Value::String(text) if text.chars().count() > SHORT_TEXT => {
            let length = text.chars().count();
            let lengths = [1, length / 2, length - length / 8 - 1, length - 1];
            let shorter =
                lengths.map(|length| json!(text.chars().take(length).collect::<String>()));
            shorter.into()
        }
        _ => Vec::new(),
    })
}

/// Joins two neighbouring steps that only deliver.
pub(super) fn joined_steps(history: &History) -> Vec<Change> {
    let mut joined = Vec::new();
    for (index, pair) in history.steps.windows(2).enumerate() {
        let [Value::Object(first), Value::Object(second)] = pair else {
            continue;
        };
        let (Some(one), Some(two), 1, 1) = (
            first.get("deliver"),
            second.get("deliver"),
            first.len(),
            second.len(),
        ) else {
            continue;
        };
        let step = if one == two && one.is_string() {
            json!({ "deliver": one, "times": 2 })
        } else {
            let names = [one, two].map(|names| match names {
                Value::Array(names) => names.clone(),
                name => vec![name.clone()],
            });
            json!({ "deliver": names.concat() })
        };
        joined.push(Change::Steps(index..index + 2, vec![step]));
    }
    joined
}

/// All changes of one value, at any depth, to one that `replace` gives for it.
fn changed(history: &History, replace: &dyn Fn(&Value) -> Vec<Value>) -> Vec<Change> {
    let steps = history.steps.iter().enumerate().flat_map(|(index, step)| {
        let steps = variants(step, replace).into_iter();
        steps.map(move |step| Change::Steps(index..index + 1, vec![step]))
    });
    let events = history.events.iter().flat_map(|(name, event)| {
        let events = variants(event, replace).into_iter();
        events.map(move |event| Change::Event(name.clone(), event))
    });
    steps.chain(events).collect()
}

/// A value with one change, of itself first and then of its parts.
fn variants(value: &Value, replace: &dyn Fn(&Value) -> Vec<Value>) -> Vec<Value> {
    let mut all = replace(value);
    match value {
        Value::Object(keys) => {
            for (key, part) in keys.iter().filter(|(key, _)| *key != "deliver") {
                all.extend(variants(part, replace).into_iter().map(|part| {
                    let mut keys = keys.clone();
                    keys.insert(key.clone(), part);
                    Value::Object(keys)
                }));
            }
        }
        Value::Array(parts) => {
            for (index, part) in parts.iter().enumerate() {
                all.extend(variants(part, replace).into_iter().map(|part| {
                    let mut parts = parts.clone();
                    parts[index] = part;
                    Value::Array(parts)
                }));
            }
        }
        _ => {}
    }
    all
}
