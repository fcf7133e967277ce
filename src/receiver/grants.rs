//! Computes what to grant for an event: how much of which SKU. Also decides whether to skip the
//! grant and whether an item can't be granted. Records nothing.

use crate::protocol::{Event, EventKind, Item, ItemKind, NestedItem};

use super::ledger::Grants;
use super::refusal::{Refusal, Skipped};
use super::settings::{BundleHandling, CreditedEvent, ReceiverSettings};

/// Why the game acknowledges this event without granting it, if it does. `[A]`
pub(super) fn skip_reason(event: &Event, settings: &ReceiverSettings) -> Option<Skipped> {
    if event.is_test() && !settings.grant_test {
        Some(Skipped::Test)
    } else if event.sandbox && !settings.grant_sandbox {
        Some(Skipped::Sandbox)
    } else {
        let is_credited = match event.kind() {
            Some(EventKind::CouponRedeemed) => settings.credit_on != CreditedEvent::ItemAdd,
            Some(EventKind::ItemAdd) => settings.credit_on != CreditedEvent::CouponRedeemed,
            // An item.remove takes away what the coupon granted, on whatever event that was. A type that
            // a flaw does not check is granted.
            Some(EventKind::ItemRemove) | None => true,
        };
        (!is_credited).then_some(Skipped::NotCredited)
    }
}

/// Everything that the event grants. Either all items can be granted or the whole event is refused.
pub(crate) fn grants(event: &Event, settings: &ReceiverSettings) -> Result<Grants, Refusal> {
    let mut total = Grants::new();
    for item in event.event_data.granted_items() {
        for (sku, quantity) in with_fallback(item, settings)? {
            add(&mut total, &sku, quantity)?;
        }
    }
    Ok(total)
}

/// Whether the item can be granted without its fallback.
pub(super) fn can_grant(item: &Item, settings: &ReceiverSettings) -> bool {
    expand(item, settings).is_ok()
}

/// The item's own quantities, or those of the first fallback that can be granted.
fn with_fallback(item: &Item, settings: &ReceiverSettings) -> Result<Grants, Refusal> {
    let mut candidate = item;
    loop {
        match (expand(candidate, settings), candidate.fallback_item.value()) {
            (Err(Refusal::CannotGrant { .. }), Some(fallback)) => candidate = fallback,
            (expanded, _) => return expanded,
        }
    }
}

/// The quantities that one item grants. An empty bundle grants nothing.
fn expand(item: &Item, settings: &ReceiverSettings) -> Result<Grants, Refusal> {
    let mut quantities = Grants::new();
    let mut handling = settings.bundles;
    // Iterative, because the sender controls the depth.
    let mut unopened = vec![BundlePart {
        sku: &item.sku,
        kind: &item.kind,
        quantity: item.quantity,
        nested: item.nested_items.as_slice(),
    }];
    while let Some(part) = unopened.pop() {
        let cannot_grant = || Refusal::CannotGrant {
            sku: part.sku.to_owned(),
        };
        if settings.cannot_grant.contains(part.sku) {
            return Err(cannot_grant());
        }
        match (part.kind, handling) {
            (ItemKind::Bundle, BundleHandling::Nested | BundleHandling::Parts) => {
                for inner in part.nested {
                    unopened.push(part.inside(inner)?);
                }
                if handling == BundleHandling::Parts {
                    handling = BundleHandling::Sku;
                }
            }
            // An undocumented type does not change that the player gets this quantity of the SKU. `[A]`
            (ItemKind::Item | ItemKind::Unknown(_), _)
            | (ItemKind::Bundle, BundleHandling::Sku) => {
                add(&mut quantities, part.sku, part.quantity)?;
            }
        }
    }
    Ok(quantities)
}

/// An item or a nested item. Its quantity is multiplied by those of all bundles around it.
struct BundlePart<'a> {
    sku: &'a str,
    kind: &'a ItemKind,
    quantity: u64,
    nested: &'a [NestedItem],
}

impl<'a> BundlePart<'a> {
    /// An item of this bundle. `[A]`
    fn inside(&self, item: &'a NestedItem) -> Result<Self, Refusal> {
        let quantity = self.quantity.checked_mul(item.quantity);
        Ok(Self {
            sku: &item.sku,
            kind: &item.kind,
            quantity: quantity.ok_or_else(|| too_large(&item.sku))?,
            nested: item.nested_items.as_slice(),
        })
    }
}

fn add(quantities: &mut Grants, sku: &str, quantity: u64) -> Result<(), Refusal> {
    let sum = quantities.entry(sku.to_owned()).or_insert(0);
    *sum = sum.checked_add(quantity).ok_or_else(|| too_large(sku))?;
    Ok(())
}

fn too_large(sku: &str) -> Refusal {
    let sku = sku.to_owned();
    Refusal::QuantityTooLarge { sku }
}

#[cfg(test)]
mod tests;
