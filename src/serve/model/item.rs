//! An item of the game: a plain one or a bundle.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// The fields of an item in Aghanim's API that its webhooks depend on. `[P]`
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct ItemDraft {
    pub(crate) name: String,
    pub(crate) description: Option<String>,
    pub(crate) sku: String,
    #[serde(rename = "type")]
    pub(crate) kind: ItemType,
    /// In minor units of `currency`.
    pub(crate) price: Option<u64>,
    pub(crate) currency: String,
    /// How many of its SKU the item grants.
    pub(crate) quantity: u64,
    pub(crate) is_stackable: bool,
    pub(crate) is_currency: bool,
    /// What a bundle contains.
    pub(crate) nested_items: Vec<NestedItem>,
    pub(crate) fallback: Option<Fallback>,
    /// Fields that only the shop shows. They are kept as they were given.
    #[serde(default)]
    pub(crate) shop: Map<String, Value>,
}

/// The types of items that free-item coupons of the local Aghanim can grant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum ItemType {
    Item,
    Bundle,
}

impl ItemType {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Item => "item",
            Self::Bundle => "bundle",
        }
    }
}

/// A part of a bundle.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct NestedItem {
    /// The ID of the item.
    pub(crate) id: String,
    pub(crate) count: u64,
}

/// What is granted if the item can't be.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Fallback {
    pub(crate) item_id: String,
    /// Default: the quantity of that item.
    pub(crate) quantity: Option<u64>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Item {
    pub(crate) id: String,
    #[serde(flatten)]
    pub(crate) draft: ItemDraft,
    /// In Unix seconds.
    pub(crate) created_at: i64,
    pub(crate) modified_at: i64,
    pub(crate) archived_at: Option<i64>,
}

impl ItemDraft {
    /// The highest quantity in the API. `[P]`
    pub(crate) const MAX_QUANTITY: u64 = 1_000_000_000_000_000_000;

    /// A plain item with the API's defaults.
    pub(crate) fn plain(sku: impl Into<String>, name: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            description: None,
            sku: sku.into(),
            kind: ItemType::Item,
            price: None,
            currency: "USD".to_owned(),
            quantity: 1,
            is_stackable: true,
            is_currency: false,
            nested_items: Vec::new(),
            fallback: None,
            shop: Map::new(),
        }
    }

    /// The IDs of the items that this one contains or falls back on.
    pub(crate) fn references(&self) -> impl Iterator<Item = &str> {
        let nested = self.nested_items.iter().map(|nested| nested.id.as_str());
        nested.chain(
            self.fallback
                .iter()
                .map(|fallback| fallback.item_id.as_str()),
        )
    }
}
