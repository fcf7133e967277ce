//! Tests of the whole module: exact bytes, properties, and event shapes as authors write them.

mod authoring;
mod golden;
mod properties;
mod streams;

use serde_json::Value;

use super::{EventShape, Generator, Seed, StartTime};
use crate::protocol::Event;

const START: &str = "1763889831.123456789";

fn generator_at(seed: u64, start: &str) -> Generator {
    let start: StartTime = start.parse().expect("a start time");
    Generator::new(Seed::new(seed), start)
}

fn generator(seed: u64) -> Generator {
    generator_at(seed, START)
}

/// Parses a shape as an author writes it.
fn shape(yaml: &str) -> EventShape {
    serde_saphyr::from_str(yaml).expect("a shape")
}

fn body(event: &Event) -> String {
    String::from_utf8(event.to_json().expect("serialises")).expect("UTF-8")
}

/// All items of the event, each with its bundle depth.
fn items_of(event: &Event) -> Vec<(usize, Value)> {
    fn walk(item: Value, depth: usize, found: &mut Vec<(usize, Value)>) {
        for nested in item["nested_items"].as_array().into_iter().flatten() {
            walk(nested.clone(), depth + 1, found);
        }
        if item["fallback_item"].is_object() {
            walk(item["fallback_item"].clone(), depth, found);
        }
        found.push((depth, item));
    }
    let event = serde_json::to_value(event).expect("serialises");
    let mut found = Vec::new();
    walk(event["event_data"]["item"].clone(), 0, &mut found);
    found
}
