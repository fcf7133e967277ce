//! Flaws that show when something stops: the process, the instance, the work after a response, a
//! delivery that fails, an item that can't be granted, or the memory of keys.

use std::sync::Arc;

use aghook::internals::receiver::{Flaw, Receiver, ReceiverSettings};
use futures_util::future::{join_all, select_all};
use http::Method;
use serde_json::{Value, json};
use tokio::task::JoinHandle;

use super::peer::{
    NOW, ObservedResponse, PLAYER, Pair, QUANTITY, ReceiverAddress, SKU, body_of, bundle, event,
    event_of, nested, pair, secret, signed,
};
use super::recording::statuses_together;

const TWICE: &str = "960000";

async fn restart(peer: ReceiverAddress) {
    let reply = peer.request(Method::POST, "/debug/restart", "").await;
    assert_eq!(reply.status, 200);
}

/// Waits until a player holds this much.
async fn assert_held_soon(peer: ReceiverAddress, player_id: &str, quantity: &str) {
    while peer.held(player_id, SKU).await != quantity {
        tokio::task::yield_now().await;
    }
}

fn start_delivery(peer: ReceiverAddress, event: &Value) -> JoinHandle<Option<ObservedResponse>> {
    let body = body_of(event);
    tokio::spawn(async move { peer.send(signed(&body, NOW)).await })
}

/// Delivers an event again after a restart. Returns what the player then holds.
async fn held_after_restart(peer: ReceiverAddress, event: &Value) -> String {
    restart(peer).await;
    for _ in 0..2 {
        assert_eq!(peer.deliver(event).await, 200);
    }
    peer.held(PLAYER, SKU).await
}

pub(crate) async fn key_before_slow_grant() {
    let Pair { sound, flawed } = pair(Flaw::KeyBeforeSlowGrant).await;
    for (peer, held) in [(sound, QUANTITY), (flawed, "0")] {
        let event = event();
        let both = [0, 1].map(|_| start_delivery(peer, &event));
        // The second of the two is answered while the first is still working.
        let (_, _, working) = select_all(both).await;
        assert_eq!(held_after_restart(peer, &event).await, held);
        join_all(working).await;
    }
    let redelivered = event_of("next");
    assert_eq!(flawed.deliver(&redelivered).await, 200);
    assert_eq!(flawed.deliver(&redelivered).await, 200);
    assert_eq!(flawed.held("next", SKU).await, QUANTITY);
}

pub(crate) async fn grant_before_slow_key() {
    let Pair { sound, flawed } = pair(Flaw::GrantBeforeSlowKey).await;
    for (peer, held) in [(sound, QUANTITY), (flawed, TWICE)] {
        let event = event();
        let working = start_delivery(peer, &event);
        assert_held_soon(peer, PLAYER, QUANTITY).await;
        assert_eq!(held_after_restart(peer, &event).await, held);
        working.await.expect("no panic");
    }
    let together = event_of("together");
    statuses_together(flawed, &[&together; 3]).await;
    assert_eq!(flawed.held("together", SKU).await, QUANTITY);
}

pub(crate) async fn keys_per_instance() {
    for (flaws, held) in [(None, QUANTITY), (Some(Flaw::KeysPerInstance), TWICE)] {
        let mut settings = ReceiverSettings::new(secret());
        settings.clock = Arc::new(|| NOW);
        settings.instances = 2;
        settings.flaws = flaws.into_iter().collect();
        let receiver = Receiver::bind(settings).await.expect("starts");
        let addresses: Vec<_> = receiver.addresses().collect();
        tokio::spawn(receiver.serve(std::future::pending()));
        let [one, other] = [0, 1].map(|index| ReceiverAddress {
            address: addresses[index],
        });
        let event = event();
        assert_eq!(one.deliver(&event).await, 200);
        restart(one).await;
        assert_eq!(one.deliver(&event).await, 200);
        assert_eq!(other.held(PLAYER, SKU).await, QUANTITY);
        assert_eq!(other.deliver(&event).await, 200);
        assert_eq!(one.held(PLAYER, SKU).await, held);
    }
}

