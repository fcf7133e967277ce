//! A realistic mix of events: plain items, bundles, fallbacks, context, sandbox.

use rand::RngExt;
use rand::seq::index;
use serde_json::Map;

use super::catalogue::{Catalogue, Entry};
use super::context;
use super::generator::{Circumstances, Generator};
use super::price::{Currency, in_major_units};
use crate::protocol::{Coupon, Event, EventContext, Field, Item, ItemKind, NestedItem, Text};

/// An item and its quantity, with what it holds if it is a bundle.
struct Granted<'a> {
    entry: &'a Entry,
    quantity: u64,
    contents: Field<Vec<NestedItem>>,
}

impl Generator {
    /// The next event, with nothing given: mostly plain items, often bundles, sometimes bundles in
    /// bundles; some with a fallback, with player or order context, with a request ID, from the
    /// sandbox, or without the price that the source's schema leaves out.
    pub fn random_event(&mut self) -> Event {
        let ids = self.begin_event();
        let player_id = ids.player_id();
        let code = self.any_coupon_code();
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
        let circumstances = Circumstances {
            sandbox: self.content.random_ratio(1, 16),
            trigger: Field::Value(Text::Borrowed(Event::TRIGGER_REDEEM)),
            context,
            request_id,
            event_time: self.now(),
        };
        self.assemble(&ids, player_id, coupon, item, circumstances)
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
            .then(|| Currency::any(&mut self.content));
        let fallback_item = match self.content.random_range(0..16_u32) {
            0 => Field::Null,
            1..=3 => match self.plain_but(granted.entry, &catalogue) {
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
        granted: Granted<'_>,
        currency: Option<&'static Currency>,
        fallback_item: Field<Box<Item>>,
    ) -> Item {
        let (price, price_decimal, currency) = match currency {
            None => (Field::Absent, Field::Absent, Field::Absent),
            Some(currency) => {
                let price = currency.any_price(&mut self.content);
                (
                    Field::Value(price),
                    Field::Value(in_major_units(price, currency.code)),
                    Field::Value(Text::Borrowed(currency.code)),
                )
            }
        };
        let Granted {
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

    fn plain<'a>(&mut self, catalogue: &'a Catalogue) -> Granted<'a> {
        let place = self.any_of(&catalogue.plain);
        self.plain_of(catalogue.entry(place))
    }

    /// A plain item of another SKU than `entry`'s, if the catalogue has one.
    fn plain_but<'a>(&mut self, entry: &Entry, catalogue: &'a Catalogue) -> Option<Granted<'a>> {
        let first = self.content.random_range(..catalogue.plain.len());
        let (before, after) = catalogue.plain.split_at(first);
        let other = after
            .iter()
            .chain(before)
            .map(|place| catalogue.entry(*place))
            .find(|other| other.sku != entry.sku)?;
        Some(self.plain_of(other))
    }

    fn plain_of<'a>(&mut self, entry: &'a Entry) -> Granted<'a> {
        Granted {
            entry,
            quantity: self.any_of(entry.quantities),
            contents: Field::Null,
        }
    }

    fn bundle<'a>(&mut self, catalogue: &'a Catalogue) -> Granted<'a> {
        if catalogue.bundles.is_empty() {
            return self.put_together(catalogue, 4);
        }
        let place = self.any_of(&catalogue.bundles);
        bundle_of(catalogue.entry(place), catalogue)
    }

    fn nesting_bundle<'a>(&mut self, catalogue: &'a Catalogue) -> Granted<'a> {
        if catalogue.nesting_bundles.is_empty() {
            return self.put_together(catalogue, 6);
        }
        let place = self.any_of(&catalogue.nesting_bundles);
        bundle_of(catalogue.entry(place), catalogue)
    }

    /// A bundle of up to `size` different SKUs, its own among them, from a catalogue that has no
    /// bundles. From five SKUs on, the last three are a bundle in the bundle.
    fn put_together<'a>(&mut self, catalogue: &'a Catalogue, size: usize) -> Granted<'a> {
        let size = size.min(catalogue.plain.len());
        let chosen = index::sample(&mut self.content, catalogue.plain.len(), size);
        let mut entries = chosen
            .into_iter()
            .map(|index| catalogue.entry(catalogue.plain[index]));
        let Some(own) = entries.next() else {
            return self.plain(catalogue);
        };
        if size == 1 {
            return self.plain_of(own);
        }
        let mut contents: Vec<NestedItem> = entries
            .map(|entry| {
                let quantity = self.any_of(entry.quantities);
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
        Granted {
            entry: own,
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

    fn any_of<T: Copy>(&mut self, choices: &[T]) -> T {
        choices[self.content.random_range(..choices.len())]
    }
}

fn bundle_of<'a>(entry: &'a Entry, catalogue: &Catalogue) -> Granted<'a> {
    Granted {
        entry,
        quantity: 1,
        contents: contents_of(entry, catalogue),
    }
}

/// What a bundle of the catalogue holds, down to the last level; `null` of a plain item.
fn contents_of(entry: &Entry, catalogue: &Catalogue) -> Field<Vec<NestedItem>> {
    if entry.contents.is_empty() {
        return Field::Null;
    }
    let contents = entry.contents.iter().map(|(place, quantity)| {
        let entry = catalogue.entry(*place);
        nested(entry, *quantity, contents_of(entry, catalogue))
    });
    Field::Value(contents.collect())
}

fn nested(entry: &Entry, quantity: u64, contents: Field<Vec<NestedItem>>) -> NestedItem {
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
