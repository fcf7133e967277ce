//! Flaws in granting an event only once: the wrong key or the wrong transactions.
//!
//! All use the transactions of the sound ledger. To imitate a table without a unique key, they
//! record further entries under the same key with a number appended.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use futures_util::FutureExt;
use tokio::sync::Mutex;
use tokio::task::yield_now;
use tokio::time::sleep;

use crate::protocol::{Event, EventKind};
use crate::receiver::game::Game;
use crate::receiver::hangup::sender_is_gone;
use crate::receiver::ledger::{
    BodyDigest, FirstDelivery, Ledger, LedgerAction, LedgerEntry, LedgerError, RecordOutcome,
};

use super::inventory_rows::InventoryRows;
use super::journal::Journal;
use super::kept_keys::{KeptKeys, keeps_keys};
use super::key_claims::{KeyClaims, work_on};
use super::key_table::{append, compare, known};
use super::{Flaw, Flaws, KeyLocks, SHORT_KEY_LIFETIME, WORK, lock};

impl Flaws {
    /// The key by which deliveries of the same event are recognized: its name and value.
    pub(crate) fn identify(
        &self,
        event: &Event,
        signature: &str,
        now: u64,
    ) -> (&'static str, String) {
        let stored_key = self.stored_key(&event.idempotency_key);
        let (name, value) = if self.has(Flaw::DedupeBySignature) {
            ("signature", signature)
        } else if self.has(Flaw::DedupeByEventId) {
            ("event ID", &*event.event_id)
        } else if self.has(Flaw::DedupeByTransactionId) {
            ("transaction ID", &*event.transaction_id)
        } else if self.has(Flaw::DedupeByCouponCode) {
            ("coupon code", &*event.event_data.coupon.code)
        } else {
            ("idempotency key", stored_key.as_str())
        };
        // A key makes one action happen once. Events of different types that share it are different
        // actions.
        let key = match event.kind() {
            Some(EventKind::ItemAdd | EventKind::ItemRemove)
                if name == "idempotency key" && !self.has(Flaw::OneKeyTable) =>
            {
                format!("{}:{value}", event.event_type)
            }
            _ => value.to_owned(),
        };
        if self.has(Flaw::KeyRemovedWithItems)
            && event.kind() != Some(EventKind::ItemRemove)
            && lock(&self.removed_transactions).contains(&*event.transaction_id)
        {
            return (name, key + "#again");
        }
        if self.has(Flaw::KeyExpiresByEventTime)
            && let Some(ends) = lock(&self.key_ends).get(&*event.idempotency_key)
        {
            let forgotten = ends.iter().filter(|end| **end <= now).count();
            if forgotten > 0 {
                return (name, format!("{key}#forgotten {forgotten} times"));
            }
        }
        (name, key)
    }

    /// Deletes the keys of the transaction whose items are removed, and sets when the key of the event
    /// is deleted.
    pub(crate) fn forget_keys(&self, event: &Event) {
        if self.has(Flaw::KeyExpiresByEventTime) {
            let end = event
                .event_time
                .saturating_add(SHORT_KEY_LIFETIME.as_secs());
            let key = event.idempotency_key.to_string();
            lock(&self.key_ends).entry(key).or_default().push(end);
        }
        if self.has(Flaw::KeyRemovedWithItems) && event.kind() == Some(EventKind::ItemRemove) {
            lock(&self.removed_transactions).insert(event.transaction_id.to_string());
        }
    }
}

/// One of the two transactions of a delivery.
#[derive(Clone, Copy)]
enum Half {
    Grants,
    Key,
}

/// How long a delivery waits in a queue.
const IN_QUEUE: Duration = Duration::from_millis(50);

#[derive(Default)]
pub(super) struct RecordingMemory {
    kept_keys: KeptKeys,
    rows: InventoryRows,
    journal: Journal,
    claims: KeyClaims,
    /// The time of each player's newest event.
    newest: Mutex<HashMap<String, u64>>,
    /// Accepted deliveries that are not granted yet, and when they are due.
    queue: Mutex<Vec<(Instant, LedgerEntry)>>,
    key_locks: KeyLocks,
    lock: Mutex<()>,
}

pub(super) const RECORDING_FLAWS: &[Flaw] = &[
    Flaw::DedupeMissing,
    Flaw::DedupeInMemory,
    Flaw::LastKeyOnly,
    Flaw::LastKeysOfPlayer,
    Flaw::RecentKeysOnly,
    Flaw::KeysLostInSnapshot,
    Flaw::KeysPerInstance,
    Flaw::CheckThenInsertRace,
    Flaw::KeyWrittenLast,
    Flaw::ClaimExpiresDuringWork,
    Flaw::StoppedByHangup,
    Flaw::LostUpdate,
    Flaw::LockRemovedTooEarly,
    Flaw::OlderEventDropped,
    Flaw::RemovedRowStaysDeleted,
    Flaw::FullQueueDrops,
    Flaw::GrantBeforeKey,
    Flaw::KeyBeforeGrant,
    Flaw::KeyBeforeSlowGrant,
    Flaw::GrantBeforeSlowKey,
    Flaw::QueuedInMemory,
    Flaw::JournalBufferReused,
    Flaw::JournalTextSplit,
    Flaw::FrozenAfterResponse,
];

