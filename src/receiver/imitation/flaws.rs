//! The receiver's flaws: deliberate bugs that real receivers have.
//!
//! A flaw replaces one step of a delivery; all other steps stay sound. Each step has a file:
//! `reading`, `authentication`, `parsing`, `granting`, `redemption`, `recording` and `responding`.
//! `connection_memory` has what flaws keep from one request of a connection to the next.

mod authentication;
mod connection_memory;
mod granting;
mod history;
mod inventory_rows;
mod journal;
mod kept_keys;
mod key_claims;
mod key_table;
mod parsing;
mod reading;
mod recording;
mod redemption;
mod refusing;
mod responding;
mod rewritten_body;
mod storing;

use std::collections::{BTreeSet, HashMap, HashSet};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicUsize};
use std::time::Duration;

use http::StatusCode;

use crate::protocol::Signer;
use crate::receiver::error::ReceiverError;
use crate::receiver::flaw::Flaw;
use crate::receiver::outcome::{Decision, RequestOutcome};
use crate::receiver::refusal::Refusal;
use crate::receiver::settings::{BundleHandling, CreditedEvent, ReceiverSettings};

use super::{KeyLocks, conflict, first_chosen, lock};

pub(crate) use connection_memory::ConnectionMemory;
use history::PlayerHistory;
use recording::{RECORDING_FLAWS, RecordingMemory};
use refusing::{OwnRetries, Refusals};
use rewritten_body::REWRITING_FLAWS;

/// How long the game's own work on a delivery takes if a flaw depends on it. It stands in for a
/// call of another service and is long enough for a retry to arrive meanwhile.
const WORK: Duration = Duration::from_millis(250);

/// How long keys are remembered if that is too short.
const SHORT_KEY_LIFETIME: Duration = Duration::from_mins(10);

/// Flaws that can't be combined: at most one of each list.
const CONFLICTS: &[&[Flaw]] = &[
    &[
        Flaw::FreshnessNotChecked,
        Flaw::FutureTimestampAccepted,
        Flaw::FreshnessByEventTime,
        Flaw::ClockAheadRefused,
        Flaw::MinuteOldRefused,
    ],
    &[
        Flaw::TimestampParsedLoosely,
        Flaw::MillisecondsAccepted,
        Flaw::TimestampCrashes,
    ],
    &[Flaw::Quantity32Bit, Flaw::QuantityFloat],
    &[
        Flaw::PlayerCaseInsensitive,
        Flaw::PlayerAccentInsensitive,
        Flaw::PlayerNormalised,
        Flaw::PlayerTrailingSpace,
        Flaw::PlayerLeadingZeros,
        Flaw::PlayerLatin1,
    ],
    &[Flaw::PrefixCompare, Flaw::SignatureBytesCompared],
    &[Flaw::KeyCaseInsensitive, Flaw::KeyTruncated],
    &[
        Flaw::DedupeMissing,
        Flaw::DedupeByEventId,
        Flaw::DedupeBySignature,
        Flaw::DedupeByTransactionId,
        Flaw::DedupeByCouponCode,
    ],
    REWRITING_FLAWS,
    RECORDING_FLAWS,
    &[
        Flaw::GrantedOnBoth,
        Flaw::PairedInOneOrder,
        Flaw::DeclinedButGranted,
    ],
    &[Flaw::RemovalIgnored, Flaw::RemovalRepeated],
    &[Flaw::ForgeryAnswered500, Flaw::ForgeryAnswered200],
    &[
        Flaw::RedeliveryAnswered409,
        Flaw::RedeliveryAnswered500,
        Flaw::RedeliveryAnsweredOtherwise,
    ],
    &[
        Flaw::FirstPieceOnly,
        Flaw::CutBodyLeavesLock,
        Flaw::LettersDecodedByPiece,
        Flaw::LettersDecodedAfterVerification,
        Flaw::BodyLimit8k,
        Flaw::BodyLimit64k,
        Flaw::BodyLimit100k,
    ],
    &[
        Flaw::OverlapRefused,
        Flaw::DuplicateAckedWhilePending,
        Flaw::BusyPlayerAcked,
    ],
    &[Flaw::BundlePartiallyGranted, Flaw::RefusedPartSkipped],
];