pub(crate) async fn queued_in_memory() {
    let Pair { sound, flawed } = pair(Flaw::QueuedInMemory).await;
    for (peer, held) in [(sound, QUANTITY), (flawed, "0")] {
        assert_eq!(peer.deliver(&event()).await, 200);
        restart(peer).await;
        assert_eq!(peer.deliver(&event_of("next")).await, 200);
        assert_held_soon(peer, "next", QUANTITY).await;
        assert_eq!(peer.held(PLAYER, SKU).await, held);
    }
    let redelivered = event_of("redelivered");
    assert_eq!(flawed.deliver(&redelivered).await, 200);
    assert_eq!(flawed.deliver(&redelivered).await, 200);
    assert_held_soon(flawed, "redelivered", QUANTITY).await;
}

pub(crate) async fn journal_buffer_reused() {
    let Pair { sound, flawed } = pair(Flaw::JournalBufferReused).await;
    let players = ["one", "two", "three", "four"];
    for (peer, left) in [(sound, 4), (flawed, 1)] {
        let sent = players.map(|player| async move {
            assert_eq!(peer.deliver(&event_of(player)).await, 200);
        });
        futures_util::future::join_all(sent).await;
        assert_eq!(count_granted(peer, &players).await, 4);
        restart(peer).await;
        assert_eq!(count_granted(peer, &players).await, left);
        assert_eq!(peer.deliver(&event_of("alone")).await, 200);
        restart(peer).await;
        assert_eq!(peer.held("alone", SKU).await, QUANTITY);
    }
}

async fn count_granted(peer: ReceiverAddress, players: &[&str]) -> usize {
    let mut count = 0;
    for player in players {
        count += usize::from(peer.held(player, SKU).await == QUANTITY);
    }
    count
}

pub(crate) async fn journal_text_split() {
    let Pair { sound, flawed } = pair(Flaw::JournalTextSplit).await;
    let mut split = event_of("split");
    split["event_data"]["item"]["name"] = json!("Chest, large");
    for (peer, held) in [(sound, QUANTITY), (flawed, "0")] {
        for event in [&event(), &split] {
            assert_eq!(peer.deliver(event).await, 200);
        }
        assert_eq!(peer.held("split", SKU).await, QUANTITY);
        restart(peer).await;
        assert_eq!(peer.held("split", SKU).await, held);
        assert_eq!(peer.held(PLAYER, SKU).await, QUANTITY);
    }
}

pub(crate) async fn frozen_after_response() {
    let Pair { sound, flawed } = pair(Flaw::FrozenAfterResponse).await;
    for (peer, held) in [(sound, QUANTITY), (flawed, "0")] {
        assert_eq!(peer.deliver(&event()).await, 200);
        assert_eq!(peer.held(PLAYER, SKU).await, held);
        assert_eq!(peer.deliver(&event_of("next")).await, 200);
        assert_eq!(peer.held(PLAYER, SKU).await, QUANTITY);
    }
}

pub(crate) async fn key_forgotten_too_soon() {
    let Pair { sound, flawed } = pair(Flaw::KeyForgottenTooSoon).await;
    for (peer, seconds, held) in [
        (flawed, 600, QUANTITY),
        (flawed, 3600, TWICE),
        (sound, 3600, QUANTITY),
    ] {
        let event = event();
        let player = event_of(&format!("P{seconds}"));
        let event = with_player_of(event, &player);
        assert_eq!(peer.deliver(&event).await, 200);
        let clock = format!("/debug/clock/{seconds}");
        assert_eq!(peer.request(Method::POST, &clock, "").await.status, 200);
        let later = signed(&body_of(&event), NOW + seconds);
        assert_eq!(peer.send(later).await.expect("answered").status, 200);
        let reply = peer.request(Method::POST, "/debug/clock/0", "").await;
        assert_eq!(reply.status, 200);
        assert_eq!(peer.held(&format!("P{seconds}"), SKU).await, held);
    }
}

