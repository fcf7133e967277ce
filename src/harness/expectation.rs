//! Whether an answer is what a step expects: pure functions from what was observed to checks.

use std::borrow::Cow;
use std::time::Duration;

use serde_json::Value;

use super::json_match::{equal, mismatch, shortened};
use super::record::without_secrets;
use super::redaction::Redaction;
use super::verdict::{Check, Demand, Verdict};
use crate::delivery::{Failure, Response};
use crate::scenario::{DurationText, Expectation, JsonPath, Level, Matcher, OutcomeName};

/// What is expected, in a line for each check that is going to be made.
pub(super) fn expected_in_words(expected: &PreparedExpectation) -> Vec<String> {
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
    lines.extend(same_response.map(|same| {
        let answer = if same {
            "the same as the first answer"
        } else {
            "another than the first"
        };
        format!("same response: {answer}")
    }));
    if expected.demand.level == Level::Should {
        for line in &mut lines {
            line.push_str(" (should)");
        }
    }
    lines
}

/// What was seen of a delivery, or of any other request.
#[derive(Debug, Clone, Copy)]
pub(super) struct Observed<'run> {
    /// The last attempt's answer, or why there is none.
    pub answer: Result<&'run Response, &'run Failure>,
    /// How long the last attempt took, from its start to the end of the answer.
    pub took: Duration,
    /// How many attempts were made; 1 for a request.
    pub attempts: u32,
    /// How the delivery ended; none for a request.
    pub outcome: Option<OutcomeName>,
    /// The first success of the same event in this scenario, if this is not the first itself.
    pub first_answer: Option<&'run Response>,
}

/// An expectation that is ready to be checked.
#[derive(Debug)]
pub(super) struct PreparedExpectation {
    /// What is expected.
    pub expectation: Expectation,
    /// The JSON Schema of the body, compiled.
    pub schema: Option<jsonschema::Validator>,
    /// How much it demands.
    pub demand: Demand,
}

