//! An item, a bundle or a fallback, as an author writes it.

use schemars::JsonSchema;
use serde::Deserialize;

use crate::protocol::Field;

// The doc comments of the fields are the descriptions in the JSON Schema, which authors read.

/// The item that a coupon grants. With `bundle` it is a bundle.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ItemShape {
    /// Aghanim's ID of the item. Default: derived from the SKU, such as `itm_exTBZQmIlDz`.
    pub id: Option<String>,
    /// The name that players see. Default: the name for the SKU.
    pub name: Option<String>,
    /// A description of the item, or `null`. Default: the description for the SKU.
    #[serde(default)]
    pub description: Field<String>,
    /// The item's SKU, the same in the game and at Aghanim. Default: the coupon's SKU if it is
    /// given, otherwise derived from the name if it is given, otherwise an SKU of the catalogue.
    pub sku: Option<String>,
    /// The quantity. Default: a usual quantity of this item; 1 for a bundle.
    pub quantity: Option<u64>,
    /// The price in minor units of the currency (9499 is 94.99 USD, but 9499 JPY), or `null`.
    /// `price_decimal` is computed from it. Default: a usual price.
    #[serde(default)]
    pub price: Field<u64>,
    /// The ISO 4217 code of the price's currency. Default: a random currency.
    pub currency: Option<String>,
    /// The items of the bundle. They can be bundles too, at any depth.
    pub bundle: Option<Vec<NestedItemShape>>,
    /// The item to grant if this one can't be granted, or `null`. Default: the key is not sent.
    #[serde(default)]
    pub fallback: Field<Box<ItemShape>>,
}

/// An item in a bundle. It has no price and no fallback.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct NestedItemShape {
    /// Aghanim's ID of the item. Default: derived from the SKU, such as `itm_exTBZQmIlDz`.
    pub id: Option<String>,
    /// The name that players see. Default: the name for the SKU.
    pub name: Option<String>,
    /// A description of the item, or `null`. Default: the description for the SKU.
    #[serde(default)]
    pub description: Field<String>,
    /// The item's SKU, the same in the game and at Aghanim. Default: derived from the name if it is
    /// given, otherwise an SKU of the catalogue.
    pub sku: Option<String>,
    /// The quantity. Default: a usual quantity of this item; 1 for a bundle.
    pub quantity: Option<u64>,
    /// The items of the nested bundle.
    pub bundle: Option<Vec<NestedItemShape>>,
}
