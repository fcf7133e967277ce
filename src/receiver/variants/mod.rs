//! The receiver's variants: what sound receivers do otherwise than this one, and rightly.
//!
//! They are there to try a test suite on: one that blames a variant blames sound receivers. As with
//! `flaws`, a variant takes the place of one step, the sound steps know nothing of it, and the two
//! meet in `steps`. `answering` has the words that go back, `wire` how they travel, `granting` what
//! an event stands for, `inventory` what a player is seen to hold, `progress` what is under way, `replays` what has been, and `rate` how much of it.

mod answering;
mod granting;
mod inventory;
mod progress;
mod rate;
mod replays;
mod variant;
mod wire;

use std::collections::BTreeSet;
use std::sync::atomic::AtomicU64;
use std::time::Duration;

use http::HeaderMap;

use super::authentication::only_value;
use super::error::ReceiverError;
use super::refusal::Refusal;
use super::settings::{BundleHandling, ReceiverSettings};
use crate::protocol::{Event, SIGNATURE_HEADER, TIMESTAMP_HEADER};

pub(super) use inventory::Inventory;
pub(super) use progress::{InProgress, UnderWay};
pub(super) use rate::Rate;
pub(super) use replays::Replays;
pub use variant::Variant;
pub(super) use wire::Body;

/// Variants that are different answers to one question: of each list one can be had at most.
const ALTERNATIVES: &[&[Variant]] = &[
    &[
        Variant::Created201,
        Variant::Accepted202,
        Variant::NoContent204,
    ],
    &[Variant::Forgery400, Variant::Forgery401],
    &[Variant::SandboxDenied, Variant::SandboxAndTestGranted],
    &[
        Variant::BodyArray,
        Variant::BodyNested,
        Variant::BodyEmptyObject,
        Variant::BodyText,
        Variant::BodyNone,
        Variant::BodyHuge,
    ],
    &[Variant::RedeliveryDiffers, Variant::AnswersNumbered],
    &[Variant::ChunkedAnswers, Variant::Http10Answers],
    &[Variant::BundleBySku, Variant::BundleQuantityIgnored],
    &[Variant::InProgress409, Variant::InProgress503],
];

/// How the IDs begin of all players that [`Variant::OwnPlayersOnly`] knows.
const KNOWN_PLAYERS: &str = "player-";

/// The variants that were asked for.
#[derive(Debug, Default)]
pub(super) struct Variants {
    chosen: BTreeSet<Variant>,
    /// How many deliveries were answered.
    answered: AtomicU64,
}

impl Variants {
    /// The variants of these settings.
    pub(super) fn of(settings: &ReceiverSettings) -> Result<Self, ReceiverError> {
        let chosen = &settings.variants;
        for alternatives in ALTERNATIVES {
            let mut both = alternatives.iter().filter(|one| chosen.contains(one));
            if let (Some(one), Some(other)) = (both.next(), both.next()) {
                return Err(ReceiverError::VariantsExclude(*one, *other));
            }
        }
        Ok(Self {
            chosen: chosen.clone(),
            answered: AtomicU64::new(0),
        })
    }

    fn has(&self, variant: Variant) -> bool {
        self.chosen.contains(&variant)
    }

    /// Refuses a delivery by its headers alone.
    pub(super) fn refuse_unread(&self, headers: &HeaderMap) -> Result<(), Refusal> {
        if self.has(Variant::EarlyRefusal) {
            only_value(headers, SIGNATURE_HEADER)?;
            only_value(headers, TIMESTAMP_HEADER)?;
        }
        Ok(())
    }

    /// Refuses an event for whom and what it names.
    pub(super) fn refuse_ids(&self, event: &Event) -> Result<(), Refusal> {
        if self.has(Variant::AsciiIdsOnly) && !has_ascii_ids(event) {
            return Err(Refusal::BeyondAscii);
        }
        let is_known = event.event_data.player_id.starts_with(KNOWN_PLAYERS);
        if self.has(Variant::OwnPlayersOnly) && !is_known {
            return Err(Refusal::UnknownPlayer);
        }
        Ok(())
    }
}

/// Whether the player and the SKUs of an event are all ASCII.
fn has_ascii_ids(event: &Event) -> bool {
    let data = &event.event_data;
    [&data.player_id, &data.coupon.sku, &data.item.sku]
        .iter()
        .all(|id| id.is_ascii())
}

/// Changes the settings where a variant is no more than a choice among them.
pub(super) fn choose_settings(settings: &mut ReceiverSettings) {
    let chosen = &settings.variants;
    if chosen.contains(&Variant::BundleBySku) {
        settings.bundles = BundleHandling::Sku;
    }
    if chosen.contains(&Variant::SandboxAndTestGranted) {
        settings.grant_sandbox = true;
        settings.grant_test = true;
    }
    if chosen.contains(&Variant::FreshnessUnlimited) {
        settings.tolerance = Duration::MAX;
    }
}
