//! Finds the values in a scenario's events that depend on the start time and therefore differ in
//! every run, by comparing the events with those of another start time.

use std::time::Duration;

use bytes::Bytes;
use indexmap::IndexMap;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::generate::StartTime;
use crate::policy::DurationText;

/// A value that differs in every run, and a name for it that does not.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct VolatileValue {
    /// The value in this run: a string without its quotes, or digits.
    pub value: String,
    /// What it is, such as `player_id of welcome` or `T-1h`.
    pub name: String,
    /// The kind of value.
    pub kind: VolatileKind,
}

/// The kind of a volatile value.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum VolatileKind {
    /// An ID that no other run has.
    Identity,
    /// A Unix timestamp, named relative to the run's start time T.
    Time,
}

/// Finds the values that differ. `events` lists each event's name, its body, and its body for
/// another start time. A value that several events share is named after the first.
pub(crate) fn volatile_values(
    events: &[(&str, &[u8], Bytes)],
    start: StartTime,
) -> Vec<VolatileValue> {
    let mut finder = VolatileValueFinder {
        start,
        values: IndexMap::new(),
    };
    for (event, body, other) in events {
        let read = |bytes: &[u8]| serde_json::from_slice::<Value>(bytes).ok();
        if let (Some(body), Some(other)) = (read(body), read(other)) {
            finder.compare(event, "", &body, &other);
        }
    }
    finder.values.into_values().collect()
}

struct VolatileValueFinder {
    start: StartTime,
    /// By the value itself, in the order in which they were found.
    values: IndexMap<String, VolatileValue>,
}

impl VolatileValueFinder {
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
                self.add(text.clone(), name, VolatileKind::Identity);
            }
            (Value::Number(number), Value::Number(other)) if number != other => {
                if let Some(seconds) = number.as_u64() {
                    let name = relative_time(seconds, self.start);
                    self.add(number.to_string(), name, VolatileKind::Time);
                }
            }
            _ => {}
        }
    }

    fn add(&mut self, value: String, name: String, kind: VolatileKind) {
        let found = self.values.entry(value.clone());
        found.or_insert(VolatileValue { value, name, kind });
    }
}

/// The path of a value for people, without `event_data`.
fn below(place: &str, key: &str) -> String {
    match place {
        "" | "event_data" => key.to_owned(),
        _ => format!("{place}.{key}"),
    }
}

/// A time relative to the start, as scenarios write it.
fn relative_time(seconds: u64, start: StartTime) -> String {
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
    fn values_that_differ_are_named() {
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
        let values = volatile_values(&events, start);
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
