//! The receiver's variants: harmless ways in which other sound receivers differ from this one.
//!
//! They test a test suite: a suite that fails a variant would fail sound receivers. Like a flaw, a
//! variant replaces one step; the sound steps do not know about it, and `delivery_steps` selects
//! between the two. `responding` changes responses, `wire` how they are sent, `granting` what an
//! event grants, `inventory_view` what the probe shows. `keys_in_progress`, `used_signatures` and
//! `rate_limiter` refuse some deliveries.

mod granting;
mod inventory_view;
mod keys_in_progress;
mod rate_limiter;
mod responding;
mod used_signatures;
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

pub(super) use inventory_view::InventoryView;
pub(super) use keys_in_progress::{KeyInProgress, KeysInProgress};
pub(super) use rate_limiter::RateLimiter;
pub(super) use used_signatures::UsedSignatures;
pub use variant::Variant;
pub(super) use wire::Body;

/// Variants that can't be combined: at most one of each list.
const CONFLICTS: &[&[Variant]] = &[
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

/// The ID prefix of all players that [`Variant::OwnPlayersOnly`] knows.
const KNOWN_PLAYER_PREFIX: &str = "player-";

/// The chosen variants and their state.
#[derive(Debug, Default)]
pub(super) struct Variants {
    chosen: BTreeSet<Variant>,
    /// How many responses were numbered.
    responses: AtomicU64,
}

impl Variants {
    /// The variants of these settings.
    pub(super) fn from_settings(settings: &ReceiverSettings) -> Result<Self, ReceiverError> {
        let chosen = &settings.variants;
        for conflicts in CONFLICTS {
            let mut conflicting = conflicts.iter().filter(|variant| chosen.contains(variant));
            if let (Some(first), Some(second)) = (conflicting.next(), conflicting.next()) {
                return Err(ReceiverError::ConflictingVariants(*first, *second));
            }
        }
        Ok(Self {
            chosen: chosen.clone(),
            responses: AtomicU64::new(0),
        })
    }

    fn has(&self, variant: Variant) -> bool {
        self.chosen.contains(&variant)
    }

    /// Refuses a delivery with missing headers before its body is read.
    pub(super) fn refuse_unread(&self, headers: &HeaderMap) -> Result<(), Refusal> {
        if self.has(Variant::EarlyRefusal) {
            only_value(headers, SIGNATURE_HEADER)?;
            only_value(headers, TIMESTAMP_HEADER)?;
        }
        Ok(())
    }

    /// Refuses an event because of its player ID or SKUs.
    pub(super) fn refuse_ids(&self, event: &Event) -> Result<(), Refusal> {
        if self.has(Variant::AsciiIdsOnly) && !has_ascii_ids(event) {
            return Err(Refusal::NonAsciiId);
        }
        let is_known = event.event_data.player_id.starts_with(KNOWN_PLAYER_PREFIX);
        if self.has(Variant::OwnPlayersOnly) && !is_known {
            return Err(Refusal::UnknownPlayer);
        }
        Ok(())
    }
}

/// Whether the player ID and the SKUs of an event are ASCII.
fn has_ascii_ids(event: &Event) -> bool {
    let data = &event.event_data;
    [&data.player_id, &data.coupon.sku, &data.item.sku]
        .iter()
        .all(|id| id.is_ascii())
}

/// Applies the variants that are only a different setting.
pub(super) fn apply_settings_variants(settings: &mut ReceiverSettings) {
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
