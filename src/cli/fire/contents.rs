//! What a bundle contains, and whether exactly that was granted.

use std::collections::BTreeMap;

use crate::protocol::{Event, Field, Item, NestedItem};
use crate::run::RunContext;
use crate::scenario::{BundlePolicy, Policy};
use crate::verify::{ExpectedInventory, GrantCount, InventoryCheck, Verdict};

/// What must be granted for an event.
pub(super) struct Contents {
    /// `None` for an event of a single item, or if the profile does not say what must be granted.
    expected: Option<ExpectedInventory>,
    /// What is granted if the game opens every bundle; `None` if the profile says how it grants bundles.
    opened: Option<ExpectedInventory>,
    /// The same without the fallbacks, if there are any.
    without_fallback: Option<ExpectedInventory>,
    is_bundle: bool,
    text: String,
}

const ITEM_GRANTED: &str =
    "the item was granted as expected; its fallback was not needed, so it was not tested";
const FALLBACK_GRANTED: &str = "the fallback was granted as expected, instead of the item";

/// After a bundle was granted by SKUs of bundles, which may be a bug.
const NOT_OPENED: &str = "granted by the SKU of a bundle that was not opened. If players can use it, state \
                          `policy: { bundles: sku }` or `parts` in the profile. If not, open every \
                          bundle, also in bundles, and state `bundles: nested`";

/// After contents that were not granted.
const GRANT_CONTENTS: &str = "grant every item of a bundle or none: walk `nested_items` recursively; if the game grants \
                              bundles by their own SKU, set `policy: { bundles: sku }` in the profile";

pub(super) struct ContentsVerdict {
    pub(super) verdict: Verdict,
    pub(super) text: String,
    /// What to do about it.
    pub(super) advice: Option<&'static str>,
}

impl Contents {
    pub(super) fn of(event: &Event, context: &RunContext) -> Self {
        let game = &context.capabilities;
        let items = event.event_data.granted_items();
        let is_several = items.len() > 1
            || items
                .iter()
                .any(|item| is_bundle(item) || fallback(item).is_some());
        let is_usual = event.kind() == Some(game.policy.usual_kind());
        let is_checked = is_several && is_usual && !event.sandbox && !event.is_test();
        let inventory_of = |event: &Event, policy| {
            ExpectedInventory::new(event, GrantCount::Once, policy).held_as(&game.held_items)
        };
        let inventory = |policy| inventory_of(event, policy);
        let expected = is_checked.then(|| inventory(game.policy));
        let has_fallback = items.iter().any(|item| fallback(item).is_some());
        let without_fallback =
            has_fallback.then(|| inventory_of(&without_fallbacks(event), game.policy));
        let nested = Policy {
            bundles: Some(BundlePolicy::Nested),
            ..game.policy
        };
        let opened = game.policy.bundles.is_none().then(|| inventory(nested));
        // What a player can hold only once may be held already.
        let expected = expected.filter(|expected| {
            let mut skus = expected.skus().into_iter();
            !skus.any(|sku| context.held_once.contains(sku))
        });
        let texts: Vec<String> = items.iter().map(item_text).collect();
        Self {
            expected,
            opened,
            without_fallback,
            is_bundle: items.iter().any(is_bundle),
            text: texts.join(", "),
        }
    }

    /// Whether exactly the contents were granted.
    pub(super) fn check(
        &self,
        before: &[(String, i128)],
        after: &[(String, i128)],
    ) -> Option<ContentsVerdict> {
        let expected = self.expected.as_ref()?;
        let both = before.iter().zip(after);
        let changes: BTreeMap<String, i128> = both
            .map(|((sku, before), (_, after))| (sku.clone(), after.saturating_sub(*before)))
            .collect();
        let is_opened = self
            .opened
            .as_ref()
            .is_none_or(|opened| matches!(opened.check_readings(&changes), InventoryCheck::Passed));
        let (verdict, result) = match expected.check_readings(&changes) {
            InventoryCheck::Passed if !is_opened => (Verdict::Warned, NOT_OPENED.to_owned()),
            InventoryCheck::Passed => {
                let own = self.without_fallback.as_ref();
                let own = own.map(|own| own.check_readings(&changes));
                let text = match own {
                    None => "granted as expected",
                    Some(InventoryCheck::Passed) => ITEM_GRANTED,
                    Some(_) => FALLBACK_GRANTED,
                };
                (Verdict::Passed, text.to_owned())
            }
            InventoryCheck::Failed { problem, .. } => (Verdict::Failed, problem),
            InventoryCheck::Undecided(reason) => (Verdict::NotChecked, reason),
        };
        let text = format!("contents: {}; {result}", self.text);
        let advice = (verdict == Verdict::Failed && self.is_bundle).then_some(GRANT_CONTENTS);
        Some(ContentsVerdict {
            verdict,
            text,
            advice,
        })
    }
}

fn is_bundle(item: &Item) -> bool {
    let parts = item.nested_items.value();
    parts.is_some_and(|parts| !parts.is_empty())
}

fn fallback(item: &Item) -> Option<&Item> {
    item.fallback_item.value().map(AsRef::as_ref)
}

fn without_fallbacks(event: &Event) -> Event {
    let mut event = event.clone();
    let data = &mut event.event_data;
    if let Field::Value(item) = &mut data.item {
        item.fallback_item = Field::Absent;
    }
    if let Field::Value(items) = &mut data.items {
        for item in items {
            item.fallback_item = Field::Absent;
        }
    }
    event
}

/// `50 gems, 1 sword`, or `50 gems, or else 1 sword`.
fn item_text(item: &Item) -> String {
    let mut innermost = BTreeMap::new();
    match item.nested_items.value() {
        Some(parts) if !parts.is_empty() => add(parts, item.quantity.into(), &mut innermost),
        _ => {
            innermost.insert(item.sku.to_string(), item.quantity.into());
        }
    }
    let own = innermost.iter();
    let own: Vec<String> = own
        .map(|(sku, quantity)| format!("{quantity} {sku}"))
        .collect();
    let own = own.join(", ");
    match fallback(item) {
        Some(fallback) => format!("{own}, or else {}", item_text(fallback)),
        None => own,
    }
}

fn add(parts: &[NestedItem], times: u128, innermost: &mut BTreeMap<String, u128>) {
    for part in parts {
        let quantity = u128::from(part.quantity).saturating_mul(times);
        match part.nested_items.value() {
            Some(inner) if !inner.is_empty() => add(inner, quantity, innermost),
            _ => {
                let sum = innermost.entry(part.sku.to_string()).or_default();
                *sum = sum.saturating_add(quantity);
            }
        }
    }
}
