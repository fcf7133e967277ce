//! Flaws in granting. Each is expressed as a changed event: a sound receiver would grant for the
//! changed event what the flawed receiver grants for the original.

use serde_json::Map;

use crate::protocol::{Event, Field, Item, ItemKind, NestedItem, Text};
use crate::receiver::grants::can_grant;
use crate::receiver::settings::ReceiverSettings;

use super::{Flaw, Flaws};

/// Changes the event as the flaws require.
pub(in crate::receiver) fn alter_event(
    flaws: &Flaws,
    event: &Event,
    settings: &ReceiverSettings,
) -> Event {
    let mut event = event.clone();
    if flaws.has(Flaw::FallbackGrantedToo) {
        add_fallbacks(&mut event, settings);
    }
    let is_redeemed = |trigger: &Text| *trigger == Event::TRIGGER_REDEEM;
    if flaws.has(Flaw::OnlyHubRedeemGranted) && !event.trigger.value().is_some_and(is_redeemed) {
        event.trigger = Field::Value(Event::TRIGGER_TEST.into());
    }
    each_item(&mut event, &mut |item| {
        if flaws.has(Flaw::FirstLevelOnly) {
            close_inner_bundles(&mut item.nested_items);
        }
        if flaws.has(Flaw::NestedQuantityIgnored) {
            make_quantities_one(&mut item.nested_items);
        }
        if flaws.has(Flaw::BundleGrantedTwice) && item.kind == ItemKind::Bundle {
            put_bundle_inside_itself(&item.sku, &mut item.nested_items);
        }
    });
    event
}

/// Calls `visit` with `item`, each of `items` (later payload revision) and all their fallbacks.
pub(super) fn each_item(event: &mut Event, visit: &mut impl FnMut(&mut Item)) {
    fn with_fallbacks(item: &mut Item, visit: &mut impl FnMut(&mut Item)) {
        visit(item);
        if let Field::Value(fallback) = &mut item.fallback_item {
            with_fallbacks(fallback, visit);
        }
    }
    let data = &mut event.event_data;
    with_fallbacks(&mut data.item, visit);
    if let Field::Value(items) = &mut data.items {
        for item in items {
            with_fallbacks(item, visit);
        }
    }
}

/// Adds the fallback of each item that can be granted itself.
fn add_fallbacks(event: &mut Event, settings: &ReceiverSettings) {
    let mut items = event.event_data.granted_items().to_vec();
    let fallbacks: Vec<Item> = items
        .iter()
        .filter(|item| can_grant(item, settings))
        .filter_map(|item| item.fallback_item.value())
        .map(|fallback| fallback.as_ref().clone())
        .filter(|fallback| can_grant(fallback, settings))
        .collect();
    items.extend(fallbacks);
    event.event_data.items = Field::Value(items);
}

/// Turns each bundle inside a bundle into a plain item.
fn close_inner_bundles(items: &mut Field<Vec<NestedItem>>) {
    if let Field::Value(items) = items {
        for item in items {
            if item.kind == ItemKind::Bundle {
                item.kind = ItemKind::Item;
            }
        }
    }
}

fn make_quantities_one(items: &mut Field<Vec<NestedItem>>) {
    if let Field::Value(items) = items {
        for item in items {
            item.quantity = 1;
            make_quantities_one(&mut item.nested_items);
        }
    }
}

/// Adds the bundle's own SKU to its contents, at every depth, so that opening the bundle grants
/// both.
fn put_bundle_inside_itself(sku: &str, contents: &mut Field<Vec<NestedItem>>) {
    let mut items = match std::mem::take(contents) {
        Field::Value(items) => items,
        Field::Absent | Field::Null => Vec::new(),
    };
    for item in &mut items {
        if item.kind == ItemKind::Bundle {
            put_bundle_inside_itself(&item.sku, &mut item.nested_items);
        }
    }
    items.push(NestedItem {
        id: "itm_itself".into(),
        name: "".into(),
        description: Field::Null,
        sku: sku.to_owned().into(),
        quantity: 1,
        kind: ItemKind::Item,
        nested_items: Field::Null,
        unknown: Map::new(),
    });
    *contents = Field::Value(items);
}
