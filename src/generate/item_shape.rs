//! What an author gives of an item, a bundle or a fallback.

use schemars::JsonSchema;
use serde::Deserialize;

use crate::protocol::Field;

// The doc comments of the fields are the descriptions in the JSON Schema: they speak to authors.

/// What a coupon grants: a plain item, or with `bundle` a bundle.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ItemShape {
    /// Aghanim's ID of the item. Left out: made from the SKU, such as `itm_exTBZQmIlDz`.
    pub id: Option<String>,
    /// The name that players see. Left out: the name that belongs to the SKU.
    pub name: Option<String>,
    /// A sentence on the item, or `null`. Left out: the one that belongs to the SKU.
    #[serde(default)]
    pub description: Field<String>,
    /// The item's SKU, the same in the game and at Aghanim. Left out: the coupon's SKU if that is
    /// given, otherwise one made from the name, otherwise one of the catalogue.
    pub sku: Option<String>,
    /// How many. Left out: a usual number of this item; 1 of a bundle.
    pub quantity: Option<u64>,
    /// The price in minor units of the currency (9499 is 94.99 USD, but 9499 JPY), or `null`.
    /// `price_decimal` follows from it. Left out: a usual price.
    #[serde(default)]
    pub price: Field<u64>,
    /// The ISO 4217 code of the price's currency. Left out: a generated one.
    pub currency: Option<String>,
    /// Makes this a bundle of these items, to any depth.
    pub bundle: Option<Vec<NestedItemShape>>,
    /// The item that is granted when this one can't be, or `null`. Left out: the key is not sent.
    #[serde(default)]
    pub fallback: Field<Box<ItemShape>>,
}

/// An item of a bundle. It has neither a price nor a fallback.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct NestedItemShape {
    /// Aghanim's ID of the item. Left out: made from the SKU, such as `itm_exTBZQmIlDz`.
    pub id: Option<String>,
    /// The name that players see. Left out: the name that belongs to the SKU.
    pub name: Option<String>,
    /// A sentence on the item, or `null`. Left out: the one that belongs to the SKU.
    #[serde(default)]
    pub description: Field<String>,
    /// The item's SKU, the same in the game and at Aghanim. Left out: one made from the name,
    /// otherwise one of the catalogue.
    pub sku: Option<String>,
    /// How many. Left out: a usual number of this item; 1 of a bundle.
    pub quantity: Option<u64>,
    /// Makes this a bundle of these items.
    pub bundle: Option<Vec<NestedItemShape>>,
}
