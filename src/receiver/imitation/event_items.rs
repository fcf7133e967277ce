//! Visits the items of an event, to change or check all of them.

use crate::protocol::{Event, Field, Item, NestedItem};

/// Calls `visit` with `item`, each of `items` (later payload revision) and all their fallbacks.
pub(super) fn each_item(event: &mut Event, visit: &mut impl FnMut(&mut Item)) {
    fn with_fallbacks(item: &mut Item, visit: &mut impl FnMut(&mut Item)) {
        visit(item);
        if let Field::Value(fallback) = &mut item.fallback_item {
            with_fallbacks(fallback, visit);
        }
    }
    let data = &mut event.event_data;
    if let Field::Value(item) = &mut data.item {
        with_fallbacks(item, visit);
    }
    for item in data.items.as_mut_slice() {
        with_fallbacks(item, visit);
    }
}

/// Calls `visit` with the items of a bundle, at every depth.
pub(super) fn each_nested(
    items: &mut Field<Vec<NestedItem>>,
    visit: &mut impl FnMut(&mut NestedItem),
) {
    for item in items.as_mut_slice() {
        visit(item);
        each_nested(&mut item.nested_items, visit);
    }
}

/// Whether an item of a bundle, at any depth, matches.
pub(super) fn any_nested(
    items: &Field<Vec<NestedItem>>,
    matches: &impl Fn(&NestedItem) -> bool,
) -> bool {
    let mut items = items.as_slice().iter();
    items.any(|item| matches(item) || any_nested(&item.nested_items, matches))
}
