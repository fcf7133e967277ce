//! An item of the shop as webhooks describe it, with what it contains.

use rusqlite::Connection;
use serde_json::Map;

use crate::generate::in_major_units;
use crate::protocol::{Field, Item, ItemKind, NestedItem};
use crate::serve::error::HubError;
use crate::serve::model;
use crate::serve::store::Document as _;

/// How deep bundles may nest. The API allows no circle, so this bounds only the size of an event.
pub(in crate::serve) const MAX_DEPTH: usize = 8;

/// The item with this ID, this many times. A bundle's own quantity does not change what it contains: the
/// receiver multiplies. `[A]`
pub(in crate::serve) fn event_item(
    connection: &Connection,
    id: &str,
    times: u64,
) -> Result<Item, HubError> {
    let item = model::Item::get(connection, id)?;
    let nested_items = contents(connection, &item, 0)?;
    let fallback = match &item.draft.fallback {
        Some(fallback) => Some(model::Item::get(connection, &fallback.item_id)?),
        None => None,
    };
    let fallback_item = match (fallback, &item.draft.fallback) {
        (Some(other), Some(fallback)) => {
            let nested_items = contents(connection, &other, 0)?;
            let quantity = fallback.quantity.unwrap_or(other.draft.quantity);
            Field::Value(Box::new(described(other, quantity, nested_items)))
        }
        _ => Field::Absent,
    };
    let quantity = item.draft.quantity.saturating_mul(times);
    Ok(Item {
        fallback_item,
        ..described(item, quantity, nested_items)
    })
}

fn described(item: model::Item, quantity: u64, nested_items: Field<Vec<NestedItem>>) -> Item {
    let draft = item.draft;
    let price = draft.price;
    let price_decimal = price.map(|minor| in_major_units(minor, &draft.currency));
    Item {
        id: item.id.into(),
        name: draft.name.into(),
        description: draft
            .description
            .map_or(Field::Null, |text| Field::Value(text.into())),
        sku: draft.sku.into(),
        quantity,
        price: price.map_or(Field::Absent, Field::Value),
        price_decimal: price_decimal.map_or(Field::Absent, Field::Value),
        currency: price.map_or(Field::Absent, |_| Field::Value(draft.currency.into())),
        kind: ItemKind::named(draft.kind.name()),
        nested_items,
        fallback_item: Field::Absent,
        unknown: Map::new(),
    }
}

/// What a bundle contains, at any depth.
fn contents(
    connection: &Connection,
    item: &model::Item,
    depth: usize,
) -> Result<Field<Vec<NestedItem>>, HubError> {
    if item.draft.kind != model::ItemType::Bundle || depth >= MAX_DEPTH {
        return Ok(Field::Null);
    }
    let mut parts = Vec::new();
    for nested in &item.draft.nested_items {
        let part = model::Item::get(connection, &nested.id)?;
        let nested_items = contents(connection, &part, depth + 1)?;
        let draft = part.draft;
        parts.push(NestedItem {
            id: part.id.into(),
            name: draft.name.into(),
            description: draft
                .description
                .map_or(Field::Null, |text| Field::Value(text.into())),
            sku: draft.sku.into(),
            quantity: draft.quantity.saturating_mul(nested.count),
            kind: ItemKind::named(draft.kind.name()),
            nested_items,
            unknown: Map::new(),
        });
    }
    Ok(Field::Value(parts))
}
