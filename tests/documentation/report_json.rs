//! The JSON report: its schema, its description and real reports.

use std::collections::BTreeSet;
use std::fs;

use aghook::internals::run::run_event_schema;
use jsonschema::Validator;
use serde_json::Value;

use super::markdown::{Document, first_cells, root};
use super::program::{aghook, stdout, updating};

const DESCRIPTION: &str = "docs/report-json.md";
const SCHEMA: &str = "docs/report-json.schema.json";

/// The sections of the description, each with the type in the schema that it describes.
const SECTIONS: [(&str, &str); 30] = [
    ("run_started", "RunStarted"),
    ("scenario_started", "ScenarioStarted"),
    ("A varying value", "VolatileValue"),
    ("attempt_ended", "AttemptEnded"),
    ("Timings", "TimingsRecord"),
    ("A connection", "ConnectionRecord"),
    ("A request", "SentRequestRecord"),
    ("How a request was written", "Wire"),
    ("A response", "ResponseRecord"),
    ("A body", "BodyRecord"),
    ("step_ended", "StepEnded"),
    ("A delivery", "DeliveryEnded"),
    ("A script", "ScriptedResponses"),
    ("A hook", "HookRun"),
    ("A check", "Check"),
    ("effects_ended", "EffectsEnded"),
    ("A reading", "ProbeReading"),
    ("A text", "TextReading"),
    ("snapshot_compared", "SnapshotCompared"),
    ("scenario_ended", "ScenarioEnded"),
    ("snapshots_ended", "SnapshotsEnded"),
    ("run_ended", "RunEnded"),
    ("Refused items", "RefusedItems"),
    ("A likely cause", "LikelyCause"),
    ("Changes", "BaselineChanges"),
    ("A known bug", "KnownBug"),
    ("An exploration", "Explored"),
    ("A kind", "ExploredKind"),
    ("A pair of kinds", "ExploredPair"),
    ("Counts", "VerdictCounts"),
];

#[test]
fn the_schema_is_up_to_date() {
    let current = format!("{:#}\n", run_event_schema());
    if updating() {
        fs::write(root().join(SCHEMA), &current).expect("written");
    }
    let committed = Document::read(SCHEMA).text;
    assert!(committed == current, "update it with AGHOOK_UPDATE_DOCS=1");
}

#[test]
fn every_key_is_described() {
    let document = Document::read(DESCRIPTION);
    let schema = run_event_schema();
    let definitions = schema["$defs"].as_object().expect("definitions");
    for (heading, definition) in SECTIONS {
        let mut keys = BTreeSet::new();
        collect_keys(&definitions[definition], &mut keys);
        // A response record is one of two objects, and both are described in the same section.
        for of_two in ["response", "failure"] {
            keys.remove(of_two);
        }
        let described: BTreeSet<String> = first_cells(&document.section(heading))
            .into_iter()
            .collect();
        assert_eq!(described, keys, "{heading}");
    }
    let described = SECTIONS.map(|(_, definition)| definition);
    // These are strings, not objects; the rows of their keys describe them.
    let strings = [
        "BodyContent",
        "Certainty",
        "Expectancy",
        "HeaderCase",
        "Level",
        "OutcomeName",
        "Pieces",
        "SnapshotOutcome",
        "Transfer",
        "VolatileKind",
        "Verdict",
    ];
    for definition in definitions.keys().map(String::as_str) {
        let known = described.contains(&definition) || strings.contains(&definition);
        assert!(known, "{definition} is not described");
    }
}

/// Collects the JSON pointers of keys without a description.
fn undescribed(schema: &Value, place: &str, found: &mut Vec<String>) {
    match schema {
        Value::Object(entries) => {
            let properties = entries.get("properties").and_then(Value::as_object);
            for (key, property) in properties.into_iter().flatten() {
                if property["description"].as_str().is_none_or(str::is_empty) {
                    found.push(format!("{place}/{key}"));
                }
            }
            for (key, value) in entries {
                undescribed(value, &format!("{place}/{key}"), found);
            }
        }
        Value::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                undescribed(item, &format!("{place}/{index}"), found);
            }
        }
        _ => {}
    }
}

