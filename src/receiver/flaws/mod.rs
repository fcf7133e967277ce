//! The receiver's flaws: bugs that real receivers have, shown on purpose.
//!
//! A flaw takes the place of one step of a delivery, and every other step stays sound. There is a
//! file for each step: `authentication`, `interpretation`, `granting`, `recording` and
//! `answering`. The sound steps know nothing of them; where the two meet is `steps`.

mod answering;
mod authentication;
mod flaw;
mod granting;
mod interpretation;
mod javascript;
mod recording;

use std::collections::BTreeSet;
use std::time::Duration;

use crate::protocol::Signer;

use super::error::ReceiverError;
use super::settings::{BundleHandling, ReceiverSettings};

pub(super) use answering::{answer, answers_early};
pub(super) use authentication::authenticate;
pub use flaw::{Flaw, FlawClass};
pub(super) use granting::misunderstand;
pub(super) use interpretation::interpret;
pub(super) use recording::{Recorder, identify};

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
        Flaw::DedupeByTransactionId,
        Flaw::DedupeByCouponCode,
    ],
    &[
        Flaw::DedupeMissing,
        Flaw::DedupeInMemory,
        Flaw::CheckThenInsertRace,
        Flaw::GrantBeforeKey,
        Flaw::KeyBeforeGrant,
    ],
    &[Flaw::ForgeryAnswered500, Flaw::ForgeryAnswered200],
    &[Flaw::RedeliveryAnswered409, Flaw::RedeliveryAnswered500],
];

/// The flaws that were asked for, with what they need.
pub(super) struct Flaws {
    chosen: BTreeSet<Flaw>,
    expired: Option<Signer>,
    answer_delay: Duration,
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
        }))
    }

    fn has(&self, flaw: Flaw) -> bool {
        self.chosen.contains(&flaw)
    }
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
