//! Flaws in granting. Each is expressed as a changed event: a sound receiver would grant for the
//! changed event what the flawed receiver grants for the original.

use std::collections::BTreeMap;
use std::sync::atomic::Ordering;

use serde_json::Map;

use crate::protocol::{Event, Field, Item, ItemKind, NestedItem, Text};
use crate::receiver::grants::{can_grant, grants};
use crate::receiver::imitation::event_items::{each_item, each_nested};
use crate::receiver::ledger::Grants;
use crate::receiver::settings::ReceiverSettings;

use super::{Flaw, Flaws};

impl Flaws {
    pub(crate) fn alter_event(&self, event: &mut Event, settings: &ReceiverSettings) {
        if self.has(Flaw::FallbackGrantedToo) {
            add_fallbacks(event, settings);
        }
        if self.has(Flaw::FallbackIgnored) {
            leave_out_items_with_fallbacks(event, settings);
        }
        if self.has(Flaw::FullInventoryAcked) && grants(event, settings).is_err() {
            event.event_data.items = Field::Value(Vec::new());
            event.event_data.item = Field::Absent;
        }
        let is_redeemed = |trigger: &Text| *trigger == Event::TRIGGER_REDEEM;
        if self.has(Flaw::OnlyHubRedeemGranted) && !event.trigger.value().is_some_and(is_redeemed) {
            event.trigger = Field::Value(Event::TRIGGER_TEST.into());
        }
        let code = event.event_data.coupon.code.to_lowercase();
        if self.has(Flaw::TestByCode)
            && ["test", "sandbox"]
                .iter()
                .any(|test| code.starts_with(test))
        {
            event.trigger = Field::Value(Event::TRIGGER_TEST.into());
        }
        if self.has(Flaw::FallbackReplacesItems) {
            grant_only_fallback(event, settings);
        }
        if self.has(Flaw::PartKeptWithFallback) {
            add_parts_before_refusal(event, settings);
        }
        self.limit_grants(event);
        self.change_player(event);
        self.truncate_skus(event);
        self.join_wallet_keys(event);
        if self.has(Flaw::ItemsOnlyFirst)
            && let Field::Value(items) = &mut event.event_data.items
        {
            items.truncate(1);
        }
        each_item(event, &mut |item| {
            if self.has(Flaw::BundleNotOpened) {
                close_bundle(&mut item.kind);
            }
            if self.has(Flaw::FallbackBundleClosed)
                && let Field::Value(fallback) = &mut item.fallback_item
            {
                close_bundle(&mut fallback.kind);
            }
            if self.has(Flaw::EverySecondBundleClosed) {
                self.close_every_second_bundle(&mut item.kind);
            }
            if self.has(Flaw::DuplicateSkuLastWins) {
                keep_last_of_each_sku(&mut item.nested_items);
            }
            if self.has(Flaw::LongBundleCut)
                && let Field::Value(parts) = &mut item.nested_items
            {
                parts.truncate(20);
            }
            if self.has(Flaw::OtherTypesDropped) {
                drop_other_type(&mut item.kind, &mut item.nested_items);
                each_nested(&mut item.nested_items, &mut |inner| {
                    drop_other_type(&mut inner.kind, &mut inner.nested_items);
                });
            }
            if self.has(Flaw::DeepBundleSkipped) {
                skip_deep_bundles(&mut item.nested_items, 3);
            }
            if self.has(Flaw::FirstLevelOnly) {
                grant_by_own_sku(&mut item.nested_items);
            }
            if self.has(Flaw::ThirdLevelNotOpened) {
                for inner in item.nested_items.as_mut_slice() {
                    grant_by_own_sku(&mut inner.nested_items);
                }
            }
            if self.has(Flaw::NestedQuantityIgnored) {
                each_nested(&mut item.nested_items, &mut |inner| inner.quantity = 1);
            }
            if self.has(Flaw::BundleGrantedTwice) && item.kind == ItemKind::Bundle {
                put_bundle_inside_itself(&item.sku, &mut item.nested_items);
            }
        });
    }
}

impl Flaws {
    /// Treats a bundle as a plain item if the last item was an opened bundle.
    fn close_every_second_bundle(&self, kind: &mut ItemKind) {
        let is_bundle = *kind == ItemKind::Bundle;
        let was_opened = self.opened_bundle.swap(is_bundle, Ordering::Relaxed);
        if is_bundle && was_opened {
            self.opened_bundle.store(false, Ordering::Relaxed);
            *kind = ItemKind::Item;
        }
    }

    /// What is granted of a bundle before the first part that can't be granted, if the flaw grants
    /// part after part.
    pub(crate) fn part_before_refusal(
        &self,
        event: &Event,
        settings: &ReceiverSettings,
    ) -> Option<Grants> {
        if !self.has(Flaw::BundlePartiallyGranted) {
            return None;
        }
        let granted = |event: &mut Event, parts: Vec<NestedItem>| {
            set_parts(event, parts);
            grants(event, settings).ok()
        };
        let mut event = event.clone();
        let parts = parts_of(&event);
        let before = parts.iter().take_while(|part| {
            let only = vec![(*part).clone()];
            granted(&mut event, only).is_some()
        });
        let before: Vec<NestedItem> = before.cloned().collect();
        granted(&mut event, before)
    }

    /// What is granted of a bundle without the parts that can't be granted, if the flaw skips those.
    pub(crate) fn rest_of_bundle(
        &self,
        event: &Event,
        settings: &ReceiverSettings,
    ) -> Option<Grants> {
        if !self.has(Flaw::RefusedPartSkipped) {
            return None;
        }
        let mut event = event.clone();
        let parts = parts_of(&event);
        let can_grant_part = |part: &NestedItem| {
            let mut only = event.clone();
            set_parts(&mut only, vec![part.clone()]);
            grants(&only, settings).is_ok()
        };
        let rest = parts.into_iter().filter(can_grant_part).collect();
        set_parts(&mut event, rest);
        grants(&event, settings).ok()
    }
}

