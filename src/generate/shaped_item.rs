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
        given: Vec::new(),
        generated: Vec::new(),
    };
    items.remember(GivenFields::of_item(shape, coupon_sku));
    let mut item = shape;
    while let Field::Value(fallback) = &item.fallback {
        items.remember(GivenFields::of_item(fallback, None));
        item = fallback;
    }
    items.item(shape, coupon_sku, None)
}

/// The fields that items and nested items have in common, as far as the author gives them.
#[derive(Clone, Copy)]
struct GivenFields<'a> {
    id: Option<&'a str>,
    sku: Option<&'a str>,
    name: Option<&'a str>,
    description: &'a Field<String>,
    quantity: Option<u64>,
    bundle: Option<&'a [NestedItemShape]>,
}

impl<'a> GivenFields<'a> {
    fn of_item(shape: &'a ItemShape, coupon_sku: Option<&'a str>) -> Self {
        Self {
            id: shape.id.as_deref(),
            sku: shape.sku.as_deref().or(coupon_sku),
            name: shape.name.as_deref(),
            description: &shape.description,
            quantity: shape.quantity,
            bundle: shape.bundle.as_deref(),
        }
    }

    fn of_nested(shape: &'a NestedItemShape) -> Self {
        Self {
            id: shape.id.as_deref(),
            sku: shape.sku.as_deref(),
            name: shape.name.as_deref(),
            description: &shape.description,
            quantity: shape.quantity,
            bundle: shape.bundle.as_deref(),
        }
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
        let contents = self.contents(given);
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

    fn contents(&mut self, given: GivenFields<'a>) -> Field<Vec<NestedItem>> {
        let Some(shapes) = given.bundle else {
            return Field::Null;
        };
        let nested = shapes.iter().map(|shape| {
            let given = GivenFields::of_nested(shape);
            let identity = self.identity(given);
            let quantity = self.quantity(given, &identity);
            identity.nested_item(quantity, self.contents(given))
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
        let sku = match (given.sku, given.name) {
            (Some(sku), _) => owned(sku),
            (None, Some(name)) => self.sku_named(name),
            (None, None) => self.random_sku(given.bundle.is_some()),
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
            identity.description = text.clone().map(Text::Owned);
        } else if identity.description.is_absent() {
            let text = format!("{}, ready to use.", identity.name);
            identity.description = Field::Value(text.into());
        }
        if !self.is_used(&identity.sku) {
            self.generated.push(identity.clone());
        }
        identity
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
        let indices = if is_bundle && !catalogue.bundles.is_empty() {
            &catalogue.bundles
        } else {
            &catalogue.plain
        };
        let first = self.random.random_range(..indices.len());
        let mut from_first = indices[first..].iter().chain(&indices[..first]);
        let is_new = |index: &&usize| !self.is_used(&catalogue.entry(**index).identity.sku);
        let index = from_first.find(is_new).unwrap_or(&indices[first]);
        catalogue.entry(*index).identity.sku.clone()
    }
}
