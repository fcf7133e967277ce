//! Requests and responses as reports show them: readable and without secrets.

use std::time::Duration;

use http::Version;
use jiff::Timestamp;

use super::run_event::{
    AttemptEnded, BodyRecord, ConnectionRecord, ResponseRecord, SentRequestRecord, TimingsRecord,
};
use crate::delivery::Attempt;
use crate::probe::{REDACTED, Redaction};
use crate::transport::{ConnectionInfo, Exchange, Failure, Response, SentRequest};

const REDACTED_CREDENTIAL: &str = "[not shown]";

impl SentRequestRecord {
    /// Whether it has credentials, such as the profile's `headers`.
    pub(crate) fn has_credentials(&self) -> bool {
        self.credential_names().next().is_some()
    }

    /// The names of the headers that are credentials.
    pub(crate) fn credential_names(&self) -> impl Iterator<Item = &str> {
        let headers = self.headers.iter();
        let credentials = headers.filter(|(_, value)| value == REDACTED_CREDENTIAL);
        credentials.map(|(name, _)| name.as_str())
    }

    /// Whether the record has the complete request, with nothing redacted, apart from headers that
    /// are replaced.
    pub fn is_complete(&self, is_replaced: impl Fn(&str) -> bool) -> bool {
        let hides = |text: &str| text.contains(REDACTED);
        let header_hides = |(name, value): &(String, String)| {
            let is_hidden = value == REDACTED_CREDENTIAL || hides(name) || hides(value);
            is_hidden && !is_replaced(name)
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
pub(crate) struct AttemptLocation {
    pub scenario: usize,
    pub step: usize,
    pub delivery: usize,
}

pub(crate) fn attempt_record(
    location: AttemptLocation,
    event_name: &str,
    attempt: &Attempt,
    redaction: &Redaction,
) -> AttemptEnded {
    AttemptEnded {
        event_name: Some(event_name.to_owned()),
        forgery: attempt.forgery.map(|forgery| forgery.name().into()),
        fault: attempt.fault.map(|fault| fault.name().into()),
        attempt: attempt.number,
        virtual_offset: attempt.virtual_offset,
        delay_before: attempt.delay_before,
        ..request_record(location, attempt.started_at, &attempt.exchange, redaction)
    }
}

/// The record of a request that is not a delivery.
pub(crate) fn request_record(
    location: AttemptLocation,
    started_at: Timestamp,
    exchange: &Exchange,
    redaction: &Redaction,
) -> AttemptEnded {
    let discarded = exchange.discarded.as_ref();
    let discarded = discarded.map(|discarded| Box::new(response_record(discarded, redaction)));
    AttemptEnded {
        scenario: location.scenario,
        step: location.step,
        delivery: location.delivery,
        event_name: None,
        forgery: None,
        fault: None,
        attempt: 1,
        started_at,
        virtual_offset: Duration::ZERO,
        delay_before: Duration::ZERO,
        took: exchange.timings.without_barrier_wait(),
        timings: TimingsRecord {
            connect: exchange.timings.connect,
            first_byte: exchange.timings.first_byte,
            held: exchange.timings.barrier_wait,
        },
        connection: exchange.connection.as_ref().map(connection_record),
        request: sent_request_record(&exchange.request, redaction),
        response: response_record(&exchange.result, redaction),
        discarded_response: discarded,
    }
}

fn connection_record(connection: &ConnectionInfo) -> ConnectionRecord {
    let http_version = match connection.version {
        Version::HTTP_2 => "HTTP/2",
        _ => "HTTP/1.1",
    };
    ConnectionRecord {
        reused: connection.reused,
        http_version: http_version.into(),
        remote_address: connection.remote,
        in_place_of_closed: connection.replaces.map(|closed| closed.name().into()),
    }
}

fn sent_request_record(request: &SentRequest, redaction: &Redaction) -> SentRequestRecord {
    let headers = request.headers.iter().map(|(name, value)| {
        let shown = if value.is_sensitive() {
            REDACTED_CREDENTIAL.to_owned()
        } else {
            let value = String::from_utf8_lossy(value.as_bytes());
            redaction.text(&value).into_owned()
        };
        (name.clone(), shown)
    });
    SentRequestRecord {
        method: request.method.to_string(),
        url: redaction.text(&request.url).into_owned(),
        headers: headers.collect(),
        body: BodyRecord::new(
            &redaction.bytes(&request.body),
            request.body.len() as u64,
            false,
        ),
        wire: (!request.wire.is_documented()).then(|| request.wire.clone()),
    }
}

pub(crate) fn response_record(
    result: &Result<Response, Failure>,
    redaction: &Redaction,
) -> ResponseRecord {
    match result {
        Ok(response) => {
            let headers = response.headers.iter().map(|(name, value)| {
                let value = redaction.bytes(value);
                let value = String::from_utf8_lossy(&value).into_owned();
                (redaction.text(name).into_owned(), value)
            });
            ResponseRecord::Response {
                status: response.status,
                headers: headers.collect(),
                body: BodyRecord::new(
                    &response.shown_body(|bytes| redaction.bytes(bytes).into_owned()),
                    response.body_length,
                    response.truncated || response.encoded || !response.complete,
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

#[cfg(test)]
mod tests {
    use super::*;

    /// A secret can't be found in it, but whoever reads the report could decode it.
    #[test]
    fn a_body_that_could_not_be_decoded_is_not_recorded() {
        let response = Response {
            status: 200,
            headers: vec![("content-encoding".to_owned(), b"br".to_vec())],
            body: vec![0x8b, 0xff].into(),
            body_length: 2,
            encoded: true,
            truncated: false,
            complete: true,
        };
        let record = response_record(&Ok(response), &Redaction::new([]));
        let ResponseRecord::Response { body, .. } = record else {
            panic!("{record:?}");
        };
        assert_eq!(
            body,
            BodyRecord::new(b"(br, 2 bytes, not decoded)", 2, true)
        );
    }
}
