//! Tests of every status and every reason to refuse.

use http::{HeaderValue, Method, StatusCode};
use serde_json::json;

use crate::protocol::{SIGNATURE_HEADER, TIMESTAMP_HEADER};
use crate::receiver::request_body::BODY_LIMIT;
use crate::receiver::{Decision, Flaw, Refusal};

use super::peer::{NOW, Reply, TestReceiver, delivery, event, settings};

fn assert_error(reply: &Reply, status: u16) {
    assert_eq!(reply.status.as_u16(), status, "{reply:?}");
    let body = reply.json();
    assert_eq!(body["status"], "error");
    assert!(
        body["message"]
            .as_str()
            .is_some_and(|text| !text.is_empty())
    );
}

#[tokio::test]
async fn a_valid_delivery_gets_the_response_of_the_public_template() {
    let peer = TestReceiver::start(settings()).await;
    let reply = peer.deliver(&event("k", "p", "gem", 5)).await;
    assert_eq!(reply.status, StatusCode::OK);
    assert_eq!(reply.json(), json!({ "status": "ok" }));
    assert_eq!(peer.probe("p", "gem").await, "5");
    peer.stop().await;
}

#[tokio::test]
async fn a_forgery_is_forbidden_and_grants_nothing() {
    let peer = TestReceiver::start(settings()).await;
    let body = event("k", "p", "gem", 5).to_string();
    let valid = || delivery(&body, NOW);
    let mut forged = vec![
        delivery(&body, NOW - 301),
        delivery(&body, NOW + 301),
        delivery(&body, NOW * 1000),
    ];
    for header in [SIGNATURE_HEADER, TIMESTAMP_HEADER] {
        let mut missing = valid();
        missing.headers_mut().remove(header);
        let mut empty = valid();
        empty
            .headers_mut()
            .insert(header, HeaderValue::from_static(""));
        let mut twice = valid();
        let value = twice.headers()[header].clone();
        twice.headers_mut().append(header, value);
        let mut garbage = valid();
        let not_utf8 = HeaderValue::from_bytes(&[0xff; 64]).expect("a value");
        garbage.headers_mut().insert(header, not_utf8);
        forged.extend([missing, empty, twice, garbage]);
    }
    let mut tampered = valid();
    *tampered.body_mut() = body.replace("gem", "gen").into();
    let mut upper_case = valid();
    let signature = upper_case.headers()[SIGNATURE_HEADER]
        .to_str()
        .expect("text");
    let signature = signature.to_uppercase().parse().expect("a value");
    upper_case.headers_mut().insert(SIGNATURE_HEADER, signature);
    let mut swapped = valid();
    let later = HeaderValue::from(NOW + 1);
    swapped.headers_mut().insert(TIMESTAMP_HEADER, later);
    forged.extend([tampered, upper_case, swapped]);

    for request in forged {
        let shown = format!("{request:?}");
        let reply = peer.send(request).await;
        assert_error(&reply, 403);
        assert!(!reply.body.contains("whsec"), "{shown}");
    }
    assert_eq!(peer.probe("p", "gem").await, "0");
    assert_eq!(peer.send(valid()).await.status, StatusCode::OK);
    peer.stop().await;
}

#[tokio::test]
async fn a_body_that_is_not_an_event_is_a_bad_request() {
    let peer = TestReceiver::start(settings()).await;
    let mut other = event("k", "p", "gem", 5);
    other["event_type"] = json!("item.add");
    let mut fraction = event("k", "p", "gem", 5);
    fraction["event_data"]["item"]["quantity"] = json!(1.5);
    let mut no_key = event("k", "p", "gem", 5);
    no_key["idempotency_key"] = json!(null);
    let nested = "[".repeat(200_000);
    for body in [
        other.to_string(),
        fraction.to_string(),
        no_key.to_string(),
        String::new(),
        nested,
        event("", "p", "gem", 5).to_string(),
    ] {
        assert_error(&peer.send(delivery(&body, NOW)).await, 400);
    }
    assert_error(&peer.send(delivery(b"\xff\xfe\0", NOW)).await, 400);
    peer.stop().await;
}