pub(crate) struct Flaws {
    chosen: BTreeSet<Flaw>,
    expired_signer: Option<Signer>,
    answer_delay: Duration,
    /// Players that an interrupted or refused delivery has left locked.
    locked_players: Mutex<HashSet<Vec<u8>>>,
    seen_signatures: Mutex<HashSet<Vec<u8>>>,
    history: PlayerHistory,
    /// The transactions whose keys were deleted.
    removed_transactions: Mutex<HashSet<String>>,
    /// Whether the last item was a bundle that was opened.
    opened_bundle: AtomicBool,
    /// The keys that are forgotten by their events' times, and when: once for each recorded delivery.
    key_ends: Mutex<HashMap<String, Vec<u64>>>,
    refusals: Refusals,
    own_retries: OwnRetries,
    /// Slots that forgeries have taken.
    used_slots: AtomicUsize,
    key_locks: KeyLocks,
    recording: RecordingMemory,
}

impl Flaws {
    /// The flaws of these settings. Applies those that are only a wrong setting.
    pub(crate) fn new(settings: &mut ReceiverSettings) -> Result<Self, ReceiverError> {
        let chosen = settings.flaws.clone();
        if let Some((first, second)) = conflict(&chosen, CONFLICTS) {
            return Err(ReceiverError::ConflictingFlaws(first, second));
        }
        let expired_secret = settings.expired_secret.as_ref();
        if chosen.contains(&Flaw::ExpiredSecretAccepted) && expired_secret.is_none() {
            return Err(ReceiverError::NoExpiredSecret);
        }
        let flaws = Self {
            chosen,
            expired_signer: expired_secret.map(Signer::new),
            answer_delay: settings.answer_delay,
            locked_players: Mutex::default(),
            seen_signatures: Mutex::default(),
            history: PlayerHistory::default(),
            removed_transactions: Mutex::default(),
            opened_bundle: AtomicBool::default(),
            key_ends: Mutex::default(),
            refusals: Refusals::default(),
            own_retries: OwnRetries::default(),
            used_slots: AtomicUsize::default(),
            key_locks: KeyLocks::default(),
            recording: RecordingMemory::default(),
        };
        settings.grant_sandbox |= flaws.has(Flaw::SandboxGranted);
        settings.grant_test |= flaws.has(Flaw::TestGranted);
        if flaws.has(Flaw::KeyForgottenTooSoon) {
            settings.key_lifetime = Some(SHORT_KEY_LIFETIME);
        }
        let credits_both = [
            Flaw::GrantedOnBoth,
            Flaw::PairedInOneOrder,
            Flaw::DeclinedButGranted,
        ];
        if credits_both.iter().any(|flaw| flaws.has(*flaw)) {
            settings.credit_on = CreditedEvent::Either;
        }
        if flaws.has(Flaw::BundleGrantedTwice) {
            settings.bundles = BundleHandling::Nested;
        }
        Ok(flaws)
    }

    pub(crate) fn has(&self, flaw: Flaw) -> bool {
        self.chosen.contains(&flaw)
    }

    /// Does the `work` on a delivery, unless its key or its player is already being processed.
    pub(crate) async fn process(
        &self,
        key: &str,
        player_id: &str,
        work: impl Future<Output = RequestOutcome>,
    ) -> RequestOutcome {
        if self.has(Flaw::RefusalLeavesLock) {
            let player_id = player_id.as_bytes();
            if lock(&self.locked_players).contains(player_id) {
                let status = StatusCode::SERVICE_UNAVAILABLE;
                return RequestOutcome::failed(caused_by(Flaw::RefusalLeavesLock, status));
            }
            let outcome = work.await;
            if !outcome.response.status.is_success() {
                lock(&self.locked_players).insert(player_id.to_vec());
            }
            return outcome;
        }
        let guards = [
            (Flaw::DuplicateAckedWhilePending, key),
            (Flaw::OverlapRefused, key),
            (Flaw::BusyPlayerAcked, player_id),
        ];
        let chosen = guards.into_iter().find(|(flaw, _)| self.has(*flaw));
        let Some((flaw, guarded)) = chosen else {
            return work.await;
        };
        let Ok(_in_progress) = self.key_locks.of(guarded).try_lock_owned() else {
            if flaw == Flaw::OverlapRefused {
                return RequestOutcome::failed(caused_by(flaw, StatusCode::CONFLICT));
            }
            return RequestOutcome::ok(Decision::AnsweredEarly);
        };
        if flaw != Flaw::DuplicateAckedWhilePending {
            tokio::time::sleep(WORK).await;
        }
        work.await
    }
}

fn caused_by(flaw: Flaw, status: StatusCode) -> Refusal {
    Refusal::CausedByFlaw { flaw, status }
}
