//! Checks whether a response meets a step's expectations, with pure functions.

use std::cell::OnceCell;
use std::fmt;
use std::path::Path;
use std::time::Duration;

use serde_json::Value;

use super::verdict::{Check, Requirement, Verdict};
use crate::policy::{DurationText, Outcome};
use crate::probe::Redaction;
use crate::scenario::{CountRange, Expectation, JsonPath, Level, Matcher, StatusExpectation};
use crate::scenario::{equal, mismatch, shortened};
use crate::transport::{Failure, Response};

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

#[derive(Debug)]
pub(crate) struct PreparedExpectation {
    pub expectation: Expectation,
    /// The JSON Schema of the body, compiled.
    pub schema: Option<jsonschema::Validator>,
    pub requirement: Requirement,
}

/// One part of an expectation, which is checked by itself.
enum Part<'expectation> {
    Status(&'expectation StatusExpectation),
    Header(&'expectation str, &'expectation Matcher),
    Body(&'expectation JsonPath, &'expectation Matcher),
    Schema(&'expectation Path),
    Within(DurationText),
    Attempts(CountRange),
    Outcome(Outcome),
    SameResponse(bool),
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
        parts.extend(status.as_ref().map(Part::Status));
        let headers = headers.iter();
        parts.extend(headers.map(|(name, matcher)| Part::Header(name, matcher)));
        let body = body.iter();
        parts.extend(body.map(|(path, matcher)| Part::Body(path, matcher)));
        parts.extend(schema.as_ref().map(|file| Part::Schema(file)));
        parts.extend(within.map(Part::Within));
        parts.extend(attempts.map(Part::Attempts));
        parts.extend(outcome.map(Part::Outcome));
        parts.extend(same_response.map(Part::SameResponse));
        parts
    }
}

impl Part<'_> {
    fn subject(&self) -> String {
        match self {
            Self::Status(_) => "status".to_owned(),
            Self::Header(name, _) => format!("header {name}"),
            Self::Body(path, _) => format!("body {path}"),
            Self::Schema(file) => format!("schema {}", file.display()),
            Self::Within(_) => "within".to_owned(),
            Self::Attempts(_) => "attempts".to_owned(),
            Self::Outcome(_) => "outcome".to_owned(),
            Self::SameResponse(_) => "same response".to_owned(),
        }
    }
}

/// What is expected.
impl fmt::Display for Part<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Status(status) => status.fmt(formatter),
            Self::Header(_, matcher) | Self::Body(_, matcher) => matcher.fmt(formatter),
            Self::Schema(_) => formatter.write_str(MATCHES_SCHEMA),
            Self::Within(within) => write!(formatter, "at most {within}"),
            Self::Attempts(range) => range.fmt(formatter),
            Self::Outcome(outcome) => outcome.fmt(formatter),
            Self::SameResponse(true) => formatter.write_str(SAME_RESPONSE),
            Self::SameResponse(false) => formatter.write_str("different from the first response"),
        }
    }
}

const MATCHES_SCHEMA: &str = "the body matches the schema";
const SAME_RESPONSE: &str = "same as the first response";

/// Describes the expectations, one line for each check.
pub(crate) fn describe_expectations(expected: &PreparedExpectation) -> Vec<String> {
    let level = match expected.requirement.level {
        Level::Should => " (should)",
        Level::Must => "",
    };
    let line = |part: Part<'_>| match part {
        Part::Schema(_) => format!("{}{level}", part.subject()),
        _ => format!("{}: {part}{level}", part.subject()),
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
        expected,
        observed,
        redaction,
        body: OnceCell::new(),
    };
    let check = |part: Part<'_>| {
        let (passed, seen) = judge.judge(&part)?;
        let seen = redaction.text(&seen);
        let requirement = &expected.requirement;
        let mut check = requirement.checked(passed, part.subject(), part.to_string(), seen);
        if let Err(Failure::LocalLimit { .. }) = observed.response {
            // This machine could not send the request, so the receiver is not to blame.
            check.verdict = Verdict::Broken;
        }
        Some(check)
    };
    expected.parts().into_iter().filter_map(check).collect()
}

/// Judges one response.
struct ResponseJudge<'run> {
    expected: &'run PreparedExpectation,
    observed: &'run Observed<'run>,
    redaction: &'run Redaction,
    body: OnceCell<Result<Value, UnreadableBody>>,
}

