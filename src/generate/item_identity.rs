//! The properties that an item has everywhere in an event, and items made of them.

use rand::RngExt;
use rand_chacha::ChaCha8Rng;
use serde_json::Map;

use super::price::in_major_units;
use crate::protocol::{Field, Item, ItemKind, NestedItem, Text};

#[derive(Debug, Clone)]
pub(super) struct ItemIdentity {
    pub(super) id: Text,
    pub(super) sku: Text,
    pub(super) name: Text,
    pub(super) description: Field<Text>,
    pub(super) quantities: &'static [u64],
}

#[derive(Default)]
pub(super) struct ItemPrice {
    pub(super) minor: Field<u64>,
    /// The ISO 4217 code.
    pub(super) currency: Field<Text>,
}

impl ItemIdentity {
    pub(super) fn random_quantity(&self, random: &mut ChaCha8Rng) -> u64 {
        self.quantities[random.random_range(..self.quantities.len())]
    }

    /// The item that a coupon grants, or the fallback of one. With contents it is a bundle.
    pub(super) fn item(
        self,
        quantity: u64,
        price: ItemPrice,
        contents: Field<Vec<NestedItem>>,
        fallback_item: Field<Box<Item>>,
    ) -> Item {
        let price_decimal = match &price.currency {
            Field::Value(code) => price.minor.map(|minor| in_major_units(minor, code)),
            Field::Absent | Field::Null => Field::Absent,
        };
        Item {
            id: self.id,
            name: self.name,
            description: self.description,
            sku: self.sku,
            quantity,
            price: price.minor,
            price_decimal,
            currency: price.currency,
            kind: kind_of(&contents),
            nested_items: contents,
            fallback_item,
            unknown: Map::new(),
        }
    }

    /// An item in a bundle. With contents it is a bundle.
    pub(super) fn nested_item(self, quantity: u64, contents: Field<Vec<NestedItem>>) -> NestedItem {
        NestedItem {
            id: self.id,
            name: self.name,
            description: self.description,
            sku: self.sku,
            quantity,
            kind: kind_of(&contents),
            nested_items: contents,
            unknown: Map::new(),
        }
    }
}

fn kind_of(contents: &Field<Vec<NestedItem>>) -> ItemKind {
    match contents {
        Field::Value(_) => ItemKind::Bundle,
        Field::Absent | Field::Null => ItemKind::Item,
    }
}
