//! The connection and the event ID of a retry, and the delay that a receiver asks for.

use super::faults::{NOW, delivered_by, offsets};
use super::server::{Server, ServerAction};
use super::*;
use crate::policy::{ConnectionChoice, DurationText, EventIdOnRetry, RetryAfter, RetryPolicy};
use crate::protocol::{Secret, Signer};

#[tokio::test]
async fn a_retry_uses_the_connection_that_the_policy_selects() {
    for (connection, expected) in [
        (ConnectionChoice::Reuse, [0, 0, 0]),
        (ConnectionChoice::New, [0, 1, 2]),
    ] {
        let server = Server::with_actions([503, 503, 200].map(ServerAction::status)).await;
        let policy = RetryPolicy {
            connection,
            ..RetryPolicy::default()
        };
        delivered_by(&client(), &server.target, &policy, |_| {}).await;
        assert_eq!(server.connections(), expected);
    }
}

#[tokio::test]
async fn a_retry_can_have_a_fresh_event_id() {
    for resign in [true, false] {
        let server = Server::with_actions([503, 503, 200].map(ServerAction::status)).await;
        let policy = RetryPolicy {
            event_id: EventIdOnRetry::Fresh,
            resign,
            ..RetryPolicy::default()
        };
        let delivery = delivered_by(&client(), &server.target, &policy, |_| {}).await;
        let signer = Signer::new(&Secret::new("whsec_test_1").expect("not empty"));
        let mut ids = Vec::new();
        for attempt in &delivery.attempts {
            let request = &attempt.exchange.request;
            let event: serde_json::Value = serde_json::from_slice(&request.body).expect("JSON");
            assert_eq!(event["idempotency_key"], "idmpt_1");
            ids.push(event["event_id"].as_str().expect("text").to_owned());
            let expected = signer.sign(NOW, &request.body).to_string();
            let has_own = request.headers.iter().any(|(_, value)| *value == *expected);
            assert!(has_own, "each body has its own signature");
        }
        assert_eq!(ids[0], "whevt_first");
        ids.sort();
        ids.dedup();
        assert_eq!(ids.len(), 3);
    }
}

#[tokio::test]
async fn a_retry_after_delays_the_retry() {
    let busy = |retry_after: &str| {
        let head = format!("HTTP/1.1 503 Busy\r\nRetry-After: {retry_after}\r\n");
        ServerAction::Respond(format!("{head}Content-Length: 0\r\n\r\n").into_bytes())
    };
    // A date 60 s after the clock's time, then more than the maximum, then less than the policy's
    // delay.
    let actions = || {
        [
            busy("Thu, 05 Sep 2024 15:01:50 GMT"),
            busy("86400"),
            busy("1"),
            ServerAction::status(200),
        ]
    };
    let max = DurationText(Duration::from_mins(10));
    for (retry_after, expected) in [
        (RetryAfter::UpTo(max), [0, 60, 660, 690]),
        (RetryAfter::Ignored, [0, 1, 6, 36]),
    ] {
        let server = Server::with_actions(actions()).await;
        let policy = RetryPolicy {
            retry_after,
            ..RetryPolicy::default()
        };
        let delivery = delivered_by(&client(), &server.target, &policy, |_| {}).await;
        assert_eq!(offsets(&delivery), expected, "{retry_after:?}");
    }
}
