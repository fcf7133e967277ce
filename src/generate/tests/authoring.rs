//! Event shapes as authors write them: keys, errors and the JSON Schema.

use serde_json::{Value, json};

use super::{generator, shape};
use crate::generate::{CatalogueItem, EventShape};

fn event(yaml: &str) -> Value {
    let event = generator(42).event(&shape(yaml));
    serde_json::to_value(event).expect("serialises")
}

fn error(yaml: &str) -> String {
    let error = serde_saphyr::from_str::<EventShape>(yaml).expect_err(yaml);
    error.to_string()
}

#[test]
fn given_fields_are_sent_unchanged() {
    let event = event(
        "
player_id: P1
coupon: { code: GG, sku: other, redeemed_at: T-1h }
item:
  id: itm_1
  name: Sword
  description: ~
  sku: sword
  quantity: 0
  price: 12345
  currency: KWD
  fallback: ~
sandbox: true
trigger: ~
context: { player: { level: 3, tags: [a] }, order: ~ }
request_id: not-a-uuid
transaction_id: whtx_1
event_time: 5
",
    );
    assert_eq!(event["event_data"]["player_id"], "P1");
    assert_eq!(
        event["event_data"]["coupon"],
        json!({ "code": "GG", "sku": "other", "redeemed_at": 1_763_886_231 })
    );
    assert_eq!(
        event["event_data"]["item"],
        json!({
            "id": "itm_1", "name": "Sword", "description": null, "sku": "sword", "quantity": 0,
            "price": 12345, "price_decimal": 12.345, "currency": "KWD", "type": "item",
            "nested_items": null, "fallback_item": null,
        })
    );
    assert_eq!(event["sandbox"], true);
    assert_eq!(event["trigger"], Value::Null);
    assert_eq!(
        event["context"],
        json!({ "order": null, "player": { "level": 3, "tags": ["a"] } })
    );
    assert_eq!(event["request_id"], "not-a-uuid");
    assert_eq!(event["transaction_id"], "whtx_1");
    assert_eq!(event["event_time"], 5);
}

#[test]
fn missing_fields_have_the_documented_defaults() {
    let event = event("{}");
    assert_eq!(event["sandbox"], false);
    assert_eq!(event["trigger"], "hub.redeem");
    assert_eq!(event.get("context"), Some(&Value::Null));
    assert_eq!(event["event_time"], 1_763_889_831);
    assert_eq!(event["event_data"]["coupon"]["redeemed_at"], 1_763_889_831);
    assert_eq!(event["event_data"].get("items"), None);
    assert_eq!(event["event_data"]["item"].get("fallback_item"), None);
    assert_eq!(event["event_data"]["item"]["type"], "item");
    assert_eq!(event.get("game_id"), Some(&json!("gm_aGh0okTestG")));

    let mut request_ids = std::collections::HashSet::new();
    for seed in 0..20 {
        let event = generator(seed).event(&EventShape::default());
        request_ids.insert(event.request_id.value().is_some());
    }
    assert_eq!(request_ids.len(), 2, "randomly a UUID or null");
}

#[test]
fn a_coupon_is_redeemed_at_its_events_time() {
    let event = event("event_time: T-1d");
    assert_eq!(
        event["event_data"]["coupon"]["redeemed_at"],
        event["event_time"]
    );
}

#[test]
fn an_items_array_begins_with_the_item() {
    let event = event("{ revision: 2026-05-25, item: { bundle: [{}] } }");
    assert_eq!(event["event_data"]["items"][0], event["event_data"]["item"]);
    let source = self::event("{ revision: source, item: { bundle: [{}] } }");
    assert_eq!(source["event_data"]["item"], event["event_data"]["item"]);
}

