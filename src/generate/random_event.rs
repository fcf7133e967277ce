//! A realistic mix of events: plain items, bundles, fallbacks, context, sandbox.

use rand::RngExt;
use rand::seq::index;
use serde_json::Map;

use super::catalogue::{Catalogue, CatalogueEntry};
use super::context;
use super::generator::{EventMetadata, Generator};
use super::price::{Currency, in_major_units};
use crate::protocol::{Coupon, Event, EventContext, Field, Item, ItemKind, NestedItem, Text};

/// A catalogue item with its quantity, and its contents if it is a bundle.
struct PickedItem<'a> {
    entry: &'a CatalogueEntry,
    quantity: u64,
    contents: Field<Vec<NestedItem>>,
}

impl Generator {
    /// The next event, fully random. Half of them grant plain items, the others bundles or bundles
    /// in bundles. Some have a fallback, player or order context or a request ID, or come from the
    /// sandbox. Some have no price, which the source's schema leaves out.
    pub fn random_event(&mut self) -> Event {
        let ids = self.begin_event();
        let player_id = ids.player_id();
        let code = self.random_coupon_code();
        let item = self.random_item();
        let coupon = Coupon {
            code,
            sku: item.sku.clone(),
            redeemed_at: self.now(),
            unknown: Map::new(),
        };
        let context = self.random_context(&player_id);
        let request_id = if self.content.random() {
            Field::Value(ids.request_id())
        } else {
            Field::Null
        };
        let metadata = EventMetadata {
            sandbox: self.content.random_ratio(1, 16),
            trigger: Field::Value(Text::Borrowed(Event::TRIGGER_REDEEM)),
            context,
            request_id,
            event_time: self.now(),
        };
        self.assemble(&ids, player_id, coupon, item, metadata)
    }

    fn random_item(&mut self) -> Item {
        let catalogue = self.catalogue.clone();
        let granted = match self.content.random_range(0..16_u32) {
            0..=7 => self.plain(&catalogue),
            8..=12 => self.bundle(&catalogue),
            _ => self.nesting_bundle(&catalogue),
        };
        let currency = self
            .content
            .random_ratio(15, 16)
            .then(|| Currency::random(&mut self.content));
        let fallback_item = match self.content.random_range(0..16_u32) {
            0 => Field::Null,
            1..=3 => match self.other_plain_item(granted.entry, &catalogue) {
                Some(fallback) => {
                    Field::Value(Box::new(self.priced(fallback, currency, Field::Absent)))
                }
                None => Field::Absent,
            },
            _ => Field::Absent,
        };
        self.priced(granted, currency, fallback_item)
    }

    fn priced(
        &mut self,
        granted: PickedItem<'_>,
        currency: Option<&'static Currency>,
        fallback_item: Field<Box<Item>>,
    ) -> Item {
        let (price, price_decimal, currency) = match currency {
            None => (Field::Absent, Field::Absent, Field::Absent),
            Some(currency) => {
                let price = currency.random_price(&mut self.content);
                (
                    Field::Value(price),
                    Field::Value(in_major_units(price, currency.code)),
                    Field::Value(Text::Borrowed(currency.code)),
                )
            }
        };
        let PickedItem {
            entry,
            quantity,
            contents,
        } = granted;
        Item {
            id: entry.id.clone(),
            name: entry.name.clone(),
            description: entry.description.clone(),
            sku: entry.sku.clone(),
            quantity,
            price,
            price_decimal,
            currency,
            kind: kind_of(&contents),
            nested_items: contents,
            fallback_item,
            unknown: Map::new(),
        }
    }

