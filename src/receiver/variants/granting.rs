//! Variants of what an event grants, where Aghanim leaves the choice to the game.

use std::borrow::Cow;

use crate::protocol::{Event, Field, Item, ItemKind, NestedItem};

use super::{Variant, Variants};

impl Variants {
    /// The event as the receiver understands it, which determines the grants.
    pub(in crate::receiver) fn event_to_grant<'a>(&self, event: Cow<'a, Event>) -> Cow<'a, Event> {
        let use_fallback = self.has(Variant::FallbackGranted);
        let single_bundles = self.has(Variant::BundleQuantityIgnored);
        if !use_fallback && !single_bundles {
            return event;
        }
        let mut event = event.into_owned();
        let data = &mut event.event_data;
        change(&mut data.item, use_fallback, single_bundles);
        if let Field::Value(items) = &mut data.items {
            for item in items {
                change(item, use_fallback, single_bundles);
            }
        }
        Cow::Owned(event)
    }
}

fn change(item: &mut Item, use_fallback: bool, single_bundles: bool) {
    // Iterative, because the sender controls the depth.
    while use_fallback && let Some(fallback) = item.fallback_item.value() {
        *item = (**fallback).clone();
    }
    if single_bundles {
        if item.kind == ItemKind::Bundle {
            item.quantity = 1;
        }
        let mut unopened: Vec<&mut NestedItem> = items_in(&mut item.nested_items).collect();
        while let Some(nested) = unopened.pop() {
            if nested.kind == ItemKind::Bundle {
                nested.quantity = 1;
            }
            unopened.extend(items_in(&mut nested.nested_items));
        }
    }
}

fn items_in(items: &mut Field<Vec<NestedItem>>) -> impl Iterator<Item = &mut NestedItem> {
    match items {
        Field::Value(items) => items.iter_mut(),
        _ => [].iter_mut(),
    }
}
