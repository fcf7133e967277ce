//! The queue: retries, dead letters, order, pauses, secrets and faults.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::local_aghanim::{LocalAghanim, wait_until};
use crate::recorder::{Recorder, is_signed};
use crate::support::{Folder, PeerRequest, UNREACHABLE};

fn key(request: &PeerRequest) -> Value {
    request.json()["idempotency_key"].clone()
}

fn player(request: &PeerRequest) -> Value {
    request.json()["event_data"]["player_id"].clone()
}

fn deliveries(aghanim: &LocalAghanim, query: &str) -> Vec<Value> {
    let list = aghanim
        .local("GET", &format!("/deliveries{query}"), None)
        .json;
    list["deliveries"].as_array().expect("a list").clone()
}

#[test]
fn a_failed_delivery_is_retried_faster_with_a_time_scale() {
    let folder = Folder::new();
    let receiver = Recorder::answering(|number| if number < 4 { 503 } else { 200 });
    let aghanim = LocalAghanim::start(&folder, &["--time-scale", "10000x"]);
    let webhook = aghanim.webhook(&receiver.url());
    aghanim.redeem("P1", "WELCOME");
    let requests = receiver.wait_for(4);
    assert!(
        requests
            .iter()
            .all(|request| is_signed(request, &webhook["secret"]))
    );
    assert!(
        requests
            .iter()
            .all(|request| request.body == requests[0].body)
    );
    aghanim.drain();
    let delivery = &deliveries(&aghanim, "")[0];
    assert_eq!(
        (&delivery["state"], &delivery["attempts"]),
        (&json!("delivered"), &json!(4))
    );
    let details = aghanim
        .local("GET", &format!("/deliveries/{}", delivery["id"]), None)
        .json;
    let statuses = details["attempts"].as_array().expect("a list").iter();
    let statuses: Vec<_> = statuses.map(|attempt| attempt["status"].clone()).collect();
    assert_eq!(statuses, [503, 503, 503, 200]);
    assert_eq!(
        details["body"].as_str().map(str::as_bytes),
        Some(&requests[0].body[..])
    );
}

#[test]
fn dead_letters_are_sent_again_one_or_many() {
    let folder = Folder::new();
    let receiver = Recorder::answering(|number| if number <= 3 { 400 } else { 200 });
    let aghanim = LocalAghanim::start(&folder, &[]);
    aghanim.webhook(&receiver.url());
    for player in ["P1", "P2", "P3"] {
        aghanim.redeem(player, "WELCOME");
    }
    aghanim.drain();
    let dead = deliveries(&aghanim, "?state=dead&player_id=P2");
    assert_eq!((dead.len(), &dead[0]["state"]), (1, &json!("refused")));
    let resent = aghanim.local(
        "POST",
        &format!("/deliveries/{}/resend", dead[0]["id"]),
        None,
    );
    assert_eq!(resent.status, 200);
    wait_until("it is delivered", || aghanim.count("delivered") == 1);
    let resent = aghanim.local("POST", "/deliveries/resend", None);
    assert_eq!(resent.json["resent"], 2);
    wait_until("all are delivered", || aghanim.count("delivered") == 3);
    let mut players: BTreeMap<String, usize> = BTreeMap::new();
    for request in receiver.requests() {
        *players.entry(player(&request).to_string()).or_default() += 1;
    }
    assert!(players.values().all(|count| *count == 2), "{players:?}");
    assert_eq!(
        aghanim.local("POST", "/deliveries/99/resend", None).status,
        404
    );
}

