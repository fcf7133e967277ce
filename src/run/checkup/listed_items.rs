//! Delivers one event for each listed item, because a mistyped SKU fails only where it is drawn, and a
//! bundle, because a game may know only some SKUs as bundles.

use std::collections::BTreeMap;

use bytes::Bytes;

use super::Finding;
use super::silence::{late, patiently};
use crate::diagnose::{MARK_BUNDLES, SetupMistake};
use crate::generate::{
    BundleShape, EventShape, ItemShape, NestedItemShape, Seed, SkuShape, StartTime,
};
use crate::probe::QUANTITY_PROBE;
use crate::protocol::Event;
use crate::run::plan::{PlannedEvent, SentAs};
use crate::run::profile_generator;
use crate::run::run_context::RunContext;
use crate::run::setup_problem::status_and_body;
use crate::scenario::Profile;
use crate::verify::{EffectWatch, GrantCount, InventoryCheck, Verdict};

/// The most listed items that are tried.
const MOST_TRIED: usize = 20;

/// The events that a check-up delivers besides that of its scenario.
pub(crate) struct ItemEvents {
    /// For each listed item, the SKU and the body.
    plain: Vec<(String, Bytes)>,
    bundles: Vec<(String, Bytes)>,
    /// The events of the bundles.
    bundle_events: Vec<Event>,
    listed: usize,
}

impl ItemEvents {
    /// One for each of the first items that the profile lists; a bundle if it lists none.
    pub(crate) fn of(profile: &Profile, start: StartTime) -> Self {
        let seed = Seed::of_text(&format!("doctor's items {start}"));
        let mut generator = profile_generator(profile, seed, start);
        let sent_as = SentAs::Usual(profile.policy.usual_kind());
        let mut bundle_events = Vec::new();
        let mut event = |sku: Option<&str>, is_bundle: bool| {
            let part = NestedItemShape::default;
            // A receiver may open only the first level.
            let inner = NestedItemShape {
                bundle: Some(vec![part(), part()]),
                ..part()
            };
            let item = ItemShape {
                sku: sku.map(|sku| SkuShape::Given(sku.to_owned())),
                quantity: Some(1),
                bundle: is_bundle.then(|| BundleShape(vec![part(), part(), inner])),
                ..ItemShape::default()
            };
            let shape = EventShape {
                item,
                ..EventShape::default()
            };
            let no_changes = indexmap::IndexMap::new();
            let planned =
                PlannedEvent::generate(&mut generator, &shape, sent_as, &no_changes, &[], None);
            let planned = planned.ok()?;
            let event = planned.event?;
            let sku = event.event_data.sku().to_string();
            bundle_events.extend(Some(event).filter(|_| is_bundle));
            Some((sku, planned.body))
        };
        let items = profile.items.iter().take(MOST_TRIED);
        let (bundles, plain): (Vec<_>, Vec<_>) = items.partition(|item| item.bundle);
        let plain = plain
            .iter()
            .filter_map(|item| event(Some(&item.sku), false));
        let plain = plain.collect();
        let marked = profile.items.iter().any(|item| item.bundle);
        let bundles = if marked {
            let marked = bundles.iter();
            marked
                .filter_map(|item| event(Some(&item.sku), true))
                .collect()
        } else {
            event(None, true).into_iter().collect()
        };
        Self {
            plain,
            bundles,
            bundle_events,
            listed: profile.items.len(),
        }
    }
}

/// What players hold of the parts of bundles.
type Readings = Result<Vec<BTreeMap<String, i128>>, String>;

/// Whether bundles that were accepted were granted as expected.
enum BundleGrants {
    Right,
    Wrong(String),
    NotRead(String),
}

impl BundleGrants {
    fn text(&self) -> String {
        match self {
            Self::Right => " and granted as expected".to_owned(),
            Self::Wrong(problem) => format!(", but {problem}"),
            Self::NotRead(reason) => format!("; grants not checked: {reason}"),
        }
    }
}

const GRANT_PARTS: &str = "grant every part of a bundle, with its quantity: walk `nested_items` recursively; if \
                           the game grants a bundle by its own SKU, set `policy: { bundles: sku }` in the \
                           profile";

fn bundles_of(count: usize) -> String {
    match count {
        1 => "1 bundle with another one inside was".to_owned(),
        count => format!("{count} bundles with others inside were"),
    }
}

/// The response to one event.
enum Answer {
    Accepted,
    Refused(String),
    /// It says nothing about the item.
    Unknown,
}

