//! Tests of grants, observed through the probe.

use http::{Method, StatusCode};
use serde_json::{Value, json};

use crate::receiver::{BundleHandling, Store, Variant};

use super::peer::{NOW, TestReceiver, delivery, event, settings};

fn bundle(key: &str, nested: &Value) -> Value {
    let mut event = event(key, "p", "chest", 2);
    event["event_data"]["item"]["type"] = json!("bundle");
    event["event_data"]["item"]["nested_items"] = nested.clone();
    event
}

fn nested(sku: &str, quantity: u64, kind: &str, inner: &Value) -> Value {
    json!({
        "id": "itm_1", "name": "N", "description": null, "sku": sku, "quantity": quantity,
        "type": kind, "nested_items": inner,
    })
}

#[tokio::test]
async fn a_redelivery_grants_nothing_and_gets_the_first_response() {
    let peer = TestReceiver::start(settings()).await;
    let first = peer.deliver(&event("k", "p", "gem", 5)).await;
    let resigned = delivery(event("k", "p", "gem", 5).to_string(), NOW + 60);
    for reply in [
        peer.deliver(&event("k", "p", "gem", 5)).await,
        peer.send(resigned).await,
        // The same key with a different quantity, and with an item that would be refused.
        peer.deliver(&event("k", "p", "gem", 6)).await,
        peer.deliver(&bundle(
            "k",
            &json!([nested("gem", u64::MAX, "item", &Value::Null)]),
        ))
        .await,
    ] {
        assert_eq!((reply.status, &reply.body), (first.status, &first.body));
    }
    assert_eq!(peer.probe("p", "gem").await, "5");
    assert_eq!(peer.probe("p", "chest").await, "0");
    peer.stop().await;
}

#[tokio::test]
async fn simultaneous_deliveries_grant_once() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut settings = settings();
    settings.store = Store::File(folder.path().join("ledger.sqlite"));
    let peer = TestReceiver::start(settings).await;
    let body = event("k", "p", "gem", 5).to_string();
    let (one, two) = tokio::join!(
        peer.send_together((0..50).map(|_| delivery(&body, NOW)).collect()),
        peer.send_together((0..50).map(|_| delivery(&body, NOW)).collect()),
    );
    assert!(
        one.iter()
            .chain(&two)
            .all(|reply| reply.status == StatusCode::OK)
    );
    assert_eq!(peer.probe("p", "gem").await, "5");
    peer.stop().await;
}

#[tokio::test]
async fn the_largest_quantities_are_exact() {
    let peer = TestReceiver::start(settings()).await;
    for key in ["a", "b"] {
        let reply = peer.deliver(&event(key, "p", "gem", u64::MAX)).await;
        assert_eq!(reply.status, StatusCode::OK);
    }
    assert_eq!(peer.probe("p", "gem").await, "36893488147419103230");
    let too_large = bundle("c", &json!([nested("gem", 1 << 63, "item", &Value::Null)]));
    let reply = peer.deliver(&too_large).await;
    assert_eq!(reply.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(peer.probe("p", "gem").await, "36893488147419103230");
    peer.stop().await;
}

#[tokio::test]
async fn unicode_names_are_not_confused() {
    let peer = TestReceiver::start(settings()).await;
    let names = [
        "Игрок 1/2",
        "💎?&#%",
        "a\u{0}b",
        "..",
        "\u{202e}x",
        "\"\\",
        "\u{e9}",
        "e\u{301}",
    ];
    for (position, name) in names.into_iter().enumerate() {
        let quantity = position as u64 + 1;
        peer.deliver(&event(&format!("k{position}"), name, name, quantity))
            .await;
    }
    for (position, name) in names.into_iter().enumerate() {
        assert_eq!(
            peer.probe(name, name).await,
            (position + 1).to_string(),
            "{name:?}"
        );
    }
    peer.stop().await;
}

#[tokio::test]
async fn bundles_are_granted_by_their_contents_or_their_own_sku() {
    let inner = nested("gem", 3, "item", &Value::Null);
    let contents = json!([nested("pouch", 4, "bundle", &json!([inner]))]);
    for (handling, gems, pouches, chests) in [
        (BundleHandling::Nested, "24", "0", "0"),
        (BundleHandling::Parts, "0", "8", "0"),
        (BundleHandling::Sku, "0", "0", "2"),
    ] {
        let mut settings = settings();
        settings.bundles = handling;
        let peer = TestReceiver::start(settings).await;
        peer.deliver(&bundle("k", &contents)).await;
        assert_eq!(peer.probe("p", "gem").await, gems);
        assert_eq!(peer.probe("p", "pouch").await, pouches);
        assert_eq!(peer.probe("p", "chest").await, chests);
        peer.stop().await;
    }
}

#[tokio::test]
async fn a_fallback_is_granted_instead_and_without_one_the_event_is_refused() {
    let mut settings = settings();
    settings.cannot_grant = ["sword".to_owned()].into();
    let peer = TestReceiver::start(settings).await;
    let mut event = event("k", "p", "sword", 1);
    let refused = peer.deliver(&event).await;
    assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY);
    // The refusal did not record the key: with a fallback the same key is granted.
    event["event_data"]["item"]["fallback_item"] = nested("coin", 7, "item", &Value::Null);
    assert_eq!(peer.deliver(&event).await.status, StatusCode::OK);
    assert_eq!(peer.probe("p", "coin").await, "7");
    assert_eq!(peer.probe("p", "sword").await, "0");
    peer.stop().await;
}