    fn plain<'a>(&mut self, catalogue: &'a Catalogue) -> PickedItem<'a> {
        let index = self.pick(&catalogue.plain);
        self.plain_item(catalogue.entry(index))
    }

    /// A plain item with an SKU other than `entry`'s, if the catalogue has one.
    fn other_plain_item<'a>(
        &mut self,
        entry: &CatalogueEntry,
        catalogue: &'a Catalogue,
    ) -> Option<PickedItem<'a>> {
        let first = self.content.random_range(..catalogue.plain.len());
        let (before, after) = catalogue.plain.split_at(first);
        let other = after
            .iter()
            .chain(before)
            .map(|index| catalogue.entry(*index))
            .find(|other| other.sku != entry.sku)?;
        Some(self.plain_item(other))
    }

    fn plain_item<'a>(&mut self, entry: &'a CatalogueEntry) -> PickedItem<'a> {
        PickedItem {
            entry,
            quantity: self.pick(entry.quantities),
            contents: Field::Null,
        }
    }

    fn bundle<'a>(&mut self, catalogue: &'a Catalogue) -> PickedItem<'a> {
        if catalogue.bundles.is_empty() {
            return self.assemble_bundle(catalogue, 4);
        }
        let index = self.pick(&catalogue.bundles);
        bundle_of(catalogue.entry(index), catalogue)
    }

    fn nesting_bundle<'a>(&mut self, catalogue: &'a Catalogue) -> PickedItem<'a> {
        if catalogue.nesting_bundles.is_empty() {
            return self.assemble_bundle(catalogue, 6);
        }
        let index = self.pick(&catalogue.nesting_bundles);
        bundle_of(catalogue.entry(index), catalogue)
    }

    /// Assembles a bundle of up to `size` different SKUs, including its own, for a catalogue
    /// without bundles. From five SKUs on, the last three form a bundle in the bundle.
    fn assemble_bundle<'a>(&mut self, catalogue: &'a Catalogue, size: usize) -> PickedItem<'a> {
        let size = size.min(catalogue.plain.len());
        let chosen = index::sample(&mut self.content, catalogue.plain.len(), size);
        let mut entries = chosen
            .into_iter()
            .map(|index| catalogue.entry(catalogue.plain[index]));
        let Some(bundle) = entries.next() else {
            return self.plain(catalogue);
        };
        if size == 1 {
            return self.plain_item(bundle);
        }
        let mut contents: Vec<NestedItem> = entries
            .map(|entry| {
                let quantity = self.pick(entry.quantities);
                nested(entry, quantity, Field::Null)
            })
            .collect();
        if size >= 5 {
            let inner = contents.split_off(contents.len() - 2);
            if let Some(holder) = contents.last_mut() {
                holder.quantity = 1;
                holder.kind = ItemKind::Bundle;
                holder.nested_items = Field::Value(inner);
            }
        }
        PickedItem {
            entry: bundle,
            quantity: 1,
            contents: Field::Value(contents),
        }
    }

    fn random_context(&mut self, player_id: &str) -> Field<EventContext> {
        let (player, order) = match self.content.random_range(0..16_u32) {
            0 | 1 => (true, false),
            2 => (true, true),
            3 => (false, true),
            _ => return Field::Null,
        };
        let order = if order {
            let id = self.order_id();
            Field::Value(context::order(id, self.now(), &mut self.content))
        } else {
            Field::Null
        };
        let player = if player {
            Field::Value(context::player(player_id, &mut self.content))
        } else {
            Field::Null
        };
        Field::Value(EventContext {
            order,
            player,
            unknown: Map::new(),
        })
    }

    fn pick<T: Copy>(&mut self, choices: &[T]) -> T {
        choices[self.content.random_range(..choices.len())]
    }
}

fn bundle_of<'a>(entry: &'a CatalogueEntry, catalogue: &Catalogue) -> PickedItem<'a> {
    PickedItem {
        entry,
        quantity: 1,
        contents: contents_of(entry, catalogue),
    }
}

/// The contents of a catalogue bundle at all levels; `null` for a plain item.
fn contents_of(entry: &CatalogueEntry, catalogue: &Catalogue) -> Field<Vec<NestedItem>> {
    if entry.contents.is_empty() {
        return Field::Null;
    }
    let contents = entry.contents.iter().map(|(index, quantity)| {
        let entry = catalogue.entry(*index);
        nested(entry, *quantity, contents_of(entry, catalogue))
    });
    Field::Value(contents.collect())
}

fn nested(entry: &CatalogueEntry, quantity: u64, contents: Field<Vec<NestedItem>>) -> NestedItem {
    NestedItem {
        id: entry.id.clone(),
        name: entry.name.clone(),
        description: entry.description.clone(),
        sku: entry.sku.clone(),
        quantity,
        kind: kind_of(&contents),
        nested_items: contents,
        unknown: Map::new(),
    }
}

fn kind_of(contents: &Field<Vec<NestedItem>>) -> ItemKind {
    match contents {
        Field::Value(_) => ItemKind::Bundle,
        Field::Absent | Field::Null => ItemKind::Item,
    }
}