#[test]
fn the_schema_describes_every_key() {
    let schema = serde_json::from_str(&Document::read(SCHEMA).text).expect("JSON");
    let mut found = Vec::new();
    undescribed(&schema, "", &mut found);
    assert_eq!(found, Vec::<String>::new());
}

#[test]
fn the_examples_are_valid_lines() {
    let validator = validator();
    let document = Document::read(DESCRIPTION);
    let blocks = document.blocks();
    let examples = blocks.iter().filter(|block| block.language == "json");
    let mut events = BTreeSet::new();
    for example in examples {
        let line: Value = serde_json::from_str(&example.text).expect("JSON");
        assert_valid(&validator, &line);
        events.insert(line["event"].as_str().expect("an event").to_owned());
    }
    let all = SECTIONS.iter().map(|(heading, _)| *heading);
    let all = all.filter(|heading| heading.contains('_'));
    assert_eq!(events, all.map(str::to_owned).collect());
}

#[test]
fn real_reports_match_the_description() {
    let folder = tempfile::tempdir().expect("a folder");
    // Includes what the bundled suite never shows: a missing response, a check that is not
    // possible, and a failure with its source.
    let scenario = "name: all sorts of things\n\
                    source: this test\n\
                    events: { welcome: {}, another: {} }\n\
                    steps:\n\
                    - { deliver: [welcome, another], expect: { status: 503 } }\n\
                    - { request: { url: 'http://127.0.0.1:1/' }, expect: { status: 200 } }\n\
                    - { pause: 1s }\n\
                    effects:\n\
                    - { granted: welcome }\n\
                    - { not_granted: another }\n";
    let path = folder.path().join("sorts.yaml");
    fs::write(&path, scenario).expect("written");
    let own = path.to_str().expect("a path");
    let described: BTreeSet<String> = first_cells(&Document::read(DESCRIPTION).prose())
        .into_iter()
        .collect();
    let validator = validator();
    for (arguments, code) in [
        (&["run", "--report", "json"][..], 0),
        (&["run", own, "--report", "json"], 1),
    ] {
        let output = aghook(folder.path(), arguments);
        assert_eq!(output.status.code(), Some(code));
        let text = stdout(output);
        let lines: Vec<Value> = text
            .lines()
            .map(|line| serde_json::from_str(line).expect("JSON"))
            .collect();
        assert_eq!(lines[0]["event"], "run_started");
        assert_eq!(lines[lines.len() - 1]["event"], "run_ended");
        for line in &lines {
            assert_valid(&validator, line);
            let mut keys = BTreeSet::new();
            keys_of(line, &mut keys);
            for key in keys.difference(&described) {
                // The last two are placeholders of a hook.
                let known =
                    ["event", "response", "failure", "event_id", "seconds"].contains(&key.as_str());
                assert!(known, "`{key}` is not described");
            }
        }
    }
}

fn validator() -> Validator {
    let schema = serde_json::from_str(&Document::read(SCHEMA).text).expect("JSON");
    jsonschema::validator_for(&schema).expect("a schema")
}

fn assert_valid(validator: &Validator, line: &Value) {
    if let Err(error) = validator.validate(line) {
        panic!("at `{}`: {error}\n{line}", error.instance_path());
    }
}

/// Collects the keys of a type and of its inline objects.
fn collect_keys(schema: &Value, keys: &mut BTreeSet<String>) {
    match schema {
        Value::Object(entries) => {
            if let Some(Value::Object(properties)) = entries.get("properties") {
                keys.extend(properties.keys().cloned());
            }
            entries.values().for_each(|value| collect_keys(value, keys));
        }
        Value::Array(items) => items.iter().for_each(|item| collect_keys(item, keys)),
        _ => {}
    }
}

fn keys_of(value: &Value, keys: &mut BTreeSet<String>) {
    match value {
        Value::Object(entries) => {
            keys.extend(entries.keys().cloned());
            entries.values().for_each(|value| keys_of(value, keys));
        }
        Value::Array(items) => items.iter().for_each(|item| keys_of(item, keys)),
        _ => {}
    }
}
