//! Tests of what each shape of event grants.

use std::collections::BTreeMap;

use proptest::prelude::*;
use serde_json::json;

use crate::protocol::{Field, Secret};

use super::*;

fn settings() -> ReceiverSettings {
    ReceiverSettings::new(Secret::new("whsec").expect("not empty"))
}

fn leaf(sku: &str, quantity: u64) -> NestedItem {
    NestedItem {
        id: "itm_1".into(),
        name: "".into(),
        description: Field::Absent,
        sku: sku.to_owned().into(),
        quantity,
        kind: ItemKind::Item,
        nested_items: Field::Null,
        unknown: serde_json::Map::new(),
    }
}

fn bundle(sku: &str, quantity: u64, nested: Vec<NestedItem>) -> NestedItem {
    NestedItem {
        kind: ItemKind::Bundle,
        nested_items: nested.into(),
        ..leaf(sku, quantity)
    }
}

fn top_level(item: NestedItem) -> Item {
    Item {
        id: item.id,
        name: item.name,
        description: item.description,
        sku: item.sku,
        quantity: item.quantity,
        price: Field::Absent,
        price_decimal: Field::Absent,
        currency: Field::Absent,
        kind: item.kind,
        nested_items: item.nested_items,
        fallback_item: Field::Absent,
        unknown: item.unknown,
    }
}

fn with_fallback_item(item: Item, fallback: Item) -> Item {
    Item {
        fallback_item: Box::new(fallback).into(),
        ..item
    }
}

fn event(item: Item) -> Event {
    let example = include_str!("../../protocol/example-event.txt");
    let mut event: Event = serde_json::from_str(example).expect("an event");
    event.event_data.item = Field::Value(Box::new(item));
    event
}

fn granted(event: &Event, settings: &ReceiverSettings) -> Result<Vec<(String, u64)>, Refusal> {
    let grants = grants(event, settings)?;
    Ok(grants.into_iter().collect())
}

fn pairs(expected: &[(&str, u64)]) -> Vec<(String, u64)> {
    expected
        .iter()
        .map(|(sku, quantity)| ((*sku).to_owned(), *quantity))
        .collect()
}

#[test]
fn a_plain_item_is_granted_unchanged() {
    let event = event(top_level(leaf("gem", u64::MAX)));
    assert_eq!(
        granted(&event, &settings()),
        Ok(pairs(&[("gem", u64::MAX)]))
    );
}

#[test]
fn a_plain_item_is_not_opened() {
    let mut item = top_level(leaf("gem", 2));
    item.nested_items = vec![leaf("dust", 1)].into();
    assert_eq!(granted(&event(item), &settings()), Ok(pairs(&[("gem", 2)])));
}

#[test]
fn a_bundle_grants_its_leaves_or_its_own_sku() {
    let inner = bundle("pouch", 3, vec![leaf("gem", 5), leaf("dust", 1)]);
    let event = event(top_level(bundle("chest", 2, vec![inner, leaf("gem", 4)])));
    let mut settings = settings();
    assert_eq!(
        granted(&event, &settings),
        Ok(pairs(&[("dust", 6), ("gem", 38)]))
    );
    settings.bundles = BundleHandling::Sku;
    assert_eq!(granted(&event, &settings), Ok(pairs(&[("chest", 2)])));
}

#[test]
fn an_empty_bundle_grants_nothing() {
    let mut empty = top_level(bundle("chest", 1, vec![]));
    assert_eq!(granted(&event(empty.clone()), &settings()), Ok(pairs(&[])));
    empty.nested_items = Field::Null;
    assert_eq!(granted(&event(empty), &settings()), Ok(pairs(&[])));
}

#[test]
fn the_fallback_is_granted_instead_and_may_have_a_fallback() {
    let mut settings = settings();
    settings.cannot_grant = ["sword".to_owned(), "axe".to_owned()].into();
    let sword = top_level(bundle("arms", 1, vec![leaf("gem", 9), leaf("sword", 1)]));
    let axe = top_level(leaf("axe", 1));
    let last = with_fallback_item(axe.clone(), top_level(leaf("coin", 7)));
    let event_of = |item| event(with_fallback_item(sword.clone(), item));

    assert_eq!(
        granted(&event_of(last), &settings),
        Ok(pairs(&[("coin", 7)]))
    );
    let refused = Err(Refusal::CannotGrant {
        sku: "axe".to_owned(),
    });
    assert_eq!(granted(&event_of(axe), &settings), refused);
    // The bundle is granted by its own SKU, so the sword in it does not matter.
    settings.bundles = BundleHandling::Sku;
    assert_eq!(granted(&event(sword), &settings), Ok(pairs(&[("arms", 1)])));
}

#[test]
fn a_fallback_is_ignored_if_the_item_can_be_granted() {
    let item = with_fallback_item(top_level(leaf("gem", 1)), top_level(leaf("coin", 7)));
    assert_eq!(granted(&event(item), &settings()), Ok(pairs(&[("gem", 1)])));
}

