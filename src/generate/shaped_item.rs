//! Items built from an author's shape. Missing fields come from elsewhere in the shape, from the
//! catalogue, or from the random stream.

use std::iter;

use rand::RngExt;
use rand_chacha::ChaCha8Rng;

use super::catalogue::{
    Catalogue, USUAL_QUANTITIES, distinct_sku_of_name, name_of_sku, sku_of_length, sku_of_name,
};
use super::identifiers::item_id;
use super::item_identity::{ItemIdentity, ItemPrice};
use super::price::Currency;
use super::sku_shape::SkuOwner;
use super::text_shape::TextShape;
use super::{ItemShape, NestedItemShape, SkuShape};
use crate::protocol::{Field, Item, ItemKind, NestedItem, Text};

/// Builds the items of `shapes`. If the first shape has no SKU, the coupon's SKU is used, if any.
pub(super) fn items(
    shapes: &[ItemShape],
    coupon_sku: Option<&str>,
    catalogue: &Catalogue,
    random: &mut ChaCha8Rng,
) -> Vec<Item> {
    let mut items = ShapedItems {
        catalogue,
        random,
        given: Vec::new(),
        generated: Vec::new(),
        first_sku: None,
        parts: Vec::new(),
    };
    let coupon_skus = || iter::once(coupon_sku).chain(iter::repeat(None));
    for (shape, coupon_sku) in shapes.iter().zip(coupon_skus()) {
        items.remember(GivenFields::of_item(shape, coupon_sku));
        let mut item = shape;
        while let Field::Value(fallback) = &item.fallback {
            items.remember(GivenFields::of_item(fallback, None));
            item = fallback;
        }
    }
    let mut currency: Option<Text> = None;
    let built = shapes.iter().zip(coupon_skus()).map(|(shape, coupon_sku)| {
        let item = items.item(shape, coupon_sku, currency.as_ref());
        currency = item.currency.value().cloned();
        item
    });
    built.collect()
}

/// The fields that items and nested items have in common, as far as the author gives them.
#[derive(Clone, Copy)]
struct GivenFields<'a> {
    id: Option<&'a str>,
    sku: Option<&'a str>,
    /// How to generate the SKU, if the author says so.
    sku_shape: Option<&'a SkuShape>,
    name: Option<&'a str>,
    description: &'a Field<TextShape>,
    quantity: Option<u64>,
    bundle: Option<&'a [NestedItemShape]>,
}

impl<'a> GivenFields<'a> {
    fn of_item(shape: &'a ItemShape, coupon_sku: Option<&'a str>) -> Self {
        Self {
            id: shape.id.as_deref(),
            sku: given_sku(shape.sku.as_ref(), coupon_sku),
            sku_shape: shape.sku.as_ref(),
            name: shape.name.as_deref(),
            description: &shape.description,
            quantity: shape.quantity,
            bundle: shape.bundle.as_deref(),
        }
    }

    fn of_nested(shape: &'a NestedItemShape) -> Self {
        Self {
            id: shape.id.as_deref(),
            sku: given_sku(shape.sku.as_ref(), None),
            sku_shape: shape.sku.as_ref(),
            name: shape.name.as_deref(),
            description: &shape.description,
            quantity: shape.quantity,
            bundle: shape.bundle.as_deref(),
        }
    }
}

fn given_sku<'a>(shape: Option<&'a SkuShape>, coupon_sku: Option<&'a str>) -> Option<&'a str> {
    match shape {
        Some(SkuShape::Given(sku)) => Some(sku),
        Some(SkuShape::SameAs(_) | SkuShape::Like { .. } | SkuShape::Length(_)) => None,
        None => coupon_sku,
    }
}

struct ShapedItems<'a> {
    catalogue: &'a Catalogue,
    random: &'a mut ChaCha8Rng,
    /// What the author gives with an SKU, anywhere in the event, so that the rest of the event is
    /// consistent. The first value of a property is used.
    given: Vec<GivenFields<'a>>,
    /// The items so far whose SKU the author does not give.
    generated: Vec<ItemIdentity>,
    /// The SKU of the event's first item.
    first_sku: Option<Text>,
    /// The SKUs of the parts so far of the current item's bundle, without those of inner bundles.
    parts: Vec<Text>,
}

impl<'a> ShapedItems<'a> {
    fn remember(&mut self, given: GivenFields<'a>) {
        if given.sku.is_some() {
            self.given.push(given);
        }
        for nested in given.bundle.unwrap_or_default() {
            self.remember(GivenFields::of_nested(nested));
        }
    }

