//! Items as an author writes them, and the bundles that contain them.

use std::ops::Deref;

use schemars::JsonSchema;
use serde::Deserialize;
use serde::de::value::MapAccessDeserializer;
use serde::de::{Deserializer, Error, MapAccess};

use super::sku_shape::{SkuOwner, SkuShape};
use super::text_shape::TextShape;
use super::written::{Written, deserialize_written, written_schema};
use crate::protocol::Field;

// The doc comments of the fields are the descriptions in the JSON Schema, which authors read.

/// The item that a coupon grants. With `bundle` it is a bundle.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ItemShape {
    /// Aghanim's ID of the item. Default: derived from the SKU, such as `itm_exTBZQmIlDz`.
    pub id: Option<String>,
    /// The name that players see: a text, or `{ length: N }`. Default: the name for the SKU.
    pub name: Option<TextShape>,
    /// A description of the item: a text, `{ length: N }`, or `null`. Default: the description for
    /// the SKU.
    #[serde(default)]
    pub description: Field<TextShape>,
    /// The item's SKU, the same in the game and at Aghanim: a text, `{ same_as: item }` for the SKU of
    /// the coupon's item, `{ same_as: EVENT }` for that of another event's, or `{ length: N }`. Default:
    /// the coupon's SKU if it is given, otherwise derived from the name if it is given, otherwise an SKU
    /// of the catalogue.
    pub sku: Option<SkuShape>,
    /// The type of the item: `item`, `bundle`, or any other text. Default: `bundle` with `bundle`,
    /// otherwise `item`.
    #[serde(rename = "type")]
    pub kind: Option<String>,
    /// The quantity. Default: a usual quantity of this item; 1 for a bundle.
    pub quantity: Option<u64>,
    /// The price in minor units of the currency (9499 is 94.99 USD, but 9499 JPY), or `null`.
    /// `price_decimal` is computed from it. Default: a usual price.
    #[serde(default)]
    pub price: Field<u64>,
    /// The ISO 4217 code of the price's currency. Default: a random currency.
    pub currency: Option<String>,
    /// The items of the bundle, or how many to generate: `{ parts: N }`. They can be bundles too, at
    /// any depth.
    pub bundle: Option<BundleShape>,
    /// The item to grant if this one can't be granted, or `null`. Default: the key is not sent.
    #[serde(default)]
    pub fallback: Field<Box<ItemShape>>,
}

impl ItemShape {
    /// The SKUs that are given, of the item, its bundle and its fallbacks.
    pub(crate) fn skus(&self) -> Vec<&SkuShape> {
        let nested = self.bundle.as_deref().unwrap_or_default();
        let mut skus: Vec<&SkuShape> = self.sku.iter().collect();
        skus.extend(nested.iter().flat_map(NestedItemShape::skus));
        if let Field::Value(fallback) = &self.fallback {
            skus.extend(fallback.skus());
        }
        skus
    }

    pub(crate) fn skus_mut(&mut self) -> Vec<&mut SkuShape> {
        let nested = self.bundle.iter_mut().flat_map(|bundle| &mut bundle.0);
        let mut skus: Vec<&mut SkuShape> = self.sku.iter_mut().collect();
        skus.extend(nested.flat_map(NestedItemShape::skus_mut));
        if let Field::Value(fallback) = &mut self.fallback {
            skus.extend(fallback.skus_mut());
        }
        skus
    }
}

/// An item in a bundle. It has no price and no fallback.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct NestedItemShape {
    /// Aghanim's ID of the item. Default: derived from the SKU, such as `itm_exTBZQmIlDz`.
    pub id: Option<String>,
    /// The name that players see: a text, or `{ length: N }`. Default: the name for the SKU.
    pub name: Option<TextShape>,
    /// A description of the item: a text, `{ length: N }`, or `null`. Default: the description for
    /// the SKU.
    #[serde(default)]
    pub description: Field<TextShape>,
    /// The item's SKU, the same in the game and at Aghanim: a text, `{ same_as: 1 }` for that of an
    /// earlier part of the bundle, `{ same_as: EVENT }` for that of another event's item, or
    /// `{ length: N }`. Default: derived from the name if it is given, otherwise an SKU of the
    /// catalogue.
    pub sku: Option<SkuShape>,
    /// The type of the item: `item`, `bundle`, or any other text. Default: `bundle` with `bundle`,
    /// otherwise `item`.
    #[serde(rename = "type")]
    pub kind: Option<String>,
    /// The quantity. Default: a usual quantity of this item; 1 for a bundle.
    pub quantity: Option<u64>,
    /// The items of the nested bundle.
    pub bundle: Option<Vec<NestedItemShape>>,
}

impl NestedItemShape {
    fn skus(&self) -> Vec<&SkuShape> {
        let nested = self.bundle.iter().flatten().flat_map(Self::skus);
        self.sku.iter().chain(nested).collect()
    }

    fn skus_mut(&mut self) -> Vec<&mut SkuShape> {
        let nested = self.bundle.iter_mut().flatten();
        let nested = nested.flat_map(Self::skus_mut);
        self.sku.iter_mut().chain(nested).collect()
    }
}

/// The contents of a bundle: a list, or only a number of parts.
#[derive(Debug, Clone, PartialEq)]
pub struct BundleShape(pub Vec<NestedItemShape>);

/// A number of generated parts.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct GeneratedParts {
    /// How many items the bundle contains.
    parts: usize,
    /// How many different SKUs they have. With fewer than parts, SKUs occur several times. Default: as
    /// many as possible.
    skus: Option<usize>,
}

const MOST_PARTS: usize = 2_000;

impl Written for BundleShape {
    const EXPECTED: &'static str = "a list of items, or `{ parts: N }` with optional `skus`";

    fn from_list<'de, L: Deserializer<'de>>(list: L) -> Result<Self, L::Error> {
        Vec::deserialize(list).map(Self)
    }

    fn from_map<'de, M: MapAccess<'de>>(map: M) -> Result<Self, M::Error> {
        let keys = GeneratedParts::deserialize(MapAccessDeserializer::new(map))?;
        let parts = keys.parts;
        if !(1..=MOST_PARTS).contains(&parts) {
            return Err(M::Error::custom(format!(
                "a bundle can't have {parts} generated parts\nuse a number from 1 to {MOST_PARTS}"
            )));
        }
        let skus = keys.skus.unwrap_or(parts);
        if !(1..=parts).contains(&skus) {
            return Err(M::Error::custom(format!(
                "{parts} parts can't have {skus} different SKUs\nuse a number from 1 to {parts}"
            )));
        }
        let part = |index: usize| NestedItemShape {
            sku: (index >= skus).then(|| SkuShape::SameAs(SkuOwner::Part(index % skus + 1))),
            // Small, because a game may limit what it grants of an item.
            quantity: Some(1 + index as u64 % 9),
            ..NestedItemShape::default()
        };
        Ok(Self((0..parts).map(part).collect()))
    }
}

deserialize_written!(BundleShape);

written_schema!(BundleShape, "BundleShape", |generator| {
    "description": "A list of nested items, or `{ parts: N, skus: M }` for that many generated ones.",
    "anyOf": [
        { "type": "array", "items": generator.subschema_for::<NestedItemShape>() },
        generator.subschema_for::<GeneratedParts>(),
    ],
});

impl Deref for BundleShape {
    type Target = [NestedItemShape];

    fn deref(&self) -> &[NestedItemShape] {
        &self.0
    }
}