pub(crate) async fn key_expires_by_event_time() {
    let Pair { sound, flawed } = pair(Flaw::KeyExpiresByEventTime).await;
    for (age, thrice) in [(0, QUANTITY), (599, QUANTITY), (600, "1440000")] {
        let player = format!("P{age}");
        let mut event = event_of(&player);
        event["event_time"] = json!(NOW - age);
        for (peer, held) in [(sound, QUANTITY), (flawed, thrice)] {
            for _ in 0..3 {
                assert_eq!(peer.deliver(&event).await, 200);
            }
            assert_eq!(peer.held(&player, SKU).await, held, "{age}");
        }
    }
}

fn with_player_of(mut event: Value, other: &Value) -> Value {
    event["event_data"]["player_id"] = other["event_data"]["player_id"].clone();
    event
}

pub(crate) async fn duplicate_acked_while_pending() {
    let Pair { sound, flawed } = pair(Flaw::DuplicateAckedWhilePending).await;
    // Whether the duplicates arrive in time is up to the scheduler, so several events are delivered.
    let mut lost = 0;
    for number in 0..20 {
        let player = format!("P{number}");
        let event = event_of(&player);
        for peer in [sound, flawed] {
            peer.script(&player, "[503]").await;
            let statuses = statuses_together(peer, &[&event; 3]).await;
            assert!(statuses.contains(&"200".to_owned()), "{statuses:?}");
        }
        assert_eq!(sound.held(&player, SKU).await, QUANTITY);
        lost += u32::from(flawed.held(&player, SKU).await == "0");
    }
    assert!(lost > 0);
    let next = event_of("next");
    assert_eq!(flawed.deliver(&next).await, 200);
    assert_eq!(flawed.held("next", SKU).await, QUANTITY);
}

/// Sets whether the game can't grant an SKU to the player (PUT), or can (DELETE).
async fn set_full(peer: ReceiverAddress, method: Method, sku: &str) {
    let path = format!("/debug/players/{PLAYER}/items/{sku}/full");
    assert_eq!(peer.request(method, &path, "").await.status, 200);
}

/// Delivers a bundle whose second of three parts can't be granted, and again once it can. Returns the
/// first status, and what the player holds of the parts after each delivery.
async fn held_of_bundle(peer: ReceiverAddress) -> (u16, [String; 3], [String; 3]) {
    let parts = ["one", "two", "three"];
    let contents = json!(parts.map(|sku| nested(sku, 1, None)));
    let event = bundle(&contents);
    set_full(peer, Method::PUT, "two").await;
    let status = peer.deliver(&event).await;
    let held = async || {
        let [one, two, three] = parts.map(|sku| peer.held(PLAYER, sku));
        [one.await, two.await, three.await]
    };
    let first = held().await;
    set_full(peer, Method::DELETE, "two").await;
    assert_eq!(peer.deliver(&event).await, 200);
    (status, first, held().await)
}

fn quantities(of: [&str; 3]) -> [String; 3] {
    of.map(str::to_owned)
}

pub(crate) async fn bundle_partially_granted() {
    let Pair { sound, flawed } = pair(Flaw::BundlePartiallyGranted).await;
    let none = quantities(["0", "0", "0"]);
    let all = quantities(["1", "1", "1"]);
    assert_eq!(held_of_bundle(sound).await, (422, none, all));
    let part = quantities(["1", "0", "0"]);
    let more = quantities(["2", "1", "1"]);
    assert_eq!(held_of_bundle(flawed).await, (422, part, more));
}

pub(crate) async fn refused_part_skipped() {
    let Pair { flawed, .. } = pair(Flaw::RefusedPartSkipped).await;
    let rest = quantities(["1", "0", "1"]);
    assert_eq!(held_of_bundle(flawed).await, (200, rest.clone(), rest));
}

