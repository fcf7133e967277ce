//! Items from an author's shape: what is left out comes from elsewhere in the shape, from the
//! catalogue, or from the random stream.

use rand::RngExt;
use rand_chacha::ChaCha8Rng;
use serde_json::Map;

use super::catalogue::{
    Catalogue, USUAL_QUANTITIES, distinct_sku_of_name, name_of_sku, sku_of_name,
};
use super::identifiers::item_id;
use super::price::{Currency, in_major_units};
use super::{ItemShape, NestedItemShape};
use crate::protocol::{Field, Item, ItemKind, NestedItem, Text};

/// The item of `shape`. Where that has no SKU, it is the coupon's, if there is one.
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
    items.learn(Given::of_item(shape, coupon_sku), shape.bundle.as_deref());
    items.learn_fallbacks(shape);
    items.item(shape, coupon_sku, None)
}

/// What an author gives of an item or of a nested item, and what both have.
#[derive(Clone, Copy)]
struct Given<'a> {
    id: Option<&'a str>,
    sku: Option<&'a str>,
    name: Option<&'a str>,
    description: &'a Field<String>,
}

impl<'a> Given<'a> {
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

/// What this event says of an SKU so far.
struct Known {
    sku: Text,
    id: Option<Text>,
    name: Option<Text>,
    description: Field<Text>,
}

/// Who an item is: the same for an SKU wherever it stands in the event.
struct Face {
    id: Text,
    sku: Text,
    name: Text,
    description: Field<Text>,
    quantities: &'static [u64],
}

struct ShapedItems<'a> {
    catalogue: &'a Catalogue,
    random: &'a mut ChaCha8Rng,
    known: Vec<Known>,
}

