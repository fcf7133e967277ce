//! What the game holds for an SKU of Aghanim: another SKU, or several of it.

use std::collections::{BTreeMap, BTreeSet};

use super::expected_grant::ExpectedGrant;
use crate::generate::CatalogueItem;

/// For each SKU that the game holds differently: the SKU that it holds, and how many for one.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct HeldItems(BTreeMap<String, (String, u64)>);

impl HeldItems {
    /// The SKUs of a profile. If an SKU occurs several times, the first item is used.
    pub(crate) fn of(items: &[CatalogueItem]) -> Self {
        let mut held = BTreeMap::new();
        for item in items {
            let (sku, times) = (item.held_sku().to_owned(), item.held_times());
            held.entry(item.sku.clone()).or_insert((sku, times));
        }
        Self(held)
    }

    /// What the game holds for an SKU. An unknown SKU stays as it is.
    pub(super) fn sku<'a>(&'a self, sku: &'a str) -> &'a str {
        self.0.get(sku).map_or(sku, |(held, _)| held)
    }

    /// How many the game holds for one of an SKU.
    pub(super) fn times(&self, sku: &str) -> u64 {
        self.0.get(sku).map_or(1, |(_, times)| *times)
    }

    /// The grant as the game holds it. Several SKUs may become one.
    pub(super) fn grant(&self, grant: &ExpectedGrant) -> ExpectedGrant {
        let mut held = ExpectedGrant::new();
        for (sku, quantity) in grant {
            let sum = held.entry(self.sku(sku).to_owned()).or_default();
            let quantity = quantity.saturating_mul(self.times(sku).into());
            *sum = sum.saturating_add(quantity);
        }
        held
    }

    pub(super) fn skus(&self, skus: &BTreeSet<String>) -> BTreeSet<String> {
        skus.iter().map(|sku| self.sku(sku).to_owned()).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn item(sku: &str, held_as: Option<&str>, times: u64) -> CatalogueItem {
        CatalogueItem {
            held_as: held_as.map(str::to_owned),
            times: times.try_into().ok(),
            ..CatalogueItem::named(sku)
        }
    }

    fn grant(entries: &[(&str, u128)]) -> ExpectedGrant {
        let entries = entries.iter();
        entries
            .map(|(sku, quantity)| ((*sku).to_owned(), *quantity))
            .collect()
    }

    #[test]
    fn several_skus_become_one_and_unknown_ones_stay() {
        let held = HeldItems::of(&[
            item("crystals", Some("gold"), 1000),
            item("coins", Some("gold"), 1),
            item("hats", None, 2),
        ]);
        let granted = grant(&[
            ("crystals", 3),
            ("coins", 4),
            ("hats", 5),
            ("x", 6),
            ("gold", 7),
        ]);
        let expected = grant(&[("gold", 3011), ("hats", 10), ("x", 6)]);
        assert_eq!(held.grant(&granted), expected);
        let skus = held.skus(&granted.keys().cloned().collect());
        assert_eq!(skus, expected.keys().cloned().collect());
    }

    #[test]
    fn huge_quantities_do_not_overflow() {
        let held = HeldItems::of(&[item("a", Some("b"), u64::MAX)]);
        let expected = grant(&[("b", u128::MAX)]);
        assert_eq!(held.grant(&grant(&[("a", u128::MAX), ("b", 1)])), expected);
    }
}
