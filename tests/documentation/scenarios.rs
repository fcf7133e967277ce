//! The reference of scenario files has every key of every type in the expected section.

use std::collections::{BTreeMap, BTreeSet};

use aghook::internals::scenario::scenario_schema;
use serde_json::Value;

use super::markdown::{Document, first_cells};

/// The types whose keys have table rows, and the section with the table.
const TABLES: [(&str, &str); 9] = [
    ("Scenario", "The file"),
    ("EventSpec", "Events"),
    ("ItemShape", "Events"),
    ("Request", "Steps"),
    ("Script", "Steps"),
    ("RetryOverride", "Steps"),
    ("Wire", "How requests travel"),
    ("Expectation", "Expectations"),
    ("Matcher", "Expectations"),
];

/// The types with few keys, which are explained in a sentence or in the row of their parent key.
const SENTENCES: [(&str, &str); 17] = [
    ("Shareable", "IDs"),
    ("SkuShape", "Events"),
    ("TextShape", "Events"),
    ("GeneratedParts", "Events"),
    ("CouponShape", "Events"),
    ("ContextShape", "Events"),
    ("NestedItemShape", "Events"),
    ("Step", "Steps"),
    ("PartOfEvent", "Steps"),
    ("CapturedHeader", "Steps"),
    ("Exponential", "Steps"),
    ("Bound", "Steps"),
    ("StatusExpectation", "Expectations"),
    ("SlowBody", "Faults"),
    ("TimeoutOverlap", "Faults"),
    ("LateRetry", "Faults"),
    ("RestartInFlight", "Faults"),
];

/// The types with their keys; `Scenario` is the root of the schema.
fn types() -> BTreeMap<String, BTreeSet<String>> {
    let schema = scenario_schema();
    let mut types = BTreeMap::new();
    let definitions = schema["$defs"].as_object().expect("definitions");
    for (name, definition) in definitions {
        let mut keys = BTreeSet::new();
        collect_keys(definition, &mut keys);
        types.insert(name.clone(), keys);
    }
    let keys = schema["properties"].as_object().expect("keys").keys();
    types.insert("Scenario".to_owned(), keys.cloned().collect());
    types.retain(|_, keys| !keys.is_empty());
    types
}

fn collect_keys(schema: &Value, keys: &mut BTreeSet<String>) {
    match schema {
        Value::Object(entries) => {
            if let Some(Value::Object(properties)) = entries.get("properties") {
                keys.extend(properties.keys().cloned());
            }
            for (key, value) in entries {
                if !["examples", "default"].contains(&key.as_str()) {
                    collect_keys(value, keys);
                }
            }
        }
        Value::Array(items) => items.iter().for_each(|item| collect_keys(item, keys)),
        _ => {}
    }
}

/// The words in the code spans of a section.
fn words(section: &str) -> BTreeSet<&str> {
    let spans = section.split('`').skip(1).step_by(2);
    let is_part = |c: char| c.is_alphanumeric() || c == '_';
    spans
        .flat_map(|span| span.split(move |c| !is_part(c)))
        .collect()
}

#[test]
fn the_reference_explains_every_key_in_its_section() {
    let document = Document::read("docs/scenarios.md");
    let types = types();
    for (name, section) in TABLES {
        let section = document.section(section);
        let rows: BTreeSet<String> = first_cells(&section).into_iter().collect();
        for key in &types[name] {
            assert!(rows.contains(key), "{name}.{key} has no row");
        }
    }
    for (name, section) in SENTENCES {
        let section = document.section(section);
        let words = words(&section);
        for key in &types[name] {
            assert!(
                words.contains(key.as_str()),
                "{name}.{key} is not mentioned"
            );
        }
    }
    // The rows of the three kinds of effects explain the keys of an effect.
    let effects = document.section("Effects");
    for key in &types["Effect"] {
        assert!(words(&effects).contains(key.as_str()), "Effect.{key}");
    }
    let faults: BTreeSet<String> = first_cells(&document.section("Faults"))
        .into_iter()
        .collect();
    assert!(types["Fault"].is_subset(&faults));
}

#[test]
fn the_reference_covers_every_type() {
    let known = TABLES.iter().chain(&SENTENCES).map(|(name, _)| *name);
    let known: BTreeSet<&str> = known.chain(["Effect", "Fault"]).collect();
    let types = types();
    let existing: BTreeSet<&str> = types.keys().map(String::as_str).collect();
    assert_eq!(known, existing);
}

#[test]
fn every_row_has_an_existing_key() {
    let types = types();
    let keys: BTreeSet<&String> = types.values().flatten().collect();
    let document = Document::read("docs/scenarios.md");
    for (_, section) in TABLES {
        for cell in first_cells(&document.section(section)) {
            assert!(keys.contains(&cell), "{section}: unknown key `{cell}`");
        }
    }
}
