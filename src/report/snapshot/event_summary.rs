//! An event in one sentence: the coupon, the player, and what is granted.

use crate::protocol::{Event, Field, Item, ItemKind, NestedItem};

/// Summarizes an event. `None` if the body is not an event.
pub(super) fn event_summary(body: &str) -> Option<String> {
    let event: Event = serde_json::from_str(body).ok()?;
    let data = &event.event_data;
    let mut summary = format!(
        "coupon {} grants {} to {}",
        data.coupon.code,
        item(&data.item),
        data.player_id
    );
    if event.event_type != Event::COUPON_REDEEMED {
        summary = format!("{summary}; event_type {}", event.event_type);
    }
    if event.sandbox {
        summary.push_str("; sandbox");
    }
    match &event.trigger {
        Field::Value(trigger) if trigger == Event::TRIGGER_REDEEM => {}
        Field::Value(trigger) => summary = format!("{summary}; trigger {trigger}"),
        Field::Null => summary.push_str("; trigger null"),
        Field::Absent => summary.push_str("; no trigger"),
    }
    Some(summary)
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
