//! An event in one sentence: who redeemed what, and what that grants.

use crate::protocol::{Event, Field, Item, ItemKind, NestedItem};

/// What an event says; nothing where the body is not one.
pub(super) fn event_in_words(body: &str) -> Option<String> {
    let event: Event = serde_json::from_str(body).ok()?;
    let data = &event.event_data;
    let mut words = format!(
        "coupon {} grants {} to {}",
        data.coupon.code,
        item(&data.item),
        data.player_id
    );
    if event.event_type != Event::COUPON_REDEEMED {
        words = format!("{words}; event_type {}", event.event_type);
    }
    if event.sandbox {
        words.push_str("; sandbox");
    }
    match &event.trigger {
        Field::Value(trigger) if trigger == Event::TRIGGER_REDEEM => {}
        Field::Value(trigger) => words = format!("{words}; trigger {trigger}"),
        Field::Null => words.push_str("; trigger null"),
        Field::Absent => words.push_str("; no trigger"),
    }
    Some(words)
}

fn item(item: &Item) -> String {
    let nested = item.nested_items.value().map_or(&[][..], Vec::as_slice);
    let main = counted(item.quantity, &item.sku, &item.kind, nested);
    match item.fallback_item.value() {
        Some(fallback) => format!("{main}, or else {}", self::item(fallback)),
        None => main,
    }
}

fn counted(quantity: u64, sku: &str, kind: &ItemKind, nested: &[NestedItem]) -> String {
    let quantity = format!("{quantity} {sku}");
    if *kind == ItemKind::Item && nested.is_empty() {
        return quantity;
    }
    let nested = nested
        .iter()
        .map(|item| {
            let inner = item.nested_items.value().map_or(&[][..], Vec::as_slice);
            counted(item.quantity, &item.sku, &item.kind, inner)
        })
        .collect::<Vec<_>>();
    format!("{quantity} (a bundle of {})", nested.join(" and "))
}
