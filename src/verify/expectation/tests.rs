//! Each expectation against matching and mismatching responses.

use serde_json::json;

use super::*;

fn response(status: u16, headers: &[(&str, &str)], body: &str) -> Response {
    let header = |(name, value): &(&str, &str)| ((*name).to_owned(), value.as_bytes().to_vec());
    Response {
        status,
        headers: headers.iter().map(header).collect(),
        body: body.to_owned().into(),
        body_length: body.len() as u64,
        encoded: false,
        truncated: false,
        complete: true,
    }
}

fn observed<'run>(response: &'run Response, first: Option<&'run Response>) -> Observed<'run> {
    Observed {
        was_reached: true,
        response: Ok(response),
        took: Duration::from_millis(20),
        attempts: 2,
        outcome: Some(Outcome::Delivered),
        first_response: first,
    }
}

fn checks_of(expected: &Value, observed: &Observed<'_>) -> Vec<Check> {
    check(&prepared(expected.clone()), observed, &Redaction::new([]))
}

fn prepared(expected: Value) -> PreparedExpectation {
    let schema = expected
        .get("schema")
        .cloned()
        .map(|schema| jsonschema::validator_for(&schema).expect("a schema"));
    let mut expected = expected;
    if let Some(keys) = expected.as_object_mut() {
        keys.remove("schema");
    }
    let json = expected.to_string();
    let source = crate::scenario::document::SourceFile::new("expected.yaml", json);
    let tree = crate::scenario::document::Node::parse(&source).expect("JSON is YAML");
    let mut expectation: Expectation =
        crate::scenario::document::decode(&source, &tree).expect("an expectation");
    if schema.is_some() {
        let value = "response.json".into();
        let span = crate::scenario::document::Span::default();
        expectation.schema = Some(crate::scenario::document::Spanned { value, span });
    }
    PreparedExpectation {
        expectation,
        schema,
        requirement: Requirement::default(),
    }
}

#[test]
fn an_unsupported_content_encoding_is_named() {
    let mut actual = response(200, &[("content-encoding", "br")], "");
    actual.body = vec![0x8b, 0xff, 0x00].into();
    actual.encoded = true;
    let checks = checks_of(&json!({ "body": { "$.a": 1 } }), &observed(&actual, None));
    assert_eq!(
        checks[0].observed,
        r#"the body can't be decoded: it has the content encoding "br""#
    );
}

/// A truncated secret would not be recognised, so it is removed before long values are truncated.
#[test]
fn a_secret_in_a_response_decides_but_is_not_shown() {
    let secret = "hunter2-and-more";
    let redaction = Redaction::new([crate::protocol::Secret::new(secret).expect("a secret")]);
    let long = format!("{}{secret}", "x".repeat(190));
    let body = json!({ "secret": secret, "long": long }).to_string();
    let actual = response(200, &[("x-echo", secret)], &body);
    let other = response(200, &[], "{}");
    let expected = prepared(json!({
        "headers": { "X-Echo": secret },
        "body": { "$.secret": secret, "$.long": 1, "$.none": "x" },
        "same_response": false,
    }));
    let checks = check(&expected, &observed(&actual, Some(&other)), &redaction);
    let verdicts: Vec<Verdict> = checks.iter().map(|check| check.verdict).collect();
    let (passed, failed) = (Verdict::Passed, Verdict::Failed);
    assert_eq!(verdicts, [passed, passed, failed, failed, passed]);
    for check in &checks {
        assert!(!check.observed.contains("hunt"), "{}", check.observed);
    }
    assert!(
        checks[2].observed.ends_with("x[secret n…"),
        "{}",
        checks[2].observed
    );

    let html = format!("<p>{}{secret}</p>", "x".repeat(50));
    let checks = check(
        &expected,
        &observed(&response(200, &[], &html), None),
        &redaction,
    );
    assert!(
        checks[1].observed.contains("not JSON"),
        "{}",
        checks[1].observed
    );
    assert!(
        !checks[1].observed.contains("hunt"),
        "{}",
        checks[1].observed
    );
}

/// Whether all checks passed.
fn passes(expected: &Value, observed: &Observed<'_>) -> bool {
    let checks = checks_of(expected, observed);
    assert!(!checks.is_empty(), "nothing was checked");
    checks.iter().all(|check| check.verdict == Verdict::Passed)
}

