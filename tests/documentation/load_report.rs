//! The JSON report of a load: its schema, its description and a real report.

use std::fs;

use aghook::internals::load::load_report_schema;
use serde_json::Value;

use super::markdown::{Document, first_cells, root};
use super::program::{aghook, stdout, updating};

const DESCRIPTION: &str = "docs/load.md";
const SCHEMA: &str = "docs/load-report.schema.json";

#[test]
fn the_schema_is_up_to_date() {
    let current = format!("{:#}\n", load_report_schema());
    if updating() {
        fs::write(root().join(SCHEMA), &current).expect("written");
    }
    let committed = Document::read(SCHEMA).text;
    assert!(committed == current, "update it with AGHOOK_UPDATE_DOCS=1");
    let folder = tempfile::tempdir().expect("a folder");
    let printed = stdout(aghook(folder.path(), &["schema", "load-report"]));
    assert_eq!(printed, current);
}

#[test]
fn every_key_is_described() {
    let described = first_cells(&Document::read(DESCRIPTION).section("JSON"));
    let schema = load_report_schema();
    let properties = schema["properties"].as_object().expect("keys");
    for key in properties.keys() {
        assert!(described.contains(key), "`{key}` is not described");
    }
    for key in &described {
        assert!(
            properties.contains_key(key),
            "the schema has no key `{key}`"
        );
    }
}

#[test]
fn a_real_report_matches_the_schema() {
    let folder = tempfile::tempdir().expect("a folder");
    let arguments = [
        "load",
        "--rate",
        "200",
        "--count",
        "50",
        "--duplicates",
        "10%",
        "--report",
        "json",
    ];
    let output = aghook(folder.path(), &arguments);
    assert_eq!(output.status.code(), Some(0));
    let report: Value = serde_json::from_str(&stdout(output)).expect("JSON");
    let schema = serde_json::from_str(&Document::read(SCHEMA).text).expect("JSON");
    let validator = jsonschema::validator_for(&schema).expect("a schema");
    if let Err(error) = validator.validate(&report) {
        panic!("at `{}`: {error}", error.instance_path());
    }
}