impl ResponseJudge<'_> {
    /// The body as JSON, or why it can't be parsed.
    fn body(&self) -> Result<&Value, (bool, String)> {
        let body = self.body.get_or_init(|| match self.observed.response {
            Ok(response) => json_body(response, self.redaction),
            Err(failure) => Err(UnreadableBody::NoResponse(no_response(failure).1)),
        });
        body.as_ref().map_err(|error| (false, error.to_string()))
    }

    /// Whether a part is as expected, and what was observed. `None` if the part does not apply.
    fn judge(&self, part: &Part<'_>) -> Option<(bool, String)> {
        let observed = self.observed;
        Some(match part {
            Part::Status(status) => match observed.response {
                Ok(response) => (status.allows(response.status), response.status.to_string()),
                Err(failure) => no_response(failure),
            },
            Part::Header(name, matcher) => match observed.response {
                Ok(response) => {
                    let headers = response.headers.iter();
                    let values: Vec<Value> = headers
                        .filter(|(header, _)| header.eq_ignore_ascii_case(name))
                        .map(|(_, value)| String::from_utf8_lossy(value).into())
                        .collect();
                    self.match_values(matcher, &values.iter().collect::<Vec<_>>())
                }
                Err(failure) => no_response(failure),
            },
            Part::Body(path, matcher) => match self.body() {
                Ok(body) => self.match_values(matcher, &path.query(body)),
                Err(unread) => unread,
            },
            Part::Schema(_) => match self.body() {
                Ok(body) => match_schema(self.expected.schema.as_ref()?, body),
                Err(unread) => unread,
            },
            Part::Within(within) => match observed.response {
                Ok(_) => (observed.took <= within.0, format!("{:.1?}", observed.took)),
                Err(failure) => no_response(failure),
            },
            Part::Attempts(range) => (
                range.contains(observed.attempts.into()),
                observed.attempts.to_string(),
            ),
            Part::Outcome(wanted) => {
                let outcome = observed.outcome?;
                (*wanted == outcome, outcome.to_string())
            }
            // The first response itself is not checked.
            Part::SameResponse(wanted) => {
                let first = observed.first_response?;
                let difference = match observed.response {
                    Ok(response) => self.difference(first, response),
                    Err(failure) => Some(no_response(failure).1),
                };
                let passed = difference.is_none() == *wanted;
                (
                    passed,
                    difference.unwrap_or_else(|| SAME_RESPONSE.to_owned()),
                )
            }
        })
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
        if first.status != response.status {
            return Some(format!(
                "status {} instead of {}",
                response.status, first.status
            ));
        }
        let content_type = |response: &Response| {
            let value = response.header("content-type")?;
            Some(String::from_utf8_lossy(value).into_owned())
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
                self.shown(&after),
                self.shown(&before)
            )),
            _ => Some("different body".to_owned()),
        }
    }
}

fn no_response(failure: &Failure) -> (bool, String) {
    (false, format!("no response: {failure}"))
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

/// Why a body can't be checked, without secrets.
#[derive(Debug, thiserror::Error)]
enum UnreadableBody {
    #[error("{0}")]
    NoResponse(String),
    #[error("the body is too long to check: {0} bytes")]
    TooLong(u64),
    #[error("the body is empty")]
    Empty,
    #[error("the body has the unsupported content encoding {0:?}")]
    Encoding(String),
    #[error("the body is not JSON ({error}): {start:?}")]
    NotJson {
        error: serde_json::Error,
        start: String,
    },
}

fn json_body(response: &Response, redaction: &Redaction) -> Result<Value, UnreadableBody> {
    if response.truncated {
        return Err(UnreadableBody::TooLong(response.body_length));
    }
    if response.body.is_empty() {
        return Err(UnreadableBody::Empty);
    }
    serde_json::from_slice(&response.body).map_err(|error| {
        if let Some(coding) = unsupported_coding(response) {
            return UnreadableBody::Encoding(redaction.text(&coding).into_owned());
        }
        let text = redaction.bytes(&response.body);
        let text = String::from_utf8_lossy(&text);
        let start = text.chars().take(60).collect();
        UnreadableBody::NotJson { error, start }
    })
}

/// The content encoding of a body that could not be decoded.
fn unsupported_coding(response: &Response) -> Option<String> {
    let coding = String::from_utf8_lossy(response.header("content-encoding")?);
    let is_text = std::str::from_utf8(&response.body).is_ok();
    (!is_text).then(|| coding.into_owned())
}

#[cfg(test)]
mod tests;
