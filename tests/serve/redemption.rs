//! Redeeming codes: the events that follow, and the refusals that a player sees.

use aghook::internals::protocol::Event;
use serde_json::{Value, json};

use crate::local_aghanim::LocalAghanim;
use crate::recorder::{Recorder, is_signed};
use crate::support::Folder;

#[test]
fn a_redemption_is_delivered_as_a_signed_event() {
    let (folder, receiver) = (Folder::new(), Recorder::start());
    let aghanim = LocalAghanim::start(&folder, &[]);
    let webhook = aghanim.webhook(&receiver.url());
    let redeemed = aghanim.redeem("P1", " WELCOME ");
    assert_eq!(redeemed.status, 200, "{redeemed:?}");
    assert_eq!(
        redeemed.json["items"],
        json!([{ "sku": "crystals", "name": "Crystals", "quantity": 100 }])
    );
    let request = receiver.wait_for(1).remove(0);
    assert!(is_signed(&request, &webhook["secret"]));
    let body = request.json();
    let event: Event = serde_json::from_slice(&request.body).expect("an event");
    assert!(event.kind().is_some());
    assert_eq!(body["event_data"]["player_id"], "P1");
    assert_eq!(body["event_data"]["coupon"]["code"], "WELCOME");
    assert_eq!(body["event_data"]["item"]["quantity"], 100);
    assert_eq!(body["trigger"], "hub.redeem");
    assert_eq!(body["context"], Value::Null);
    assert_eq!(body["game_id"], webhook["game_id"]);
    assert_eq!(body["transaction_id"], redeemed.json["transaction_id"]);
    let keys: Vec<&String> = body.as_object().expect("an object").keys().collect();
    assert_eq!(
        keys,
        [
            "event_type",
            "event_data",
            "event_time",
            "event_id",
            "idempotency_key",
            "request_id",
            "sandbox",
            "trigger",
            "transaction_id",
            "context",
            "game_id"
        ]
    );
    aghanim.drain();
    assert_eq!(aghanim.count("delivered"), 1);
}

#[test]
fn item_add_belongs_to_the_same_transaction() {
    for (key, is_shared) in [("own", false), ("shared", true)] {
        let (folder, receiver) = (Folder::new(), Recorder::start());
        let aghanim = LocalAghanim::start(&folder, &["--item-add-key", key]);
        let webhook = aghanim.webhook_for(&receiver.url(), &["item.add", "coupon.redeemed"]);
        aghanim.change_delivery(&webhook, json!({ "ordered": true }));
        assert_eq!(aghanim.redeem("P1", "THREEGIFTS").status, 200);
        let requests = receiver.wait_for(2);
        let (coupon, credit) = (requests[0].json(), requests[1].json());
        assert_eq!(
            (&coupon["event_type"], &credit["event_type"]),
            (&json!("coupon.redeemed"), &json!("item.add"))
        );
        assert_eq!(coupon["transaction_id"], credit["transaction_id"]);
        assert_ne!(coupon["event_id"], credit["event_id"]);
        assert_eq!(
            coupon["idempotency_key"] == credit["idempotency_key"],
            is_shared
        );
        assert_eq!(coupon["event_data"]["items"], credit["event_data"]["items"]);
        assert_eq!(
            credit["event_data"]["items"].as_array().map(Vec::len),
            Some(3)
        );
    }
}

#[test]
fn bundles_and_fallbacks_are_described_as_a_whole() {
    let (folder, receiver) = (Folder::new(), Recorder::start());
    let aghanim = LocalAghanim::start(&folder, &[]);
    let webhook = aghanim.webhook(&receiver.url());
    aghanim.redeem("P1", "FOUNDERS");
    let bundle = receiver.wait_for(1)[0].json()["event_data"]["item"].clone();
    assert_eq!(
        (&bundle["type"], &bundle["quantity"]),
        (&json!("bundle"), &json!(1))
    );
    assert_eq!(bundle["nested_items"][0]["type"], "bundle");
    assert_eq!(
        bundle["nested_items"][0]["nested_items"][0]["sku"],
        "crystals"
    );
    assert_eq!(bundle["nested_items"][1]["quantity"], 10_000);
    let id = webhook["id"].as_str().expect("an ID");
    let context = json!({ "player_context_enabled": true });
    aghanim.api("PUT", &format!("/webhooks/{id}"), Some(context));
    aghanim.change_delivery(
        &webhook,
        json!({ "revision": "2026-06-16", "layout": "spaced" }),
    );
    aghanim.redeem("P1", "KNIGHT");
    let request = receiver.wait_for(2).remove(1);
    let event = request.json();
    assert!(request.body.starts_with(b"{\"event_type\": \""));
    assert!(event["event_data"].get("item").is_none());
    assert_eq!(
        event["event_data"]["items"][0]["fallback_item"]["quantity"],
        250
    );
    assert!(event["context"]["player"].is_object());
}

#[test]
fn a_player_sees_why_a_code_can_not_be_redeemed() {
    let folder = Folder::new();
    let aghanim = LocalAghanim::start(&folder, &[]);
    let refused = |player: &str, code: &str| {
        let reply = aghanim.redeem(player, code);
        let reason = reply.json["reason"].as_str().unwrap_or_default().to_owned();
        (reply.status, reason)
    };
    assert_eq!(
        refused("P1", "NOSUCHCODE"),
        (404, "unknown_code".to_owned())
    );
    assert_eq!(refused("P1", "SUMMER25"), (410, "expired".to_owned()));
    assert_eq!(refused("P1", "WELCOME").0, 200);
    assert_eq!(
        refused("P1", "WELCOME"),
        (409, "already_redeemed".to_owned())
    );
    assert_eq!(refused("P2", "WELCOME").0, 200);
    for player in ["P1", "P2", "P3"] {
        assert_eq!(refused(player, "FIRST3").0, 200);
    }
    assert_eq!(refused("P4", "FIRST3"), (410, "used_up".to_owned()));
    assert_eq!(
        aghanim
            .local("POST", "/redeem", Some(json!({ "code": 7 })))
            .status,
        422
    );
}

#[test]
fn only_one_of_many_simultaneous_redemptions_succeeds() {
    let folder = Folder::new();
    let aghanim = LocalAghanim::start(&folder, &[]);
    let statuses: Vec<u16> = std::thread::scope(|scope| {
        let redemptions: Vec<_> = (0..8)
            .map(|_| scope.spawn(|| aghanim.redeem("P1", "WELCOME").status))
            .collect();
        redemptions
            .into_iter()
            .map(|thread| thread.join().expect("no panic"))
            .collect()
    });
    assert_eq!(
        statuses.iter().filter(|status| **status == 200).count(),
        1,
        "{statuses:?}"
    );
}

#[test]
fn a_test_event_has_its_trigger() {
    let (folder, receiver) = (Folder::new(), Recorder::start());
    let aghanim = LocalAghanim::start(&folder, &[]);
    let webhook = aghanim.webhook(&receiver.url());
    let path = format!("/webhooks/{}/test", webhook["id"].as_str().expect("an ID"));
    assert_eq!(aghanim.local("POST", &path, None).status, 200);
    assert_eq!(receiver.wait_for(1)[0].json()["trigger"], "test");
    assert_eq!(
        aghanim.local("POST", "/webhooks/none/test", None).status,
        404
    );
}
