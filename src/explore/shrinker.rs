//! Makes a history that fails smaller, as long as it still fails.
//!
//! A scenario file has defaults for all that it leaves out, so a history becomes simpler by leaving
//! out steps, events and keys, and by smaller numbers and shorter texts. This needs no knowledge of
//! what the keys mean.

use std::mem;
use std::ops::Range;

use serde_json::{Value, json};

use super::history::History;

/// Tries a candidate. Returns whether it still fails.
pub(super) trait Trial {
    /// Whether this history still fails in the same way. A history that is not valid does not.
    async fn fails(&self, history: &History) -> bool;
}

/// The number of candidates that are tried at most.
const MOST_TRIES: usize = 600;
/// Texts that are not longer stay as they are.
const SHORT_TEXT: usize = 16;

pub(super) struct Shrinker<'trial, T> {
    pub(super) trial: &'trial T,
    pub(super) tries: usize,
}

impl<T: Trial> Shrinker<'_, T> {
    /// A history that can't be made smaller by one more change, or as small as the limit of tries
    /// allows.
    pub(super) async fn shrink(&mut self, mut history: History) -> History {
        loop {
            let before = history.clone();
            history = self.remove_steps(history).await;
            history = self.reduce(history, without_key_everywhere).await;
            history = self.reduce(history, listed_events).await;
            history = self.reduce(history, without_keys).await;
            history = self.reduce(history, smaller_values).await;
            history = self.reduce(history, joined_steps).await;
            if history == before || self.tries >= MOST_TRIES {
                return history;
            }
        }
    }

    async fn remove_steps(&mut self, mut history: History) -> History {
        let mut size = history.steps.len().div_ceil(2);
        while size > 0 {
            history = self
                .reduce(history, |history| without_steps(history, size))
                .await;
            size /= 2;
        }
        history
    }

    /// Replaces the history with its first candidate that fails, as long as there is one.
    async fn reduce(
        &mut self,
        mut history: History,
        changes: impl Fn(&History) -> Vec<Change>,
    ) -> History {
        while let Some(smaller) = self.first_failing(&history, changes(&history)).await {
            history = smaller;
        }
        history
    }

    async fn first_failing(&mut self, history: &History, changes: Vec<Change>) -> Option<History> {
        let candidates = changes
            .into_iter()
            .map(|change| change.apply(history.clone()));
        let mut candidates = candidates.filter(|candidate| !candidate.steps.is_empty());
        while self.tries < MOST_TRIES {
            let candidate = candidates.next()?;
            self.tries += 1;
            if self.trial.fails(&candidate).await {
                return Some(candidate);
            }
        }
        None
    }
}

/// A change of a history.
enum Change {
    /// Replaces these steps.
    Steps(Range<usize>, Vec<Value>),
    /// Replaces an event.
    Event(String, Value),
    /// Leaves out a key of all steps.
    WithoutStepKey(String),
    /// Leaves out a key of all events.
    WithoutEventKey(String),
}

impl Change {
    fn apply(self, mut history: History) -> History {
        match self {
            Self::Steps(range, steps) => {
                history.steps.splice(range, steps);
            }
            Self::Event(name, event) => {
                history.events.insert(name, event);
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

fn without_steps(history: &History, size: usize) -> Vec<Change> {
    let steps = history.steps.len();
    let starts = (0..steps).step_by(size).rev();
    let without = starts.map(|start| Change::Steps(start..(start + size).min(steps), Vec::new()));
    without.collect()
}

fn without_key_everywhere(history: &History) -> Vec<Change> {
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

/// Leaves out parts of each list of events, the longest first.
fn listed_events(history: &History) -> Vec<Change> {
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
fn without_keys(history: &History) -> Vec<Change> {
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
fn smaller_values(history: &History) -> Vec<Change> {
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
fn joined_steps(history: &History) -> Vec<Change> {
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

#[cfg(test)]
mod tests {
    use serde_json::Map;

    use super::*;

    /// Fails if this is true of the history.
    struct Bug(fn(&History) -> bool);

    impl Trial for Bug {
        async fn fails(&self, history: &History) -> bool {
            self.0(history)
        }
    }

    async fn shrunk(history: History, bug: fn(&History) -> bool) -> History {
        assert!(bug(&history));
        let mut shrinker = Shrinker {
            trial: &Bug(bug),
            tries: 0,
        };
        shrinker.shrink(history).await
    }

    /// Twenty events of one player, delivered one after the other and then again.
    fn long_history() -> History {
        let names: Vec<String> = (0..20).map(|number| format!("e{number}")).collect();
        let event = |name: &String| {
            let bundle =
                json!([{ "sku": "gems", "quantity": 70 }, { "bundle": [{ "sku": "hat" }] }]);
            let description = "x".repeat(1000);
            let item = json!({ "bundle": bundle, "description": description });
            (
                name.clone(),
                json!({ "player_id": { "same_as": "e0" }, "item": item, "sandbox": true }),
            )
        };
        let mut events: Map<String, Value> = names.iter().map(event).collect();
        if let Some(first) = events.get_mut("e0").and_then(Value::as_object_mut) {
            first.remove("player_id");
        }
        let deliver = names
            .iter()
            .map(|name| json!({ "deliver": name, "fault": "lost_ack" }));
        let mut steps: Vec<Value> = deliver.collect();
        steps.push(json!({ "deliver": names, "shuffle": true }));
        History { events, steps }
    }

    #[tokio::test]
    async fn what_a_failure_does_not_need_is_left_out() {
        let redelivered = |history: &History| {
            let mut names: Vec<&str> = history.deliveries().collect();
            names.sort_unstable();
            names.windows(2).any(|pair| pair[0] == pair[1])
        };
        let smallest = shrunk(long_history(), redelivered).await;
        assert_eq!(smallest.events.len(), 1);
        assert!(smallest.steps.len() <= 2, "{smallest:?}");
        assert!(
            smallest.events.values().all(|event| *event == json!({})),
            "{smallest:?}"
        );
    }

    #[tokio::test]
    async fn numbers_texts_and_lists_become_as_small_as_possible() {
        let big = |history: &History| {
            history.events.values().any(|event| {
                let item = &event["item"];
                let description = item["description"].as_str().unwrap_or_default();
                item["bundle"][0]["quantity"].as_u64() >= Some(33) && description.len() > 256
            })
        };
        let smallest = shrunk(long_history(), big).await;
        let item = json!({ "bundle": [{ "quantity": 33 }], "description": "x".repeat(257) });
        assert_eq!(smallest.events.len(), 1);
        assert!(
            smallest
                .events
                .values()
                .all(|event| *event == json!({ "item": item })),
            "{smallest:?}"
        );
        assert_eq!(smallest.steps.len(), 1);
    }

    #[tokio::test]
    async fn a_long_history_stays_if_it_is_needed() {
        let many = |history: &History| history.deliveries().count() >= 17;
        let smallest = shrunk(long_history(), many).await;
        assert_eq!(smallest.deliveries().count(), 17);
        assert_eq!(smallest.steps.len(), 1, "{smallest:?}");
    }
}
