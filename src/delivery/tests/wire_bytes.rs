//! The bytes of a delivery, as a receiver reads them from the socket.

use bytes::Bytes;
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;

use super::server::{Server, ServerAction};
use super::*;
use crate::policy::{Forgery, RetryPolicy};
use crate::protocol::{Secret, Signer};

const NOW: u64 = 1_725_548_450;

async fn delivered(server: &Server, body: &[u8], forgery: Option<Forgery>) -> Delivery {
    delivered_by(server, body, |plan| plan.forgery = forgery).await
}

async fn delivered_by(
    server: &Server,
    body: &[u8],
    change: impl FnOnce(&mut DeliveryPlan<'_>),
) -> Delivery {
    let signer = Signer::new(&Secret::new("whsec_test_1").expect("not empty"));
    let (client, clock) = (client(), Clock::fixed(NOW));
    let sender = Sender {
        client: &client,
        clock: &clock,
        signer: &signer,
        expired: None,
        timestamps: &TimestampAllocator::default(),
        headers: &ExtraHeaders::default(),
        rate_limit: None,
    };
    let policy = RetryPolicy::default();
    let mut plan = DeliveryPlan::new(&server.target, Bytes::copy_from_slice(body), &policy);
    change(&mut plan);
    deliver(sender, plan, &mut ChaCha8Rng::seed_from_u64(1), |_| {}).await
}

#[tokio::test]
async fn a_delivery_matches_the_source_example_exactly() {
    let server = Server::with_actions([ServerAction::status(200)]).await;
    let body = br#"{"event_type":"coupon.redeemed"}"#;
    let delivery = delivered(&server, body, None).await;
    assert_eq!(delivery.outcome, Outcome::Delivered);

    let authority = server.target.authority();
    // The signature is the first of OpenSSL's vectors in `protocol::signature`.
    let expected = format!(
        "POST /hook HTTP/1.1\r\n\
         Content-Type: application/json\r\n\
         Host: {authority}\r\n\
         User-Agent: Aghanim/0.1.0\r\n\
         X-Aghanim-Signature: f2f253cff43fc2f8115cc3d8a90e6a8b52b130720141c6bfe08a914f8749a1b9\r\n\
         X-Aghanim-Signature-Timestamp: 1725548450\r\n\
         Content-Length: 32\r\n\
         \r\n\
         {{\"event_type\":\"coupon.redeemed\"}}"
    );
    assert_eq!(server.texts().concat(), expected);

    let sent = &delivery.attempts[0].exchange.request;
    let mut reported = format!("{} /hook HTTP/1.1\r\n", sent.method);
    for (name, value) in &sent.headers {
        reported.extend([name, ": ", value.to_str().expect("text"), "\r\n"]);
    }
    reported.extend(["\r\n", &String::from_utf8_lossy(&sent.body)]);
    assert_eq!(reported, expected, "the recorded request was sent");
    assert_eq!(sent.url, server.target.as_str());
}

#[tokio::test]
async fn a_body_of_any_bytes_arrives_unchanged() {
    let server = Server::with_actions([ServerAction::status(200)]).await;
    let long = vec![b'a'; 300_000];
    for body in [&b""[..], b"x", b"\0\xff\r\n\r\n", &long] {
        delivered(&server, body, None).await;
        let (_, request) = server.seen().pop().expect("a request");
        assert!(request.ends_with(&[b"\r\n\r\n", body].concat()));
        let length = format!("\r\nContent-Length: {}\r\n\r\n", body.len());
        assert!(String::from_utf8_lossy(&request).contains(&length));
    }
}

#[tokio::test]
async fn forged_headers_arrive_unchanged() {
    let server = Server::with_actions([ServerAction::status(403)]).await;
    let body = br#"{"quantity":1}"#;
    for forgery in Forgery::ALL {
        let delivery = delivered(&server, body, Some(forgery)).await;
        assert_eq!(delivery.outcome, Outcome::Refused, "{forgery}");
        let text = server.texts().pop().expect("a request");
        let signatures = text.matches("\r\nX-Aghanim-Signature: ").count();
        let timestamps = text.matches("\r\nX-Aghanim-Signature-Timestamp: ").count();
        let expected = match forgery {
            Forgery::MissingSignature => (0, 1),
            Forgery::MissingTimestamp => (1, 0),
            Forgery::TwoSignatures => (2, 1),
            _ => (1, 1),
        };
        assert_eq!((signatures, timestamps), expected, "{forgery}");
        let tampered = text.ends_with(r#"{"quantity":9}"#);
        assert_eq!(tampered, forgery == Forgery::TamperedBody, "{forgery}");
        if forgery == Forgery::EmptySignature {
            assert!(text.contains("\r\nX-Aghanim-Signature: \r\n"));
        }
    }
}

#[tokio::test]
async fn a_clock_that_differs_signs_each_attempt_by_its_own_time() {
    let server = Server::with_actions([ServerAction::status(503), ServerAction::status(200)]).await;
    let offset = serde_json::from_str("\"+30s\"").expect("an offset");
    let delivery = delivered_by(&server, b"{}", |plan| plan.signed_at = offset).await;
    let timestamps = delivery.attempts.iter();
    let timestamps: Vec<u64> = timestamps.map(|attempt| attempt.signed_timestamp).collect();
    // The same body is never signed twice in the same second.
    assert_eq!(timestamps, [NOW + 30, NOW + 29]);
    let signer = Signer::new(&Secret::new("whsec_test_1").expect("not empty"));
    for (text, timestamp) in server.texts().iter().zip(timestamps) {
        let signature = signer.sign(timestamp, b"{}");
        assert!(
            text.contains(&format!("Signature: {signature}\r\n")),
            "{text}"
        );
        assert!(
            text.contains(&format!("Timestamp: {timestamp}\r\n")),
            "{text}"
        );
    }
}
