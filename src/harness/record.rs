//! What was sent and answered, as reports know it: readable, and without the secret.

use super::redaction::Redaction;
use super::run_event::{AnswerRecord, AttemptEnded, BodyRecord, RequestRecord};
use crate::delivery::{Attempt, Exchange, Failure, Response};
use crate::scenario::{Fault, Forgery};

/// Which attempt of a run is meant: the numbers of its scenario, step and delivery, from 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AttemptPlace {
    /// The scenario's number.
    pub scenario: usize,
    /// The step's number in the scenario.
    pub step: usize,
    /// The delivery's number in the step.
    pub delivery: usize,
}

/// An attempt of a delivery, as reports know it.
pub fn attempt_record(
    place: AttemptPlace,
    event_name: &str,
    attempt: &Attempt,
    redaction: &Redaction,
) -> AttemptEnded {
    let unheard = attempt.exchange.unheard.as_ref();
    AttemptEnded {
        scenario: place.scenario,
        step: place.step,
        delivery: place.delivery,
        event_name: Some(event_name.to_owned()),
        forgery: attempt.forgery.map(Forgery::name),
        fault: attempt.fault.map(Fault::name),
        attempt: attempt.number,
        virtual_offset: attempt.virtual_offset,
        took: attempt.exchange.timings.without_gate(),
        request: request_record(&attempt.exchange, redaction),
        answer: answer_record(&attempt.exchange.result, redaction),
        unheard_answer: unheard.map(|unheard| Box::new(answer_record(unheard, redaction))),
    }
}

/// The request as it was sent. A credential that a scenario sends is not shown.
pub(super) fn request_record(exchange: &Exchange, redaction: &Redaction) -> RequestRecord {
    let request = &exchange.request;
    let headers = request.headers.iter().map(|(name, value)| {
        let shown = if value.is_sensitive() {
            "[not shown]".to_owned()
        } else {
            redaction
                .text(&String::from_utf8_lossy(value.as_bytes()))
                .into_owned()
        };
        (name.clone(), shown)
    });
    let body = redaction.bytes(&request.body);
    RequestRecord {
        method: request.method.to_string(),
        url: redaction.text(&request.url).into_owned(),
        headers: headers.collect(),
        body: BodyRecord::new(&body, request.body.len() as u64, false),
    }
}

/// What came back, or why nothing did.
pub(super) fn answer_record(
    result: &Result<Response, Failure>,
    redaction: &Redaction,
) -> AnswerRecord {
    match result {
        Ok(response) => {
            let headers = response.headers.iter().map(|(name, value)| {
                let value = redaction.bytes(value);
                (name.clone(), String::from_utf8_lossy(&value).into_owned())
            });
            AnswerRecord::Response {
                status: response.status,
                headers: headers.collect(),
                body: BodyRecord::new(
                    &redaction.bytes(&response.body),
                    response.body_length,
                    response.truncated || !response.complete,
                ),
            }
        }
        Err(failure) => AnswerRecord::Failure {
            name: failure.name(),
            message: redaction.text(&failure.to_string()).into_owned(),
            hint: failure.hint(),
        },
    }
}
