//! Deliveries whose retries follow their policy, and the same deliveries with one deviation.

use std::time::Duration;

use http::{HeaderValue, Method, Version};

use super::*;
use crate::delivery::Outcome;
use crate::policy::{LateRetry, WireForm};
use crate::transport::{ConnectionInfo, Exchange, Response, SentRequest, Timings};

fn body(event_id: &str) -> Bytes {
    format!(r#"{{"event_id":"{event_id}","idempotency_key":"k"}}"#).into()
}

fn attempt(number: u32, status: u16) -> Attempt {
    let response = Response {
        status,
        headers: Vec::new(),
        body: Bytes::new(),
        body_length: 0,
        encoded: false,
        truncated: false,
        complete: true,
    };
    let signature = ("X-Aghanim-Signature".to_owned(), HeaderValue::from(5));
    let info = ConnectionInfo {
        reused: false,
        version: Version::HTTP_11,
        remote: Some(([127, 0, 0, 1], 80).into()),
        replaces: None,
    };
    Attempt {
        number,
        started_at: jiff::Timestamp::UNIX_EPOCH,
        virtual_offset: Duration::ZERO,
        delay_before: Duration::ZERO,
        exchange: Exchange {
            request: SentRequest {
                method: Method::POST,
                url: "http://127.0.0.1/".to_owned(),
                headers: vec![signature],
                body: body("first"),
                wire: WireForm::default(),
            },
            result: Ok(response),
            discarded: None,
            timings: Timings::default(),
            connection: Some(info),
        },
        signed_timestamp: 7,
        forgery: None,
        fault: None,
        ended_at: 9,
    }
}

/// Two 503 responses and then a success.
fn compliant() -> Delivery {
    let attempts = (1..).zip([503, 503, 200]);
    Delivery {
        attempts: attempts
            .map(|(number, status)| attempt(number, status))
            .collect(),
        outcome: Outcome::Delivered,
    }
}

fn found(policy: &RetryPolicy, delivery: &Delivery) -> String {
    policy_deviations(policy, delivery).join("; ")
}

#[test]
fn a_compliant_delivery_has_no_deviations() {
    let policy = RetryPolicy::default();
    assert_eq!(found(&policy, &compliant()), "");
    assert_eq!(check_retry_policy(&policy, &compliant()), None);
}

#[test]
fn each_deviation_is_found_and_makes_the_check_broken() {
    type Change = fn(&mut Delivery);
    let changes: [(Change, &str); 2] = [
        (
            |it| it.attempts[1].exchange.request.body = body("other"),
            "attempt 2 has a different body than the first",
        ),
        (
            |it| it.attempts[2].exchange.request.body = Bytes::new(),
            "attempt 3 has a different body than the first",
        ),
    ];
    let policy = RetryPolicy::default();
    for (change, expected) in changes {
        let mut wrong = compliant();
        change(&mut wrong);
        let found = found(&policy, &wrong);
        assert!(found.contains(expected), "{expected}: {found}");
        let check = check_retry_policy(&policy, &wrong).expect("a check");
        assert_eq!(check.verdict, crate::verify::verdict::Verdict::Broken);
    }
}

#[test]
fn the_first_signature_is_repeated_if_the_policy_says_so() {
    let policy = RetryPolicy {
        resign: false,
        ..RetryPolicy::default()
    };
    assert_eq!(found(&policy, &compliant()), "");
    let mut changed = compliant();
    changed.attempts[1].signed_timestamp += 1;
    changed.attempts[2].exchange.request.headers[0].1 = HeaderValue::from(6);
    assert_eq!(found(&RetryPolicy::default(), &changed), "");
    let found = found(&policy, &changed);
    assert_eq!(
        found,
        "attempt 2 has a different timestamp; attempt 3 has a different signature"
    );
}

#[test]
fn event_ids_and_connections_are_fresh_if_the_policy_says_so() {
    let policy = RetryPolicy {
        event_id: EventIdOnRetry::Fresh,
        connection: ConnectionChoice::New,
        ..RetryPolicy::default()
    };
    let mut fresh = compliant();
    fresh.attempts[1].exchange.request.body = body("second");
    fresh.attempts[2].exchange.request.body = body("third");
    assert_eq!(found(&policy, &fresh), "");

    let deviations = found(&policy, &compliant());
    assert!(
        deviations.contains("attempt 2 has no fresh event ID"),
        "{deviations}"
    );
    fresh.attempts[2].exchange.request.body = body("second");
    let deviations = found(&policy, &fresh);
    assert_eq!(deviations, "attempt 3 has no fresh event ID");
    let other_key = r#"{"event_id":"third","idempotency_key":"l"}"#;
    fresh.attempts[2].exchange.request.body = other_key.into();
    let deviations = found(&policy, &fresh);
    assert!(deviations.contains("differs from the first in more than the event ID"));

    let mut old = compliant();
    old.attempts[1].exchange.request.body = body("second");
    old.attempts[2].exchange.request.body = body("third");
    if let Some(used) = &mut old.attempts[1].exchange.connection {
        used.reused = true;
    }
    assert_eq!(found(&policy, &old), "attempt 2 reused a connection");
}

#[test]
fn a_late_retry_is_not_signed_later_than_the_first_attempt() {
    let mut late = compliant();
    late.attempts[0].fault = Some(Fault::LateRetry(LateRetry::default()));
    late.attempts[1].signed_timestamp = 1;
    assert_eq!(found(&RetryPolicy::default(), &late), "");
    late.attempts[1].signed_timestamp = 8;
    assert_eq!(
        found(&RetryPolicy::default(), &late),
        "attempt 2 is signed later than the first"
    );
}
