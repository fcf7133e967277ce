//! Which values of a scenario's events follow from the start time, and so are others in each run.
//!
//! Found by comparing the events with those of another start time: what differs follows from it.

use std::collections::BTreeSet;
use std::time::Duration;

use bytes::Bytes;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::generate::StartTime;
use crate::scenario::DurationText;

/// A value that is another one in each run, and a name for it that is not.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct VaryingValue {
    /// The value as it stands in this run's bytes: a text without its quotation marks, or digits.
    pub value: String,
    /// What it is, such as `player_id of welcome` or `T-1h`.
    pub name: String,
    /// What kind of value it is.
    pub kind: VaryingKind,
}

/// What a varying value is.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum VaryingKind {
    /// An ID that no other run has.
    Identity,
    /// Unix seconds, counted from the run's start T.
    Time,
}

/// What differs between events of this start time and of another: each event's name, its body, and
/// its body at the other time. A value that several events share has the name of the first.
pub(super) fn varying_values(
    events: &[(&str, &[u8], Bytes)],
    start: StartTime,
) -> Vec<VaryingValue> {
    let mut found = Found {
        start,
        known: BTreeSet::new(),
        values: Vec::new(),
    };
    for (event, body, other) in events {
        let read = |bytes: &[u8]| serde_json::from_slice::<Value>(bytes).ok();
        if let (Some(body), Some(other)) = (read(body), read(other)) {
            found.compare(event, "", &body, &other);
        }
    }
    found.values
}

struct Found {
    start: StartTime,
    known: BTreeSet<String>,
    values: Vec<VaryingValue>,
}

impl Found {
    fn compare(&mut self, event: &str, place: &str, value: &Value, other: &Value) {
        match (value, other) {
            (Value::Object(entries), Value::Object(others)) => {
                for (key, value) in entries {
                    if let Some(other) = others.get(key) {
                        self.compare(event, &below(place, key), value, other);
                    }
                }
            }
            (Value::Array(items), Value::Array(others)) => {
                for (index, (value, other)) in items.iter().zip(others).enumerate() {
                    self.compare(event, &below(place, &index.to_string()), value, other);
                }
            }
            (Value::String(text), Value::String(other)) if text != other => {
                let name = format!("{place} of {event}");
                self.add(text.clone(), name, VaryingKind::Identity);
            }
            (Value::Number(number), Value::Number(other)) if number != other => {
                if let Some(seconds) = number.as_u64() {
                    let name = from_start(seconds, self.start);
                    self.add(number.to_string(), name, VaryingKind::Time);
                }
            }
            _ => {}
        }
    }

    fn add(&mut self, value: String, name: String, kind: VaryingKind) {
        if self.known.insert(value.clone()) {
            self.values.push(VaryingValue { value, name, kind });
        }
    }
}

/// The place of a value as people say it; `event_data` goes without saying.
fn below(place: &str, key: &str) -> String {
    match place {
        "" | "event_data" => key.to_owned(),
        _ => format!("{place}.{key}"),
    }
}

/// A moment counted from the start, as an author writes it.
fn from_start(seconds: u64, start: StartTime) -> String {
    let start = start.unix_seconds();
    let distance = DurationText(Duration::from_secs(seconds.abs_diff(start)));
    match seconds.cmp(&start) {
        std::cmp::Ordering::Less => format!("T-{distance}"),
        std::cmp::Ordering::Equal => "T+0s".to_owned(),
        std::cmp::Ordering::Greater => format!("T+{distance}"),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_differs_has_a_name_and_what_is_given_has_none() {
        let body = |player: &str, second: u64| {
            let json = json!({
                "event_data": {
                    "player_id": player,
                    "coupon": { "redeemed_at": second - 3600 },
                    "item": { "price": 499 },
                },
                "event_time": second,
                "context": { "player": { "id": player }, "order": { "id": format!("o{second}") } },
                "trigger": "hub.redeem",
            });
            Bytes::from(json.to_string())
        };
        let (one, other) = (body("A", 1_000_000), body("B", 2_000_000));
        let start: StartTime = "1000000".parse().expect("a start time");
        let events = [
            ("first", one.as_ref(), other.clone()),
            ("second", one.as_ref(), other),
            ("raw", b"no JSON".as_ref(), Bytes::from_static(b"no JSON")),
        ];
        let values = varying_values(&events, start);
        let named: Vec<_> = values
            .iter()
            .map(|one| (one.value.as_str(), one.name.as_str()))
            .collect();
        let expected = [
            ("A", "player_id of first"),
            ("996400", "T-1h"),
            ("1000000", "T+0s"),
            ("o1000000", "context.order.id of first"),
        ];
        assert_eq!(named, expected);
    }
}
