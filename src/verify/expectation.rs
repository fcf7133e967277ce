//! Checks whether a response meets a step's expectations, with pure functions.

use std::borrow::Cow;
use std::time::Duration;

use serde_json::Value;

use super::verdict::{Check, Requirement, Verdict};
use crate::policy::DurationText;
use crate::policy::Outcome;
use crate::probe::Redaction;
use crate::scenario::{Expectation, JsonPath, Level, Matcher};
use crate::scenario::{equal, mismatch, shortened};
use crate::transport::{Failure, Response};

/// Describes the expectations, one line for each check.
pub(crate) fn describe_expectations(expected: &PreparedExpectation) -> Vec<String> {
    let Expectation {
        status,
        headers,
        body,
        schema,
        within,
        attempts,
        outcome,
        same_response,
        level: _,
        source: _,
    } = &expected.expectation;
    let mut lines = Vec::new();
    lines.extend(status.as_ref().map(|status| format!("status: {status}")));
    let headers = headers.iter();
    lines.extend(headers.map(|(name, matcher)| format!("header {name}: {matcher}")));
    let body = body.iter();
    lines.extend(body.map(|(path, matcher)| format!("body {path}: {matcher}")));
    let schema = schema.as_ref();
    lines.extend(schema.map(|file| format!("schema {}", file.display())));
    lines.extend(within.map(|within| format!("within: at most {within}")));
    lines.extend(attempts.as_ref().map(|range| format!("attempts: {range}")));
    lines.extend(outcome.map(|outcome| format!("outcome: {outcome}")));
    lines.extend(same_response.map(|same| format!("same response: {}", same_response_text(same))));
    if expected.requirement.level == Level::Should {
        for line in &mut lines {
            line.push_str(" (should)");
        }
    }
    lines
}

/// The observed result of a delivery or of another request.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Observed<'run> {
    /// The last attempt's response, or why there is none.
    pub response: Result<&'run Response, &'run Failure>,
    /// How long the last attempt took, from its start to the end of the response.
    pub took: Duration,
    /// The number of attempts; 1 for a request.
    pub attempts: u32,
    /// How the delivery ended; `None` for a request.
    pub outcome: Option<Outcome>,
    /// The first success response to the same event in this scenario, if this is not the first.
    pub first_response: Option<&'run Response>,
}

/// An expectation that is ready to check.
#[derive(Debug)]
pub(crate) struct PreparedExpectation {
    /// What is expected.
    pub expectation: Expectation,
    /// The JSON Schema of the body, compiled.
    pub schema: Option<jsonschema::Validator>,
    /// How strictly it applies.
    pub requirement: Requirement,
}

/// Checks all expectations. The verdicts are based on the original response, but the checks show it
/// without the secrets that the receiver may have sent back.
pub(crate) fn check(
    expected: &PreparedExpectation,
    observed: &Observed<'_>,
    redaction: &Redaction,
) -> Vec<Check> {
    let mut checks = check_as_observed(expected, observed);
    let response = observed
        .response
        .map(|response| redaction.response(response));
    let first = observed
        .first_response
        .map(|first| redaction.response(first));
    if matches!(response, Ok(Cow::Owned(_))) || matches!(first, Some(Cow::Owned(_))) {
        let showable = Observed {
            response: response.as_deref().map_err(|failure| *failure),
            first_response: first.as_deref(),
            ..*observed
        };
        let shown = check_as_observed(expected, &showable);
        for (check, shown) in checks.iter_mut().zip(shown) {
            check.observed = shown.observed;
        }
    }
    if let Err(Failure::LocalLimit { .. }) = observed.response {
        // This machine could not send the request, so the receiver is not to blame.
        for check in &mut checks {
            check.verdict = Verdict::Broken;
        }
    }
    for check in &mut checks {
        if let Cow::Owned(hidden) = redaction.text(&check.observed) {
            check.observed = hidden;
        }
    }
    checks
}

