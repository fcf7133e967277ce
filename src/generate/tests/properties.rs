//! Properties that hold for every seed.

use std::collections::HashMap;

use proptest::prelude::*;
use serde_json::Value;

use super::{body, generator_at, items_of, shape};
use crate::generate::{Generator, Seed};
use crate::protocol::Event;

/// Whether `text` is `prefix` followed by `count` characters that are `allowed`.
fn is_made_of(text: &str, prefix: &str, count: usize, allowed: fn(char) -> bool) -> bool {
    let rest = text.strip_prefix(prefix);
    rest.is_some_and(|rest| rest.chars().count() == count && rest.chars().all(allowed))
}

fn is_alphanumeric(letter: char) -> bool {
    letter.is_ascii_alphanumeric()
}

fn is_base64(letter: char) -> bool {
    letter.is_ascii_alphanumeric() || "+/=".contains(letter)
}

fn is_player_id(text: &str) -> bool {
    let is_half = |half: &str| {
        let allowed = |letter: char| letter.is_ascii_uppercase() || letter.is_ascii_digit();
        half.len() == 4 && half.chars().all(allowed)
    };
    text.split_once('-')
        .is_some_and(|(left, right)| is_half(left) && is_half(right))
}

fn is_uuid_v4(text: &str) -> bool {
    let lowercase = text == text.to_lowercase();
    let uuid = uuid::Uuid::parse_str(text);
    lowercase && text.len() == 36 && uuid.is_ok_and(|uuid| uuid.get_version_num() == 4)
}

/// The exact price in major units, with the decimals of `currency`.
fn price_text(minor: u64, currency: &str) -> String {
    let places: usize = match currency {
        "JPY" | "KRW" | "VND" => 0,
        "KWD" | "BHD" | "TND" => 3,
        _ => 2,
    };
    let digits = format!("{minor:0width$}", width = places + 1);
    let (whole, fraction) = digits.split_at(digits.len() - places);
    let fraction = fraction.trim_end_matches('0');
    let point = if fraction.is_empty() { "" } else { "." };
    format!("{whole}{point}{fraction}")
}

/// Checks the properties of every event whose shape has no contradictions.
fn check(event: &Event) -> Result<(), TestCaseError> {
    let sent = body(event);
    let read: Event = serde_json::from_str(&sent).expect("an event");
    prop_assert_eq!(&read, event);
    prop_assert_eq!(body(&read), sent);

    prop_assert!(is_made_of(&event.event_id, "whevt_", 26, is_alphanumeric));
    prop_assert!(is_made_of(&event.idempotency_key, "idmpt_", 32, is_base64));
    prop_assert!(is_made_of(
        &event.transaction_id,
        "whtx_",
        11,
        is_alphanumeric
    ));
    prop_assert!(is_made_of(&event.game_id, "gm_", 11, is_alphanumeric));
    prop_assert!(is_player_id(&event.event_data.player_id));
    if let Some(request_id) = event.request_id.value() {
        prop_assert!(is_uuid_v4(request_id), "{}", request_id);
    }
    prop_assert_eq!(&event.event_data.coupon.sku, event.event_data.sku());
    prop_assert!(!event.event_data.coupon.code.is_empty());

    let mut identities: HashMap<String, [Value; 3]> = HashMap::new();
    for (depth, item) in items_of(event) {
        let id = item["id"].as_str().expect("an ID");
        prop_assert!(is_made_of(id, "itm_", 11, is_alphanumeric), "{}", id);
        let is_bundle = item["type"] == "bundle";
        prop_assert_eq!(is_bundle, item["nested_items"].is_array());
        prop_assert!(item["quantity"].as_u64() > Some(0));
        if is_bundle {
            prop_assert_eq!(item["quantity"].as_u64(), Some(1));
        }
        if let Some(minor) = item["price"].as_u64() {
            prop_assert_eq!(depth, 0);
            let currency = item["currency"].as_str().expect("a currency");
            prop_assert_eq!(
                item["price_decimal"].to_string(),
                price_text(minor, currency)
            );
        }
        let identity = ["id", "name", "description"].map(|key| item[key].clone());
        let sku = item["sku"].as_str().expect("an SKU").to_owned();
        prop_assert!(!sku.is_empty());
        let known = identities.entry(sku).or_insert_with(|| identity.clone());
        prop_assert_eq!(&*known, &identity);
    }
    Ok(())
}