impl ShapedItems<'_> {
    /// Remembers what is given with an SKU, so that the rest of the event agrees with it. What is
    /// given first counts.
    fn learn(&mut self, given: Given<'_>, bundle: Option<&[NestedItemShape]>) {
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
                self.known.push(Known {
                    sku,
                    id,
                    name,
                    description,
                });
            }
        }
        for nested in bundle.unwrap_or_default() {
            self.learn(Given::of_nested(nested), nested.bundle.as_deref());
        }
    }

    fn learn_fallbacks(&mut self, shape: &ItemShape) {
        if let Field::Value(fallback) = &shape.fallback {
            self.learn(Given::of_item(fallback, None), fallback.bundle.as_deref());
            self.learn_fallbacks(fallback);
        }
    }

    fn item(
        &mut self,
        shape: &ItemShape,
        coupon_sku: Option<&str>,
        main_currency: Option<&Text>,
    ) -> Item {
        let bundle = shape.bundle.as_deref();
        let face = self.face(Given::of_item(shape, coupon_sku), bundle.is_some());
        let quantity = self.quantity(shape.quantity, bundle, &face);
        let currency = match (&shape.currency, main_currency) {
            (Some(given), _) => Text::Owned(given.clone()),
            (None, Some(main)) => main.clone(),
            (None, None) => Text::Borrowed(Currency::any(self.random).code),
        };
        let price = match shape.price {
            Field::Absent => Field::Value(Currency::usual_price(&currency, self.random)),
            given => given,
        };
        let (kind, nested_items) = self.contents(bundle);
        let fallback_item = match &shape.fallback {
            Field::Absent => Field::Absent,
            Field::Null => Field::Null,
            Field::Value(fallback) => {
                Field::Value(Box::new(self.item(fallback, None, Some(&currency))))
            }
        };
        Item {
            id: face.id,
            name: face.name,
            description: face.description,
            sku: face.sku,
            quantity,
            price,
            price_decimal: price.map(|minor| in_major_units(minor, &currency)),
            currency: Field::Value(currency),
            kind,
            nested_items,
            fallback_item,
            unknown: Map::new(),
        }
    }

    fn nested_item(&mut self, shape: &NestedItemShape) -> NestedItem {
        let bundle = shape.bundle.as_deref();
        let face = self.face(Given::of_nested(shape), bundle.is_some());
        let quantity = self.quantity(shape.quantity, bundle, &face);
        let (kind, nested_items) = self.contents(bundle);
        NestedItem {
            id: face.id,
            name: face.name,
            description: face.description,
            sku: face.sku,
            quantity,
            kind,
            nested_items,
            unknown: Map::new(),
        }
    }

    fn contents(
        &mut self,
        bundle: Option<&[NestedItemShape]>,
    ) -> (ItemKind, Field<Vec<NestedItem>>) {
        let Some(shapes) = bundle else {
            return (ItemKind::Item, Field::Null);
        };
        let nested = shapes.iter().map(|shape| self.nested_item(shape)).collect();
        (ItemKind::Bundle, Field::Value(nested))
    }

    fn quantity(
        &mut self,
        given: Option<u64>,
        bundle: Option<&[NestedItemShape]>,
        face: &Face,
    ) -> u64 {
        match (given, bundle) {
            (Some(given), _) => given,
            (None, Some(_)) => 1,
            (None, None) => face.quantities[self.random.random_range(..face.quantities.len())],
        }
    }

    fn face(&mut self, given: Given<'_>, is_bundle: bool) -> Face {
        let sku = match (given.sku, given.name) {
            (Some(sku), _) => Text::Owned(sku.to_owned()),
            (None, Some(name)) => self.sku_named(name),
            (None, None) => self.any_sku(is_bundle),
        };
        let entry = self.catalogue.find(&sku);
        let known = self.known.iter().position(|known| known.sku == sku);
        let said = known.map(|place| &self.known[place]);

        let name = given
            .name
            .map(|name| Text::Owned(name.to_owned()))
            .or_else(|| said.and_then(|known| known.name.clone()))
            .or_else(|| entry.map(|entry| entry.name.clone()))
            .unwrap_or_else(|| name_of_sku(&sku).into());
        let id = given
            .id
            .map(|id| Text::Owned(id.to_owned()))
            .or_else(|| said.and_then(|known| known.id.clone()))
            .or_else(|| entry.map(|entry| entry.id.clone()))
            .unwrap_or_else(|| item_id(&sku).into());
        let description = match (given.description, said.map(|known| &known.description)) {
            (Field::Absent, None | Some(Field::Absent)) => entry.map_or_else(
                || Field::Value(Text::Owned(format!("{name}, ready to use."))),
                |entry| entry.description.clone(),
            ),
            (Field::Absent, Some(said)) => said.clone(),
            (given, _) => given.clone().map(Text::Owned),
        };
        let quantities = entry.map_or(USUAL_QUANTITIES, |entry| entry.quantities);
        if known.is_none() {
            self.known.push(Known {
                sku: sku.clone(),
                id: Some(id.clone()),
                name: Some(name.clone()),
                description: description.clone(),
            });
        }
        Face {
            id,
            sku,
            name,
            description,
            quantities,
        }
    }

    /// The SKU of an item of which only the name is given: that of the same name elsewhere in the
    /// event, or one that is made from the name and means nothing else.
    fn sku_named(&self, name: &str) -> Text {
        let is_named = |known: &&Known| known.name.as_deref() == Some(name);
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

    /// An SKU of the catalogue which this event does not have yet, as far as there is one.
    fn any_sku(&mut self, is_bundle: bool) -> Text {
        let catalogue = self.catalogue;
        let places = if is_bundle && !catalogue.bundles.is_empty() {
            &catalogue.bundles
        } else {
            &catalogue.plain
        };
        let first = self.random.random_range(..places.len());
        let mut from_first = places[first..].iter().chain(&places[..first]);
        let is_new = |place: &&usize| {
            let sku = &catalogue.entry(**place).sku;
            !self.known.iter().any(|known| known.sku == *sku)
        };
        let place = from_first.find(is_new).unwrap_or(&places[first]);
        catalogue.entry(*place).sku.clone()
    }
}
