//! Items built from an author's shape. Missing fields come from elsewhere in the shape, from the
//! catalogue, or from the random stream.

use rand::RngExt;
use rand_chacha::ChaCha8Rng;

use super::catalogue::{
    Catalogue, USUAL_QUANTITIES, distinct_sku_of_name, name_of_sku, sku_of_name,
};
use super::identifiers::item_id;
use super::item_identity::{ItemIdentity, ItemPrice};
use super::price::Currency;
use super::{ItemShape, NestedItemShape};
use crate::protocol::{Field, Item, NestedItem, Text};

/// Builds the item of `shape`. If the shape has no SKU, the coupon's SKU is used, if any.
pub(super) fn item(
    shape: &ItemShape,
    coupon_sku: Option<&str>,
    catalogue: &Catalogue,
    random: &mut ChaCha8Rng,
) -> Item {
    let mut items = ShapedItems {
        catalogue,
        random,
        known: Vec::new(),
    };
    items.remember(
        GivenFields::of_item(shape, coupon_sku),
        shape.bundle.as_deref(),
    );
    items.remember_fallbacks(shape);
    items.item(shape, coupon_sku, None)
}

/// The fields that items and nested items have in common, as far as the author gives them.
#[derive(Clone, Copy)]
struct GivenFields<'a> {
    id: Option<&'a str>,
    sku: Option<&'a str>,
    name: Option<&'a str>,
    description: &'a Field<String>,
}

impl<'a> GivenFields<'a> {
    fn of_item(shape: &'a ItemShape, coupon_sku: Option<&'a str>) -> Self {
        Self {
            id: shape.id.as_deref(),
            sku: shape.sku.as_deref().or(coupon_sku),
            name: shape.name.as_deref(),
            description: &shape.description,
        }
    }

    fn of_nested(shape: &'a NestedItemShape) -> Self {
        Self {
            id: shape.id.as_deref(),
            sku: shape.sku.as_deref(),
            name: shape.name.as_deref(),
            description: &shape.description,
        }
    }
}

/// The properties that this event has given to an SKU so far.
struct KnownItem {
    sku: Text,
    id: Option<Text>,
    name: Option<Text>,
    description: Field<Text>,
}

struct ShapedItems<'a> {
    catalogue: &'a Catalogue,
    random: &'a mut ChaCha8Rng,
    known: Vec<KnownItem>,
}

