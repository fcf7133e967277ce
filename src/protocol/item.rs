//! The item that a coupon grants: plain, a bundle, or a bundle of bundles.

use std::borrow::Cow;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::{Map, Number, Value};

use super::{Field, Text};

/// What the coupon grants. Source: `docs/protocol.md`, "Item" `[S]`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Item {
    /// Aghanim's ID of the item, as `itm_…`.
    pub id: Text,
    /// The name that players see.
    pub name: Text,
    /// A sentence on it.
    #[serde(default, skip_serializing_if = "Field::is_absent")]
    pub description: Field<Text>,
    /// The item's SKU, the same in the game and at Aghanim.
    pub sku: Text,
    /// How many.
    pub quantity: u64,
    /// The price in minor units of `currency`; in the source's example, not in its schema.
    #[serde(default, skip_serializing_if = "Field::is_absent")]
    pub price: Field<u64>,
    /// The same price in major units; in the source's example, not in its schema.
    #[serde(default, skip_serializing_if = "Field::is_absent")]
    pub price_decimal: Field<Number>,
    /// The ISO 4217 code of the price; in the source's example, not in its schema.
    #[serde(default, skip_serializing_if = "Field::is_absent")]
    pub currency: Field<Text>,
    /// Whether this is an item or a bundle.
    #[serde(rename = "type")]
    pub kind: ItemKind,
    /// The items of a bundle.
    #[serde(default, skip_serializing_if = "Field::is_absent")]
    pub nested_items: Field<Vec<NestedItem>>,
    /// Granted when the main item can't be; in the source's schema, not in its example.
    #[serde(default, skip_serializing_if = "Field::is_absent")]
    pub fallback_item: Field<Box<Item>>,
    /// Keys that the source does not name.
    #[serde(flatten)]
    pub unknown: Map<String, Value>,
}

/// An item of a bundle: no price and no fallback. Source: `docs/protocol.md`, "`NestedItem`" `[S]`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct NestedItem {
    /// Aghanim's ID of the item, as `itm_…`.
    pub id: Text,
    /// The name that players see.
    pub name: Text,
    /// A sentence on it.
    #[serde(default, skip_serializing_if = "Field::is_absent")]
    pub description: Field<Text>,
    /// The item's SKU, the same in the game and at Aghanim.
    pub sku: Text,
    /// How many.
    pub quantity: u64,
    /// Whether this is an item or, again, a bundle.
    #[serde(rename = "type")]
    pub kind: ItemKind,
    /// The items of a bundle.
    #[serde(default, skip_serializing_if = "Field::is_absent")]
    pub nested_items: Field<Vec<NestedItem>>,
    /// Keys that the source does not name.
    #[serde(flatten)]
    pub unknown: Map<String, Value>,
}

/// The `type` of an item.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum ItemKind {
    /// `item`: granted as it is.
    Item,
    /// `bundle`: stands for its nested items.
    Bundle,
    /// A type that the source does not name.
    Unknown(String),
}

impl ItemKind {
    /// The type's name on the wire.
    pub fn as_str(&self) -> &str {
        match self {
            Self::Item => "item",
            Self::Bundle => "bundle",
            Self::Unknown(name) => name,
        }
    }
}

impl Serialize for ItemKind {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl<'de> Deserialize<'de> for ItemKind {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let name = Cow::<'_, str>::deserialize(deserializer)?;
        Ok(match name.as_ref() {
            "item" => Self::Item,
            "bundle" => Self::Bundle,
            _ => Self::Unknown(name.into_owned()),
        })
    }
}
