//! Requests and responses as reports show them: readable and without secrets.

use http::Version;

use super::run_event::{
    AttemptEnded, BodyRecord, ConnectionRecord, ResponseRecord, SentRequestRecord, TimingsRecord,
};
use crate::delivery::Attempt;
use crate::probe::{REDACTED, Redaction};
use crate::transport::{Exchange, Failure, Response};

/// Replaces the value of a header that is a credential.
const REDACTED_CREDENTIAL: &str = "[not shown]";

impl SentRequestRecord {
    /// Whether the record has the complete request, with nothing redacted.
    pub fn is_complete(&self) -> bool {
        let hides = |text: &str| text.contains(REDACTED);
        let header_hides = |(name, value): &(String, String)| {
            value == REDACTED_CREDENTIAL || hides(name) || hides(value)
        };
        let body = self.body.bytes();
        let body_hides = body.is_none_or(|body| hides(&String::from_utf8_lossy(&body)));
        !self.body.truncated
            && !body_hides
            && !hides(&self.url)
            && !self.headers.iter().any(header_hides)
    }
}

/// The location of an attempt in a run: the numbers of its scenario, step and delivery, from 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AttemptLocation {
    /// The scenario's number.
    pub scenario: usize,
    /// The step's number in the scenario.
    pub step: usize,
    /// The delivery's number in the step.
    pub delivery: usize,
}

/// The record of a delivery's attempt.
pub fn attempt_record(
    location: AttemptLocation,
    event_name: &str,
    attempt: &Attempt,
    redaction: &Redaction,
) -> AttemptEnded {
    let discarded = attempt.exchange.discarded.as_ref();
    AttemptEnded {
        scenario: location.scenario,
        step: location.step,
        delivery: location.delivery,
        event_name: Some(event_name.to_owned()),
        forgery: attempt.forgery.map(|forgery| forgery.name().into()),
        fault: attempt.fault.map(|fault| fault.name().into()),
        attempt: attempt.number,
        started_at: attempt.started_at,
        virtual_offset: attempt.virtual_offset,
        delay_before: attempt.delay_before,
        took: attempt.exchange.timings.without_barrier_wait(),
        timings: timings_record(&attempt.exchange),
        connection: connection_record(&attempt.exchange),
        request: request_record(&attempt.exchange, redaction),
        response: response_record(&attempt.exchange.result, redaction),
        discarded_response: discarded
            .map(|discarded| Box::new(response_record(discarded, redaction))),
    }
}

/// The timings of an exchange.
pub(crate) fn timings_record(exchange: &Exchange) -> TimingsRecord {
    let timings = exchange.timings;
    TimingsRecord {
        connect: timings.connect,
        first_byte: timings.first_byte,
        held: timings.barrier_wait,
    }
}

/// The connection of an exchange, if there was one.
pub(crate) fn connection_record(exchange: &Exchange) -> Option<ConnectionRecord> {
    let connection = exchange.connection?;
    let http_version = match connection.version {
        Version::HTTP_09 => "HTTP/0.9",
        Version::HTTP_10 => "HTTP/1.0",
        Version::HTTP_2 => "HTTP/2",
        Version::HTTP_3 => "HTTP/3",
        _ => "HTTP/1.1",
    };
    Some(ConnectionRecord {
        reused: connection.reused,
        http_version: http_version.into(),
        remote_address: connection.remote,
        in_place_of_closed: connection.replaces.map(|closed| closed.name().into()),
    })
}

/// The request as it was sent, with the scenario's credentials redacted.
pub(crate) fn request_record(exchange: &Exchange, redaction: &Redaction) -> SentRequestRecord {
    let request = &exchange.request;
    let headers = request.headers.iter().map(|(name, value)| {
        let shown = if value.is_sensitive() {
            REDACTED_CREDENTIAL.to_owned()
        } else {
            redaction
                .text(&String::from_utf8_lossy(value.as_bytes()))
                .into_owned()
        };
        (name.clone(), shown)
    });
    let body = redaction.bytes(&request.body);
    SentRequestRecord {
        method: request.method.to_string(),
        url: redaction.text(&request.url).into_owned(),
        headers: headers.collect(),
        body: BodyRecord::new(&body, request.body.len() as u64, false),
    }
}

/// The response, or why there was none.
pub fn response_record(
    result: &Result<Response, Failure>,
    redaction: &Redaction,
) -> ResponseRecord {
    match result {
        Ok(response) => {
            let response = redaction.response(response);
            let headers = response.headers.iter();
            let text = |value: &Vec<u8>| String::from_utf8_lossy(value).into_owned();
            ResponseRecord::Response {
                status: response.status,
                headers: headers
                    .map(|(name, value)| (name.clone(), text(value)))
                    .collect(),
                body: BodyRecord::new(
                    &response.body,
                    response.body_length,
                    response.truncated || !response.complete,
                ),
            }
        }
        Err(failure) => ResponseRecord::Failure {
            name: failure.name().into(),
            message: redaction.text(&failure.to_string()).into_owned(),
            hint: failure.hint().into(),
        },
    }
}
