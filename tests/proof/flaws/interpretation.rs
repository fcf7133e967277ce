//! Flaws in parsing the event.

use aghook::internals::receiver::Flaw;
use serde_json::{Value, json};

use super::peer::{PLAYER, Pair, QUANTITY, SKU, bundle, event, event_of, nested, pair};

/// The flawed receiver answers each attempt of these events with `status`, grants nothing and keeps
/// running; the sound one grants them.
pub(super) async fn fails_with(flaw: Flaw, status: u16, events: &[Value]) {
    let Pair { sound, flawed } = pair(flaw).await;
    for (number, event) in events.iter().enumerate() {
        let mut event = event.clone();
        let player = format!("player-{number}");
        event["event_data"]["player_id"] = json!(player);
        let path = format!("/debug/players/{player}/items");
        let items = async |peer: super::peer::ReceiverAddress| {
            let reply = peer.request(http::Method::GET, &path, "").await;
            let items: Value = serde_json::from_str(&reply.body).expect("JSON");
            items["items"].as_array().expect("a list").len()
        };
        assert_eq!(sound.deliver(&event).await, 200, "{event}");
        assert_ne!(items(sound).await, 0);
        for _ in 0..2 {
            assert_eq!(flawed.deliver(&event).await, status, "{event}");
        }
        assert_eq!(items(flawed).await, 0);
    }
    assert_eq!(flawed.deliver(&event()).await, 200);
    assert_eq!(flawed.held(PLAYER, SKU).await, QUANTITY);
}

/// The event with another value at a JSON pointer.
pub(super) fn with(pointer: &str, value: Value) -> Value {
    let mut event = event();
    let (parent, key) = pointer.rsplit_once('/').expect("a pointer");
    event.pointer_mut(parent).expect("the parent")[key] = value;
    event
}

pub(super) fn without(pointer: &str) -> Value {
    let mut event = event();
    let (parent, key) = pointer.rsplit_once('/').expect("a pointer");
    let parent = event.pointer_mut(parent).expect("the parent");
    let removed = parent.as_object_mut().expect("an object").remove(key);
    assert!(removed.is_some());
    event
}

pub(crate) async fn null_description_crashes() {
    let mut inner = nested("gems", 2, None);
    inner["description"] = Value::Null;
    let events = [
        with("/event_data/item/description", Value::Null),
        bundle(&json!([nested("pouch", 1, Some(&json!([inner])))])),
    ];
    fails_with(Flaw::NullDescriptionCrashes, 500, &events).await;
}

pub(crate) async fn absent_fallback_crashes() {
    let events = [without("/event_data/item/fallback_item")];
    fails_with(Flaw::AbsentFallbackCrashes, 500, &events).await;
}

pub(crate) async fn null_context_crashes() {
    let events = [with("/context", Value::Null), without("/context")];
    fails_with(Flaw::NullContextCrashes, 500, &events).await;
}

pub(crate) async fn unknown_key_refused() {
    let mut inner = nested("gems", 2, None);
    inner["rarity"] = json!("epic");
    let item = event()["event_data"]["item"].clone();
    let events = [
        with("/shard", json!(7)),
        with("/event_data/campaign", json!("x")),
        with("/event_data/coupon/uses", json!(1)),
        with("/event_data/item/rarity", json!("epic")),
        with("/context/region", json!("EU")),
        with("/event_data/items", json!([item])),
        bundle(&json!([inner])),
    ];
    fails_with(Flaw::UnknownKeyRefused, 422, &events).await;
    // `context.player` may have any keys.
    let Pair { flawed, .. } = pair(Flaw::UnknownKeyRefused).await;
    let open = with("/context/player", json!({ "level": 7 }));
    assert_eq!(flawed.deliver(&open).await, 200);
}

pub(crate) async fn non_ascii_mangled() {
    let Pair { sound, flawed } = pair(Flaw::NonAsciiMangled).await;
    let mut named = event_of("Игрок-é");
    named["event_data"]["item"]["name"] = json!("Кристалл 💎");
    let mut item = event();
    item["event_data"]["item"]["sku"] = json!("diamant-☃");
    for event in [&named, &item] {
        assert_eq!(sound.deliver(event).await, 200);
        assert_eq!(flawed.deliver(event).await, 200);
    }
    assert_eq!(sound.held("Игрок-é", SKU).await, QUANTITY);
    assert_eq!(flawed.held("Игрок-é", SKU).await, "0");
    let mangled: String = "Игрок-é".bytes().map(char::from).collect();
    assert_eq!(flawed.held(&mangled, SKU).await, QUANTITY);
    assert_eq!(sound.held(PLAYER, "diamant-☃").await, QUANTITY);
    assert_eq!(flawed.held(PLAYER, "diamant-☃").await, "0");
    // A non-ASCII item name alone does not matter.
    let mut ascii = named;
    ascii["event_data"]["player_id"] = json!("plain");
    ascii["idempotency_key"] = json!("another");
    assert_eq!(flawed.deliver(&ascii).await, 200);
    assert_eq!(flawed.held("plain", SKU).await, QUANTITY);
}

/// What both receivers hold after an item and a nested item with this quantity.
async fn held_of(flaw: Flaw, quantity: u64) -> [(String, String); 2] {
    let Pair { sound, flawed } = pair(flaw).await;
    let events = [
        with("/event_data/item/quantity", json!(quantity)),
        bundle(&json!([nested("gems", quantity, None)])),
    ];
    for event in &events {
        assert_eq!(sound.deliver(event).await, 200);
        assert_eq!(flawed.deliver(event).await, 200);
    }
    [
        (
            sound.held(PLAYER, SKU).await,
            flawed.held(PLAYER, SKU).await,
        ),
        (
            sound.held(PLAYER, "gems").await,
            flawed.held(PLAYER, "gems").await,
        ),
    ]
}

pub(crate) async fn quantity_32_bit() {
    for (quantity, wrapped) in [
        (u64::from(u32::MAX), u64::from(u32::MAX)),
        ((1 << 32) + 5, 5),
        (u64::MAX, u64::from(u32::MAX)),
    ] {
        for (sound, flawed) in held_of(Flaw::Quantity32Bit, quantity).await {
            assert_eq!((sound, flawed), (quantity.to_string(), wrapped.to_string()));
        }
    }
}

pub(crate) async fn quantity_float() {
    let exact = 1 << 24;
    for (quantity, rounded) in [(exact, exact), (exact + 1, exact), (exact + 3, exact + 4)] {
        for (sound, flawed) in held_of(Flaw::QuantityFloat, quantity).await {
            assert_eq!((sound, flawed), (quantity.to_string(), rounded.to_string()));
        }
    }
}

pub(crate) async fn event_type_not_checked() {
    let Pair { sound, flawed } = pair(Flaw::EventTypeNotChecked).await;
    let other = with("/event_type", json!("order.paid"));
    assert_eq!(sound.deliver(&other).await, 400);
    assert_eq!(flawed.deliver(&other).await, 200);
    assert_eq!(sound.held(PLAYER, SKU).await, "0");
    assert_eq!(flawed.held(PLAYER, SKU).await, QUANTITY);
    // An event without an item is still refused, and a redelivery still grants nothing.
    for peer in [sound, flawed] {
        assert_eq!(
            peer.deliver(&json!({ "event_type": "item.add" })).await,
            400
        );
    }
    assert_eq!(flawed.deliver(&other).await, 200);
    assert_eq!(flawed.held(PLAYER, SKU).await, QUANTITY);
}
