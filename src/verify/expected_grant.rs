//! The correct grants of an event: a pure function of the event and the policy.
//!
//! If Aghanim leaves a choice to the game and the profile's policy does not make it, each choice is
//! one acceptable grant. Exactly one of them must happen.

use std::collections::{BTreeMap, BTreeSet};

use crate::protocol::{Event, Item, ItemKind, NestedItem};
use crate::scenario::{BundlePolicy, BundleQuantity, GrantPolicy, Policy};

pub(crate) type ExpectedGrant = BTreeMap<String, u128>;

/// The maximum number of grants that are listed. Beyond it, bundles are only granted either all by
/// their SKU or all by their contents.
const CHOICE_LIMIT: usize = 64;

/// The grants of which exactly one must happen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct AcceptableGrants {
    pub(crate) grants: Vec<ExpectedGrant>,
    /// Whether these are all acceptable grants. There may be too many to list.
    pub(crate) complete: bool,
}

/// All correct grants of an event that is handled once.
pub(crate) fn acceptable_grants(event: &Event, policy: Policy) -> AcceptableGrants {
    let mut acceptable = of_items(event, policy);
    if !acceptable.complete && policy.bundles.is_none() {
        for bundles in [BundlePolicy::Nested, BundlePolicy::Sku] {
            let plain = of_items(event, with_bundles(policy, bundles));
            acceptable.grants.extend(plain.grants);
        }
    }
    let policies = [
        (event.sandbox, policy.sandbox),
        (event.is_test(), policy.test),
    ];
    for (_, choice) in policies.into_iter().filter(|(applies, _)| *applies) {
        match choice {
            Some(GrantPolicy::Grant) => {}
            Some(GrantPolicy::Ignore) => acceptable = AcceptableGrants::nothing(),
            None => acceptable.grants.push(ExpectedGrant::new()),
        }
    }
    acceptable.grants.sort();
    acceptable.grants.dedup();
    acceptable
}

impl AcceptableGrants {
    fn one(grant: ExpectedGrant) -> Self {
        Self {
            grants: vec![grant],
            complete: true,
        }
    }

    pub(crate) fn nothing() -> Self {
        Self::one(ExpectedGrant::new())
    }

    /// One of the grants of each.
    fn all(each: impl Iterator<Item = Self>) -> Self {
        each.fold(Self::nothing(), |all, one| all.and(&one))
    }

    /// The grants of an event that is handled this often.
    pub(crate) fn times(mut self, times: u32) -> Self {
        for quantity in self.grants.iter_mut().flat_map(ExpectedGrant::values_mut) {
            *quantity = quantity.saturating_mul(times.into());
        }
        self
    }

    /// Either one of these grants or one of `other`.
    fn or(mut self, other: Self) -> Self {
        self.grants.extend(other.grants);
        self.complete &= other.complete;
        self
    }

    /// One of these grants together with one of `other`.
    fn and(self, other: &Self) -> Self {
        let count = self.grants.len().saturating_mul(other.grants.len());
        let pairs = self
            .grants
            .iter()
            .flat_map(|one| other.grants.iter().map(move |two| (one, two)));
        let grants = pairs
            .take(CHOICE_LIMIT)
            .map(|(one, two)| sum(one, two))
            .collect();
        Self {
            grants,
            complete: self.complete && other.complete && count <= CHOICE_LIMIT,
        }
    }
}

fn sum(one: &ExpectedGrant, two: &ExpectedGrant) -> ExpectedGrant {
    let mut both = one.clone();
    for (sku, quantity) in two {
        let sum = both.entry(sku.clone()).or_default();
        *sum = sum.saturating_add(*quantity);
    }
    both
}

fn of_items(event: &Event, policy: Policy) -> AcceptableGrants {
    let items = event.event_data.granted_items().iter();
    AcceptableGrants::all(items.map(|item| of_item(item, policy)))
}

fn with_bundles(policy: Policy, bundles: BundlePolicy) -> Policy {
    Policy {
        bundles: Some(bundles),
        ..policy
    }
}

/// The main item or its fallback, but never both.
fn of_item(item: &Item, policy: Policy) -> AcceptableGrants {
    let own = ScaledItem {
        sku: &item.sku,
        kind: &item.kind,
        quantity: item.quantity.into(),
        nested: item.nested_items.as_slice(),
    };
    match item.fallback_item.value() {
        Some(fallback) => own.acceptable(policy).or(of_item(fallback, policy)),
        None => own.acceptable(policy),
    }
}