pub(crate) async fn key_of_refusal_kept() {
    let Pair { sound, flawed } = pair(Flaw::KeyOfRefusalKept).await;
    let event = event();
    for (peer, held) in [(sound, QUANTITY), (flawed, "0")] {
        set_full(peer, Method::PUT, SKU).await;
        assert_eq!(peer.deliver(&event).await, 422);
        set_full(peer, Method::DELETE, SKU).await;
        assert_eq!(peer.deliver(&event).await, 200);
        assert_eq!(peer.held(PLAYER, SKU).await, held);
    }
}

pub(crate) async fn refusal_remembered() {
    let Pair { sound, flawed } = pair(Flaw::RefusalRemembered).await;
    for (peer, [refused, failed], held) in
        [(sound, [200, 200], TWICE), (flawed, [422, 503], QUANTITY)]
    {
        let [first, second, third] = [event(), event(), event()];
        set_full(peer, Method::PUT, SKU).await;
        assert_eq!(peer.deliver(&first).await, 422);
        set_full(peer, Method::DELETE, SKU).await;
        assert_eq!(peer.deliver(&first).await, refused);
        peer.script(PLAYER, "[503]").await;
        assert_eq!(peer.deliver(&second).await, 503);
        assert_eq!(peer.deliver(&second).await, failed);
        if peer.address == flawed.address {
            assert_eq!(peer.deliver(&third).await, 200);
        }
        assert_eq!(peer.held(PLAYER, SKU).await, held);
    }
}

pub(crate) async fn refused_retried_by_both() {
    let Pair { sound, flawed } = pair(Flaw::RefusedRetriedByBoth).await;
    for (peer, held) in [(sound, QUANTITY), (flawed, TWICE)] {
        let event = event();
        set_full(peer, Method::PUT, SKU).await;
        assert_eq!(peer.deliver(&event).await, 422);
        set_full(peer, Method::DELETE, SKU).await;
        assert_eq!(peer.deliver(&event).await, 200);
        assert_held_soon(peer, PLAYER, held).await;
        assert_eq!(peer.deliver(&event).await, 200);
        assert_eq!(peer.held(PLAYER, SKU).await, held);
    }
}

pub(crate) async fn item_refused_to_all() {
    let Pair { sound, flawed } = pair(Flaw::ItemRefusedToAll).await;
    for (peer, status) in [(sound, 200), (flawed, 422)] {
        let another = super::peer::event_of("another");
        assert_eq!(peer.deliver(&another).await, 200);
        set_full(peer, Method::PUT, SKU).await;
        assert_eq!(peer.deliver(&event()).await, 422);
        assert_eq!(peer.deliver(&another).await, status);
        set_full(peer, Method::DELETE, SKU).await;
        assert_eq!(peer.deliver(&another).await, 200);
    }
}

pub(crate) async fn capacity_checked_first() {
    let Pair { sound, flawed } = pair(Flaw::CapacityCheckedFirst).await;
    let event = event();
    for (peer, status) in [(sound, 200), (flawed, 422)] {
        assert_eq!(peer.deliver(&event).await, 200);
        set_full(peer, Method::PUT, SKU).await;
        assert_eq!(peer.deliver(&event).await, status);
        set_full(peer, Method::DELETE, SKU).await;
        assert_eq!(peer.deliver(&event).await, 200);
        assert_eq!(peer.held(PLAYER, SKU).await, QUANTITY);
    }
}

pub(crate) async fn full_inventory_acked() {
    let Pair { sound, flawed } = pair(Flaw::FullInventoryAcked).await;
    for (peer, status, held) in [(sound, 422, QUANTITY), (flawed, 200, "0")] {
        let event = event();
        set_full(peer, Method::PUT, SKU).await;
        assert_eq!(peer.deliver(&event).await, status);
        set_full(peer, Method::DELETE, SKU).await;
        assert_eq!(peer.deliver(&event).await, 200);
        assert_eq!(peer.held(PLAYER, SKU).await, held);
    }
}

