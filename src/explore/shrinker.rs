//! Makes a history that fails smaller, as long as it still fails.

use super::changes::{
    Change, fewer_events, joined_steps, listed_events, smaller_values, without_key_everywhere,
    without_keys, without_steps,
};
use super::history::History;

/// Tries a candidate. Returns whether it still fails.
pub(super) trait Trial {
    /// Whether this history still fails in the same way. A history that is not valid does not.
    async fn fails(&self, history: &History) -> bool;
}

/// The number of candidates that are tried at most.
const MOST_TRIES: usize = 600;

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
            history = self.reduce(history, fewer_events).await;
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

#[cfg(test)]
mod tests {
    use serde_json::{Map, Value, json};

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
        History {
            seed: 1,
            events,
            steps,
        }
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