/// An item or a bundle at any depth, with the quantities of the bundles around it multiplied in.
struct ScaledItem<'event> {
    sku: &'event str,
    kind: &'event ItemKind,
    quantity: u128,
    nested: &'event [NestedItem],
}

impl ScaledItem<'_> {
    fn acceptable(&self, policy: Policy) -> AcceptableGrants {
        let by_sku =
            AcceptableGrants::one(ExpectedGrant::from([(self.sku.to_owned(), self.quantity)]));
        if policy.bundles == Some(BundlePolicy::Sku) {
            return by_sku;
        }
        if self.nested.is_empty() {
            // No source says whether an empty bundle grants itself or nothing.
            return match self.kind {
                ItemKind::Bundle => by_sku.or(AcceptableGrants::nothing()),
                _ => by_sku,
            };
        }
        let contents = match policy.bundles {
            Some(BundlePolicy::Parts) => self.contents(with_bundles(policy, BundlePolicy::Sku)),
            _ => self.contents(policy),
        };
        if policy.bundles.is_some() {
            return contents;
        }
        if contents.complete {
            return by_sku.or(contents);
        }
        let plain = self.contents(with_bundles(policy, BundlePolicy::Nested));
        AcceptableGrants {
            complete: false,
            ..by_sku.or(plain)
        }
    }

    fn contents(&self, policy: Policy) -> AcceptableGrants {
        let times = match policy.bundle_quantity {
            BundleQuantity::Multiply => self.quantity,
            BundleQuantity::Ignore => 1,
        };
        AcceptableGrants::all(self.nested.iter().map(|item| {
            let scaled = ScaledItem {
                sku: &item.sku,
                kind: &item.kind,
                quantity: u128::from(item.quantity).saturating_mul(times),
                nested: item.nested_items.as_slice(),
            };
            scaled.acceptable(policy)
        }))
    }
}

/// Every SKU in the event, for any policy. None of them may change if nothing is granted.
pub(crate) fn named_skus(event: &Event) -> BTreeSet<String> {
    let data = &event.event_data;
    let mut skus = BTreeSet::from([data.coupon.sku.to_string()]);
    for item in data.named_items() {
        name_skus_of_item(item, &mut skus);
    }
    skus
}

fn name_skus_of_item(item: &Item, skus: &mut BTreeSet<String>) {
    skus.insert(item.sku.to_string());
    name_skus_of_bundle(item.nested_items.as_slice(), skus);
    if let Some(fallback) = item.fallback_item.value() {
        name_skus_of_item(fallback, skus);
    }
}