#[tokio::test]
async fn the_later_payload_revision_grants_all_items() {
    let peer = TestReceiver::start(settings()).await;
    let mut event = event("k", "p", "gem", 5);
    event["event_data"]["items"] = json!([
        event["event_data"]["item"],
        nested("coin", 7, "item", &Value::Null),
    ]);
    peer.deliver(&event).await;
    let held = peer
        .request(Method::GET, "/debug/players/p/items", "")
        .await;
    assert_eq!(
        held.json(),
        json!({ "player_id": "p", "items": [
            { "sku": "coin", "quantity": 7 },
            { "sku": "gem", "quantity": 5 },
        ]})
    );
    let nobody = peer
        .request(Method::GET, "/debug/players/q/items", "")
        .await;
    assert_eq!(nobody.json(), json!({ "player_id": "q", "items": [] }));
    peer.stop().await;
}

#[tokio::test]
async fn unknown_keys_are_accepted_everywhere() {
    let peer = TestReceiver::start(settings()).await;
    let mut event = event("k", "p", "gem", 5);
    event["shard"] = json!([1, { "a": null }]);
    event["event_data"]["campaign"] = json!("x");
    event["event_data"]["item"]["rarity"] = json!(0.1);
    event["event_data"]["coupon"]["uses"] = json!(-1);
    assert_eq!(peer.deliver(&event).await.status, StatusCode::OK);
    assert_eq!(peer.probe("p", "gem").await, "5");
    peer.stop().await;
}

#[tokio::test]
async fn sandbox_and_test_events_are_acknowledged_and_granted_only_if_configured() {
    for (grant_sandbox, grant_test, expected) in [
        (false, false, "0"),
        (true, false, "1"),
        (false, true, "2"),
        (true, true, "3"),
    ] {
        let mut settings = settings();
        settings.grant_sandbox = grant_sandbox;
        settings.grant_test = grant_test;
        let peer = TestReceiver::start(settings).await;
        let mut sandbox = event("s", "p", "gem", 1);
        sandbox["sandbox"] = json!(true);
        let mut test = event("t", "p", "gem", 2);
        test["trigger"] = json!("test");
        for event in [&sandbox, &test, &sandbox, &test] {
            assert_eq!(peer.deliver(event).await.status, StatusCode::OK);
        }
        assert_eq!(peer.probe("p", "gem").await, expected);
        peer.stop().await;
    }
}

#[tokio::test]
async fn an_item_that_is_held_at_most_once_is_shown_once_in_the_whole_inventory_too() {
    let mut settings = settings();
    settings.variants = [Variant::HeldOnce, Variant::NothingHeld404].into();
    let peer = TestReceiver::start(settings).await;
    assert_eq!(
        peer.deliver(&event("k", "p", "gem", 5)).await.status,
        StatusCode::OK
    );
    assert_eq!(peer.probe("p", "gem").await, "1");
    let inventory = peer
        .request(Method::GET, "/debug/players/p/items", "")
        .await;
    assert_eq!(
        inventory.json()["items"],
        json!([{ "sku": "gem", "quantity": 1 }])
    );
    let other = peer
        .request(Method::GET, "/debug/players/p/items/coin", "")
        .await;
    assert_eq!(other.status, StatusCode::NOT_FOUND);
    peer.stop().await;
}