impl ShapedItems<'_> {
    /// Remembers the properties given with an SKU, so that the rest of the event is consistent.
    /// The first value of a property is used.
    fn remember(&mut self, given: GivenFields<'_>, bundle: Option<&[NestedItemShape]>) {
        if let Some(sku) = given.sku {
            let owned = |text: Option<&str>| text.map(|text| Text::Owned(text.to_owned()));
            let (id, name) = (owned(given.id), owned(given.name));
            let description = given.description.clone().map(Text::Owned);
            if let Some(known) = self.known.iter_mut().find(|known| known.sku == sku) {
                known.id = known.id.take().or(id);
                known.name = known.name.take().or(name);
                if known.description.is_absent() {
                    known.description = description;
                }
            } else {
                let sku = Text::Owned(sku.to_owned());
                self.known.push(KnownItem {
                    sku,
                    id,
                    name,
                    description,
                });
            }
        }
        for nested in bundle.unwrap_or_default() {
            self.remember(GivenFields::of_nested(nested), nested.bundle.as_deref());
        }
    }

    fn remember_fallbacks(&mut self, shape: &ItemShape) {
        if let Field::Value(fallback) = &shape.fallback {
            self.remember(
                GivenFields::of_item(fallback, None),
                fallback.bundle.as_deref(),
            );
            self.remember_fallbacks(fallback);
        }
    }

    fn item(
        &mut self,
        shape: &ItemShape,
        coupon_sku: Option<&str>,
        main_currency: Option<&Text>,
    ) -> Item {
        let bundle = shape.bundle.as_deref();
        let identity = self.identity(GivenFields::of_item(shape, coupon_sku), bundle.is_some());
        let quantity = self.quantity(shape.quantity, bundle, &identity);
        let currency = match (&shape.currency, main_currency) {
            (Some(given), _) => Text::Owned(given.clone()),
            (None, Some(main)) => main.clone(),
            (None, None) => Text::Borrowed(Currency::random(self.random).code),
        };
        let price = match shape.price {
            Field::Absent => Field::Value(Currency::usual_price(&currency, self.random)),
            given => given,
        };
        let contents = self.contents(bundle);
        let fallback_item = match &shape.fallback {
            Field::Absent => Field::Absent,
            Field::Null => Field::Null,
            Field::Value(fallback) => {
                Field::Value(Box::new(self.item(fallback, None, Some(&currency))))
            }
        };
        let price = ItemPrice {
            minor: price,
            currency: Field::Value(currency),
        };
        identity.item(quantity, price, contents, fallback_item)
    }

    fn nested_item(&mut self, shape: &NestedItemShape) -> NestedItem {
        let bundle = shape.bundle.as_deref();
        let identity = self.identity(GivenFields::of_nested(shape), bundle.is_some());
        let quantity = self.quantity(shape.quantity, bundle, &identity);
        identity.nested_item(quantity, self.contents(bundle))
    }

    fn contents(&mut self, bundle: Option<&[NestedItemShape]>) -> Field<Vec<NestedItem>> {
        bundle.map_or(Field::Null, |shapes| {
            Field::Value(shapes.iter().map(|shape| self.nested_item(shape)).collect())
        })
    }

    fn quantity(
        &mut self,
        given: Option<u64>,
        bundle: Option<&[NestedItemShape]>,
        identity: &ItemIdentity,
    ) -> u64 {
        match (given, bundle) {
            (Some(given), _) => given,
            (None, Some(_)) => 1,
            (None, None) => identity.random_quantity(self.random),
        }
    }

    fn identity(&mut self, given: GivenFields<'_>, is_bundle: bool) -> ItemIdentity {
        let sku = match (given.sku, given.name) {
            (Some(sku), _) => Text::Owned(sku.to_owned()),
            (None, Some(name)) => self.sku_named(name),
            (None, None) => self.random_sku(is_bundle),
        };
        let entry = self.catalogue.find(&sku);
        let known = self.known.iter().position(|known| known.sku == sku);
        let known_item = known.map(|index| &self.known[index]);

        let name = given
            .name
            .map(|name| Text::Owned(name.to_owned()))
            .or_else(|| known_item.and_then(|known| known.name.clone()))
            .or_else(|| entry.map(|entry| entry.name.clone()))
            .unwrap_or_else(|| name_of_sku(&sku).into());
        let id = given
            .id
            .map(|id| Text::Owned(id.to_owned()))
            .or_else(|| known_item.and_then(|known| known.id.clone()))
            .or_else(|| entry.map(|entry| entry.id.clone()))
            .unwrap_or_else(|| item_id(&sku).into());
        let description = match (
            given.description,
            known_item.map(|known| &known.description),
        ) {
            (Field::Absent, None | Some(Field::Absent)) => entry.map_or_else(
                || Field::Value(Text::Owned(format!("{name}, ready to use."))),
                |entry| entry.description.clone(),
            ),
            (Field::Absent, Some(known)) => known.clone(),
            (given, _) => given.clone().map(Text::Owned),
        };
        let quantities = entry.map_or(USUAL_QUANTITIES, |entry| entry.quantities);
        if known.is_none() {
            self.known.push(KnownItem {
                sku: sku.clone(),
                id: Some(id.clone()),
                name: Some(name.clone()),
                description: description.clone(),
            });
        }
        ItemIdentity {
            id,
            sku,
            name,
            description,
            quantities,
        }
    }

    /// The SKU of an item for which only the name is given: the SKU that has this name elsewhere in
    /// the event, or an unused one derived from the name.
    fn sku_named(&self, name: &str) -> Text {
        let is_named = |known: &&KnownItem| known.name.as_deref() == Some(name);
        if let Some(known) = self.known.iter().find(is_named) {
            return known.sku.clone();
        }
        let sku = sku_of_name(name);
        let in_event = self.known.iter().any(|known| known.sku == sku);
        let in_catalogue = self
            .catalogue
            .find(&sku)
            .is_some_and(|entry| entry.name != name);
        if in_event || in_catalogue {
            return distinct_sku_of_name(name).into();
        }
        sku.into()
    }

    /// A random SKU of the catalogue, if possible one that this event does not use yet.
    fn random_sku(&mut self, is_bundle: bool) -> Text {
        let catalogue = self.catalogue;
        let indices = if is_bundle && !catalogue.bundles.is_empty() {
            &catalogue.bundles
        } else {
            &catalogue.plain
        };
        let first = self.random.random_range(..indices.len());
        let mut from_first = indices[first..].iter().chain(&indices[..first]);
        let is_new = |index: &&usize| {
            let sku = &catalogue.entry(**index).identity.sku;
            !self.known.iter().any(|known| known.sku == *sku)
        };
        let index = from_first.find(is_new).unwrap_or(&indices[first]);
        catalogue.entry(*index).identity.sku.clone()
    }
}