impl RunContext {
    pub(super) async fn try_items(&self, events: &ItemEvents) -> Vec<Finding> {
        let plain = self.try_each(&events.plain).await;
        let before = self.read_bundles(&events.bundle_events).await;
        let bundles = self.try_each(&events.bundles).await;
        let plain_accepted = plain.as_ref().is_none_or(|(_, refused)| refused.is_empty());
        let mut findings = Vec::new();
        if let Some((count, refused)) = plain.filter(|(count, _)| *count > 0) {
            let subject = "items";
            let of = match events.listed {
                listed if listed > MOST_TRIED => {
                    format!("{count} of the {listed} SKUs under `items` were tried, ")
                }
                _ => String::new(),
            };
            findings.push(if refused.is_empty() {
                let skus = match count {
                    1 => "the SKU".to_owned(),
                    _ => format!("all {count} SKUs"),
                };
                Finding::passed(subject, format!("{of}{skus} accepted"))
            } else {
                let message = format!(
                    "{of}{} of {count} SKUs refused: {}",
                    refused.len(),
                    refused.join(", ")
                );
                Finding::broken(subject, message)
                    .help(SetupMistake::REFUSED_ITEM_HELP)
                    .key("items")
            });
        }
        // A bundle is refused for a part, too.
        let parts_accepted = plain_accepted
            || bundles
                .as_ref()
                .is_none_or(|(_, refused)| refused.is_empty());
        if let Some((count, refused)) = bundles.filter(|(count, _)| *count > 0 && parts_accepted) {
            let subject = "bundles";
            findings.push(if refused.is_empty() {
                let grants = self.check_bundles(&events.bundle_events, before).await;
                let message = format!("{} accepted{}", bundles_of(count), grants.text());
                match grants {
                    BundleGrants::Right => Finding::passed(subject, message),
                    BundleGrants::NotRead(_) => Finding::new(subject, Verdict::NotChecked, message),
                    BundleGrants::Wrong(_) => Finding::new(subject, Verdict::Failed, message)
                        .help(GRANT_PARTS)
                        .key("policy"),
                }
            } else {
                let message = format!("refused, unlike plain items: {}", refused.join(", "));
                let finding = Finding::new(subject, Verdict::NotChecked, message);
                finding.help(MARK_BUNDLES).key("items")
            });
        }
        findings
    }

    /// What the players of these events hold.
    async fn read_bundles(&self, events: &[Event]) -> Readings {
        let missing = || "the profile has no probe `quantity`".to_owned();
        let probe = self.probes.get(QUANTITY_PROBE).ok_or_else(missing)?;
        let mut inventories = Vec::new();
        for event in events {
            let expected = self.expected_inventory(event, GrantCount::Once);
            let skus = expected.skus();
            let pairs = skus.iter().map(|sku| (&*expected.player_id, sku.as_str()));
            let pairs: Vec<_> = pairs.collect();
            let numbers = patiently(probe.read_numbers(&self.client, &pairs)).await;
            let numbers = numbers.ok_or_else(late)?.into_iter();
            let inventory = skus.iter().zip(numbers).map(|(sku, number)| {
                let number = number.map_err(|_| "the probe could not be read".to_owned())?;
                Ok(((*sku).clone(), number))
            });
            inventories.push(inventory.collect::<Result<_, String>>()?);
        }
        Ok(inventories)
    }

    /// Waits until the bundles are granted, or for the grace period.
    async fn check_bundles(&self, events: &[Event], before: Readings) -> BundleGrants {
        let before = match before {
            Ok(before) => before,
            Err(reason) => return BundleGrants::NotRead(reason),
        };
        let mut watch = EffectWatch::new([self.settle]);
        loop {
            let after = match self.read_bundles(events).await {
                Ok(after) => after,
                Err(reason) => return BundleGrants::NotRead(reason),
            };
            let mut checks = events.iter().zip(before.iter().zip(after));
            let wrong = checks.find_map(|(event, (before, after))| {
                let changes = after.into_iter().map(|(sku, number)| {
                    let held = before.get(&sku).copied().unwrap_or(0);
                    (sku, number.saturating_sub(held))
                });
                let expected = self.expected_inventory(event, GrantCount::Once);
                match expected.check_readings(&changes.collect()) {
                    InventoryCheck::Passed => None,
                    InventoryCheck::Failed { problem, .. } => {
                        Some(BundleGrants::Wrong(self.shown(&problem)))
                    }
                    InventoryCheck::Undecided(reason) => Some(BundleGrants::NotRead(reason)),
                }
            });
            match wrong {
                None => return BundleGrants::Right,
                Some(BundleGrants::Wrong(_)) if watch.look_again(false).await => {}
                Some(found) => return found,
            }
        }
    }

    /// How many events got a clear response, and those that were refused. `None` if one got none.
    async fn try_each(&self, events: &[(String, Bytes)]) -> Option<(usize, Vec<String>)> {
        let (mut count, mut refused) = (0, Vec::new());
        for (sku, body) in events {
            match patiently(self.answer(body)).await? {
                Answer::Accepted => count += 1,
                Answer::Refused(how) => {
                    count += 1;
                    refused.push(format!("`{sku}` ({how})"));
                }
                Answer::Unknown => {}
            }
        }
        Some((count, refused))
    }

    async fn answer(&self, body: &Bytes) -> Answer {
        let delivery = self.deliver_once(&self.signer, body.clone(), None).await;
        let last = delivery.attempts.last();
        let Some(Ok(response)) = last.map(|attempt| attempt.exchange.result.as_ref()) else {
            return Answer::Unknown;
        };
        match response.status {
            200..300 => Answer::Accepted,
            // These are not about the item.
            401 | 403 | 408 | 425 | 429 => Answer::Unknown,
            400..500 => {
                let body = String::from_utf8_lossy(&response.body);
                Answer::Refused(self.shown(&status_and_body(response.status, &body)))
            }
            _ => Answer::Unknown,
        }
    }
}
