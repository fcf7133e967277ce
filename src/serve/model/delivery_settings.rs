//! How the local Aghanim delivers to a webhook. Aghanim's API has no fields for any of this, so all
//! defaults are our assumptions `[A]`.

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::Value;

use crate::generate::{BodyLayout, Revision};
use crate::policy::{DurationText, Forgery, Percent, RetryPolicy, RetrySetting};

/// How deliveries to a webhook are made.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct DeliverySettings {
    /// Whether deliveries wait in the queue.
    pub(crate) paused: bool,
    /// Whether each delivery waits until the one before it has ended.
    pub(crate) ordered: bool,
    pub(crate) retry: WebhookRetry,
    /// How the JSON of bodies is written.
    pub(crate) layout: BodyLayout,
    pub(crate) revision: Revision,
    pub(crate) faults: Faults,
}

/// What goes wrong on the way to the receiver. Chance decides for each new delivery.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Faults {
    /// The share of deliveries whose first response is lost, so that they are retried.
    pub(crate) lost_responses: Percent,
    /// The share of deliveries that are sent twice.
    pub(crate) duplicates: Percent,
    /// The share of deliveries that are overtaken by the next one.
    pub(crate) reordered: Percent,
    /// How long every delivery waits before its first attempt.
    pub(crate) delay: DurationText,
    /// A forgery to send before each delivery, which the receiver must refuse.
    pub(crate) forgery: Option<Forgery>,
}

/// The retry policy of a webhook: what was set, and the policy that follows from it.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct WebhookRetry {
    set: Value,
    policy: RetryPolicy,
}

impl WebhookRetry {
    pub(crate) fn policy(&self) -> &RetryPolicy {
        &self.policy
    }

    /// What was set, in JSON, which is YAML too; empty for the default policy.
    pub(crate) fn text(&self) -> String {
        match &self.set {
            Value::String(text) => text.clone(),
            Value::Object(keys) if keys.is_empty() => String::new(),
            set => set.to_string(),
        }
    }
}

impl Default for WebhookRetry {
    fn default() -> Self {
        Self {
            set: Value::Object(serde_json::Map::new()),
            policy: RetryPolicy::default(),
        }
    }
}

impl Serialize for WebhookRetry {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.set.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for WebhookRetry {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let set = Value::deserialize(deserializer)?;
        let setting = RetrySetting::deserialize(&set).map_err(serde::de::Error::custom)?;
        let policy = setting.over(&RetryPolicy::default());
        Ok(Self { set, policy })
    }
}

impl DeliverySettings {
    /// Why these settings contradict each other.
    pub(crate) fn conflict(&self) -> Option<&'static str> {
        (self.ordered && self.faults.reordered != Percent::ZERO).then_some(
            "`ordered` keeps the order that `faults.reordered` changes: set only one of them",
        )
    }

    /// These settings with the keys of `change`, which is a JSON object. `faults` is merged, too.
    pub(crate) fn merged(&self, change: &Value) -> Result<Self, serde_json::Error> {
        let mut whole = serde_json::to_value(self)?;
        merge(&mut whole, change);
        serde_json::from_value(whole)
    }
}

/// `retry` is replaced as a whole, because it says what differs from the default policy.
fn merge(whole: &mut Value, change: &Value) {
    let (Value::Object(whole), Value::Object(change)) = (&mut *whole, change) else {
        *whole = change.clone();
        return;
    };
    for (key, value) in change {
        match whole.get_mut(key) {
            Some(old) if key == "faults" => merge(old, value),
            _ => {
                whole.insert(key.clone(), value.clone());
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_change_keeps_what_it_does_not_name() {
        let first = json!({
            "retry": { "attempts": 3, "delays": ["1s"] },
            "faults": { "duplicates": "5%", "delay": "2s" },
        });
        let settings = DeliverySettings::default().merged(&first).expect("valid");
        let change = json!({ "ordered": true, "faults": { "duplicates": "0%" } });
        let changed = settings.merged(&change).expect("valid");
        assert_eq!(changed.retry.policy().attempts, 3);
        assert!(changed.ordered && changed.faults.duplicates == Percent::ZERO);
        assert_eq!(changed.faults.delay, settings.faults.delay);
        let text = serde_json::to_string(&changed).expect("serialises");
        let back: DeliverySettings = serde_json::from_str(&text).expect("reads back");
        assert_eq!(back, changed);
    }

    #[test]
    fn mistakes_are_refused() {
        let settings = DeliverySettings::default();
        for (change, message) in [
            (json!({ "order": true }), "unknown field `order`"),
            (json!({ "retry": { "attempts": 0 } }), "at least 1"),
            (
                json!({ "faults": { "duplicates": "200%" } }),
                "from 0% to 100%",
            ),
            (
                json!({ "faults": { "forgery": "wrong" } }),
                "`wrong_secret`",
            ),
            (json!(7), "invalid type"),
        ] {
            let error = settings.merged(&change).expect_err("refused").to_string();
            assert!(error.contains(message), "{change}: {error}");
        }
        let both = json!({ "ordered": true, "faults": { "reordered": "1%" } });
        assert!(settings.merged(&both).expect("valid").conflict().is_some());
    }
}
