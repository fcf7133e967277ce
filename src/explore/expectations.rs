//! What a sound receiver does in a history, in the words of scenario files.

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};

use super::history::{History, coupon_of, delivered};

/// From this quantity on, a game may have reached its own limit and refuse the event.
const LARGE: u64 = 1 << 15;

impl History {
    /// The steps with their expectations.
    pub(super) fn expected_steps(&self) -> Vec<Value> {
        let steps = self.steps.iter().map(|step| {
            let mut step = step.clone();
            if let (Some(expected), Some(keys)) =
                (self.expected_responses(&step), step.as_object_mut())
            {
                keys.insert("expect".to_owned(), expected);
            }
            step
        });
        steps.collect()
    }

    /// What each event must have granted after all steps. What an `item.add` grants belongs to its
    /// coupon.
    pub(super) fn effects(&self) -> Vec<Value> {
        let genuine = self.steps.iter().filter(|step| step.get("forge").is_none());
        let mut genuine: BTreeSet<String> =
            genuine.flat_map(delivered).map(str::to_owned).collect();
        let credited = self
            .events
            .iter()
            .filter(|(name, _)| genuine.contains(*name));
        let credited: Vec<String> = credited.filter_map(|(_, event)| coupon_of(event)).collect();
        genuine.extend(credited);
        let coupons = self.events.iter().filter(|(name, event)| {
            let is_sent = genuine.contains(*name) || self.deliveries().any(|sent| sent == *name);
            coupon_of(event).is_none() && is_sent
        });
        let effects = coupons.map(|(name, event)| {
            let mut effect = Map::new();
            if !genuine.contains(name) || is_other_type(event) {
                effect.insert("not_granted".to_owned(), json!(name));
            } else {
                effect.insert("granted".to_owned(), json!(name));
                if self.may_be_refused(event) || self.may_be_undelivered(name) {
                    effect.insert("if_delivered".to_owned(), json!(true));
                }
            }
            Value::Object(effect)
        });
        effects.collect()
    }

    fn expected_responses(&self, step: &Value) -> Option<Value> {
        step.get("deliver")?;
        let fault = fault(step);
        let is_lenient = step.get("forge").is_some()
            || step.get("together").is_some()
            || step.get("retry").is_some()
            || matches!(fault, Some("timeout_overlap" | "restart_in_flight"));
        if is_lenient {
            return None;
        }
        if fault == Some("late_retry") {
            return Some(json!({ "status": { "not": "5xx" } }));
        }
        let events: Vec<&Value> = delivered(step)
            .filter_map(|name| self.events.get(name))
            .collect();
        if events
            .iter()
            .any(|event| is_other_type(event) || coupon_of(event).is_some())
        {
            return None;
        }
        let may_be_refused = events.iter().any(|event| self.may_be_refused(event));
        Some(if may_be_refused {
            json!({ "status": ["2xx", "4xx"] })
        } else {
            json!({ "status": "2xx" })
        })
    }

    /// Whether it is the game's choice to refuse this event.
    fn may_be_refused(&self, event: &Value) -> bool {
        let quantities = self
            .events
            .values()
            .map(|event| event["item"]["quantity"].as_u64());
        event["sandbox"] == true
            || event["trigger"] == "test"
            || quantities.flatten().any(|quantity| quantity >= LARGE)
    }

    /// Whether each delivery of an event has a fault after which a receiver may refuse the retry.
    fn may_be_undelivered(&self, name: &str) -> bool {
        let genuine = self.steps.iter().filter(|step| step.get("forge").is_none());
        let mut steps = genuine.filter(|step| delivered(step).any(|other| other == name));
        steps.all(|step| {
            matches!(
                fault(step),
                Some("timeout_overlap" | "late_retry" | "restart_in_flight")
            )
        })
    }
}

fn fault(step: &Value) -> Option<&str> {
    match step.get("fault")? {
        Value::Object(parameters) => parameters.keys().next().map(String::as_str),
        name => name.as_str(),
    }
}

fn is_other_type(event: &Value) -> bool {
    event["set"].get("/event_type").is_some()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn history(event: Value, steps: Vec<Value>) -> History {
        History {
            events: Map::from_iter([("a".to_owned(), event)]),
            steps,
        }
    }

    #[test]
    fn what_the_game_may_decide_is_not_required() {
        let granted = json!([{ "granted": "a" }]);
        let open = json!([{ "granted": "a", "if_delivered": true }]);
        let forbidden = json!([{ "not_granted": "a" }]);
        let plain = json!({ "deliver": "a" });
        for (event, step, status, effects) in [
            (
                json!({}),
                plain.clone(),
                json!({ "status": "2xx" }),
                &granted,
            ),
            (
                json!({ "sandbox": true }),
                plain.clone(),
                json!({ "status": ["2xx", "4xx"] }),
                &open,
            ),
            (
                json!({ "item": { "quantity": 65_535 } }),
                plain.clone(),
                json!({ "status": ["2xx", "4xx"] }),
                &open,
            ),
            (
                json!({ "set": { "/event_type": "x" } }),
                plain,
                Value::Null,
                &forbidden,
            ),
            (
                json!({}),
                json!({ "deliver": "a", "forge": "wrong_secret" }),
                Value::Null,
                &forbidden,
            ),
            (
                json!({}),
                json!({ "deliver": "a", "fault": "timeout_overlap" }),
                Value::Null,
                &open,
            ),
        ] {
            let history = history(event, vec![step]);
            assert_eq!(history.expected_steps()[0]["expect"], status, "{history:?}");
            assert_eq!(json!(history.effects()), *effects, "{history:?}");
        }
    }
}