pub(crate) async fn part_kept_with_fallback() {
    let Pair { sound, flawed } = pair(Flaw::PartKeptWithFallback).await;
    let mut event =
        super::peer::bundle(&json!([nested("first", 3, None), nested("last", 4, None)]));
    let mut fallback = super::peer::event()["event_data"]["item"].clone();
    fallback["sku"] = json!("fallback");
    event["event_data"]["item"]["fallback_item"] = fallback;
    for (peer, first) in [(sound, "0"), (flawed, "3")] {
        set_full(peer, Method::PUT, "last").await;
        assert_eq!(peer.deliver(&event).await, 200);
        assert_eq!(peer.held(PLAYER, "fallback").await, QUANTITY);
        assert_eq!(peer.held(PLAYER, "first").await, first);
        assert_eq!(peer.held(PLAYER, "last").await, "0");
    }
}

pub(crate) async fn refusal_leaves_lock() {
    let Pair { sound, flawed } = pair(Flaw::RefusalLeavesLock).await;
    for (peer, status, held) in [(sound, 200, QUANTITY), (flawed, 503, "0")] {
        set_full(peer, Method::PUT, SKU).await;
        assert_eq!(peer.deliver(&event()).await, 422);
        set_full(peer, Method::DELETE, SKU).await;
        assert_eq!(peer.deliver(&event()).await, status);
        assert_eq!(peer.held(PLAYER, SKU).await, held);
        assert_eq!(peer.deliver(&super::peer::event_of("another")).await, 200);
    }
}

pub(crate) async fn fallback_replaces_items() {
    let Pair { sound, flawed } = pair(Flaw::FallbackReplacesItems).await;
    let mut event = event();
    let item = |sku: &str| {
        let mut item = super::peer::event()["event_data"]["item"].clone();
        item["sku"] = json!(sku);
        item
    };
    let mut second = item("second");
    second["fallback_item"] = item("fallback");
    event["event_data"]["items"] = json!([item("first"), second, item("third")]);
    for (peer, others) in [(sound, QUANTITY), (flawed, "0")] {
        set_full(peer, Method::PUT, "second").await;
        assert_eq!(peer.deliver(&event).await, 200);
        for (sku, held) in [
            ("first", others),
            ("second", "0"),
            ("fallback", QUANTITY),
            ("third", others),
        ] {
            assert_eq!(peer.held(PLAYER, sku).await, held, "{sku}");
        }
    }
}

pub(crate) async fn fallback_bundle_closed() {
    let Pair { sound, flawed } = pair(Flaw::FallbackBundleClosed).await;
    let mut event = event();
    let mut fallback = event["event_data"]["item"].clone();
    fallback["sku"] = json!("chest");
    fallback["quantity"] = json!(1);
    fallback["type"] = json!("bundle");
    fallback["nested_items"] = json!([nested("inside", 7, None)]);
    event["event_data"]["item"]["fallback_item"] = fallback;
    for (peer, inside, chest) in [(sound, "7", "0"), (flawed, "0", "1")] {
        set_full(peer, Method::PUT, SKU).await;
        assert_eq!(peer.deliver(&event).await, 200);
        assert_eq!(peer.held(PLAYER, "inside").await, inside);
        assert_eq!(peer.held(PLAYER, "chest").await, chest);
    }
}

pub(crate) async fn fallback_ignored() {
    let Pair { sound, flawed } = pair(Flaw::FallbackIgnored).await;
    let mut event = event();
    let mut fallback = event["event_data"]["item"].clone();
    fallback["sku"] = json!("fallback");
    event["event_data"]["item"]["fallback_item"] = fallback;
    for (peer, held) in [(sound, QUANTITY), (flawed, "0")] {
        set_full(peer, Method::PUT, SKU).await;
        assert_eq!(peer.deliver(&event).await, 200);
        assert_eq!(peer.held(PLAYER, "fallback").await, held);
        assert_eq!(peer.held(PLAYER, SKU).await, "0");
    }
}
