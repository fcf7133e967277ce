//! Flaws in handling `item.add` and `item.remove`.

use aghook::internals::receiver::Flaw;
use serde_json::{Value, json};

use super::peer::{PLAYER, Pair, QUANTITY, ReceiverAddress, SKU, event, pair};

/// The `item.add` or `item.remove` of the coupon's redemption, with its own IDs.
fn item_event(event_type: &str, coupon: &Value) -> Value {
    let mut item_event = event();
    item_event["event_type"] = json!(event_type);
    item_event["transaction_id"] = coupon["transaction_id"].clone();
    item_event["event_data"] = json!({
        "player_id": coupon["event_data"]["player_id"],
        "items": [coupon["event_data"]["item"]],
        "reason": "Coupon redeemed",
    });
    item_event
}

/// Delivers the events, which must all be answered 200, and returns how often the item was granted.
async fn grants(peer: ReceiverAddress, events: &[&Value]) -> u64 {
    for event in events {
        assert_eq!(peer.deliver(event).await, 200);
    }
    times_held(peer).await
}

async fn times_held(peer: ReceiverAddress) -> u64 {
    let held: u64 = peer.held(PLAYER, SKU).await.parse().expect("a number");
    held / QUANTITY.parse::<u64>().expect("a number")
}

pub(crate) async fn granted_on_both() {
    let Pair { sound, flawed } = pair(Flaw::GrantedOnBoth).await;
    let coupon = event();
    let credit = item_event("item.add", &coupon);
    for (peer, expected) in [(sound, 1), (flawed, 2)] {
        assert_eq!(
            grants(peer, &[&coupon, &credit, &coupon, &credit]).await,
            expected
        );
    }
}

pub(crate) async fn paired_in_one_order() {
    let Pair { sound, flawed } = pair(Flaw::PairedInOneOrder).await;
    let coupon = event();
    let credit = item_event("item.add", &coupon);
    for peer in [sound, flawed] {
        assert_eq!(grants(peer, &[&coupon, &credit]).await, 1);
    }
    let coupon = event();
    let credit = item_event("item.add", &coupon);
    for (peer, expected) in [(sound, 2), (flawed, 3)] {
        assert_eq!(grants(peer, &[&credit, &coupon]).await, expected);
    }
}

pub(crate) async fn declined_but_granted() {
    let Pair { sound, flawed } = pair(Flaw::DeclinedButGranted).await;
    let credit = item_event("item.add", &event());
    assert_eq!(sound.deliver(&credit).await, 200);
    assert_eq!(times_held(sound).await, 0);
    for _ in 0..2 {
        assert_eq!(flawed.deliver(&credit).await, 400);
        assert_eq!(times_held(flawed).await, 1);
    }
}

pub(crate) async fn removal_ignored() {
    let Pair { sound, flawed } = pair(Flaw::RemovalIgnored).await;
    let coupon = event();
    let removal = item_event("item.remove", &coupon);
    for (peer, expected) in [(sound, 0), (flawed, 1)] {
        assert_eq!(grants(peer, &[&coupon, &removal]).await, expected);
    }
}

pub(crate) async fn one_key_table() {
    let Pair { sound, flawed } = pair(Flaw::OneKeyTable).await;
    let coupon = event();
    let mut credit = item_event("item.add", &coupon);
    for (peer, expected) in [(sound, 1), (flawed, 1)] {
        assert_eq!(grants(peer, &[&credit, &coupon]).await, expected);
    }
    let coupon = event();
    credit["idempotency_key"] = coupon["idempotency_key"].clone();
    for (peer, expected) in [(sound, 2), (flawed, 1)] {
        assert_eq!(grants(peer, &[&credit, &coupon]).await, expected);
    }
}

pub(crate) async fn removal_repeated() {
    let Pair { sound, flawed } = pair(Flaw::RemovalRepeated).await;
    let coupons = [event(), event(), event()];
    let removal = item_event("item.remove", &coupons[0]);
    for (peer, expected) in [(sound, 2), (flawed, 1)] {
        assert_eq!(grants(peer, &coupons.each_ref()).await, 3);
        assert_eq!(grants(peer, &[&removal, &removal]).await, expected);
    }
}

pub(crate) async fn key_removed_with_items() {
    let Pair { sound, flawed } = pair(Flaw::KeyRemovedWithItems).await;
    for (peer, expected) in [(sound, 0), (flawed, 1)] {
        let coupon = event();
        let removal = item_event("item.remove", &coupon);
        assert_eq!(grants(peer, &[&coupon, &coupon, &removal]).await, 0);
        assert_eq!(grants(peer, &[&removal, &coupon, &coupon]).await, expected);
    }
}

pub(crate) async fn removed_row_stays_deleted() {
    let Pair { sound, flawed } = pair(Flaw::RemovedRowStaysDeleted).await;
    let coupons = [event(), event(), event(), event()];
    let [first, second] = [&coupons[0], &coupons[1]].map(|one| item_event("item.remove", one));
    for (peer, expected) in [(sound, 1), (flawed, 0)] {
        // A row that is not empty is not marked.
        let left = [&coupons[0], &coupons[1], &first, &coupons[2]];
        assert_eq!(grants(peer, &left).await, 2);
        let mut rest = second.clone();
        rest["event_data"]["items"][0]["quantity"] = json!(960_000);
        assert_eq!(grants(peer, &[&rest]).await, 0);
        assert_eq!(grants(peer, &[&coupons[3]]).await, expected);
    }
}