    /// What the author gives with an SKU: the first value of this property.
    fn given_with<T>(
        &self,
        sku: &str,
        property: impl Fn(&GivenFields<'a>) -> Option<T>,
    ) -> Option<T> {
        let mut with_sku = self.given.iter().filter(|given| given.sku == Some(sku));
        with_sku.find_map(property)
    }

    fn is_used(&self, sku: &str) -> bool {
        self.given.iter().any(|given| given.sku == Some(sku))
            || self.generated.iter().any(|item| item.sku == sku)
    }

    fn item(
        &mut self,
        shape: &'a ItemShape,
        coupon_sku: Option<&'a str>,
        main_currency: Option<&Text>,
    ) -> Item {
        let given = GivenFields::of_item(shape, coupon_sku);
        let identity = self.identity(given);
        self.first_sku.get_or_insert_with(|| identity.sku.clone());
        let quantity = self.quantity(given, &identity);
        let currency = match (&shape.currency, main_currency) {
            (Some(given), _) => Text::Owned(given.clone()),
            (None, Some(main)) => main.clone(),
            (None, None) => Text::Borrowed(Currency::random(self.random).code),
        };
        let price = match shape.price {
            Field::Absent => Field::Value(Currency::usual_price(&currency, self.random)),
            given => given,
        };
        self.parts.clear();
        let contents = self.contents(given, 0);
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
        let mut item = identity.item(quantity, price, contents, fallback_item);
        if let Some(kind) = &shape.kind {
            item.kind = ItemKind::named(kind);
        }
        item
    }

    fn contents(&mut self, given: GivenFields<'a>, depth: usize) -> Field<Vec<NestedItem>> {
        let Some(shapes) = given.bundle else {
            return Field::Null;
        };
        let nested = shapes.iter().map(|shape| {
            let given = GivenFields::of_nested(shape);
            let identity = self.identity(given);
            if depth == 0 {
                self.parts.push(identity.sku.clone());
            }
            let quantity = self.quantity(given, &identity);
            let mut item = identity.nested_item(quantity, self.contents(given, depth + 1));
            if let Some(kind) = &shape.kind {
                item.kind = ItemKind::named(kind);
            }
            item
        });
        Field::Value(nested.collect())
    }

    fn quantity(&mut self, given: GivenFields<'_>, identity: &ItemIdentity) -> u64 {
        match (given.quantity, given.bundle) {
            (Some(quantity), _) => quantity,
            (None, Some(_)) => 1,
            (None, None) => identity.random_quantity(self.random),
        }
    }

    fn identity(&mut self, given: GivenFields<'a>) -> ItemIdentity {
        let owned = |text: &str| Text::Owned(text.to_owned());
        let sku = match (given.sku, given.sku_shape, given.name) {
            (Some(sku), _, _) => owned(sku),
            (None, Some(shape), _) => self
                .referred_sku(shape)
                .unwrap_or_else(|| self.random_sku(given.bundle.is_some())),
            (None, None, Some(name)) => self.sku_named(name),
            (None, None, None) => self.random_sku(given.bundle.is_some()),
        };
        // Of several items with one generated SKU, the first determines the properties.
        let model = self.generated.iter().find(|item| item.sku == sku);
        let model = model.or_else(|| self.catalogue.find(&sku)).cloned();
        let mut identity = model.unwrap_or_else(|| ItemIdentity {
            id: item_id(&sku).into(),
            name: name_of_sku(&sku).into(),
            description: Field::Absent,
            quantities: USUAL_QUANTITIES,
            sku: sku.clone(),
        });
        let name = given.name;
        if let Some(name) = name.or_else(|| self.given_with(&sku, |given| given.name)) {
            identity.name = owned(name);
        }
        if let Some(id) = given.id.or_else(|| self.given_with(&sku, |given| given.id)) {
            identity.id = owned(id);
        }
        let description =
            |given: &GivenFields<'a>| Some(given.description).filter(|text| !text.is_absent());
        if let Some(text) = description(&given).or_else(|| self.given_with(&sku, description)) {
            identity.description = text.clone().map(|text| owned(&text));
        } else if identity.description.is_absent() {
            let text = format!("{}, ready to use.", identity.name);
            identity.description = Field::Value(text.into());
        }
        if !self.is_used(&identity.sku) {
            self.generated.push(identity.clone());
        }
        identity
    }

    /// `None` if the SKU is that of an item that does not exist.
    fn referred_sku(&self, shape: &SkuShape) -> Option<Text> {
        match shape {
            SkuShape::Given(sku) => Some(Text::Owned(sku.clone())),
            SkuShape::SameAs(SkuOwner::Item) => self.first_sku.clone(),
            SkuShape::SameAs(SkuOwner::Part(number)) => {
                self.parts.get(number.checked_sub(1)?).cloned()
            }
            SkuShape::SameAs(SkuOwner::Event(_)) | SkuShape::Like { .. } => None,
            SkuShape::Length(length) => Some(match self.catalogue.sku_of_length(*length) {
                Some(sku) => sku.clone(),
                None => sku_of_length(*length).into(),
            }),
        }
    }

    /// The SKU of an item for which only the name is given: the SKU that has this name elsewhere in
    /// the event, or an unused one derived from the name.
    fn sku_named(&self, name: &str) -> Text {
        let mut given_skus = self.given.iter().filter_map(|given| given.sku);
        let has_name = |sku: &&str| self.given_with(sku, |given| given.name) == Some(name);
        if let Some(sku) = given_skus.find(has_name) {
            return Text::Owned(sku.to_owned());
        }
        if let Some(item) = self.generated.iter().find(|item| item.name == name) {
            return item.sku.clone();
        }
        let sku = sku_of_name(name);
        let in_catalogue = self.catalogue.find(&sku);
        if self.is_used(&sku) || in_catalogue.is_some_and(|item| item.name != name) {
            return distinct_sku_of_name(name).into();
        }
        sku.into()
    }

    /// A random SKU of the catalogue, if possible one that this event does not use yet.
    fn random_sku(&mut self, is_bundle: bool) -> Text {
        let catalogue = self.catalogue;
        let of_bundles = [&catalogue.bundle_skus, &catalogue.bundles];
        let mut of_bundles = of_bundles.into_iter().filter(|_| is_bundle);
        let indices = of_bundles.find(|indices| !indices.is_empty());
        let indices = indices.unwrap_or(&catalogue.plain);
        let first = self.random.random_range(..indices.len());
        let mut from_first = indices[first..].iter().chain(&indices[..first]);
        let is_new = |index: &&usize| !self.is_used(&catalogue.entry(**index).identity.sku);
        let index = from_first.find(is_new).unwrap_or(&indices[first]);
        catalogue.entry(*index).identity.sku.clone()
    }
}
