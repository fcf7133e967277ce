//! One history that does what several did at the same time.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::history::{History, delivered};

impl History {
    /// Does the steps of all these histories in one scenario, as if they ran at the same time. Each keeps
    /// its order. At the end, all events of the first one are delivered again, because it may have had a
    /// retry after the others.
    pub(super) fn interleaved(histories: &[Self]) -> Self {
        let mut all = Self::default();
        let mut steps = Vec::new();
        let mut first = BTreeSet::new();
        for (number, history) in histories.iter().enumerate() {
            let history = history.with_names(|name| format!("{name}_of_{number}"));
            if number == 0 {
                all.seed = history.seed;
                first = history.deliveries().map(str::to_owned).collect();
            }
            let history_steps: Vec<Value> =
                history.steps.iter().flat_map(single_deliveries).collect();
            all.events.extend(history.events);
            let count = history_steps.len();
            let places = (0..count).map(|index| (2 * index + 1) * STEP_WIDTH / (2 * count));
            steps.extend(places.zip(history_steps));
        }
        steps.sort_by_key(|(place, _)| *place);
        all.steps = steps.into_iter().map(|(_, step)| step).collect();
        let count = all.steps.len();
        first.retain(|name| all.is_delivered_before(name, count));
        if !first.is_empty() {
            all.steps.push(json!({ "deliver": first }));
        }
        all
    }
}

/// The deliveries of a step as steps of their own, if they are made one after the other.
fn single_deliveries(step: &Value) -> Vec<Value> {
    let depends = ["together", "shuffle", "fault"];
    if depends.iter().any(|key| step.get(key).is_some()) || step.get("deliver").is_none() {
        return vec![step.clone()];
    }
    let times = step["times"].as_u64().unwrap_or(1);
    let single = |name: &str| {
        let mut step = step.clone();
        step["deliver"] = json!(name);
        if let Some(keys) = step.as_object_mut() {
            keys.shift_remove("times");
        }
        step
    };
    let deliveries = delivered(step).flat_map(|name| (0..times).map(move |_| name));
    deliveries.map(single).collect()
}

/// Large enough that steps of histories with different lengths alternate.
const STEP_WIDTH: usize = 1 << 16;

#[cfg(test)]
mod tests {
    use serde_json::Map;

    use super::*;

    #[test]
    fn steps_alternate_and_events_keep_apart() {
        let history = |times: usize| History {
            events: Map::from_iter([("a".to_owned(), json!({}))]),
            steps: vec![json!({ "deliver": "a", "times": times })],
            ..History::default()
        };
        let all = History::interleaved(&[history(1), history(2)]);
        let names: Vec<&str> = all.deliveries().collect();
        assert_eq!(names, ["a_of_1", "a_of_0", "a_of_1", "a_of_0"]);
        assert_eq!(all.events.len(), 2);
    }
}
