//! The receiver's flaws: bugs that real receivers have, shown on purpose.
//!
//! A flaw takes the place of one step of a delivery, and every other step stays sound. There is a
//! file for each step: `reading`, `authentication`, `interpretation`, `granting`, `recording` and
//! `answering`; `overlap` knows who is at work on which key. The sound steps know nothing of them; where the two meet is `steps`.

mod answering;
mod authentication;
mod flaw;
mod granting;
mod interpretation;
mod javascript;
mod overlap;
mod reading;
mod recording;

use std::collections::{BTreeSet, HashSet};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::protocol::Signer;

use super::error::ReceiverError;
use super::refusal::Refusal;
use super::settings::{BundleHandling, ReceiverSettings};

pub(super) use answering::{answer, answers_early};
pub(super) use authentication::authenticate;
pub use flaw::{Flaw, FlawClass};
pub(super) use granting::misunderstand;
pub(super) use interpretation::interpret;
pub(super) use overlap::{SenderWaits, Turn};
pub(super) use reading::read;
pub(super) use recording::{Recorder, identify, without_grants};

/// Flaws that are different answers to one question: of each list one can be had at most.
const ALTERNATIVES: &[&[Flaw]] = &[
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

/// The flaws that were asked for, with what they need.
pub(super) struct Flaws {
    chosen: BTreeSet<Flaw>,
    expired: Option<Signer>,
    answer_delay: Duration,
    /// Players whose lock a broken delivery has left behind.
    locked_players: Mutex<HashSet<Vec<u8>>>,
    seen_signatures: Mutex<HashSet<Vec<u8>>>,
    keys_in_work: overlap::KeysInWork,
}

impl Flaws {
    /// The flaws of these settings; none where no flaw is asked for.
    pub(super) fn of(settings: &ReceiverSettings) -> Result<Option<Self>, ReceiverError> {
        let chosen = &settings.flaws;
        for alternatives in ALTERNATIVES {
            let mut both = alternatives.iter().filter(|flaw| chosen.contains(flaw));
            if let (Some(one), Some(other)) = (both.next(), both.next()) {
                return Err(ReceiverError::FlawsExclude(*one, *other));
            }
        }
        if chosen.contains(&Flaw::ExpiredSecretAccepted) && settings.expired_secret.is_none() {
            return Err(ReceiverError::NoExpiredSecret);
        }
        Ok((!chosen.is_empty()).then(|| Self {
            chosen: chosen.clone(),
            expired: settings.expired_secret.as_ref().map(Signer::new),
            answer_delay: settings.answer_delay,
            locked_players: Mutex::default(),
            seen_signatures: Mutex::default(),
            keys_in_work: overlap::KeysInWork::default(),
        }))
    }

    fn has(&self, flaw: Flaw) -> bool {
        self.chosen.contains(&flaw)
    }

    /// What becomes of a delivery that is not genuine, besides its refusal.
    pub(super) fn overlooks(&self) -> Option<Overlooked> {
        if self.has(Flaw::KeyBeforeVerification) {
            Some(Overlooked::KeyIsUsedUp)
        } else if self.has(Flaw::KnownKeyNotVerified) {
            Some(Overlooked::KnownKeyPasses)
        } else {
            None
        }
    }

    /// By what the work on a request learns that its sender has hung up, where that stops it.
    pub(super) fn stops_with_the_sender(&self) -> Option<SenderWaits> {
        self.has(Flaw::StoppedByHangup).then(SenderWaits::default)
    }

    /// Begins the work on a key, where it matters who is at it.
    pub(super) async fn begin(&self, key: &str) -> Result<Option<Turn<'_>>, Refusal> {
        if self.has(Flaw::OverlapRefused) {
            self.keys_in_work.begin(key).await.map(Some)
        } else {
            Ok(None)
        }
    }
}

/// What a receiver does that looks at the key of an event before it knows whether it is genuine.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Overlooked {
    /// The key is written down; the forgery is refused.
    KeyIsUsedUp,
    /// A key that is known passes.
    KnownKeyPasses,
}

/// The lock, even after a panic elsewhere: every state of these values is sound.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Changes the settings where a flaw is no more than a wrong choice among them.
pub(super) fn mistake_settings(settings: &mut ReceiverSettings) {
    let has = |flaw| settings.flaws.contains(&flaw);
    let (sandbox, test) = (has(Flaw::SandboxGranted), has(Flaw::TestGranted));
    if has(Flaw::BundleGrantedTwice) {
        settings.bundles = BundleHandling::Nested;
    }
    settings.grant_sandbox |= sandbox;
    settings.grant_test |= test;
}