fn parts_of(event: &Event) -> Vec<NestedItem> {
    let item = event.event_data.item.value();
    item.map_or(&[][..], |item| item.nested_items.as_slice())
        .to_vec()
}

fn set_parts(event: &mut Event, parts: Vec<NestedItem>) {
    if let Field::Value(item) = &mut event.event_data.item {
        item.nested_items = Field::Value(parts);
    }
}

/// As a map from SKUs to quantities that is assigned to instead of added to.
fn keep_last_of_each_sku(contents: &mut Field<Vec<NestedItem>>) {
    let mut last = BTreeMap::new();
    let mut position = 0;
    each_nested(contents, &mut |item| {
        last.insert(item.sku.clone(), position);
        position += 1;
    });
    position = 0;
    each_nested(contents, &mut |item| {
        if item.kind != ItemKind::Bundle && last.get(&item.sku) != Some(&position) {
            item.quantity = 0;
        }
        position += 1;
    });
}

/// Leaves the bundles in a bundle closed.
fn grant_by_own_sku(contents: &mut Field<Vec<NestedItem>>) {
    for inner in contents.as_mut_slice() {
        close_bundle(&mut inner.kind);
    }
}

/// Opens only so many levels of bundles.
fn skip_deep_bundles(contents: &mut Field<Vec<NestedItem>>, levels: usize) {
    let Some(rest) = levels.checked_sub(1) else {
        *contents = Field::Null;
        return;
    };
    let bundles = contents.as_mut_slice().iter_mut();
    for inner in bundles.filter(|inner| inner.kind == ItemKind::Bundle) {
        skip_deep_bundles(&mut inner.nested_items, rest);
    }
}

/// Turns an item of another type than `item` and `bundle` into an empty bundle, which grants nothing.
fn drop_other_type(kind: &mut ItemKind, contents: &mut Field<Vec<NestedItem>>) {
    if matches!(kind, ItemKind::Unknown(_)) {
        *kind = ItemKind::Bundle;
        *contents = Field::Null;
    }
}

/// Adds the fallback of each item that can be granted itself.
fn add_fallbacks(event: &mut Event, settings: &ReceiverSettings) {
    let mut items = event.event_data.granted_items().to_vec();
    let fallbacks: Vec<_> = items
        .iter()
        .filter(|item| can_grant(item, settings))
        .filter_map(|item| item.fallback_item.value())
        .map(|fallback| fallback.as_ref().clone())
        .filter(|fallback| can_grant(fallback, settings))
        .collect();
    items.extend(fallbacks);
    event.event_data.items = Field::Value(items);
}

/// Turns a bundle into a plain item, which is granted by its own SKU.
fn close_bundle(kind: &mut ItemKind) {
    if *kind == ItemKind::Bundle {
        *kind = ItemKind::Item;
    }
}

/// Adds the parts of each bundle with a fallback that come before the first part that can't be granted.
fn add_parts_before_refusal(event: &mut Event, settings: &ReceiverSettings) {
    let mut items = event.event_data.granted_items().to_vec();
    let refused = items
        .iter()
        .filter(|item| item.fallback_item.value().is_some() && !can_grant(item, settings));
    let kept: Vec<_> = refused
        .map(|item| {
            let with = |parts: Vec<NestedItem>| Item {
                nested_items: Field::Value(parts),
                fallback_item: Field::Absent,
                ..item.clone()
            };
            let parts = item.nested_items.as_slice().iter();
            let before = parts.take_while(|part| can_grant(&with(vec![(*part).clone()]), settings));
            with(before.cloned().collect())
        })
        .filter(|kept| kept.kind == ItemKind::Bundle)
        .collect();
    items.extend(kept);
    event.event_data.items = Field::Value(items);
}

/// If an item can't be granted and has a fallback, leaves out all others.
fn grant_only_fallback(event: &mut Event, settings: &ReceiverSettings) {
    let mut items = event.event_data.granted_items().iter();
    let refused = items
        .find(|item| item.fallback_item.value().is_some() && !can_grant(item, settings))
        .cloned();
    if let Some(refused) = refused {
        event.event_data.items = Field::Value(vec![refused]);
    }
}

/// Leaves out each item that can't be granted itself and has a fallback.
fn leave_out_items_with_fallbacks(event: &mut Event, settings: &ReceiverSettings) {
    let items = event.event_data.granted_items().iter();
    let is_granted =
        |item: &&Item| item.fallback_item.value().is_none() || can_grant(item, settings);
    let rest = items.filter(is_granted).cloned().collect();
    event.event_data.items = Field::Value(rest);
    event.event_data.item = Field::Absent;
}

/// Adds the bundle's own SKU to its contents, at every depth, so that opening the bundle grants
/// both.
fn put_bundle_inside_itself(sku: &Text, contents: &mut Field<Vec<NestedItem>>) {
    for item in contents.as_mut_slice() {
        if item.kind == ItemKind::Bundle {
            put_bundle_inside_itself(&item.sku, &mut item.nested_items);
        }
    }
    let itself = NestedItem {
        id: "itm_itself".into(),
        name: "".into(),
        description: Field::Null,
        sku: sku.clone(),
        quantity: 1,
        kind: ItemKind::Item,
        nested_items: Field::Null,
        unknown: Map::new(),
    };
    match contents {
        Field::Value(items) => items.push(itself),
        Field::Absent | Field::Null => *contents = Field::Value(vec![itself]),
    }
}