impl RecordingMemory {
    async fn record_under_claim(
        &self,
        ledger: &Ledger,
        entry: &LedgerEntry,
        event: &Event,
    ) -> Result<RecordOutcome, LedgerError> {
        self.claims.claim(&entry.idempotency_key).await;
        let first = known(ledger, entry).await?;
        if first.is_none() {
            sleep(work_on(event)).await;
            append(ledger, entry).await?;
        }
        self.claims.release(&entry.idempotency_key);
        Ok(first.map_or(RecordOutcome::First, RecordOutcome::Redelivery))
    }

    /// Leaves nothing to grant of an event that is older than the player's newest one.
    async fn drop_if_older(&self, entry: &mut LedgerEntry, event: &Event) {
        let mut newest = self.newest.lock().await;
        let last = newest.entry(entry.player_id.clone()).or_default();
        if event.event_time < *last {
            entry.grants.clear();
        }
        *last = event.event_time.max(*last);
    }
}

impl Flaws {
    fn recording_flaw(&self) -> Option<Flaw> {
        let mut flaws = RECORDING_FLAWS.iter().copied();
        flaws.find(|flaw| self.has(*flaw))
    }

    /// What is recorded first, if an error can happen before the rest.
    fn first_half(&self) -> Option<Half> {
        match self.recording_flaw()? {
            Flaw::GrantBeforeKey => Some(Half::Grants),
            Flaw::KeyBeforeGrant => Some(Half::Key),
            _ => None,
        }
    }

    /// Records an entry. If there are two transactions, the crash point is between them.
    pub(crate) async fn record(
        &self,
        game: &Game,
        mut entry: LedgerEntry,
        event: &Event,
    ) -> Result<RecordOutcome, LedgerError> {
        let memory = &self.recording;
        let ledger = &game.ledger;
        if entry.action != LedgerAction::Grant && self.has(Flaw::RemovalRepeated) {
            append(ledger, &entry).await?;
            return Ok(RecordOutcome::First);
        }
        match self.recording_flaw() {
            Some(Flaw::DedupeMissing) => append(ledger, &entry).await?,
            Some(flaw) if keeps_keys(flaw) => {
                let outcome = memory.kept_keys.record(flaw, ledger, entry).await?;
                if outcome != RecordOutcome::First {
                    return Ok(outcome);
                }
            }
            Some(Flaw::CheckThenInsertRace) => {
                if let Some(first) = known(ledger, &entry).await? {
                    return Ok(RecordOutcome::Redelivery(first));
                }
                // What a game does in between, without an artificial pause: other deliveries get to
                // run, and the player's inventory is read.
                yield_now().await;
                ledger.inventory(entry.player_id.clone(), None).await?;
                append(ledger, &entry).await?;
            }
            Some(Flaw::KeyWrittenLast) => {
                let work = sleep(WORK).map(|()| true);
                return record_halves(game, entry, Half::Grants, work).await;
            }
            Some(Flaw::ClaimExpiresDuringWork) => {
                return memory.record_under_claim(ledger, &entry, event).await;
            }
            Some(Flaw::OlderEventDropped) => {
                memory.drop_if_older(&mut entry, event).await;
                return game.record(entry).await;
            }
            Some(Flaw::KeyBeforeSlowGrant) => {
                let mut key = entry.clone();
                key.grants.clear();
                let recorded = game.record(key).await?;
                if recorded == RecordOutcome::First {
                    sleep(WORK).await;
                    Half::Grants.record(ledger, entry).await?;
                }
                return Ok(recorded);
            }
            Some(flaw @ (Flaw::StoppedByHangup | Flaw::GrantBeforeSlowKey)) => {
                let key_lock = memory.key_locks.of(&entry.idempotency_key);
                let _guard = key_lock.lock().await;
                let stops = flaw == Flaw::StoppedByHangup;
                let work = sleep(WORK).map(|()| !(stops && sender_is_gone()));
                return record_halves(game, entry, Half::Grants, work).await;
            }
            Some(Flaw::QueuedInMemory | Flaw::FrozenAfterResponse) => {
                if let Some(first) = known(ledger, &entry).await? {
                    return Ok(RecordOutcome::Redelivery(first));
                }
                let mut queue = memory.queue.lock().await;
                let mut waiting = queue.iter().map(|(_, waiting)| waiting);
                let key = &entry.idempotency_key;
                if let Some(known) = waiting.find(|waiting| waiting.idempotency_key == *key) {
                    return Ok(RecordOutcome::Redelivery(compare(known, &entry.body)));
                }
                queue.push((Instant::now() + IN_QUEUE, entry));
            }
            Some(Flaw::LostUpdate) => return memory.rows.overwrite(game, entry).await,
            Some(Flaw::LockRemovedTooEarly) => {
                return memory.rows.overwrite_under_lock(game, entry).await;
            }
            Some(Flaw::RemovedRowStaysDeleted) => {
                return memory.rows.mark_deleted(game, entry).await;
            }
            Some(Flaw::JournalBufferReused) => {
                return memory.journal.record_in_batch(game, entry).await;
            }
            Some(Flaw::JournalTextSplit) => {
                return memory.journal.record_line(game, entry, event).await;
            }
            Some(Flaw::FullQueueDrops) => return memory.rows.enqueue(game, entry).await,
            _ => {
                let Some(first) = self.first_half() else {
                    return game.record(entry).await;
                };
                let _guard = memory.lock.lock().await;
                return record_halves(game, entry, first, async { true }).await;
            }
        }
        game.pass_crash_point();
        Ok(RecordOutcome::First)
    }

