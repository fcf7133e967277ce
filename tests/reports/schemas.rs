//! Validates reports against the rules of their formats.

use std::process::Command;

use quick_junit::NonSuccessKind::{Error, Failure};
use quick_junit::{Report, TestCaseStatus};
use serde_json::Value;

use crate::junit_structure::validate_structure;

/// Parses the XML and checks that it has only what CI systems read, and that its totals match its
/// test cases. Also validates it against `tests/junit.xsd` if `xmllint` is installed.
pub(crate) fn validate_junit(xml: &str) {
    validate_structure(xml);
    let read = Report::deserialize_from_str(xml).expect("XML that can be read back");
    let mut totals = [0; 3];
    for suite in &read.test_suites {
        let count = |kind: fn(&TestCaseStatus) -> bool| {
            let statuses = suite.test_cases.iter().map(|case| &case.status);
            statuses.filter(|status| kind(status)).count()
        };
        let counts = [
            count(|status| matches!(status, TestCaseStatus::NonSuccess { kind: Failure, .. })),
            count(|status| matches!(status, TestCaseStatus::NonSuccess { kind: Error, .. })),
            count(|status| matches!(status, TestCaseStatus::Skipped { .. })),
        ];
        assert_eq!(
            [suite.failures, suite.errors, suite.skipped],
            counts,
            "{}",
            suite.name.as_str()
        );
        assert_eq!(suite.tests, suite.test_cases.len());
        totals = std::array::from_fn(|index| totals[index] + counts[index]);
        for case in &suite.test_cases {
            assert!(case.classname.is_some(), "{}", case.name.as_str());
            assert_eq!(
                case.extra.contains_key("file"),
                case.extra.contains_key("line")
            );
        }
    }
    assert_eq!([read.failures, read.errors, read.skipped], totals);
    validate_with_xmllint(xml);
}

fn validate_with_xmllint(xml: &str) {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("junit.xml");
    std::fs::write(&file, xml).expect("a file");
    let schema = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/junit.xsd");
    let mut xmllint = Command::new("xmllint");
    let Ok(ended) = xmllint
        .args(["--noout", "--schema", schema])
        .arg(&file)
        .output()
    else {
        eprintln!("left out: xmllint is not installed, so tests/junit.xsd was not used");
        return;
    };
    let said = String::from_utf8_lossy(&ended.stderr);
    assert!(ended.status.success(), "{said}");
}

/// Validates against `tests/har-1.2.schema.json`, and checks what a schema can't express.
pub(crate) fn validate_har(json: &str) {
    let schema = include_str!("../har-1.2.schema.json");
    let schema: Value = serde_json::from_str(schema).expect("a schema");
    let validator = jsonschema::options()
        .should_validate_formats(true)
        .build(&schema)
        .expect("a schema");
    let archive: Value = serde_json::from_str(json).expect("JSON");
    let problems: Vec<String> = validator
        .iter_errors(&archive)
        .map(|problem| format!("{}: {problem}", problem.instance_path()))
        .collect();
    assert!(problems.is_empty(), "{}", problems.join("\n"));

    let list = |name: &str| archive["log"][name].as_array().expect("a list").clone();
    let pages: Vec<Value> = list("pages")
        .iter()
        .map(|page| page["id"].clone())
        .collect();
    let entries = list("entries");
    for entry in &entries {
        assert!(pages.contains(&entry["pageref"]), "{}", entry["pageref"]);
        let timings = entry["timings"].as_object().expect("timings");
        let parts = timings.values().filter_map(Value::as_f64);
        let sum: f64 = parts.filter(|part| *part > 0.0).sum();
        let time = entry["time"].as_f64().expect("a number");
        assert!((sum - time).abs() < 0.001, "{sum} {time}");
    }
    let times = entries
        .iter()
        .map(|entry| entry["startedDateTime"].as_str());
    assert!(times.is_sorted(), "entries are in order");
}

/// Validates every line against the schema from `aghook schema report`.
pub(crate) fn validate_json_lines(text: &str) {
    let validator = jsonschema::validator_for(&aghook::internals::run::run_event_schema());
    let validator = validator.expect("a schema");
    let mut events = Vec::new();
    for line in text.lines() {
        let line: Value = serde_json::from_str(line).expect("a line of JSON");
        if let Err(problem) = validator.validate(&line) {
            panic!("{}: {problem}", problem.instance_path());
        }
        events.push(line["event"].clone());
    }
    assert_eq!(events.first(), Some(&Value::from("run_started")));
    assert_eq!(events.last(), Some(&Value::from("run_ended")));
}
