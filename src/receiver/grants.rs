//! Computes what to grant for an event: how much of which SKU. Also decides whether to skip the
//! grant and whether an item can't be granted. Records nothing.

use std::collections::BTreeMap;
use std::fmt;

use crate::protocol::{Event, Item, ItemKind, NestedItem};

use super::refusal::Refusal;
use super::settings::{BundleHandling, ReceiverSettings};

/// A quantity of one SKU.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct ItemGrant {
    pub(super) sku: String,
    pub(super) quantity: u64,
}

/// Why an event is acknowledged and recorded, but not granted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Skipped {
    /// The event comes from the sandbox environment.
    Sandbox,
    /// "Send test event" in the dashboard triggered the event.
    Test,
}

impl fmt::Display for Skipped {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Sandbox => "sandbox",
            Self::Test => "test",
        })
    }
}

/// The quantity of each SKU, in a stable order.
type Quantities = BTreeMap<String, u64>;

/// Why one item can't be granted.
enum Obstacle {
    /// The game can't grant this SKU. The fallback item may be granted instead.
    CannotGrant(String),
    /// The quantity does not fit into 64 bits. A fallback does not help.
    TooLarge(String),
}

impl From<Obstacle> for Refusal {
    fn from(obstacle: Obstacle) -> Self {
        match obstacle {
            Obstacle::CannotGrant(sku) => Self::CannotGrant { sku },
            Obstacle::TooLarge(sku) => Self::QuantityTooLarge { sku },
        }
    }
}

/// Why the game acknowledges this event without granting it, if it does. `[A]`
pub(super) fn skip_reason(event: &Event, settings: &ReceiverSettings) -> Option<Skipped> {
    if event.is_test() && !settings.grant_test {
        Some(Skipped::Test)
    } else if event.sandbox && !settings.grant_sandbox {
        Some(Skipped::Sandbox)
    } else {
        None
    }
}

/// Everything that the event grants, with one entry per SKU. Either all items can be granted or
/// the whole event is refused.
pub(super) fn grants(
    event: &Event,
    settings: &ReceiverSettings,
) -> Result<Vec<ItemGrant>, Refusal> {
    let mut total = Quantities::new();
    for item in event.event_data.granted_items() {
        for (sku, quantity) in with_fallback(item, settings)? {
            add(&mut total, &sku, quantity)?;
        }
    }
    Ok(total
        .into_iter()
        .map(|(sku, quantity)| ItemGrant { sku, quantity })
        .collect())
}

/// Whether the item can be granted without its fallback.
pub(super) fn can_grant(item: &Item, settings: &ReceiverSettings) -> bool {
    expand(item, settings).is_ok()
}

/// The item's own quantities, or those of the first fallback that can be granted.
fn with_fallback(item: &Item, settings: &ReceiverSettings) -> Result<Quantities, Refusal> {
    let mut candidate = item;
    loop {
        match expand(candidate, settings) {
            Ok(quantities) => return Ok(quantities),
            Err(obstacle) => match (&obstacle, candidate.fallback_item.value()) {
                (Obstacle::CannotGrant(_), Some(fallback)) => candidate = fallback,
                _ => return Err(obstacle.into()),
            },
        }
    }
}

/// The quantities that one item grants. An empty bundle grants nothing.
fn expand(item: &Item, settings: &ReceiverSettings) -> Result<Quantities, Obstacle> {
    let mut quantities = Quantities::new();
    // Iterative, because the sender controls the depth.
    let mut unopened = vec![BundlePart::outermost(item)];
    while let Some(part) = unopened.pop() {
        if settings.cannot_grant.contains(part.sku) {
            return Err(Obstacle::CannotGrant(part.sku.to_owned()));
        }
        match (part.kind, settings.bundles) {
            // The meaning of an undocumented type is unknown.
            (ItemKind::Unknown(_), _) => return Err(Obstacle::CannotGrant(part.sku.to_owned())),
            (ItemKind::Bundle, BundleHandling::Nested) => {
                for inner in part.nested {
                    unopened.push(BundlePart::inside(part.quantity, inner)?);
                }
            }
            (ItemKind::Item, _) | (ItemKind::Bundle, BundleHandling::Sku) => {
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
    fn outermost(item: &'a Item) -> Self {
        Self {
            sku: &item.sku,
            kind: &item.kind,
            quantity: item.quantity,
            nested: item.nested_items.value().map_or(&[], Vec::as_slice),
        }
    }

    /// An item of a bundle that is granted `bundles` times. `[A]`
    fn inside(bundles: u64, item: &'a NestedItem) -> Result<Self, Obstacle> {
        Ok(Self {
            sku: &item.sku,
            kind: &item.kind,
            quantity: bundles
                .checked_mul(item.quantity)
                .ok_or_else(|| Obstacle::TooLarge(item.sku.to_string()))?,
            nested: item.nested_items.value().map_or(&[], Vec::as_slice),
        })
    }
}

/// Adds without overflow.
fn add(quantities: &mut Quantities, sku: &str, quantity: u64) -> Result<(), Obstacle> {
    let sum = quantities.entry(sku.to_owned()).or_insert(0);
    *sum = sum
        .checked_add(quantity)
        .ok_or_else(|| Obstacle::TooLarge(sku.to_owned()))?;
    Ok(())
}

#[cfg(test)]
mod tests;