/// Checks all expectations, in the order of the format reference.
fn check_as_observed(expected: &PreparedExpectation, observed: &Observed<'_>) -> Vec<Check> {
    let PreparedExpectation {
        expectation,
        schema,
        requirement,
    } = expected;
    let mut checks = Vec::new();
    if let Some(status) = &expectation.status {
        let passed = observed
            .response
            .is_ok_and(|response| status.allows(response.status));
        checks.push(requirement.checked(
            passed,
            "status",
            status.to_string(),
            response_text(observed),
        ));
    }
    for (name, matcher) in &expectation.headers {
        checks.push(check_header(requirement, name, matcher, observed));
    }
    if !expectation.body.is_empty() || schema.is_some() {
        let body = json_body(observed);
        for (path, matcher) in &expectation.body {
            checks.push(check_body(requirement, path, matcher, &body));
        }
        if let (Some(schema), Some(file)) = (schema, &expectation.schema) {
            let subject = format!("schema {}", file.display());
            checks.push(check_schema(requirement, subject, schema, &body));
        }
    }
    if let Some(within) = expectation.within {
        checks.push(check_within(requirement, within, observed));
    }
    if let Some(range) = expectation.attempts {
        let passed = range.contains(observed.attempts.into());
        let seen = observed.attempts.to_string();
        checks.push(requirement.checked(passed, "attempts", range.to_string(), seen));
    }
    if let (Some(wanted), Some(outcome)) = (expectation.outcome, observed.outcome) {
        let passed = wanted == outcome;
        checks.push(requirement.checked(
            passed,
            "outcome",
            wanted.to_string(),
            outcome.to_string(),
        ));
    }
    if let Some(wanted) = expectation.same_response {
        checks.extend(check_same_response(requirement, wanted, observed));
    }
    checks
}

/// The response as text: its status, or why there is none.
fn response_text(observed: &Observed<'_>) -> String {
    match observed.response {
        Ok(response) => response.status.to_string(),
        Err(failure) => format!("no response: {failure}"),
    }
}

fn check_header(
    requirement: &Requirement,
    name: &str,
    matcher: &Matcher,
    observed: &Observed<'_>,
) -> Check {
    let subject = format!("header {name}");
    let Ok(response) = observed.response else {
        return requirement.checked(false, subject, matcher.to_string(), response_text(observed));
    };
    let values: Vec<Value> = response
        .headers
        .iter()
        .filter(|(header, _)| header.eq_ignore_ascii_case(name))
        .map(|(_, value)| Value::String(String::from_utf8_lossy(value).into_owned()))
        .collect();
    let values: Vec<&Value> = values.iter().collect();
    let found = mismatch(matcher, &values);
    let seen = found.clone().unwrap_or_else(|| join(&values));
    requirement.checked(found.is_none(), subject, matcher.to_string(), seen)
}

/// The body as JSON, or why it can't be parsed.
fn json_body(observed: &Observed<'_>) -> Result<Value, String> {
    let response = observed
        .response
        .map_err(|failure| format!("no response: {failure}"))?;
    if response.truncated {
        return Err(format!(
            "the body is too long to check: {} bytes",
            response.body_length
        ));
    }
    if response.body.is_empty() {
        return Err("the body is empty".to_owned());
    }
    serde_json::from_slice(&response.body).map_err(|error| {
        if let Some(coding) = unsupported_coding(response) {
            return format!("the body has the unsupported content encoding {coding:?}");
        }
        let text = String::from_utf8_lossy(&response.body);
        let start: String = text.chars().take(60).collect();
        format!("the body is not JSON ({error}): {start:?}")
    })
}

/// The content encoding of a body that could not be decoded.
fn unsupported_coding(response: &Response) -> Option<String> {
    let coding = String::from_utf8_lossy(response.header("content-encoding")?);
    let is_text = std::str::from_utf8(&response.body).is_ok();
    (!is_text).then(|| coding.into_owned())
}

