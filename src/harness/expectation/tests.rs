//! Each expectation against answers that are right and wrong.

use serde_json::json;

use super::*;

fn response(status: u16, headers: &[(&str, &str)], body: &str) -> Response {
    let header = |(name, value): &(&str, &str)| ((*name).to_owned(), value.as_bytes().to_vec());
    Response {
        status,
        headers: headers.iter().map(header).collect(),
        body: body.to_owned().into(),
        body_length: body.len() as u64,
        truncated: false,
        complete: true,
    }
}

fn observed<'run>(answer: &'run Response, first: Option<&'run Response>) -> Observed<'run> {
    Observed {
        answer: Ok(answer),
        took: Duration::from_millis(20),
        attempts: 2,
        outcome: Some(OutcomeName::Delivered),
        first_answer: first,
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
        let value = "answer.json".into();
        let span = crate::scenario::document::Span::default();
        expectation.schema = Some(crate::scenario::document::Spanned { value, span });
    }
    PreparedExpectation {
        expectation,
        schema,
        demand: Demand::default(),
    }
}

#[test]
fn a_body_that_is_compressed_in_an_unknown_way_is_named_as_such() {
    let mut answer = response(200, &[("content-encoding", "br")], "");
    answer.body = vec![0x8b, 0xff, 0x00].into();
    let checks = checks_of(&json!({ "body": { "$.a": 1 } }), &observed(&answer, None));
    assert_eq!(
        checks[0].observed,
        r#"the body is compressed with "br", which is not read here"#
    );
}

/// The verdicts of all checks, which must be of one kind.
fn holds(expected: &Value, observed: &Observed<'_>) -> bool {
    let checks = checks_of(expected, observed);
    assert!(!checks.is_empty(), "nothing was checked");
    checks.iter().all(|check| check.verdict == Verdict::Passed)
}

#[test]
fn statuses() {
    let answer = response(204, &[], "");
    let seen = observed(&answer, None);
    for right in [
        json!(204),
        json!("2xx"),
        json!([500, "2xx"]),
        json!({ "not": "4xx" }),
    ] {
        assert!(holds(&json!({ "status": right }), &seen), "{right}");
    }
    for wrong in [
        json!(200),
        json!("4xx"),
        json!([401, 403]),
        json!({ "not": ["2xx", 500] }),
    ] {
        assert!(!holds(&json!({ "status": wrong }), &seen), "{wrong}");
    }
}

#[test]
fn headers_by_any_case_of_their_name() {
    let answer = response(
        200,
        &[("content-type", "application/json; charset=utf-8")],
        "{}",
    );
    let seen = observed(&answer, None);
    assert!(holds(
        &json!({ "headers": { "Content-Type": { "contains": "json" } } }),
        &seen
    ));
    assert!(!holds(
        &json!({ "headers": { "Content-Type": "application/json" } }),
        &seen
    ));
    assert!(holds(
        &json!({ "headers": { "Set-Cookie": { "absent": true } } }),
        &seen
    ));
    assert!(!holds(
        &json!({ "headers": { "X-Id": { "absent": false } } }),
        &seen
    ));
}

#[test]
fn bodies_by_path_and_schema() {
    let answer = response(
        200,
        &[],
        r#"{ "status": "ok", "items": [{ "n": 1 }, { "n": 2 }] }"#,
    );
    let seen = observed(&answer, None);
    assert!(holds(
        &json!({ "body": { "$.status": "ok", "$.items": { "length": 2 } } }),
        &seen
    ));
    assert!(holds(
        &json!({ "body": { "$.items[*].n": { "type": "integer" } } }),
        &seen
    ));
    assert!(!holds(&json!({ "body": { "$.items[*].n": 1 } }), &seen));
    assert!(holds(
        &json!({ "schema": { "required": ["status"] } }),
        &seen
    ));
    assert!(!holds(
        &json!({ "schema": { "required": ["player"] } }),
        &seen
    ));
}

#[test]
fn a_body_that_is_no_json_fails_and_says_so() {
    for (body, reason) in [("<html>", "not JSON"), ("", "empty")] {
        let answer = response(200, &[], body);
        let expected = json!({ "body": { "$.a": { "absent": true } } });
        let checks = checks_of(&expected, &observed(&answer, None));
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
    let answer = response(200, &[], "");
    let seen = observed(&answer, None);
    assert!(holds(
        &json!({ "within": "20ms", "attempts": "1..2", "outcome": "delivered" }),
        &seen
    ));
    assert!(!holds(&json!({ "within": "19ms" }), &seen));
    assert!(!holds(&json!({ "attempts": 1 }), &seen));
    assert!(!holds(&json!({ "outcome": "refused" }), &seen));
}

#[test]
fn no_answer_holds_for_no_status_and_no_header() {
    let failure = Failure::Reset;
    let seen = Observed {
        answer: Err(&failure),
        took: Duration::ZERO,
        attempts: 1,
        outcome: Some(OutcomeName::Exhausted),
        first_answer: None,
    };
    assert!(!holds(&json!({ "status": { "not": "2xx" } }), &seen));
    assert!(!holds(
        &json!({ "headers": { "x": { "absent": true } } }),
        &seen
    ));
    assert!(!holds(&json!({ "within": "1h" }), &seen));
    assert!(holds(&json!({ "outcome": "exhausted" }), &seen));
}

#[test]
fn the_same_response_is_the_same_in_what_it_says() {
    let json = [("content-type", "application/json")];
    let first = response(200, &json, r#"{"a":1,"b":2}"#);
    let same = json!({ "same_response": true });
    let laid_out = response(200, &json, r#"{ "b": 2, "a": 1 }"#);
    assert!(holds(&same, &observed(&laid_out, Some(&first))));
    for other in [
        response(201, &json, r#"{"a":1,"b":2}"#),
        response(200, &[("content-type", "text/plain")], r#"{"a":1,"b":2}"#),
        response(200, &json, r#"{"a":1,"b":3}"#),
    ] {
        assert!(!holds(&same, &observed(&other, Some(&first))));
        assert!(holds(
            &json!({ "same_response": false }),
            &observed(&other, Some(&first))
        ));
    }
    assert!(
        checks_of(&same, &observed(&first, None)).is_empty(),
        "the first has no equal"
    );
}
