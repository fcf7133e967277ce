//! A realistic mix of events: plain items, bundles, fallbacks, context, sandbox.

use std::sync::Arc;

use rand::RngExt;
use rand::seq::index;
use rand_chacha::ChaCha8Rng;
use serde_json::Map;

use super::catalogue::{Catalogue, CatalogueEntry};
use super::event_shape::{ContextPart, ContextShape};
use super::generator::Generator;
use super::item_identity::{ItemIdentity, ItemPrice};
use super::price::Currency;
use crate::protocol::{Coupon, Event, EventContext, Field, Item, ItemKind, NestedItem, Text};

impl Generator {
    /// The next event, fully random. Half of them grant plain items, the others bundles or bundles
    /// in bundles. Some have a fallback, player or order context or a request ID, or come from the
    /// sandbox. Some have no price, which the source's schema leaves out.
    pub fn random_event(&mut self) -> Event {
        let ids = self.begin_event();
        let player_id = ids.player_id(None);
        let code = self.random_coupon_code();
        let catalogue = Arc::clone(&self.catalogue);
        let item = RandomItems {
            catalogue: &catalogue,
            random: &mut self.content,
        }
        .item();
        let coupon = Coupon {
            code,
            sku: item.sku.clone(),
            redeemed_at: self.start().unix_seconds(),
            unknown: Map::new(),
        };
        let context = self.random_context(&player_id);
        let has_request_id = self.content.random::<bool>();
        let request_id = has_request_id.then(|| ids.request_id());
        Event {
            context,
            request_id: request_id.map_or(Field::Null, Field::Value),
            sandbox: self.content.random_ratio(1, 16),
            ..self.assemble(&ids, player_id, coupon, Some(Box::new(item)))
        }
    }

    fn random_context(&mut self, player_id: &str) -> Field<EventContext> {
        let generated = Field::Value(ContextPart::Generated);
        let (player, order) = match self.content.random_range(0..16_u32) {
            0 | 1 => (generated, Field::Null),
            2 => (generated.clone(), generated),
            3 => (Field::Null, generated),
            _ => return Field::Null,
        };
        Field::Value(self.context(&ContextShape { player, order }, player_id))
    }
}

/// A catalogue item with its quantity, and its contents if it is a bundle.
struct PickedItem<'a> {
    identity: &'a ItemIdentity,
    quantity: u64,
    contents: Field<Vec<NestedItem>>,
}

struct RandomItems<'a> {
    catalogue: &'a Catalogue,
    random: &'a mut ChaCha8Rng,
}

impl<'a> RandomItems<'a> {
    fn item(&mut self) -> Item {
        let catalogue = self.catalogue;
        let granted = match self.random.random_range(0..16_u32) {
            0..=7 => self.plain(),
            8..=12 => self.bundle(&catalogue.bundles, 4),
            _ => self.bundle(&catalogue.nesting_bundles, 6),
        };
        let has_price = self.random.random_ratio(15, 16);
        let currency = has_price.then(|| Currency::random(self.random));
        let fallback_item = match self.random.random_range(0..16_u32) {
            0 => Field::Null,
            1..=3 => self
                .other_plain_item(granted.identity)
                .map_or(Field::Absent, |fallback| {
                    Field::Value(Box::new(self.priced(fallback, currency, Field::Absent)))
                }),
            _ => Field::Absent,
        };
        self.priced(granted, currency, fallback_item)
    }

    fn priced(
        &mut self,
        picked: PickedItem<'_>,
        currency: Option<&'static Currency>,
        fallback_item: Field<Box<Item>>,
    ) -> Item {
        let mut price = ItemPrice::default();
        if let Some(currency) = currency {
            price.minor = Field::Value(currency.random_price(self.random));
            price.currency = Field::Value(Text::Borrowed(currency.code));
        }
        let identity = picked.identity.clone();
        identity.item(picked.quantity, price, picked.contents, fallback_item)
    }