fn check_body(
    requirement: &Requirement,
    path: &JsonPath,
    matcher: &Matcher,
    body: &Result<Value, String>,
) -> Check {
    let subject = format!("body {path}");
    let body = match body {
        Ok(body) => body,
        Err(reason) => return requirement.checked(false, subject, matcher.to_string(), reason),
    };
    let values = path.query(body);
    let found = mismatch(matcher, &values);
    let seen = found.clone().unwrap_or_else(|| join(&values));
    requirement.checked(found.is_none(), subject, matcher.to_string(), seen)
}

fn check_schema(
    requirement: &Requirement,
    subject: String,
    schema: &jsonschema::Validator,
    body: &Result<Value, String>,
) -> Check {
    let expected = "the body matches the schema";
    let body = match body {
        Ok(body) => body,
        Err(reason) => return requirement.checked(false, subject, expected, reason),
    };
    let errors: Vec<String> = schema
        .iter_errors(body)
        .take(3)
        .map(|error| format!("at `{}`: {error}", error.instance_path()))
        .collect();
    let seen = if errors.is_empty() {
        expected.to_owned()
    } else {
        errors.join("; ")
    };
    requirement.checked(errors.is_empty(), subject, expected, seen)
}

fn check_within(requirement: &Requirement, within: DurationText, observed: &Observed<'_>) -> Check {
    let expected = format!("at most {within}");
    let passed = observed.response.is_ok() && observed.took <= within.0;
    let seen = match observed.response {
        Ok(_) => format!("{:.1?}", observed.took),
        Err(_) => response_text(observed),
    };
    requirement.checked(passed, "within", expected, seen)
}

/// Compares with the first response to the event. The first response itself is not checked.
fn check_same_response(
    requirement: &Requirement,
    wanted: bool,
    observed: &Observed<'_>,
) -> Option<Check> {
    let first = observed.first_response?;
    let difference = match observed.response {
        Ok(response) => difference_of(first, response),
        Err(_) => Some(response_text(observed)),
    };
    let expected = same_response_text(wanted);
    let same = difference.is_none();
    let seen = difference.unwrap_or_else(|| "same as the first response".to_owned());
    Some(requirement.checked(same == wanted, "same response", expected, seen))
}

fn same_response_text(same: bool) -> &'static str {
    if same {
        "same as the first response"
    } else {
        "different from the first response"
    }
}

fn difference_of(first: &Response, response: &Response) -> Option<String> {
    if first.status != response.status {
        return Some(format!(
            "status {} instead of {}",
            response.status, first.status
        ));
    }
    let content_type = |response: &Response| {
        let mut headers = response.headers.iter();
        headers
            .find(|(name, _)| name.eq_ignore_ascii_case("content-type"))
            .map(|(_, value)| String::from_utf8_lossy(value).into_owned())
    };
    let (before, after) = (content_type(first), content_type(response));
    if before != after {
        let shown = |value: Option<String>| value.unwrap_or_else(|| "none".to_owned());
        return Some(format!(
            "content type {} instead of {}",
            shown(after),
            shown(before)
        ));
    }
    if first.body_length != response.body_length && (first.truncated || response.truncated) {
        let (before, after) = (first.body_length, response.body_length);
        return Some(format!("body of {after} bytes instead of {before}"));
    }
    if first.body == response.body {
        return None;
    }
    let json = |response: &Response| serde_json::from_slice::<Value>(&response.body).ok();
    match (json(first), json(response)) {
        (Some(before), Some(after)) if equal(&before, &after) => None,
        (Some(before), Some(after)) => Some(format!(
            "body {} instead of {}",
            shortened(&after),
            shortened(&before)
        )),
        _ => Some("different body".to_owned()),
    }
}

fn join(values: &[&Value]) -> String {
    if values.is_empty() {
        return "absent".to_owned();
    }
    let values = values.iter().map(|value| shortened(value));
    values.collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests;
