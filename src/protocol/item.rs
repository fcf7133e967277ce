//! The item that a coupon grants: a plain item or a bundle, which may contain bundles.

use std::borrow::Cow;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::{Map, Number, Value};

use super::{Field, Text};

/// What the coupon grants. Source: `docs/protocol.md`, "Item" `[S]`.
#[expect(
    clippy::struct_field_names,
    reason = "`fallback_item` is the name of its key"
)]
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Item {
    pub id: Text,
    pub name: Text,
    #[serde(default, skip_serializing_if = "Field::is_absent")]
    pub description: Field<Text>,
    pub sku: Text,
    pub quantity: u64,
    /// The price in minor units of `currency`. In the documented example, but not in its schema.
    #[serde(default, skip_serializing_if = "Field::is_absent")]
    pub price: Field<u64>,
    /// The same price in major units. In the documented example, but not in its schema.
    #[serde(default, skip_serializing_if = "Field::is_absent")]
    pub price_decimal: Field<Number>,
    /// The ISO 4217 currency of the price. In the documented example, but not in its schema.
    #[serde(default, skip_serializing_if = "Field::is_absent")]
    pub currency: Field<Text>,
    #[serde(rename = "type")]
    pub kind: ItemKind,
    #[serde(default, skip_serializing_if = "Field::is_absent")]
    pub nested_items: Field<Vec<NestedItem>>,
    /// Granted if the main item can't be granted. In the documented schema, but not in its example.
    #[serde(default, skip_serializing_if = "Field::is_absent")]
    pub fallback_item: Field<Box<Item>>,
    #[serde(flatten)]
    pub unknown: Map<String, Value>,
}

/// An item of a bundle, which has no price and no fallback. Source: `docs/protocol.md`,
/// "`NestedItem`" `[S]`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct NestedItem {
    pub id: Text,
    pub name: Text,
    #[serde(default, skip_serializing_if = "Field::is_absent")]
    pub description: Field<Text>,
    pub sku: Text,
    pub quantity: u64,
    #[serde(rename = "type")]
    pub kind: ItemKind,
    #[serde(default, skip_serializing_if = "Field::is_absent")]
    pub nested_items: Field<Vec<NestedItem>>,
    #[serde(flatten)]
    pub unknown: Map<String, Value>,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum ItemKind {
    Item,
    Bundle,
    Unknown(String),
}

impl ItemKind {
    pub fn named(name: &str) -> Self {
        match name {
            "item" => Self::Item,
            "bundle" => Self::Bundle,
            _ => Self::Unknown(name.to_owned()),
        }
    }

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
        Ok(Self::named(&name))
    }
}
