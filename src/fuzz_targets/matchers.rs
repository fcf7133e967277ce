//! Expectations, `JSONPath`s and JSON Pointers, against a response.

use std::time::Duration;

use serde_json::{Value, json};

use crate::probe::Redaction;
use crate::scenario::document::{Node, SourceFile, decode};
use crate::scenario::{Expectation, JsonPath, JsonPointer, ReadPath};
use crate::transport::Response;
use crate::verify::{
    Observed, PreparedExpectation, Requirement, Verdict, check, describe_expectations,
};

/// Judges a response by an expectation. The input is a path, a matcher in YAML and a body, separated by
/// line breaks.
pub fn matcher(bytes: &[u8]) {
    let mut parts = bytes.splitn(3, |byte| *byte == b'\n');
    let mut text = || parts.next().and_then(|part| std::str::from_utf8(part).ok());
    let (Some(path), Some(matcher), Some(body)) = (text(), text(), text()) else {
        return;
    };
    let json: Value = serde_json::from_str(body).unwrap_or_default();
    check_pointer(path, json.clone());
    if let Ok(read) = ReadPath::try_from(path.to_owned()) {
        let filled = read
            .of(matcher, body)
            .expect("a path for any player and SKU");
        assert!(filled.to_string().starts_with('$'));
    }
    let Ok(path) = JsonPath::parse(path) else {
        return;
    };
    let matcher_source = SourceFile::new("matcher.yaml", matcher);
    let matcher = Node::parse(&matcher_source).ok();
    let matcher = matcher.and_then(|tree| decode::<Value>(&matcher_source, &tree).ok());
    let expected = json!({ "body": { path.to_string(): matcher } });
    if let Some(expectation) = expectation(&expected) {
        check_expectation(expectation, body);
    }
    // What a path selects equals itself.
    for value in path.query(&json).into_iter().take(1) {
        let one = json!({ "body": { "$": { "equals": value } } });
        let expectation = expectation(&one).expect("an expectation");
        let checks = check_expectation(expectation, &value.to_string());
        assert_eq!(checks, [Verdict::Passed], "{value}");
    }
}

fn expectation(keys: &Value) -> Option<Expectation> {
    let source = SourceFile::new("expectation.yaml", keys.to_string());
    let tree = Node::parse(&source).ok()?;
    decode(&source, &tree).ok()
}

/// The verdicts, which are the same each time.
fn check_expectation(expectation: Expectation, body: &str) -> Vec<Verdict> {
    let expected = PreparedExpectation {
        expectation,
        schema: None,
        requirement: Requirement::default(),
    };
    let response = Response {
        status: 200,
        headers: Vec::new(),
        body: body.to_owned().into(),
        body_length: body.len() as u64,
        encoded: false,
        truncated: false,
        complete: true,
    };
    let observed = Observed {
        was_reached: true,
        response: Ok(&response),
        took: Duration::ZERO,
        attempts: 1,
        outcome: None,
        first_response: None,
    };
    let redaction = Redaction::new([]);
    let checks = check(&expected, &observed, &redaction);
    assert_eq!(checks.len(), describe_expectations(&expected).len());
    assert_eq!(checks, check(&expected, &observed, &redaction));
    checks.into_iter().map(|check| check.verdict).collect()
}

/// What is set at a pointer is there.
fn check_pointer(text: &str, mut json: Value) {
    let Ok(pointer) = text.parse::<JsonPointer>() else {
        return;
    };
    let value = Value::from("set");
    let appends = text.ends_with("/-");
    if pointer.set(&mut json, value.clone()).is_ok() && !appends {
        assert_eq!(json.pointer(pointer.as_str()), Some(&value));
        assert_eq!(pointer.text_in(&json).as_deref(), value.as_str());
        pointer.remove(&mut json).expect("a value to remove");
    }
}
