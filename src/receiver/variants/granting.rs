//! Other choices of what an event stands for, where Aghanim leaves the choice to the game.

use std::borrow::Cow;

use crate::protocol::{Event, Field, Item, ItemKind, NestedItem};

use super::{Variant, Variants};

impl Variants {
    /// The event that decides what is granted.
    pub(in crate::receiver) fn understand<'a>(&self, event: Cow<'a, Event>) -> Cow<'a, Event> {
        let fallback = self.has(Variant::FallbackGranted);
        let once = self.has(Variant::BundleQuantityIgnored);
        if !fallback && !once {
            return event;
        }
        let mut event = event.into_owned();
        let data = &mut event.event_data;
        change(&mut data.item, fallback, once);
        if let Field::Value(items) = &mut data.items {
            for item in items {
                change(item, fallback, once);
            }
        }
        Cow::Owned(event)
    }
}

fn change(item: &mut Item, fallback: bool, once: bool) {
    // A loop rather than recursion: the depth is the sender's.
    while fallback && let Some(other) = item.fallback_item.value() {
        *item = (**other).clone();
    }
    if once {
        if item.kind == ItemKind::Bundle {
            item.quantity = 1;
        }
        let mut unopened: Vec<&mut NestedItem> = inside(&mut item.nested_items).collect();
        while let Some(nested) = unopened.pop() {
            if nested.kind == ItemKind::Bundle {
                nested.quantity = 1;
            }
            unopened.extend(inside(&mut nested.nested_items));
        }
    }
}

fn inside(items: &mut Field<Vec<NestedItem>>) -> impl Iterator<Item = &mut NestedItem> {
    match items {
        Field::Value(items) => items.iter_mut(),
        _ => [].iter_mut(),
    }
}