#[tokio::test]
async fn wrong_methods_paths_and_sizes_get_their_statuses() {
    let peer = TestReceiver::start(settings()).await;
    for (method, path, status, allow) in [
        (Method::GET, "/webhooks/aghanim", 405, Some("POST")),
        (Method::PUT, "/webhooks/aghanim?a=b", 405, Some("POST")),
        (Method::POST, "/health", 405, Some("GET")),
        (Method::DELETE, "/debug/players/p/items", 405, Some("GET")),
        (Method::GET, "/debug/players/p/respond", 405, Some("PUT")),
        (Method::POST, "/webhooks", 404, None),
        (Method::GET, "/", 404, None),
        (Method::GET, "/debug/players/%ff/items", 400, None),
    ] {
        let reply = peer.request(method, path, "{}").await;
        assert_error(&reply, status);
        let sent = reply
            .headers
            .get("allow")
            .map(|value| value.to_str().expect("text"));
        assert_eq!(sent, allow, "{path}");
    }
    let health = peer.request(Method::GET, "/health", "").await;
    assert_eq!(health.status, StatusCode::OK);

    let mut largest = event("k", "p", "gem", 5).to_string();
    largest.push_str(&" ".repeat(BODY_LIMIT - largest.len()));
    assert_eq!(
        peer.send(delivery(&largest, NOW)).await.status,
        StatusCode::OK
    );
    let larger = format!("{largest} ");
    assert_error(&peer.send(delivery(&larger, NOW)).await, 413);
    let much_larger = vec![b' '; 4 * BODY_LIMIT];
    assert_error(&peer.send(delivery(&much_larger, NOW)).await, 413);
    peer.stop().await;
}

#[tokio::test]
async fn http2_works_without_negotiation() {
    let peer = TestReceiver::start(settings()).await;
    let body = event("k", "p", "gem", 5).to_string();
    let together = (0..20).map(|_| delivery(&body, NOW)).collect();
    for reply in peer.send_together(together).await {
        assert_eq!(reply.status, StatusCode::OK);
        assert_eq!(reply.json(), json!({ "status": "ok" }));
    }
    assert_eq!(peer.probe("p", "gem").await, "5");
    peer.stop().await;
}

#[tokio::test]
async fn the_observer_sees_decisions_but_no_secret() {
    let peer = TestReceiver::start(settings()).await;
    let valid = event("k", "p", "gem", 5);
    peer.deliver(&valid).await;
    peer.deliver(&valid).await;
    peer.deliver(&event("k", "p", "gem", 6)).await;
    peer.send(delivery(valid.to_string(), NOW - 400)).await;
    peer.probe("p", "gem").await;
    let seen = peer.seen.lock().expect("no panic").clone();
    assert!(matches!(
        seen.iter()
            .map(|record| &record.decision)
            .collect::<Vec<_>>()[..],
        [
            Decision::Granted,
            Decision::Redelivery {
                same_body: true,
                ..
            },
            Decision::Redelivery {
                same_body: false,
                ..
            },
            Decision::Refused(Refusal::NotFresh { .. }),
            Decision::Read,
        ]
    ));
    assert_eq!(seen[0].player_id.as_deref(), Some("p"));
    assert_eq!(seen[0].path, "/webhooks/aghanim");
    assert_eq!(seen[3].player_id, None);
    assert!(!format!("{seen:?}").contains("whsec"));
    peer.stop().await;
}

#[tokio::test]
async fn a_redelivery_is_logged_with_the_key_that_recognized_it() {
    for (flaw, key) in [
        (None, "idempotency key"),
        (Some(Flaw::DedupeByEventId), "event ID"),
        (Some(Flaw::DedupeByTransactionId), "transaction ID"),
        (Some(Flaw::DedupeByCouponCode), "coupon code"),
    ] {
        let mut settings = settings();
        settings.flaws.extend(flaw);
        let peer = TestReceiver::start(settings).await;
        peer.deliver(&event("k", "p", "gem", 5)).await;
        let second_key = if flaw.is_some() { "l" } else { "k" };
        peer.deliver(&event(second_key, "q", "gem", 5)).await;
        let seen = peer.seen.lock().expect("no panic").clone();
        let expected = format!("redelivery with the same {key} but a different body");
        assert_eq!(seen[1].decision.to_string(), expected, "{flaw:?}");
        peer.stop().await;
    }
}

#[tokio::test]
async fn a_page_that_rebinds_its_name_reaches_no_debug_endpoint() {
    let peer = TestReceiver::start(settings()).await;
    let get = |host: &str, path: &str| {
        let request = http::Request::get(path).header(http::header::HOST, host);
        request
            .body(http_body_util::Full::default())
            .expect("a request")
    };
    let items = "/debug/players/p/items";
    for (host, path, status) in [
        ("localhost:8080", items, 200),
        ("aghook.localhost", items, 200),
        ("127.0.0.1:1", items, 200),
        ("[::1]:8080", items, 200),
        ("evil.example", items, 421),
        ("evil.example:8080", items, 421),
        ("localhost.evil.example", items, 421),
        ("evil.example", "/health", 200),
    ] {
        let reply = peer.send(get(host, path)).await;
        assert_eq!(reply.status.as_u16(), status, "{host} {path}");
    }
    peer.stop().await;
}