/// Item shapes without contradictions. Names and SKUs are missing or come from a short list, so
/// that they repeat, but an SKU and a name are never given together.
fn item_shape() -> impl Strategy<Value = Value> {
    let plain = prop_oneof![
        Just(serde_json::json!({})),
        prop::sample::select(&["crystals", "gems", "bundle_starter", "меч"][..])
            .prop_map(|sku| serde_json::json!({ "sku": sku })),
        prop::sample::select(&["Crystals", "crystals!", "Gems", "GEMS", "Меч", "Щит"][..])
            .prop_map(|name| serde_json::json!({ "name": name })),
    ];
    plain.prop_recursive(4, 24, 4, |inner| {
        (inner.clone(), prop::collection::vec(inner, 0..4)).prop_map(|(mut item, bundle)| {
            item["bundle"] = bundle.into();
            item
        })
    })
}

proptest! {
    #[test]
    fn random_events_are_valid(seed: u64, seconds in 0..4_000_000_000_u64) {
        let mut generator = generator_at(seed, &seconds.to_string());
        for _ in 0..8 {
            let event = generator.random_event();
            check(&event)?;
            prop_assert_eq!(event.event_time, seconds);
            prop_assert_eq!(event.event_data.coupon.redeemed_at, seconds);
        }
    }

    #[test]
    fn shaped_events_are_valid(seed: u64, main in item_shape(), fallback in item_shape()) {
        let mut written = serde_json::json!({ "item": main });
        written["item"]["fallback"] = fallback;
        let shape = serde_json::from_value(written).expect("a shape");
        check(&generator_at(seed, "0").event(&shape))?;
    }

    #[test]
    fn coupon_codes_can_be_typed(seed: u64) {
        let mut generator = generator_at(seed, "0");
        let code = generator.random_coupon_code();
        let typed = |letter: char| {
            letter.is_ascii_uppercase() || letter.is_ascii_digit() || "-_".contains(letter)
        };
        prop_assert!((5..=16).contains(&code.len()) && code.chars().all(typed), "{}", code);
    }

    #[test]
    fn a_price_of_any_size_is_accepted(price: u64, currency in "[A-Z]{3}") {
        let written = serde_json::json!({ "item": { "price": price, "currency": currency } });
        let shape = serde_json::from_value(written).expect("a shape");
        let event = generator_at(1, "0").event(&shape);
        prop_assert_eq!(event.event_data.granted_items()[0].price.value(), Some(&price));
    }
}

#[test]
fn random_events_cover_all_kinds() {
    const EVENTS: u32 = 4_000;
    let mut generator: Generator = generator_at(1, "0");
    let mut seen: HashMap<&str, u32> = HashMap::new();
    for _ in 0..EVENTS {
        let event = generator.random_event();
        let items = items_of(&event);
        let depth = items.iter().map(|(depth, _)| *depth).max().unwrap_or(0);
        let json = serde_json::to_value(&event).expect("serialises");
        let item = &json["event_data"]["item"];
        for (kind, has_kind) in [
            ("plain", depth == 0),
            ("bundle", depth == 1),
            ("bundle in bundle", depth == 2),
            ("bundle in bundle in bundle", depth == 3),
            ("fallback", item["fallback_item"].is_object()),
            (
                "fallback null",
                item.get("fallback_item") == Some(&Value::Null),
            ),
            ("without price", item.get("price").is_none()),
            ("description null", item["description"].is_null()),
            ("not ASCII", !body(&event).is_ascii()),
            ("player", json["context"]["player"].is_object()),
            ("order", json["context"]["order"].is_object()),
            ("request ID", json["request_id"].is_string()),
            ("request ID null", json["request_id"].is_null()),
            ("sandbox", event.sandbox),
            ("production", !event.sandbox),
        ] {
            *seen.entry(kind).or_default() += u32::from(has_kind);
        }
    }
    for (kind, count) in &seen {
        assert!(*count > EVENTS / 50, "{kind}: {count} of {EVENTS}");
    }
}

#[test]
fn the_same_item_has_the_same_id_in_every_event() {
    let shape = shape("item: { sku: sword_of_the_north }");
    let id = |seed| {
        let mut generator = generator_at(Seed::new(seed).number(), "0");
        generator.event(&shape).event_data.granted_items()[0]
            .id
            .clone()
    };
    assert_eq!(id(1), id(2));
}
