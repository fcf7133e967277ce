//! What an event may rightly change in a game: a pure function of the event and the policy.
//!
//! Where Aghanim leaves a choice to the game and the profile's policy does not say what was
//! chosen, each choice is a grant of its own: any one of them is right, two at once are not.

use std::collections::{BTreeMap, BTreeSet};

use crate::protocol::{Event, Item, NestedItem};
use crate::scenario::{BundlePolicy, BundleQuantity, GrantPolicy, Policy};

/// How much of each SKU a player gets.
pub type Grant = BTreeMap<String, u128>;

/// The most ways that are told apart; beyond, only the two plain ways of granting a bundle are.
const CHOICE_LIMIT: usize = 64;

/// All grants of which exactly one must happen when the event is handled once.
pub fn acceptable_grants(event: &Event, policy: Policy) -> Vec<Grant> {
    let item = std::slice::from_ref(&event.event_data.item);
    let items = match event.event_data.items.value() {
        Some(items) if !items.is_empty() => items.as_slice(),
        _ => item,
    };
    let mut grants = items
        .iter()
        .map(|item| of_item(item, policy))
        .fold(vec![Grant::new()], |all, one| combined(&all, &one));

    let not_live = [
        (event.sandbox, policy.sandbox),
        (event.is_test(), policy.test),
    ];
    for (_, choice) in not_live.into_iter().filter(|(applies, _)| *applies) {
        match choice {
            Some(GrantPolicy::Grant) => {}
            Some(GrantPolicy::Ignore) => grants = vec![Grant::new()],
            None => grants.push(Grant::new()),
        }
    }
    grants.sort();
    grants.dedup();
    grants
}

/// Every SKU that the event names, whatever the policy: what must not change if nothing is granted.
pub(super) fn named_skus(event: &Event) -> BTreeSet<String> {
    let data = &event.event_data;
    let mut skus = BTreeSet::from([data.coupon.sku.to_string()]);
    let items = data.items.value().map_or(&[][..], Vec::as_slice);
    std::iter::once(&data.item)
        .chain(items)
        .for_each(|item| name_skus_of_item(item, &mut skus));
    skus
}

fn name_skus_of_item(item: &Item, skus: &mut BTreeSet<String>) {
    skus.insert(item.sku.to_string());
    name_skus_of_bundle(item.nested_items.value(), skus);
    if let Some(fallback) = item.fallback_item.value() {
        name_skus_of_item(fallback, skus);
    }
}

fn name_skus_of_bundle(nested: Option<&Vec<NestedItem>>, skus: &mut BTreeSet<String>) {
    for item in nested.into_iter().flatten() {
        skus.insert(item.sku.to_string());
        name_skus_of_bundle(item.nested_items.value(), skus);
    }
}

/// The main item in any way that is right, or else its fallback: never both.
fn of_item(item: &Item, policy: Policy) -> Vec<Grant> {
    let nested = item.nested_items.value();
    let mut grants = of_bundle(&item.sku, u128::from(item.quantity), nested, policy);
    if let Some(fallback) = item.fallback_item.value() {
        grants.extend(of_item(fallback, policy));
    }
    grants
}

fn of_bundle(
    sku: &str,
    quantity: u128,
    nested: Option<&Vec<NestedItem>>,
    policy: Policy,
) -> Vec<Grant> {
    let by_sku = Grant::from([(sku.to_owned(), quantity)]);
    let Some(nested) = nested.filter(|nested| !nested.is_empty()) else {
        return vec![by_sku];
    };
    if policy.bundles == Some(BundlePolicy::Sku) {
        return vec![by_sku];
    }
    let times = match policy.bundle_quantity {
        BundleQuantity::Multiply => quantity,
        BundleQuantity::Ignore => 1,
    };
    let of_nested = |policy: Policy| {
        nested
            .iter()
            .map(|item| {
                let quantity = u128::from(item.quantity).saturating_mul(times);
                of_bundle(&item.sku, quantity, item.nested_items.value(), policy)
            })
            .fold(vec![Grant::new()], |all, one| combined(&all, &one))
    };
    let mut grants = of_nested(policy);
    if policy.bundles.is_none() {
        if grants.len() >= CHOICE_LIMIT {
            grants = of_nested(Policy {
                bundles: Some(BundlePolicy::Nested),
                ..policy
            });
        }
        grants.push(by_sku);
    }
    grants
}

/// Each of `left` together with each of `right`.
fn combined(left: &[Grant], right: &[Grant]) -> Vec<Grant> {
    let pairs = left
        .iter()
        .flat_map(|one| right.iter().map(move |other| (one, other)));
    pairs
        .take(CHOICE_LIMIT)
        .map(|(one, other)| {
            let mut both = one.clone();
            for (sku, quantity) in other {
                let sum = both.entry(sku.clone()).or_default();
                *sum = sum.saturating_add(*quantity);
            }
            both
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

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

    fn grant(entries: &[(&str, u128)]) -> Grant {
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
    fn a_plain_item_is_granted_in_one_way() {
        let grants = acceptable_grants(&event(item("gems", 5)), Policy::default());
        assert_eq!(grants, [grant(&[("gems", 5)])]);
    }

    #[test]
    fn a_bundle_is_granted_as_the_policy_says_and_either_way_without_one() {
        let inner = bundle("inner", 2, &[item("gold", 3)]);
        let event = event(bundle("outer", 1, &[item("gems", 5), inner]));
        let of = |bundles| acceptable_grants(&event, policy(bundles));
        assert_eq!(
            of(Some(BundlePolicy::Nested)),
            [grant(&[("gems", 5), ("gold", 6)])]
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
    fn a_fallback_is_granted_in_place_of_the_main_item() {
        let mut main = item("hat", 1);
        main["fallback_item"] = item("gems", 9);
        let grants = acceptable_grants(&event(main), Policy::default());
        assert_eq!(grants, [grant(&[("gems", 9)]), grant(&[("hat", 1)])]);
    }

    #[test]
    fn a_sandbox_or_test_event_grants_as_the_policy_says() {
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
    fn many_choices_stay_few() {
        let bundles: Vec<Value> = (0..40)
            .map(|n| bundle(&format!("b{n}"), 1, &[item(&format!("i{n}"), 1)]))
            .collect();
        let grants = acceptable_grants(&event(bundle("all", 1, &bundles)), Policy::default());
        assert!(grants.len() <= 2 * CHOICE_LIMIT, "{}", grants.len());
        let nested: Grant = (0..40).map(|n| (format!("i{n}"), 1)).collect();
        assert!(grants.contains(&nested) && grants.contains(&grant(&[("all", 1)])));
    }

    #[test]
    fn all_skus_of_an_event_are_named() {
        let mut main = bundle("outer", 1, &[bundle("inner", 1, &[item("gold", 3)])]);
        main["fallback_item"] = item("gems", 9);
        let skus = named_skus(&event(main));
        assert_eq!(
            skus.into_iter().collect::<Vec<_>>(),
            ["crystals", "gems", "gold", "inner", "outer"]
        );
    }
}