#[test]
fn generated_fields_are_consistent_with_given_ones() {
    let event = event(
        "
coupon: { sku: crystals }
item:
  fallback: { sku: blade, bundle: [{ name: Great Axe }, { name: Great Axe }] }
  bundle: [{ sku: blade }, { sku: blade, name: Blade of Dawn, description: Glows. }]
",
    );
    let item = &event["event_data"]["item"];
    assert_eq!(
        (&item["sku"], &item["name"]),
        (&json!("crystals"), &json!("Crystals"))
    );
    for blade in [
        &item["nested_items"][0],
        &item["nested_items"][1],
        &item["fallback_item"],
    ] {
        assert_eq!(blade["name"], "Blade of Dawn");
        assert_eq!(blade["description"], "Glows.");
        assert_eq!(blade["id"], item["nested_items"][0]["id"]);
    }
    let axes = &item["fallback_item"]["nested_items"];
    assert_eq!(axes[0]["sku"], "great_axe");
    assert_eq!(axes[1]["sku"], "great_axe");
    assert_eq!(item["fallback_item"]["currency"], item["currency"]);
}

#[test]
fn errors_name_what_was_expected() {
    for (written, expected) in [
        ("event_time: soon", "expected Unix seconds"),
        ("event_time: [1]", "expected Unix seconds"),
        ("event_time: -1", "expected Unix seconds"),
        (
            "request_id: false",
            "expected `true` for a generated UUID, a text, or null",
        ),
        (
            "request_id: [1]",
            "expected `true` for a generated UUID, a text, or null",
        ),
        (
            "context: { player: false }",
            "expected `true` for a generated object",
        ),
        (
            "context: { order: text }",
            "expected `true` for a generated object",
        ),
        ("context: { device: true }", "unknown field `device`"),
        ("item: { bundle: [{ price: 5 }] }", "unknown field `price`"),
        (
            "item: { bundle: [{ fallback: ~ }] }",
            "unknown field `fallback`",
        ),
        (
            "item: { price_decimal: 5 }",
            "unknown field `price_decimal`",
        ),
        ("coupon: { name: X }", "unknown field `name`"),
        ("game: X", "unknown field `game`"),
        ("revision: latest", "2026-05-25"),
    ] {
        let error = error(written);
        assert!(error.contains(expected), "{written}: {error}");
    }
    let item = serde_saphyr::from_str::<CatalogueItem>("{ sku: a, price: 5 }");
    let error = item.expect_err("unknown key").to_string();
    assert!(error.contains("unknown field `price`"), "{error}");
}

#[test]
fn the_schema_and_the_parser_accept_the_same() {
    let schema = serde_json::to_value(schemars::schema_for!(EventShape)).expect("serialises");
    let schema = jsonschema::validator_for(&schema).expect("a schema");
    for (written, is_valid) in [
        (json!({}), true),
        (
            json!({ "event_time": "T-1h", "coupon": { "redeemed_at": 5 } }),
            true,
        ),
        (json!({ "event_time": -1 }), false),
        (json!({ "event_time": "soon" }), false),
        (
            json!({ "context": null, "request_id": null, "trigger": null }),
            true,
        ),
        (
            json!({ "context": { "player": true, "order": { "a": 1 } } }),
            true,
        ),
        (json!({ "context": { "player": false } }), false),
        (json!({ "request_id": true }), true),
        (json!({ "request_id": "R1" }), true),
        (json!({ "request_id": false }), false),
        (
            json!({ "item": { "bundle": [{ "bundle": [{}] }], "fallback": null } }),
            true,
        ),
        (
            json!({ "item": { "fallback": { "fallback": { "price": null } } } }),
            true,
        ),
        (json!({ "item": { "bundle": [{ "price": 1 }] } }), false),
        (json!({ "item": { "quantity": -1 } }), false),
        (json!({ "revision": "2026-05-25" }), true),
        (json!({ "revision": "latest" }), false),
        (json!({ "game": "X" }), false),
    ] {
        assert_eq!(schema.is_valid(&written), is_valid, "schema: {written}");
        let read = serde_json::from_value::<EventShape>(written.clone());
        assert_eq!(read.is_ok(), is_valid, "parser: {written}");
    }
}

#[test]
fn every_key_of_the_schema_is_described() {
    let schema = serde_json::to_value(schemars::schema_for!(EventShape)).expect("serialises");
    let definitions = schema["$defs"].as_object().expect("definitions").values();
    for object in definitions.chain([&schema]) {
        assert!(object["description"].is_string(), "{object}");
        for (key, property) in object["properties"].as_object().into_iter().flatten() {
            assert!(property["description"].is_string(), "{key}");
        }
    }
}
