//! The bodies of events, as the built-in receiver reads them and as `aghook run` judges their grants.

use std::collections::BTreeMap;

use crate::protocol::{Event, EventKind, Item, ItemKind, NestedItem, Secret};
use crate::receiver::{BundleHandling, ReceiverSettings, grants, parse_event};
use crate::scenario::{BundlePolicy, GrantPolicy, Policy};
use crate::verify::{acceptable_grants, named_skus};

/// Reads a body as an event, and grants it.
pub fn event(bytes: &[u8]) {
    let Ok(event) = parse_event(bytes) else {
        return;
    };
    let kind = event.kind().expect("a type that the receiver handles");
    if kind == EventKind::CouponRedeemed {
        // What was read is written so that it reads the same.
        let body = event.to_json().expect("JSON");
        assert_eq!(parse_event(&body).as_ref(), Ok(&event));
    }
    for (handling, policy) in [
        (BundleHandling::Nested, BundlePolicy::Nested),
        (BundleHandling::Parts, BundlePolicy::Parts),
        (BundleHandling::Sku, BundlePolicy::Sku),
    ] {
        check_grants(&event, handling, policy);
    }
}

/// What the sound receiver grants is an acceptable grant of SKUs that the event names.
fn check_grants(event: &Event, handling: BundleHandling, policy: BundlePolicy) {
    let settings = ReceiverSettings {
        bundles: handling,
        ..ReceiverSettings::new(Secret::new("secret").expect("not empty"))
    };
    let Ok(granted) = grants(event, &settings) else {
        return;
    };
    let named = named_skus(event);
    assert!(granted.keys().all(|sku| named.contains(sku)), "{granted:?}");
    let policy = Policy {
        bundles: Some(policy),
        sandbox: Some(GrantPolicy::Grant),
        test: Some(GrantPolicy::Grant),
        ..Policy::default()
    };
    let acceptable = acceptable_grants(event, policy);
    if !acceptable.complete || !has_usual_bundles(event) {
        return;
    }
    let granted = granted.into_iter();
    let granted = held(granted.map(|(sku, quantity)| (sku, u128::from(quantity))));
    let mut acceptable = acceptable.grants.into_iter().map(held);
    assert!(acceptable.any(|grant| grant == granted), "{granted:?}");
}

/// A quantity of zero is held as nothing.
fn held(grant: impl IntoIterator<Item = (String, u128)>) -> BTreeMap<String, u128> {
    let grant = grant.into_iter();
    grant.filter(|(_, quantity)| *quantity > 0).collect()
}

/// Whether just the bundles have nested items. Nobody says how to grant others.
fn has_usual_bundles(event: &Event) -> bool {
    fn is_usual(kind: &ItemKind, nested: &[NestedItem]) -> bool {
        let mut parts = nested.iter();
        (*kind == ItemKind::Bundle) != nested.is_empty()
            && parts.all(|part| is_usual(&part.kind, part.nested_items.as_slice()))
    }
    fn is_usual_item(item: &Item) -> bool {
        let fallback = item.fallback_item.value();
        is_usual(&item.kind, item.nested_items.as_slice())
            && fallback.is_none_or(|fallback| is_usual_item(fallback))
    }
    event.event_data.named_items().all(is_usual_item)
}