    fn plain(&mut self) -> PickedItem<'a> {
        let index = self.pick(&self.catalogue.plain);
        self.plain_item(self.catalogue.entry(index))
    }

    /// A plain item with an SKU other than that of `item`, if the catalogue has one.
    fn other_plain_item(&mut self, item: &ItemIdentity) -> Option<PickedItem<'a>> {
        let catalogue = self.catalogue;
        let first = self.random.random_range(..catalogue.plain.len());
        let (before, after) = catalogue.plain.split_at(first);
        let other = after
            .iter()
            .chain(before)
            .map(|index| catalogue.entry(*index))
            .find(|other| other.identity.sku != item.sku)?;
        Some(self.plain_item(other))
    }

    fn plain_item(&mut self, entry: &'a CatalogueEntry) -> PickedItem<'a> {
        PickedItem {
            identity: &entry.identity,
            quantity: entry.identity.random_quantity(self.random),
            contents: Field::Null,
        }
    }

    /// One of these bundles. If there is none, one that is assembled of up to `size` SKUs.
    fn bundle(&mut self, bundles: &[usize], size: usize) -> PickedItem<'a> {
        if bundles.is_empty() {
            return self.assemble_bundle(size);
        }
        let entry = self.catalogue.entry(self.pick(bundles));
        PickedItem {
            identity: &entry.identity,
            quantity: 1,
            contents: contents_of(entry, self.catalogue),
        }
    }

    /// Assembles a bundle of up to `size` different SKUs, including its own, for a catalogue
    /// without bundles. From five SKUs on, the last three form a bundle in the bundle.
    fn assemble_bundle(&mut self, size: usize) -> PickedItem<'a> {
        let catalogue = self.catalogue;
        if !catalogue.bundle_skus.is_empty() {
            return self.own_bundle(size);
        }
        let size = size.min(catalogue.plain.len());
        let chosen = index::sample(self.random, catalogue.plain.len(), size);
        let mut entries = chosen
            .into_iter()
            .map(|index| catalogue.entry(catalogue.plain[index]));
        let Some(bundle) = entries.next() else {
            return self.plain();
        };
        if size == 1 {
            return self.plain_item(bundle);
        }
        let mut contents = self.parts(entries);
        if size >= 5 {
            let inner = contents.split_off(contents.len() - 2);
            if let Some(holder) = contents.last_mut() {
                holder.quantity = 1;
                holder.kind = ItemKind::Bundle;
                holder.nested_items = Field::Value(inner);
            }
        }
        PickedItem {
            identity: &bundle.identity,
            quantity: 1,
            contents: Field::Value(contents),
        }
    }

    /// A bundle of up to `size - 1` SKUs, with one of the game's own SKUs of bundles. From five SKUs on,
    /// the last two are in a bundle in the bundle, if there is another such SKU.
    fn own_bundle(&mut self, size: usize) -> PickedItem<'a> {
        let catalogue = self.catalogue;
        let first = self.random.random_range(..catalogue.bundle_skus.len());
        let bundles = &catalogue.bundle_skus;
        let others = bundles[first..].iter().chain(&bundles[..first]).skip(1);
        let amount = catalogue.plain.len().min(size - 1);
        let chosen = index::sample(self.random, catalogue.plain.len(), amount);
        let mut contents = self.parts(
            chosen
                .into_iter()
                .map(|index| catalogue.entry(catalogue.plain[index])),
        );
        if let Some(other) = others.copied().next().filter(|_| amount >= 4) {
            let inner = contents.split_off(contents.len() - 2);
            let inner = Field::Value(inner);
            let identity = catalogue.entry(other).identity.clone();
            contents.push(identity.nested_item(1, inner));
        }
        PickedItem {
            identity: &catalogue.entry(bundles[first]).identity,
            quantity: 1,
            contents: Field::Value(contents),
        }
    }

    fn parts(&mut self, entries: impl Iterator<Item = &'a CatalogueEntry>) -> Vec<NestedItem> {
        let parts = entries.map(|entry| {
            let quantity = entry.identity.random_quantity(self.random);
            entry.identity.clone().nested_item(quantity, Field::Null)
        });
        parts.collect()
    }

    fn pick(&mut self, indices: &[usize]) -> usize {
        indices[self.random.random_range(..indices.len())]
    }
}

/// The contents of a catalogue bundle at all levels; `null` for a plain item.
fn contents_of(entry: &CatalogueEntry, catalogue: &Catalogue) -> Field<Vec<NestedItem>> {
    if entry.contents.is_empty() {
        return Field::Null;
    }
    let contents = entry.contents.iter().map(|(index, quantity)| {
        let entry = catalogue.entry(*index);
        let identity = entry.identity.clone();
        identity.nested_item(*quantity, contents_of(entry, catalogue))
    });
    Field::Value(contents.collect())
}