#[test]
fn an_unreachable_receiver_exhausts_its_attempts() {
    let folder = Folder::new();
    let aghanim = LocalAghanim::start(&folder, &["--time-scale", "1000000x"]);
    let webhook = aghanim.webhook(UNREACHABLE);
    aghanim.change_delivery(&webhook, json!({ "retry": { "attempts": 3 } }));
    aghanim.redeem("P1", "WELCOME");
    wait_until("it is exhausted", || aghanim.count("exhausted") == 1);
    let delivery = &deliveries(&aghanim, "")[0];
    let details = aghanim
        .local("GET", &format!("/deliveries/{}", delivery["id"]), None)
        .json;
    assert_eq!(details["attempts"].as_array().map(Vec::len), Some(3));
    assert!(
        details["attempts"][2]["failure"]
            .as_str()
            .is_some_and(|text| text.contains("refused"))
    );
    let id = webhook["id"].as_str().expect("an ID");
    assert_eq!(
        aghanim
            .api("DELETE", &format!("/webhooks/{id}"), None)
            .status,
        204
    );
    let resent = aghanim.local(
        "POST",
        &format!("/deliveries/{}/resend", delivery["id"]),
        None,
    );
    assert_eq!(resent.status, 409, "its webhook is gone");
}

#[test]
fn a_paused_webhook_keeps_its_deliveries_over_a_restart() {
    let (folder, receiver) = (Folder::new(), Recorder::start());
    let aghanim = LocalAghanim::start(&folder, &[]);
    let webhook = aghanim.webhook(&receiver.url());
    let path = |action: &str| {
        format!(
            "/webhooks/{}/{action}",
            webhook["id"].as_str().expect("an ID")
        )
    };
    assert_eq!(
        aghanim.local("POST", &path("pause"), None).json["delivery"]["paused"],
        true
    );
    aghanim.redeem("P1", "WELCOME");
    let key_before = aghanim.key.clone();
    aghanim.kill();
    let aghanim = LocalAghanim::start(&folder, &[]);
    assert_eq!(aghanim.key, key_before);
    assert_eq!(
        (aghanim.count("pending"), receiver.requests().len()),
        (1, 0)
    );
    aghanim.local("POST", &path("resume"), None);
    receiver.wait_for(1);
    aghanim.drain();
}

#[test]
fn an_ordered_webhook_waits_for_the_retries_of_the_first() {
    let folder = Folder::new();
    let receiver = Recorder::answering(|number| if number < 3 { 500 } else { 200 });
    let aghanim = LocalAghanim::start(&folder, &["--time-scale", "10000x"]);
    let webhook = aghanim.webhook(&receiver.url());
    aghanim.change_delivery(&webhook, json!({ "ordered": true }));
    for player in ["P1", "P2", "P3"] {
        aghanim.redeem(player, "WELCOME");
    }
    let players: Vec<Value> = receiver.wait_for(5).iter().map(player).collect();
    assert_eq!(players, ["P1", "P1", "P1", "P2", "P3"]);
}

#[test]
fn queued_deliveries_keep_the_expired_secret_until_the_overlap_ends() {
    for (overlap, keeps) in [("1h", true), ("0s", false)] {
        let (folder, receiver) = (Folder::new(), Recorder::start());
        let aghanim = LocalAghanim::start(&folder, &["--secret-overlap", overlap]);
        let webhook = aghanim.webhook(&receiver.url());
        let id = webhook["id"].as_str().expect("an ID");
        aghanim.change_delivery(&webhook, json!({ "paused": true, "ordered": true }));
        aghanim.redeem("P1", "WELCOME");
        let expired = aghanim.api("POST", &format!("/webhooks/{id}/expire_secret"), None);
        aghanim.redeem("P2", "WELCOME");
        aghanim.change_delivery(&webhook, json!({ "paused": false }));
        let requests = receiver.wait_for(2);
        let queued = if keeps {
            &webhook["secret"]
        } else {
            &expired.json["secret"]
        };
        assert!(is_signed(&requests[0], queued), "{overlap}");
        assert!(
            is_signed(&requests[1], &expired.json["secret"]),
            "{overlap}"
        );
    }
}

