//! Checks whether a response meets a step's expectations, with pure functions.

use std::cell::OnceCell;
use std::time::Duration;

use serde_json::Value;

use super::verdict::{Check, Requirement, Verdict};
use crate::policy::Outcome;
use crate::probe::Redaction;
use crate::scenario::{Expectation, Level, Matcher, equal, mismatch, shortened};
use crate::transport::{Failure, Response};

#[derive(Debug, Clone, Copy)]
pub(crate) struct Observed<'run> {
    /// Whether an attempt reached the receiver.
    pub was_reached: bool,
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

#[derive(Debug)]
pub(crate) struct PreparedExpectation {
    pub expectation: Expectation,
    pub schema: Option<jsonschema::Validator>,
    pub requirement: Requirement,
}

/// One part of an expectation, which is checked by itself.
struct Part<'expectation> {
    subject: String,
    expected: String,
    judge: Box<PartJudge<'expectation>>,
}

/// Whether a response is as expected, and what was observed. `None` if the part does not apply.
type PartJudge<'a> = dyn Fn(&ResponseJudge<'_>) -> Option<(bool, String)> + 'a;

impl<'expectation> Part<'expectation> {
    fn new(
        subject: impl Into<String>,
        expected: &impl ToString,
        judge: impl Fn(&ResponseJudge<'_>) -> Option<(bool, String)> + 'expectation,
    ) -> Self {
        Self {
            subject: subject.into(),
            expected: expected.to_string(),
            judge: Box::new(judge),
        }
    }
}

impl PreparedExpectation {
    /// Its parts, in the order of the format reference.
    fn parts(&self) -> Vec<Part<'_>> {
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
        } = &self.expectation;
        let mut parts = Vec::new();
        if let Some(status) = status {
            parts.push(Part::new("status", status, |judge| {
                Some(judge.of_response(|response| {
                    (status.allows(response.status), response.status.to_string())
                }))
            }));
        }
        for (name, matcher) in headers {
            parts.push(Part::new(format!("header {name}"), matcher, move |judge| {
                Some(judge.of_response(|response| {
                    let headers = response.headers.iter();
                    let named = headers.filter(|(header, _)| header.eq_ignore_ascii_case(name));
                    let values = named.map(|(_, value)| String::from_utf8_lossy(value).into());
                    let values: Vec<Value> = values.collect();
                    judge.match_values(matcher, &values.iter().collect::<Vec<_>>())
                }))
            }));
        }
        for (path, matcher) in body {
            parts.push(Part::new(format!("body {path}"), matcher, move |judge| {
                Some(judge.of_body(|body| judge.match_values(matcher, &path.query(body))))
            }));
        }
        if let (Some(file), Some(schema)) = (schema, &self.schema) {
            let subject = format!("schema {}", file.display());
            parts.push(Part::new(subject, &MATCHES_SCHEMA, |judge| {
                Some(judge.of_body(|body| match_schema(schema, body)))
            }));
        }
        if let Some(within) = within {
            let expected = format!("at most {within}");
            parts.push(Part::new("within", &expected, |judge| {
                let took = judge.observed.took;
                Some(judge.of_response(|_| (took <= within.0, format!("{took:.1?}"))))
            }));
        }
        if let Some(range) = attempts {
            parts.push(Part::new("attempts", range, |judge| {
                let attempts = judge.observed.attempts;
                Some((range.contains(attempts.into()), attempts.to_string()))
            }));
        }
        if let Some(wanted) = outcome {
            parts.push(Part::new("outcome", wanted, |judge| {
                let outcome = judge.observed.outcome?;
                Some((*wanted == outcome, outcome.to_string()))
            }));
        }
        if let Some(wanted) = same_response {
            let expected = if *wanted {
                SAME_RESPONSE
            } else {
                "different from the first response"
            };
            parts.push(Part::new("same response", &expected, |judge| {
                // The first response itself is not checked.
                let first = judge.observed.first_response?;
                let difference = match judge.observed.response {
                    Ok(response) => judge.difference(first, response),
                    Err(failure) => Some(no_response(failure)),
                };
                let passed = difference.is_none() == *wanted;
                Some((passed, difference.unwrap_or(SAME_RESPONSE.to_owned())))
            }));
        }
        parts
    }
}

const MATCHES_SCHEMA: &str = "the body matches the schema";
const SAME_RESPONSE: &str = "same as the first response";

pub(crate) fn describe_expectations(expected: &PreparedExpectation) -> Vec<String> {
    let level = match expected.requirement.level {
        Level::Should => " (should)",
        Level::Must => "",
    };
    let line = |part: Part<'_>| match part.expected.as_str() {
        MATCHES_SCHEMA => format!("{}{level}", part.subject),
        expected => format!("{}: {expected}{level}", part.subject),
    };
    expected.parts().into_iter().map(line).collect()
}