    pub(crate) async fn recall(
        &self,
        game: &Game,
        key: String,
        body: BodyDigest,
    ) -> Result<Option<FirstDelivery>, LedgerError> {
        match self.recording_flaw() {
            Some(Flaw::DedupeMissing) => Ok(None),
            Some(flaw) if keeps_keys(flaw) => {
                Ok(self.recording.kept_keys.recall(&key, &body).await)
            }
            _ => game.ledger.recall(key, body).await,
        }
    }

    /// Records the first of two transactions, for a delivery that fails before the second.
    pub(crate) async fn record_half(
        &self,
        game: &Game,
        entry: LedgerEntry,
    ) -> Result<(), LedgerError> {
        let Some(first) = self.first_half() else {
            return Ok(());
        };
        let _guard = self.recording.lock.lock().await;
        if known(&game.ledger, &entry).await?.is_none() {
            first.record(&game.ledger, entry).await?;
        }
        Ok(())
    }

    /// Records what was granted of a bundle before it was refused.
    pub(crate) async fn record_part(
        &self,
        game: &Game,
        mut entry: LedgerEntry,
    ) -> Result<(), LedgerError> {
        // A key that is never looked up.
        entry.idempotency_key.push_str("#part");
        append(&game.ledger, &entry).await
    }

    /// Continues the work that was frozen since the last response.
    pub(crate) async fn continue_work(&self, game: &Game) -> Result<(), LedgerError> {
        if self.has(Flaw::FrozenAfterResponse) {
            for (_, entry) in self.recording.queue.lock().await.drain(..) {
                game.record(entry).await?;
            }
        }
        self.work_on_queue(game).await
    }

    /// Grants what is due in the queue.
    pub(crate) async fn work_on_queue(&self, game: &Game) -> Result<(), LedgerError> {
        self.retry_refused(game).await?;
        if self.has(Flaw::QueuedInMemory) {
            let mut queue = self.recording.queue.lock().await;
            let now = Instant::now();
            for (_, entry) in queue.extract_if(.., |(due, _)| *due <= now) {
                game.record(entry).await?;
            }
        }
        Ok(())
    }

    /// Fails only after some work, during which duplicates are accepted.
    pub(crate) async fn fail_late(&self, key: &str) {
        if self.has(Flaw::DuplicateAckedWhilePending) {
            let _pending = self.key_locks.of(key).try_lock_owned();
            sleep(WORK).await;
        }
    }

    /// Loses what only the process knew.
    pub(crate) async fn clear_memory(&self, game: &Game) -> Result<(), LedgerError> {
        let flaw = self.recording_flaw();
        self.recording.kept_keys.restart(flaw).await;
        self.recording.queue.lock().await.clear();
        self.recording.journal.restart(&game.ledger).await
    }
}

impl Half {
    async fn record(self, ledger: &Ledger, mut entry: LedgerEntry) -> Result<(), LedgerError> {
        match self {
            Self::Key => {
                entry.grants.clear();
                entry.redemption = None;
                ledger.record(entry).await.map(drop)
            }
            Self::Grants => {
                // A key that is never looked up.
                entry.idempotency_key.push_str("#grant");
                append(ledger, &entry).await
            }
        }
    }
}

/// Records the first half, does the game's own work, then records the other half, if the work is
/// finished.
async fn record_halves(
    game: &Game,
    entry: LedgerEntry,
    first: Half,
    work: impl Future<Output = bool>,
) -> Result<RecordOutcome, LedgerError> {
    let ledger = &game.ledger;
    if let Some(first) = known(ledger, &entry).await? {
        return Ok(RecordOutcome::Redelivery(first));
    }
    let second = match first {
        Half::Grants => Half::Key,
        Half::Key => Half::Grants,
    };
    first.record(ledger, entry.clone()).await?;
    game.pass_crash_point();
    if work.await {
        second.record(ledger, entry).await?;
    }
    Ok(RecordOutcome::First)
}