fn name_skus_of_bundle(nested: &[NestedItem], skus: &mut BTreeSet<String>) {
    for item in nested {
        skus.insert(item.sku.to_string());
        name_skus_of_bundle(item.nested_items.as_slice(), skus);
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn acceptable_grants(event: &Event, policy: Policy) -> Vec<ExpectedGrant> {
        let acceptable = super::acceptable_grants(event, policy);
        assert!(acceptable.complete);
        acceptable.grants
    }

    fn event(item: Value) -> Event {
        let mut event: Value =
            serde_json::from_str(include_str!("../protocol/example-event.txt")).unwrap();
        event["event_data"]["item"] = item;
        serde_json::from_value(event).unwrap()
    }

    fn item(sku: &str, quantity: u64) -> Value {
        json!({ "id": "itm_1", "name": "x", "sku": sku, "quantity": quantity, "type": "item", "nested_items": null })
    }

    fn bundle(sku: &str, quantity: u64, nested: &[Value]) -> Value {
        json!({ "id": "itm_2", "name": "x", "sku": sku, "quantity": quantity, "type": "bundle", "nested_items": nested })
    }

    fn grant(entries: &[(&str, u128)]) -> ExpectedGrant {
        entries
            .iter()
            .map(|(sku, quantity)| ((*sku).to_owned(), *quantity))
            .collect()
    }

    fn policy(bundles: Option<BundlePolicy>) -> Policy {
        Policy {
            bundles,
            ..Policy::default()
        }
    }

    #[test]
    fn a_plain_item_has_one_grant() {
        let grants = acceptable_grants(&event(item("gems", 5)), Policy::default());
        assert_eq!(grants, [grant(&[("gems", 5)])]);
    }

    #[test]
    fn a_bundle_follows_the_policy_and_without_one_has_all_grants() {
        let inner = bundle("inner", 2, &[item("gold", 3)]);
        let event = event(bundle("outer", 1, &[item("gems", 5), inner]));
        let of = |bundles| acceptable_grants(&event, policy(bundles));
        assert_eq!(
            of(Some(BundlePolicy::Nested)),
            [grant(&[("gems", 5), ("gold", 6)])]
        );
        assert_eq!(
            of(Some(BundlePolicy::Parts)),
            [grant(&[("gems", 5), ("inner", 2)])]
        );
        assert_eq!(of(Some(BundlePolicy::Sku)), [grant(&[("outer", 1)])]);
        let either = of(None);
        assert_eq!(either.len(), 3, "{either:?}");
        assert!(either.contains(&grant(&[("gems", 5), ("inner", 2)])));
    }

    #[test]
    fn a_bundle_quantity_multiplies_or_not() {
        let event = event(bundle("outer", 3, &[item("gems", 5), item("gems", 1)]));
        let nested = policy(Some(BundlePolicy::Nested));
        assert_eq!(acceptable_grants(&event, nested), [grant(&[("gems", 18)])]);
        let ignoring = Policy {
            bundle_quantity: BundleQuantity::Ignore,
            ..nested
        };
        assert_eq!(acceptable_grants(&event, ignoring), [grant(&[("gems", 6)])]);
    }

    #[test]
    fn a_fallback_replaces_the_main_item() {
        let mut main = item("hat", 1);
        main["fallback_item"] = item("gems", 9);
        let grants = acceptable_grants(&event(main), Policy::default());
        assert_eq!(grants, [grant(&[("gems", 9)]), grant(&[("hat", 1)])]);
    }

    #[test]
    fn a_sandbox_event_follows_the_policy() {
        let mut event = event(item("gems", 5));
        event.sandbox = true;
        let with = |sandbox| {
            acceptable_grants(
                &event,
                Policy {
                    sandbox,
                    ..Policy::default()
                },
            )
        };
        assert_eq!(with(Some(GrantPolicy::Grant)), [grant(&[("gems", 5)])]);
        assert_eq!(with(Some(GrantPolicy::Ignore)), [grant(&[])]);
        assert_eq!(with(None), [grant(&[]), grant(&[("gems", 5)])]);
    }

    #[test]
    fn an_empty_bundle_grants_itself_or_nothing() {
        let event = event(bundle("chest", 2, &[]));
        let grants = acceptable_grants(&event, Policy::default());
        assert_eq!(grants, [grant(&[]), grant(&[("chest", 2)])]);
        let by_sku = acceptable_grants(&event, policy(Some(BundlePolicy::Sku)));
        assert_eq!(by_sku, [grant(&[("chest", 2)])]);
    }

    /// Granting all bundles by their SKU, or all by their contents, is correct for any number of
    /// bundles.
    #[test]
    fn many_bundles_can_be_granted_by_their_sku() {
        let mut event = event(item("gems", 1));
        let bundles = (0..7).map(|n| {
            let nested = [item(&format!("a{n}"), 1), item(&format!("b{n}"), 2)];
            serde_json::from_value(bundle(&format!("bundle{n}"), 1, &nested)).unwrap()
        });
        event.event_data.items = crate::protocol::Field::Value(bundles.collect());
        let grants = super::acceptable_grants(&event, Policy::default()).grants;
        let by_sku: ExpectedGrant = (0..7).map(|n| (format!("bundle{n}"), 1)).collect();
        assert!(grants.contains(&by_sku));
    }

    #[test]
    fn the_number_of_grants_is_limited() {
        let bundles: Vec<Value> = (0..40)
            .map(|n| bundle(&format!("b{n}"), 1, &[item(&format!("i{n}"), 1)]))
            .collect();
        let event = event(bundle("all", 1, &bundles));
        let AcceptableGrants { grants, complete } =
            super::acceptable_grants(&event, Policy::default());
        assert!(!complete);
        assert!(grants.len() <= 2 * CHOICE_LIMIT, "{}", grants.len());
        let nested: ExpectedGrant = (0..40).map(|n| (format!("i{n}"), 1)).collect();
        assert!(grants.contains(&nested) && grants.contains(&grant(&[("all", 1)])));
    }

    #[test]
    fn all_skus_of_an_event_are_found() {
        let mut main = bundle("outer", 1, &[bundle("inner", 1, &[item("gold", 3)])]);
        main["fallback_item"] = item("gems", 9);
        let skus = named_skus(&event(main));
        assert_eq!(
            skus.into_iter().collect::<Vec<_>>(),
            ["crystals", "gems", "gold", "inner", "outer"]
        );
    }
}