/// Checks all expectations. The verdicts are based on the original response, but the checks show it
/// without the secrets that the receiver may have sent back.
pub(crate) fn check(
    expected: &PreparedExpectation,
    observed: &Observed<'_>,
    redaction: &Redaction,
) -> Vec<Check> {
    let judge = ResponseJudge {
        observed,
        redaction,
        body: OnceCell::new(),
    };
    let check = |part: Part<'_>| {
        let (passed, seen) = (part.judge)(&judge)?;
        let seen = redaction.text(&seen);
        let requirement = &expected.requirement;
        let mut check = requirement.checked(passed, part.subject, part.expected, seen);
        match observed.response {
            // This machine could not send the request, so the receiver is not to blame.
            Err(Failure::LocalLimit { .. }) => check.verdict = Verdict::Broken,
            // Nothing received it, which says nothing about how it is handled.
            Err(Failure::Refused { .. }) if !passed && !observed.was_reached => {
                check.verdict = Verdict::Broken;
                check.cause = Some(NOT_RUNNING.to_owned());
            }
            _ => {}
        }
        Some(check)
    };
    expected.parts().into_iter().filter_map(check).collect()
}

/// The common cause of checks of requests that nothing received.
pub(crate) const NOT_RUNNING: &str = "the receiver does not run: it refuses connections";

struct ResponseJudge<'run> {
    observed: &'run Observed<'run>,
    redaction: &'run Redaction,
    /// The body as JSON, or why it can't be parsed.
    body: OnceCell<Result<Value, String>>,
}

impl ResponseJudge<'_> {
    fn of_response(&self, judge: impl FnOnce(&Response) -> (bool, String)) -> (bool, String) {
        match self.observed.response {
            Ok(response) => judge(response),
            Err(failure) => (false, no_response(failure)),
        }
    }

    fn of_body(&self, judge: impl FnOnce(&Value) -> (bool, String)) -> (bool, String) {
        let body = self.body.get_or_init(|| match self.observed.response {
            Ok(response) => json_body(response, self.redaction),
            Err(failure) => Err(no_response(failure)),
        });
        match body {
            Ok(body) => judge(body),
            Err(reason) => (false, reason.clone()),
        }
    }

    fn match_values(&self, matcher: &Matcher, values: &[&Value]) -> (bool, String) {
        if let Some(reason) = mismatch(matcher, values, |value| self.shown(value)) {
            return (false, reason);
        }
        if values.is_empty() {
            return (true, "absent".to_owned());
        }
        let values = values.iter().map(|value| self.shown(value));
        (true, values.collect::<Vec<_>>().join(", "))
    }

    /// A value without secrets. They are removed first, because a truncated one is not recognised.
    fn shown(&self, value: &Value) -> String {
        shortened(&self.redaction.json(value))
    }

    fn difference(&self, first: &Response, response: &Response) -> Option<String> {
        let (before, after) = (first.status, response.status);
        if before != after {
            return Some(format!("status {after} instead of {before}"));
        }
        let content_type = |response: &Response| {
            let value = response.header("content-type")?;
            Some(String::from_utf8_lossy(value).into_owned())
        };
        let (before, after) = (content_type(first), content_type(response));
        if before != after {
            let shown = |value: Option<String>| value.unwrap_or("none".to_owned());
            let (before, after) = (shown(before), shown(after));
            return Some(format!("content type {after} instead of {before}"));
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
                self.shown(&after),
                self.shown(&before)
            )),
            _ => Some("different body".to_owned()),
        }
    }
}

fn no_response(failure: &Failure) -> String {
    format!("no response: {failure}")
}

fn match_schema(schema: &jsonschema::Validator, body: &Value) -> (bool, String) {
    let errors: Vec<String> = schema
        .iter_errors(body)
        .take(3)
        .map(|error| format!("at `{}`: {error}", error.instance_path()))
        .collect();
    if errors.is_empty() {
        return (true, MATCHES_SCHEMA.to_owned());
    }
    (false, errors.join("; "))
}

/// The body as JSON, or why it can't be checked, without secrets.
fn json_body(response: &Response, redaction: &Redaction) -> Result<Value, String> {
    if response.encoded {
        let coding = response.header("content-encoding").unwrap_or_default();
        let coding = String::from_utf8_lossy(coding);
        let coding = redaction.text(&coding);
        return Err(format!(
            "the body can't be decoded: it has the content encoding {coding:?}"
        ));
    }
    if response.truncated {
        let length = response.body_length;
        return Err(format!("the body is too long to check: {length} bytes"));
    }
    if response.body.is_empty() {
        return Err("the body is empty".to_owned());
    }
    serde_json::from_slice(&response.body).map_err(|error| {
        let text = redaction.bytes(&response.body);
        let start: String = String::from_utf8_lossy(&text).chars().take(60).collect();
        format!("the body is not JSON ({error}): {start:?}")
    })
}

#[cfg(test)]
mod tests;
