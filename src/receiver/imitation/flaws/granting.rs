//! Flaws in granting. Each is expressed as a changed event: a sound receiver would grant for the
//! changed event what the flawed receiver grants for the original.

use serde_json::Map;

use crate::protocol::{Event, Field, ItemKind, NestedItem, Text};
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
        let is_redeemed = |trigger: &Text| *trigger == Event::TRIGGER_REDEEM;
        if self.has(Flaw::OnlyHubRedeemGranted) && !event.trigger.value().is_some_and(is_redeemed) {
            event.trigger = Field::Value(Event::TRIGGER_TEST.into());
        }
        each_item(event, &mut |item| {
            if self.has(Flaw::FirstLevelOnly) {
                for inner in item.nested_items.as_mut_slice() {
                    if inner.kind == ItemKind::Bundle {
                        inner.kind = ItemKind::Item;
                    }
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
            event.event_data.item.nested_items = Field::Value(parts);
            grants(event, settings).ok()
        };
        let mut event = event.clone();
        let parts = event.event_data.item.nested_items.as_slice().to_vec();
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
        let parts = event.event_data.item.nested_items.as_slice().to_vec();
        let can_grant_part = |part: &NestedItem| {
            let mut only = event.clone();
            only.event_data.item.nested_items = Field::Value(vec![part.clone()]);
            grants(&only, settings).is_ok()
        };
        let rest = parts.into_iter().filter(can_grant_part).collect();
        event.event_data.item.nested_items = Field::Value(rest);
        grants(&event, settings).ok()
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
