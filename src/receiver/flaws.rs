//! The receiver's flaws: deliberate bugs that real receivers have.
//!
//! A flaw replaces one step of a delivery; all other steps stay sound. Each step has a file:
//! `reading`, `authentication`, `parsing`, `granting`, `recording` and `responding`. `overlap`
//! tracks concurrent deliveries. The sound steps do not know about flaws; `delivery_steps` selects
//! between the two.

mod authentication;
mod flaw;
mod granting;
mod javascript;
mod overlap;
mod parsing;
mod reading;
mod recording;
mod responding;

use std::collections::{BTreeSet, HashSet};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::protocol::Signer;

use super::error::ReceiverError;
use super::refusal::Refusal;
use super::settings::{BundleHandling, ReceiverSettings};

pub(super) use authentication::authenticate;
pub use flaw::{Flaw, FlawClass};
pub(super) use granting::alter_event;
pub(super) use overlap::{BusyKey, HangupGuard};
pub(super) use parsing::parse_event;
pub(super) use reading::read;
pub(super) use recording::{RecordingStrategy, identify, without_grants};
pub(super) use responding::{alter_response, responds_early};

/// Flaws that can't be combined: at most one of each list.
const CONFLICTS: &[&[Flaw]] = &[
    &[
        Flaw::FreshnessNotChecked,
        Flaw::FutureTimestampAccepted,
        Flaw::FreshnessByEventTime,
    ],
    &[Flaw::Quantity32Bit, Flaw::QuantityFloat],
    &[
        Flaw::DedupeMissing,
        Flaw::DedupeByEventId,
        Flaw::DedupeBySignature,
        Flaw::DedupeByTransactionId,
        Flaw::DedupeByCouponCode,
    ],
    &[
        Flaw::DedupeMissing,
        Flaw::DedupeInMemory,
        Flaw::LastKeyOnly,
        Flaw::CheckThenInsertRace,
        Flaw::KeyWrittenLast,
        Flaw::StoppedByHangup,
        Flaw::LostUpdate,
        Flaw::GrantBeforeKey,
        Flaw::KeyBeforeGrant,
    ],
    &[Flaw::ForgeryAnswered500, Flaw::ForgeryAnswered200],
    &[
        Flaw::RedeliveryAnswered409,
        Flaw::RedeliveryAnswered500,
        Flaw::RedeliveryAnsweredOtherwise,
    ],
    &[Flaw::FirstPieceOnly, Flaw::CutBodyLeavesLock],
];

/// The chosen flaws and their state.
pub(super) struct Flaws {
    chosen: BTreeSet<Flaw>,
    expired_signer: Option<Signer>,
    answer_delay: Duration,
    /// Players that an interrupted delivery has left locked.
    locked_players: Mutex<HashSet<Vec<u8>>>,
    seen_signatures: Mutex<HashSet<Vec<u8>>>,
    busy_keys: overlap::BusyKeys,
}

impl Flaws {
    /// The flaws of these settings, or `None` if there are none.
    pub(super) fn from_settings(
        settings: &ReceiverSettings,
    ) -> Result<Option<Self>, ReceiverError> {
        let chosen = &settings.flaws;
        for conflicts in CONFLICTS {
            let mut conflicting = conflicts.iter().filter(|flaw| chosen.contains(flaw));
            if let (Some(first), Some(second)) = (conflicting.next(), conflicting.next()) {
                return Err(ReceiverError::ConflictingFlaws(*first, *second));
            }
        }
        if chosen.contains(&Flaw::ExpiredSecretAccepted) && settings.expired_secret.is_none() {
            return Err(ReceiverError::NoExpiredSecret);
        }
        Ok((!chosen.is_empty()).then(|| Self {
            chosen: chosen.clone(),
            expired_signer: settings.expired_secret.as_ref().map(Signer::new),
            answer_delay: settings.answer_delay,
            locked_players: Mutex::default(),
            seen_signatures: Mutex::default(),
            busy_keys: overlap::BusyKeys::default(),
        }))
    }

    fn has(&self, flaw: Flaw) -> bool {
        self.chosen.contains(&flaw)
    }

    /// How a flaw uses the idempotency key of a forgery.
    pub(super) fn unverified_key_use(&self) -> Option<UnverifiedKeyUse> {
        if self.has(Flaw::KeyBeforeVerification) {
            Some(UnverifiedKeyUse::RecordsKey)
        } else if self.has(Flaw::KnownKeyNotVerified) {
            Some(UnverifiedKeyUse::AcceptsKnownKey)
        } else {
            None
        }
    }

    /// Tells the processing of a request that its sender has hung up, if a flaw reacts to that.
    pub(super) fn hangup_guard(&self) -> Option<HangupGuard> {
        self.has(Flaw::StoppedByHangup).then(HangupGuard::default)
    }

    /// Marks a key as being processed, if a flaw needs that.
    pub(super) async fn mark_key_busy(&self, key: &str) -> Result<Option<BusyKey<'_>>, Refusal> {
        if self.has(Flaw::OverlapRefused) {
            self.busy_keys.begin(key).await.map(Some)
        } else {
            Ok(None)
        }
    }
}

/// How a flawed receiver uses the idempotency key of a delivery before verifying it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum UnverifiedKeyUse {
    /// Records the key and refuses the forgery.
    RecordsKey,
    /// Accepts the forgery if its key is already recorded.
    AcceptsKnownKey,
}

/// Locks even if another thread panicked while holding the lock: every state of these values is
/// valid.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Applies the flaws that are only a wrong setting.
pub(super) fn apply_settings_flaws(settings: &mut ReceiverSettings) {
    let has = |flaw| settings.flaws.contains(&flaw);
    let (sandbox, test) = (has(Flaw::SandboxGranted), has(Flaw::TestGranted));
    if has(Flaw::BundleGrantedTwice) {
        settings.bundles = BundleHandling::Nested;
    }
    settings.grant_sandbox |= sandbox;
    settings.grant_test |= test;
}
