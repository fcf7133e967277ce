//! Turns exchanges into recorded deliveries: checks the signature, marks retries, and redacts.

use std::collections::HashMap;

use jiff::Timestamp;
use sha2::{Digest as _, Sha256};

use super::exchange::{Exchange, ExchangeTimings, RawRequest};
use super::recorded_delivery::{
    PreviousAttempt, RecordedDelivery, RecordedTimings, SignatureCheck,
};
use super::redaction::Redactor;
use crate::probe::Redaction;
use crate::protocol::{SIGNATURE_HEADER, Secret, Signer, TIMESTAMP_HEADER};

pub(crate) struct Recorder {
    redactor: Redactor,
    signer: Option<Signer>,
    /// The last delivery of each event type and idempotency key, by their hash.
    latest: HashMap<[u8; 32], Latest>,
}

#[derive(Debug, Clone, Copy)]
struct Latest {
    attempt: u64,
    ended: Option<Timestamp>,
    status: Option<u16>,
}

impl Recorder {
    /// With the secret, signatures are checked.
    pub(crate) fn new(secret: Option<&Secret>) -> Result<Self, getrandom::Error> {
        let mut key = [0; 32];
        getrandom::fill(&mut key)?;
        Ok(Self {
            redactor: Redactor::new(&key, Redaction::new(secret.cloned())),
            signer: secret.map(Signer::new),
            latest: HashMap::new(),
        })
    }

    /// Records an exchange. Those of a key must come in the order in which they ended.
    pub(crate) fn record(&mut self, exchange: &Exchange) -> RecordedDelivery {
        let (request, response) = self
            .redactor
            .exchange(&exchange.request, exchange.response.as_ref());
        let mut delivery = RecordedDelivery {
            capture: RecordedDelivery::FORMAT,
            at: exchange.at,
            attempt: 1,
            previous: None,
            request,
            signature: self.check_signature(&exchange.request),
            response,
            failure: exchange.failure.map(|failure| failure.to_string()),
            timings: exchange.timings.map(RecordedTimings::from),
        };
        if let Some(key) = retry_key(&exchange.request) {
            self.mark(key, &mut delivery);
        }
        delivery
    }

    fn mark(&mut self, key: [u8; 32], delivery: &mut RecordedDelivery) {
        if let Some(latest) = self.latest.get(&key) {
            let ago = delivery.at.zip(latest.ended).map(|(at, ended)| {
                // Deliveries at the same time overlap.
                u64::try_from(at.duration_since(ended).as_micros()).unwrap_or(0)
            });
            delivery.attempt = latest.attempt + 1;
            delivery.previous = Some(PreviousAttempt {
                ago_us: ago,
                status: latest.status,
            });
        }
        let latest = Latest {
            attempt: delivery.attempt,
            ended: delivery.ended(),
            status: delivery.response.as_ref().map(|response| response.status),
        };
        self.latest.insert(key, latest);
    }

    fn check_signature(&self, request: &RawRequest) -> SignatureCheck {
        let signature = request.header(SIGNATURE_HEADER);
        let timestamp = request.header(TIMESTAMP_HEADER);
        let (Some(signature), Some(timestamp)) = (signature, timestamp) else {
            return SignatureCheck::Missing;
        };
        let Some(signer) = self.signer.as_ref().filter(|_| request.body.is_whole()) else {
            return SignatureCheck::NotChecked;
        };
        let (timestamp, signature) = (timestamp.as_bytes(), signature.as_bytes());
        match signer.verify(timestamp, &request.body.kept, signature) {
            Ok(()) => SignatureCheck::Matches,
            Err(_) => SignatureCheck::Differs,
        }
    }
}

/// What deliveries of one event type with one idempotency key share.
fn retry_key(request: &RawRequest) -> Option<[u8; 32]> {
    let event = request.event()?;
    let text = |name: &str| event[name].as_str();
    let key = (text("event_type")?, text("idempotency_key")?);
    Some(Sha256::digest(format!("{key:?}")).into())
}

impl From<ExchangeTimings> for RecordedTimings {
    fn from(timings: ExchangeTimings) -> Self {
        let microseconds =
            |duration: std::time::Duration| u64::try_from(duration.as_micros()).unwrap_or(u64::MAX);
        Self {
            request_end_us: microseconds(timings.request_end),
            response_begin_us: timings.response_begin.map(microseconds),
            end_us: microseconds(timings.end),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use serde_json::json;

    use super::*;
    use crate::capture::exchange::{ExchangeFailure, RawBody, RawResponse};

    const SECRET: &str = "whsec_recorder";

    fn exchange(at: &str, key: &str, status: Option<u16>) -> Exchange {
        let body = json!({ "event_type": "coupon.redeemed", "idempotency_key": key }).to_string();
        let secret = Secret::new(SECRET).expect("a secret");
        let signature = Signer::new(&secret).sign(7, body.as_bytes()).to_string();
        let header = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        Exchange {
            at: Some(at.parse().expect("a time")),
            request: RawRequest {
                method: "POST".to_owned(),
                path: "/".to_owned(),
                version: Some("1.1".to_owned()),
                headers: vec![
                    header(SIGNATURE_HEADER, &signature),
                    header(TIMESTAMP_HEADER, "7"),
                ],
                body: RawBody::whole(body),
                is_chunked: false,
            },
            response: status.map(|status| RawResponse {
                status,
                headers: Vec::new(),
                body: RawBody::default(),
            }),
            failure: status.is_none().then_some(ExchangeFailure::ReceiverClosed),
            timings: Some(ExchangeTimings {
                request_end: Duration::from_millis(1),
                response_begin: None,
                end: Duration::from_millis(500),
            }),
        }
    }

    fn recorder(secret: &str) -> Recorder {
        Recorder::new(Some(&Secret::new(secret).expect("a secret"))).expect("randomness")
    }

    #[test]
    fn retries_of_a_key_are_marked() {
        let mut recorder = recorder(SECRET);
        let mut marks = Vec::new();
        for (at, key, status) in [
            ("2026-11-30T23:04:10Z", "a", Some(503)),
            ("2026-11-30T23:04:10Z", "b", Some(200)),
            ("2026-11-30T23:04:11.5Z", "a", None),
            ("2026-11-30T23:04:20Z", "a", Some(200)),
        ] {
            let delivery = recorder.record(&exchange(at, key, status));
            let previous = delivery.previous;
            marks.push((
                delivery.attempt,
                previous.map(|previous| (previous.ago_us, previous.status)),
            ));
        }
        let expected = [
            (1, None),
            (1, None),
            (2, Some((Some(1_000_000), Some(503)))),
            (3, Some((Some(8_000_000), None))),
        ];
        assert_eq!(marks, expected);
    }

    #[test]
    fn the_signature_is_checked_and_not_kept() {
        let exchange = exchange("2026-11-30T23:04:10Z", "a", Some(200));
        let recorded = recorder(SECRET).record(&exchange);
        assert_eq!(recorded.signature, SignatureCheck::Matches);
        let signature = exchange.request.header(SIGNATURE_HEADER).expect("signed");
        let line = serde_json::to_string(&recorded).expect("JSON");
        assert!(!line.contains(signature), "{line}");
        let other = recorder("another").record(&exchange);
        assert_eq!(other.signature, SignatureCheck::Differs);
        let unknown = Recorder::new(None).expect("randomness").record(&exchange);
        assert_eq!(unknown.signature, SignatureCheck::NotChecked);
    }
}
