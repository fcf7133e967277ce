//! Listed items that the receiver refuses, unlike others: a mistyped SKU, which is a mistake in the set-up
//! and no bug.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::pilot::{is_ordinary, response_text, setup_mistake};
use super::plan::Plan;
use super::run_event::{AttemptEnded, RefusedItems, RunEvent};
use super::setup_problem::status_and_body;
use crate::diagnose::SetupMistake;
use crate::protocol::EventKind;

/// The fewest events that are refused if the response names the SKU, and if it does not.
const ENOUGH_IF_NAMED: usize = 2;
const ENOUGH: usize = 4;

/// Collects the responses to deliveries of listed items.
#[derive(Debug, Default)]
pub(super) struct ItemResponses {
    items: BTreeMap<String, Responses>,
    /// The scenarios whose events a sound receiver accepts.
    ordinary: BTreeSet<usize>,
}

#[derive(Debug, Default)]
struct Responses {
    is_accepted: bool,
    refused: usize,
    /// The events that were refused without another SKU, by scenario and name.
    alone: BTreeSet<(usize, String)>,
    statuses: BTreeSet<u16>,
    /// Whether every refusal says that an item is unknown, or names the SKU.
    says_unknown: bool,
    names_sku: bool,
    example: String,
}

impl ItemResponses {
    /// Of the plain items among `listed`. A bundle may be refused because of a bug.
    pub(super) fn of(listed: &[String], plans: &[Plan], usual_kind: EventKind) -> Self {
        let ordinary = plans.iter().zip(1..);
        let ordinary = ordinary.filter(|(plan, _)| is_ordinary(plan, usual_kind));
        let new = || Responses {
            says_unknown: true,
            names_sku: true,
            ..Responses::default()
        };
        Self {
            items: listed.iter().map(|sku| (sku.clone(), new())).collect(),
            ordinary: ordinary.map(|(_, number)| number).collect(),
        }
    }

    pub(super) fn observe(&mut self, event: &RunEvent) {
        let RunEvent::AttemptEnded(attempt) = event else {
            return;
        };
        let is_genuine = attempt.forgery.is_none() && attempt.fault.is_none();
        if self.items.is_empty() || !is_genuine {
            return;
        }
        let (Some(name), Some(response)) = (&attempt.event_name, response_text(&attempt.response))
        else {
            return;
        };
        let DeliveredItems {
            skus, has_fallback, ..
        } = DeliveredItems::of(attempt);
        for sku in &skus {
            let Some(item) = self.items.get_mut(sku) else {
                continue;
            };
            match response.status {
                200..300 => item.is_accepted |= !has_fallback,
                // These are not about the item.
                401 | 403 | 408 | 409 | 425 | 429 => {}
                400..500 if self.ordinary.contains(&attempt.scenario) => {
                    item.refused += 1;
                    if skus.len() == 1 {
                        let mistake = setup_mistake(&attempt.response, false);
                        item.says_unknown &= mistake == Some(SetupMistake::UnknownItem);
                        item.names_sku &= response.body.contains(&**sku);
                        item.alone.insert((attempt.scenario, name.clone()));
                        item.statuses.insert(response.status);
                        item.example = status_and_body(response.status, response.body);
                    }
                }
                _ => {}
            }
        }
    }

    pub(super) fn refused(&self) -> Option<RefusedItems> {
        if !self.items.values().any(|item| item.is_accepted) {
            return None;
        }
        let refused = self.items.iter().filter(|(_, item)| item.is_refused());
        let refused: Vec<_> = refused.collect();
        let (_, first) = refused.first()?;
        let quoted: Vec<String> = refused.iter().map(|(sku, _)| format!("`{sku}`")).collect();
        let count: usize = refused.iter().map(|(_, item)| item.refused).sum();
        let deliveries = if count == 1 { "delivery" } else { "deliveries" };
        Some(RefusedItems {
            skus: refused.iter().map(|(sku, _)| (*sku).clone()).collect(),
            reason: format!(
                "the receiver refuses {}, which `items` lists, in {count} {deliveries} ({}), and \
                 accepts other items",
                quoted.join(", "),
                first.example
            ),
            help: SetupMistake::REFUSED_ITEM_HELP.to_owned(),
        })
    }
}

impl Responses {
    fn is_refused(&self) -> bool {
        let enough = match (self.says_unknown, self.names_sku) {
            (true, _) => 1,
            (_, true) => ENOUGH_IF_NAMED,
            _ => ENOUGH,
        };
        !self.is_accepted && self.statuses.len() == 1 && self.alone.len() >= enough
    }
}

/// The items of an attempt's event.
#[derive(Debug, Default)]
pub(crate) struct DeliveredItems {
    /// The SKUs of all items, their parts and their fallbacks.
    pub(crate) skus: BTreeSet<String>,
    /// Whether the receiver may grant another item instead.
    has_fallback: bool,
    /// Whether an item is a bundle.
    pub(crate) has_bundle: bool,
}

impl DeliveredItems {
    pub(crate) fn of(attempt: &AttemptEnded) -> Self {
        let mut items = Self::default();
        if let Some(event) = attempt.request.body.json() {
            let data = &event["event_data"];
            for item in [&data["item"], &data["items"]] {
                items.add(item);
            }
        }
        items
    }

    fn add(&mut self, value: &Value) {
        match value {
            Value::Array(items) => items.iter().for_each(|item| self.add(item)),
            Value::Object(item) => {
                let sku = item.get("sku").and_then(Value::as_str);
                self.skus.extend(sku.map(str::to_owned));
                self.has_bundle |= item.get("type").is_some_and(|kind| kind == "bundle");
                let fallback = item.get("fallback_item");
                self.has_fallback |= fallback.is_some_and(Value::is_object);
                for inner in [item.get("nested_items"), fallback].into_iter().flatten() {
                    self.add(inner);
                }
            }
            _ => {}
        }
    }
}