#[test]
fn lost_responses_and_duplicates_arrive_twice() {
    let (folder, receiver) = (Folder::new(), Recorder::start());
    let aghanim = LocalAghanim::start(&folder, &["--time-scale", "1000x"]);
    let webhook = aghanim.webhook(&receiver.url());
    aghanim.change_delivery(&webhook, json!({ "faults": { "lost_responses": "100%" } }));
    aghanim.redeem("P1", "WELCOME");
    let requests = receiver.wait_for(2);
    assert_eq!(key(&requests[0]), key(&requests[1]));
    aghanim.drain();
    let faults = json!({ "faults": { "lost_responses": "0%", "duplicates": "100%" } });
    aghanim.change_delivery(&webhook, faults);
    aghanim.redeem("P2", "WELCOME");
    let requests = receiver.wait_for(4);
    assert_eq!(requests[2].body, requests[3].body);
    aghanim.drain();
    assert_eq!(aghanim.count("delivered"), 3);
}

#[test]
fn reordered_deliveries_are_overtaken() {
    let (folder, receiver) = (Folder::new(), Recorder::start());
    let aghanim = LocalAghanim::start(&folder, &[]);
    let webhook = aghanim.webhook(&receiver.url());
    aghanim.change_delivery(&webhook, json!({ "faults": { "reordered": "100%" } }));
    aghanim.redeem("P1", "WELCOME");
    // Chance would decide again; this one is not held, but releases the other.
    aghanim.change_delivery(&webhook, json!({ "faults": { "reordered": "0.0001%" } }));
    aghanim.redeem("P2", "WELCOME");
    let players: Vec<Value> = receiver.wait_for(2).iter().map(player).collect();
    assert_eq!(players, ["P2", "P1"]);
}

#[test]
fn a_forgery_precedes_each_delivery_and_is_not_retried() {
    let folder = Folder::new();
    let receiver = Recorder::answering(|number| if number == 1 { 503 } else { 200 });
    let aghanim = LocalAghanim::start(&folder, &["--time-scale", "1000x"]);
    let webhook = aghanim.webhook(&receiver.url());
    let settings = json!({ "ordered": true, "faults": { "forgery": "wrong_secret" } });
    aghanim.change_delivery(&webhook, settings);
    aghanim.redeem("P1", "WELCOME");
    let requests = receiver.wait_for(2);
    assert!(!is_signed(&requests[0], &webhook["secret"]));
    assert!(is_signed(&requests[1], &webhook["secret"]));
    aghanim.drain();
    let list = deliveries(&aghanim, "");
    assert_eq!(
        (&list[1]["forgery"], &list[1]["attempts"]),
        (&json!("wrong_secret"), &json!(1))
    );
    let conflict = json!({ "faults": { "reordered": "5%" } });
    let id = webhook["id"].as_str().expect("an ID");
    let refused = aghanim.local("PATCH", &format!("/webhooks/{id}/delivery"), Some(conflict));
    assert_eq!(refused.status, 422, "an ordered webhook can't be reordered");
}

#[test]
fn secrets_that_a_receiver_sends_back_are_not_kept() {
    let folder = Folder::new();
    let aghanim = LocalAghanim::start(&folder, &[]);
    let secret = std::sync::Arc::new(std::sync::OnceLock::<String>::new());
    let leaked = std::sync::Arc::clone(&secret);
    let peer = crate::support::Peer::answering(move |_| {
        let body = leaked.get().cloned().unwrap_or_default();
        crate::support::PeerResponse::new(200).body(format!("your secret: {body}"))
    });
    let webhook = aghanim.webhook(&peer.url());
    secret
        .set(webhook["secret"].as_str().expect("a secret").to_owned())
        .expect("once");
    aghanim.redeem("P1", "WELCOME");
    aghanim.drain();
    let details = aghanim.local("GET", "/deliveries/1", None).json;
    let body = details["attempts"][0]["response"]["body"]
        .as_str()
        .expect("a body");
    assert_eq!(body, "your secret: [secret not shown]");
    assert!(!details.to_string().contains(secret.get().expect("set")));
}
