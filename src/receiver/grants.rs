//! What an event stands for: how much of which SKU, or that nothing is to be granted, or that
//! something can't be. Nothing is written down here.

use std::collections::BTreeMap;
use std::fmt;

use crate::protocol::{Event, Item, ItemKind, NestedItem};

use super::refusal::Refusal;
use super::settings::{BundleHandling, ReceiverSettings};

/// So much of one SKU.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Grant {
    pub(super) sku: String,
    pub(super) quantity: u64,
}

/// Why an event is acknowledged and recorded, but changes nothing that a player holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Withheld {
    /// It comes from the sandbox environment.
    Sandbox,
    /// "Send test event" in the dashboard caused it.
    Test,
}

impl fmt::Display for Withheld {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Sandbox => "sandbox",
            Self::Test => "test",
        })
    }
}

/// How much of each SKU, in a settled order.
type Quantities = BTreeMap<String, u64>;

/// Why one item can't be granted as it is.
enum Obstacle {
    /// The game can't grant this SKU: the fallback is to be granted instead.
    CannotGrant(String),
    /// The sender asks for more than can be counted: no fallback makes this right.
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

/// Whether the game lets this event pass without a grant. `[A]`
pub(super) fn withheld(event: &Event, settings: &ReceiverSettings) -> Option<Withheld> {
    if event.is_test() && !settings.grant_test {
        Some(Withheld::Test)
    } else if event.sandbox && !settings.grant_sandbox {
        Some(Withheld::Sandbox)
    } else {
        None
    }
}

/// All that the event grants, one entry an SKU. Every item is granted, or none is.
pub(super) fn grants(event: &Event, settings: &ReceiverSettings) -> Result<Vec<Grant>, Refusal> {
    let mut total = Quantities::new();
    for item in event.event_data.granted_items() {
        for (sku, quantity) in with_fallback(item, settings)? {
            add(&mut total, &sku, quantity)?;
        }
    }
    Ok(total
        .into_iter()
        .map(|(sku, quantity)| Grant { sku, quantity })
        .collect())
}

/// Whether the item can be granted as it is, without its fallback.
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

/// What one item stands for. A bundle of nothing stands for nothing.
fn expand(item: &Item, settings: &ReceiverSettings) -> Result<Quantities, Obstacle> {
    let mut quantities = Quantities::new();
    // A list of what is still to be opened rather than recursion: the depth is the sender's.
    let mut unopened = vec![Part::whole(item)];
    while let Some(part) = unopened.pop() {
        if settings.cannot_grant.contains(part.sku) {
            return Err(Obstacle::CannotGrant(part.sku.to_owned()));
        }
        match (part.kind, settings.bundles) {
            // What a type means that the source does not name can't be guessed.
            (ItemKind::Unknown(_), _) => return Err(Obstacle::CannotGrant(part.sku.to_owned())),
            (ItemKind::Bundle, BundleHandling::Nested) => {
                for inner in part.nested {
                    unopened.push(Part::inside(part.quantity, inner)?);
                }
            }
            (ItemKind::Item, _) | (ItemKind::Bundle, BundleHandling::Sku) => {
                add(&mut quantities, part.sku, part.quantity)?;
            }
        }
    }
    Ok(quantities)
}

/// An item or a nested item, with its quantity over all the bundles around it.
struct Part<'a> {
    sku: &'a str,
    kind: &'a ItemKind,
    quantity: u64,
    nested: &'a [NestedItem],
}

impl<'a> Part<'a> {
    fn whole(item: &'a Item) -> Self {
        Self {
            sku: &item.sku,
            kind: &item.kind,
            quantity: item.quantity,
            nested: item.nested_items.value().map_or(&[], Vec::as_slice),
        }
    }

    /// Part of a bundle that is granted `bundles` times. `[A]`
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

/// Adds up exactly, or says that it can't.
fn add(quantities: &mut Quantities, sku: &str, quantity: u64) -> Result<(), Obstacle> {
    let held = quantities.entry(sku.to_owned()).or_insert(0);
    *held = held
        .checked_add(quantity)
        .ok_or_else(|| Obstacle::TooLarge(sku.to_owned()))?;
    Ok(())
}

#[cfg(test)]
mod tests;
