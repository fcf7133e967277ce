//! Tests of scripted responses.

use http::{Method, StatusCode};
use serde_json::json;

use super::peer::{NOW, TestReceiver, delivery, event, settings};

fn statuses(numbers: &[u16]) -> Vec<StatusCode> {
    numbers
        .iter()
        .map(|number| StatusCode::from_u16(*number).expect("a status"))
        .collect()
}

#[tokio::test]
async fn a_script_counts_only_correctly_signed_deliveries() {
    let mut settings = settings();
    settings.respond = statuses(&[503, 302, 201]);
    let peer = TestReceiver::start(settings).await;
    let event = event("k", "p", "gem", 5);
    let stale = delivery(event.to_string(), NOW - 400);
    assert_eq!(
        peer.deliver(&event).await.status,
        StatusCode::SERVICE_UNAVAILABLE
    );
    assert_eq!(peer.send(stale).await.status, StatusCode::FORBIDDEN);
    peer.request(Method::GET, "/health", "").await;
    assert_eq!(peer.deliver(&event).await.status, StatusCode::FOUND);
    assert_eq!(peer.probe("p", "gem").await, "0");

    let created = peer.deliver(&event).await;
    assert_eq!(created.status, StatusCode::CREATED);
    assert_eq!(created.json(), json!({ "status": "ok" }));
    assert_eq!(peer.probe("p", "gem").await, "5");
    // A redelivery gets the first response.
    assert_eq!(peer.deliver(&event).await.status, StatusCode::CREATED);
    assert_eq!(peer.probe("p", "gem").await, "5");
    peer.stop().await;
}

#[tokio::test]
async fn status_204_has_no_body() {
    let mut settings = settings();
    settings.respond = statuses(&[204]);
    let peer = TestReceiver::start(settings).await;
    for _ in 0..2 {
        let reply = peer.deliver(&event("k", "p", "gem", 5)).await;
        assert_eq!(reply.status, StatusCode::NO_CONTENT);
        assert_eq!(reply.body, "");
        assert!(!reply.headers.contains_key("content-type"));
    }
    assert_eq!(peer.probe("p", "gem").await, "5");
    peer.stop().await;
}

#[tokio::test]
async fn a_scripted_success_does_not_hide_a_refusal() {
    let mut settings = settings();
    settings.respond = statuses(&[200, 200]);
    settings.cannot_grant = ["sword".to_owned()].into();
    let peer = TestReceiver::start(settings).await;
    let reply = peer.send(delivery("{}", NOW)).await;
    assert_eq!(reply.status, StatusCode::BAD_REQUEST);
    let reply = peer.deliver(&event("k", "p", "sword", 1)).await;
    assert_eq!(reply.status, StatusCode::UNPROCESSABLE_ENTITY);
    peer.stop().await;
}

#[tokio::test]
async fn a_players_script_does_not_affect_other_players() {
    let peer = TestReceiver::start(settings()).await;
    let path = "/debug/players/%D0%96%2F1/respond";
    let set = peer.request(Method::PUT, path, "[503, 204]").await;
    assert_eq!(set.status, StatusCode::OK);
    assert_eq!(
        peer.deliver(&event("a", "p", "gem", 5)).await.status,
        StatusCode::OK
    );
    let scripted = event("b", "Ж/1", "gem", 5);
    for status in [503, 204, 204] {
        assert_eq!(peer.deliver(&scripted).await.status.as_u16(), status);
    }
    assert_eq!(peer.probe("Ж/1", "gem").await, "5");

    peer.request(Method::PUT, path, "[500]").await;
    peer.request(Method::PUT, path, "[]").await;
    assert_eq!(
        peer.deliver(&event("c", "Ж/1", "gem", 1)).await.status,
        StatusCode::OK
    );
    peer.stop().await;
}

#[tokio::test]
async fn a_malformed_script_is_refused() {
    let peer = TestReceiver::start(settings()).await;
    for body in ["", "503", "[100]", "[\"503\"]", "{}"] {
        let reply = peer
            .request(Method::PUT, "/debug/players/p/respond", body)
            .await;
        assert_eq!(reply.status, StatusCode::BAD_REQUEST, "{body}");
    }
    peer.stop().await;
}
