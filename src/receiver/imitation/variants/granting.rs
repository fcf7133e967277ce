//! Variants of what an event grants, where Aghanim leaves the choice to the game.

use crate::protocol::{Event, Field, Item, ItemKind};
use crate::receiver::imitation::event_items::each_nested;

use super::{Variant, Variants};

impl Variants {
    pub(crate) fn alter_event(&self, event: &mut Event) {
        let data = &mut event.event_data;
        if let Field::Value(item) = &mut data.item {
            self.alter_item(item);
        }
        for item in data.items.as_mut_slice() {
            self.alter_item(item);
        }
    }

    fn alter_item(&self, item: &mut Item) {
        while self.has(Variant::FallbackGranted)
            && let Some(fallback) = item.fallback_item.value()
        {
            *item = (**fallback).clone();
        }
        if self.has(Variant::BundleQuantityIgnored) {
            if item.kind == ItemKind::Bundle {
                item.quantity = 1;
            }
            each_nested(&mut item.nested_items, &mut |inner| {
                if inner.kind == ItemKind::Bundle {
                    inner.quantity = 1;
                }
            });
        }
    }
}