#[test]
fn an_item_of_unknown_type_is_granted_by_its_sku() {
    let mut pass = top_level(leaf("pass", 1));
    pass.kind = ItemKind::Unknown("pass".to_owned());
    let item = with_fallback_item(pass, top_level(leaf("coin", 7)));
    assert_eq!(
        granted(&event(item), &settings()),
        Ok(pairs(&[("pass", 1)]))
    );
}

#[test]
fn a_list_of_items_is_granted_completely_or_refused() {
    let mut settings = settings();
    let mut event = event(top_level(leaf("gem", 1)));
    event.event_data.items = vec![
        top_level(leaf("gem", 1)),
        top_level(leaf("coin", 5)),
        top_level(leaf("gem", 2)),
    ]
    .into();
    assert_eq!(
        granted(&event, &settings),
        Ok(pairs(&[("coin", 5), ("gem", 3)]))
    );
    settings.cannot_grant = ["coin".to_owned()].into();
    assert!(granted(&event, &settings).is_err());
    for none in [Field::Null, Field::Absent, vec![].into()] {
        event.event_data.items = none;
        assert_eq!(granted(&event, &settings), Ok(pairs(&[("gem", 1)])));
    }
}

#[test]
fn a_quantity_beyond_64_bits_is_refused() {
    let refused = |sku: &str| {
        Err(Refusal::QuantityTooLarge {
            sku: sku.to_owned(),
        })
    };
    let product = top_level(bundle("chest", 2, vec![leaf("gem", u64::MAX)]));
    assert_eq!(granted(&event(product), &settings()), refused("gem"));
    let sum = top_level(bundle(
        "chest",
        1,
        vec![leaf("gem", u64::MAX), leaf("gem", 1)],
    ));
    assert_eq!(granted(&event(sum), &settings()), refused("gem"));
    let mut items = event(top_level(leaf("gem", 1)));
    items.event_data.items =
        vec![top_level(leaf("gem", 1)), top_level(leaf("gem", u64::MAX))].into();
    assert_eq!(granted(&items, &settings()), refused("gem"));
}

#[test]
fn sandbox_and_test_events_are_skipped_unless_the_game_grants_them() {
    let cases = [
        (false, json!("hub.redeem"), false, false, None),
        (
            true,
            json!("hub.redeem"),
            false,
            true,
            Some(Skipped::Sandbox),
        ),
        (true, json!("hub.redeem"), true, false, None),
        (false, json!("test"), true, false, Some(Skipped::Test)),
        (false, json!("test"), false, true, None),
        (true, json!("test"), true, false, Some(Skipped::Test)),
        (true, json!("test"), false, true, Some(Skipped::Sandbox)),
        (true, json!("test"), true, true, None),
        (false, json!(null), false, false, None),
    ];
    for (sandbox, trigger, grant_sandbox, grant_test, expected) in cases {
        let mut event = event(top_level(leaf("gem", 1)));
        event.sandbox = sandbox;
        event.trigger = serde_json::from_value(trigger).expect("a trigger");
        let mut settings = settings();
        settings.grant_sandbox = grant_sandbox;
        settings.grant_test = grant_test;
        assert_eq!(skip_reason(&event, &settings), expected);
    }
}

fn nested_item() -> impl Strategy<Value = NestedItem> {
    let sku = prop::sample::select(vec!["gem", "coin", "кристалл"]);
    let leaves = (sku, 0u64..5).prop_map(|(sku, quantity)| leaf(sku, quantity));
    leaves.prop_recursive(4, 24, 4, |inner| {
        (0u64..4, prop::collection::vec(inner, 0..4))
            .prop_map(|(quantity, nested)| bundle("box", quantity, nested))
    })
}

/// Opens each bundle as often as its quantity says and counts item by item.
fn count_one_by_one(item: &NestedItem, counted: &mut BTreeMap<String, u64>) {
    for _ in 0..item.quantity {
        if item.kind == ItemKind::Item {
            *counted.entry(item.sku.to_string()).or_insert(0) += 1;
        }
        for inner in item.nested_items.value().into_iter().flatten() {
            count_one_by_one(inner, counted);
        }
    }
}

proptest! {
    #[test]
    fn multiplied_quantities_equal_counting_one_by_one(item in nested_item()) {
        let mut counted = BTreeMap::new();
        count_one_by_one(&item, &mut counted);
        let mut granted = granted(&event(top_level(item)), &settings()).expect("small numbers");
        granted.retain(|(_, quantity)| *quantity > 0);
        prop_assert_eq!(granted, counted.into_iter().collect::<Vec<_>>());
    }

    #[test]
    fn large_products_are_exact_or_refused(outer in 1u64.., middle in 1u64.., inner in 1u64..) {
        let nested = bundle("pouch", middle, vec![leaf("gem", inner)]);
        let result = granted(&event(top_level(bundle("chest", outer, vec![nested]))), &settings());
        let exact = u128::from(outer)
            .checked_mul(u128::from(middle))
            .and_then(|product| product.checked_mul(u128::from(inner)))
            .and_then(|product| u64::try_from(product).ok());
        match exact {
            Some(quantity) => prop_assert_eq!(result, Ok(pairs(&[("gem", quantity)]))),
            None => prop_assert!(result.is_err()),
        }
    }
}