#[test]
fn statuses() {
    let actual = response(204, &[], "");
    let seen = observed(&actual, None);
    for right in [
        json!(204),
        json!("2xx"),
        json!([500, "2xx"]),
        json!({ "not": "4xx" }),
    ] {
        assert!(passes(&json!({ "status": right }), &seen), "{right}");
    }
    for wrong in [
        json!(200),
        json!("4xx"),
        json!([401, 403]),
        json!({ "not": ["2xx", 500] }),
    ] {
        assert!(!passes(&json!({ "status": wrong }), &seen), "{wrong}");
    }
}

#[test]
fn header_names_are_case_insensitive() {
    let actual = response(
        200,
        &[("content-type", "application/json; charset=utf-8")],
        "{}",
    );
    let seen = observed(&actual, None);
    assert!(passes(
        &json!({ "headers": { "Content-Type": { "contains": "json" } } }),
        &seen
    ));
    assert!(!passes(
        &json!({ "headers": { "Content-Type": "application/json" } }),
        &seen
    ));
    assert!(passes(
        &json!({ "headers": { "Set-Cookie": { "absent": true } } }),
        &seen
    ));
    assert!(!passes(
        &json!({ "headers": { "X-Id": { "absent": false } } }),
        &seen
    ));
}

#[test]
fn bodies_by_path_and_schema() {
    let actual = response(
        200,
        &[],
        r#"{ "status": "ok", "items": [{ "n": 1 }, { "n": 2 }] }"#,
    );
    let seen = observed(&actual, None);
    assert!(passes(
        &json!({ "body": { "$.status": "ok", "$.items": { "length": 2 } } }),
        &seen
    ));
    assert!(passes(
        &json!({ "body": { "$.items[*].n": { "type": "integer" } } }),
        &seen
    ));
    assert!(!passes(&json!({ "body": { "$.items[*].n": 1 } }), &seen));
    assert!(passes(
        &json!({ "schema": { "required": ["status"] } }),
        &seen
    ));
    assert!(!passes(
        &json!({ "schema": { "required": ["player"] } }),
        &seen
    ));
}

#[test]
fn a_body_that_is_not_json_fails_with_the_reason() {
    for (body, reason) in [("<html>", "not JSON"), ("", "empty")] {
        let actual = response(200, &[], body);
        let expected = json!({ "body": { "$.a": { "absent": true } } });
        let checks = checks_of(&expected, &observed(&actual, None));
        assert_eq!(checks[0].verdict, Verdict::Failed);
        assert!(
            checks[0].observed.contains(reason),
            "{}",
            checks[0].observed
        );
    }
}

#[test]
fn time_attempts_and_outcome() {
    let actual = response(200, &[], "");
    let seen = observed(&actual, None);
    assert!(passes(
        &json!({ "within": "20ms", "attempts": "1..2", "outcome": "delivered" }),
        &seen
    ));
    assert!(!passes(&json!({ "within": "19ms" }), &seen));
    assert!(!passes(&json!({ "attempts": 1 }), &seen));
    assert!(!passes(&json!({ "outcome": "refused" }), &seen));
}

#[test]
fn without_a_response_status_and_headers_fail() {
    let failure = Failure::Reset;
    let seen = Observed {
        was_reached: true,
        response: Err(&failure),
        took: Duration::ZERO,
        attempts: 1,
        outcome: Some(Outcome::Exhausted),
        first_response: None,
    };
    assert!(!passes(&json!({ "status": { "not": "2xx" } }), &seen));
    assert!(!passes(
        &json!({ "headers": { "x": { "absent": true } } }),
        &seen
    ));
    assert!(!passes(&json!({ "within": "1h" }), &seen));
    assert!(passes(&json!({ "outcome": "exhausted" }), &seen));
}

#[test]
fn the_same_response_may_have_a_different_layout() {
    let json = [("content-type", "application/json")];
    let first = response(200, &json, r#"{"a":1,"b":2}"#);
    let same = json!({ "same_response": true });
    let laid_out = response(200, &json, r#"{ "b": 2, "a": 1 }"#);
    assert!(passes(&same, &observed(&laid_out, Some(&first))));
    for other in [
        response(201, &json, r#"{"a":1,"b":2}"#),
        response(200, &[("content-type", "text/plain")], r#"{"a":1,"b":2}"#),
        response(200, &json, r#"{"a":1,"b":3}"#),
    ] {
        assert!(!passes(&same, &observed(&other, Some(&first))));
        assert!(passes(
            &json!({ "same_response": false }),
            &observed(&other, Some(&first))
        ));
    }
    assert!(
        checks_of(&same, &observed(&first, None)).is_empty(),
        "the first response is not compared"
    );
}