/// Checks everything that is expected, and tells what was observed without the secrets that a
/// receiver may have sent back. The verdicts are those of the answer as it came.
pub(super) fn check(
    expected: &PreparedExpectation,
    observed: &Observed<'_>,
    redaction: &Redaction,
) -> Vec<Check> {
    let mut checks = check_as_observed(expected, observed);
    let answer = observed
        .answer
        .map(|answer| without_secrets(answer, redaction));
    let first = observed
        .first_answer
        .map(|first| without_secrets(first, redaction));
    if matches!(answer, Ok(Cow::Owned(_))) || matches!(first, Some(Cow::Owned(_))) {
        let showable = Observed {
            answer: answer.as_deref().map_err(|failure| *failure),
            first_answer: first.as_deref(),
            ..*observed
        };
        let shown = check_as_observed(expected, &showable);
        for (check, shown) in checks.iter_mut().zip(shown) {
            check.observed = shown.observed;
        }
    }
    if let Err(Failure::LocalLimit { .. }) = observed.answer {
        // It is this machine that could not send, so nothing is known of the receiver.
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

/// Checks everything that is expected, in the order of the format's reference.
fn check_as_observed(expected: &PreparedExpectation, observed: &Observed<'_>) -> Vec<Check> {
    let PreparedExpectation {
        expectation,
        schema,
        demand,
    } = expected;
    let mut checks = Vec::new();
    if let Some(status) = &expectation.status {
        let holds = observed
            .answer
            .is_ok_and(|response| status.allows(response.status));
        checks.push(demand.decided(holds, "status", status.to_string(), answer_text(observed)));
    }
    for (name, matcher) in &expectation.headers {
        checks.push(check_header(demand, name, matcher, observed));
    }
    if !expectation.body.is_empty() || schema.is_some() {
        let body = json_body(observed);
        for (path, matcher) in &expectation.body {
            checks.push(check_body(demand, path, matcher, &body));
        }
        if let (Some(schema), Some(file)) = (schema, &expectation.schema) {
            let subject = format!("schema {}", file.display());
            checks.push(check_schema(demand, subject, schema, &body));
        }
    }
    if let Some(within) = expectation.within {
        checks.push(check_within(demand, within, observed));
    }
    if let Some(range) = expectation.attempts {
        let holds = range.contains(observed.attempts.into());
        let seen = observed.attempts.to_string();
        checks.push(demand.decided(holds, "attempts", range.to_string(), seen));
    }
    if let (Some(wanted), Some(outcome)) = (expectation.outcome, observed.outcome) {
        let holds = wanted == outcome;
        checks.push(demand.decided(holds, "outcome", wanted.to_string(), outcome.to_string()));
    }
    if let Some(wanted) = expectation.same_response {
        checks.extend(check_same_response(demand, wanted, observed));
    }
    checks
}

/// The answer in a few words: its status, or why there is none.
fn answer_text(observed: &Observed<'_>) -> String {
    match observed.answer {
        Ok(response) => response.status.to_string(),
        Err(failure) => format!("no answer: {failure}"),
    }
}

fn check_header(demand: &Demand, name: &str, matcher: &Matcher, observed: &Observed<'_>) -> Check {
    let subject = format!("header {name}");
    let Ok(response) = observed.answer else {
        return demand.decided(false, subject, matcher.to_string(), answer_text(observed));
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
    demand.decided(found.is_none(), subject, matcher.to_string(), seen)
}

/// The body as JSON, or why it can't be read so.
fn json_body(observed: &Observed<'_>) -> Result<Value, String> {
    let response = observed
        .answer
        .map_err(|failure| format!("no answer: {failure}"))?;
    if response.truncated {
        return Err(format!(
            "the body is too long to be read: {} bytes",
            response.body_length
        ));
    }
    if response.body.is_empty() {
        return Err("the body is empty".to_owned());
    }
    serde_json::from_slice(&response.body).map_err(|error| {
        if let Some(coding) = unread_coding(response) {
            return format!("the body is compressed with {coding:?}, which is not read here");
        }
        let text = String::from_utf8_lossy(&response.body);
        let start: String = text.chars().take(60).collect();
        format!("the body is not JSON ({error}): {start:?}")
    })
}

/// The coding of a body that could not be decoded.
fn unread_coding(response: &Response) -> Option<String> {
    let coding = String::from_utf8_lossy(response.header("content-encoding")?);
    let is_text = std::str::from_utf8(&response.body).is_ok();
    (!is_text).then(|| coding.into_owned())
}

fn check_body(
    demand: &Demand,
    path: &JsonPath,
    matcher: &Matcher,
    body: &Result<Value, String>,
) -> Check {
    let subject = format!("body {path}");
    let body = match body {
        Ok(body) => body,
        Err(reason) => return demand.decided(false, subject, matcher.to_string(), reason),
    };
    let values = path.query(body);
    let found = mismatch(matcher, &values);
    let seen = found.clone().unwrap_or_else(|| join(&values));
    demand.decided(found.is_none(), subject, matcher.to_string(), seen)
}

fn check_schema(
    demand: &Demand,
    subject: String,
    schema: &jsonschema::Validator,
    body: &Result<Value, String>,
) -> Check {
    let expected = "the body satisfies the schema";
    let body = match body {
        Ok(body) => body,
        Err(reason) => return demand.decided(false, subject, expected, reason),
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
    demand.decided(errors.is_empty(), subject, expected, seen)
}

fn check_within(demand: &Demand, within: DurationText, observed: &Observed<'_>) -> Check {
    let expected = format!("at most {within}");
    let holds = observed.answer.is_ok() && observed.took <= within.0;
    let seen = match observed.answer {
        Ok(_) => format!("{:.1?}", observed.took),
        Err(_) => answer_text(observed),
    };
    demand.decided(holds, "within", expected, seen)
}

/// Compares with the first answer to the event; there is no check on the first answer itself.
fn check_same_response(demand: &Demand, wanted: bool, observed: &Observed<'_>) -> Option<Check> {
    let first = observed.first_answer?;
    let difference = match observed.answer {
        Ok(response) => difference_of(first, response),
        Err(_) => Some(answer_text(observed)),
    };
    let expected = if wanted {
        "the same as the first answer"
    } else {
        "another than the first"
    };
    let same = difference.is_none();
    let seen = difference.unwrap_or_else(|| "the same".to_owned());
    Some(demand.decided(same == wanted, "same response", expected, seen))
}

fn difference_of(first: &Response, response: &Response) -> Option<String> {
    if first.status != response.status {
        return Some(format!("status {} after {}", response.status, first.status));
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
            "content type {} after {}",
            shown(after),
            shown(before)
        ));
    }
    if first.body_length != response.body_length && (first.truncated || response.truncated) {
        let (before, after) = (first.body_length, response.body_length);
        return Some(format!("a body of {after} bytes after {before}"));
    }
    if first.body == response.body {
        return None;
    }
    let json = |response: &Response| serde_json::from_slice::<Value>(&response.body).ok();
    match (json(first), json(response)) {
        (Some(before), Some(after)) if equal(&before, &after) => None,
        (Some(before), Some(after)) => Some(format!(
            "body {} after {}",
            shortened(&after),
            shortened(&before)
        )),
        _ => Some("another body".to_owned()),
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
