//! Flaws in granting an event only once: the wrong key or the wrong transactions.
//!
//! All use the transactions of the sound ledger. To imitate a table without a unique key, they
//! record further entries under the same key with a number appended.

use std::collections::HashMap;

use tokio::sync::Mutex;
use tokio::task::yield_now;

use crate::protocol::Event;
use crate::receiver::crash_point::CrashPoint;
use crate::receiver::ledger::{
    BodyDigest, FirstDelivery, Ledger, LedgerEntry, LedgerError, RecordOutcome,
};
use crate::receiver::response::ReceiverResponse;

use super::overlap::{KeyLocks, WORK, sender_is_gone};
use super::{Flaw, Flaws};

/// The key by which deliveries of the same event are recognized.
pub(in crate::receiver) fn identify(flaws: &Flaws, event: &Event, signature: &str) -> String {
    let data = &event.event_data;
    if flaws.has(Flaw::DedupeBySignature) {
        return signature.to_owned();
    }
    let identity = if flaws.has(Flaw::DedupeByEventId) {
        &event.event_id
    } else if flaws.has(Flaw::DedupeByTransactionId) {
        &event.transaction_id
    } else if flaws.has(Flaw::DedupeByCouponCode) {
        &data.coupon.code
    } else {
        &event.idempotency_key
    };
    identity.to_string()
}

/// What is remembered of a delivery outside the ledger.
type RememberedDelivery = (ReceiverResponse, BodyDigest);

/// How a delivery is recorded.
pub(in crate::receiver) enum RecordingStrategy {
    /// Records a unique key and the grants in one transaction.
    Sound,
    /// Grants every delivery without checking the key.
    Always,
    /// Keeps the keys in memory only.
    InMemory(Mutex<HashMap<String, RememberedDelivery>>),
    /// Keeps only the last key of each player.
    LastKeyOnly(Mutex<HashMap<String, (String, RememberedDelivery)>>),
    /// Checks the key in one transaction and grants in another, without a unique key.
    CheckThenInsert,
    /// Grants, works for a while, then records the key.
    KeyLast,
    /// Like [`Self::KeyLast`], but processes deliveries with the same key one at a time and stops
    /// if the sender hangs up.
    KeyLastInTurn(KeyLocks),
    /// Reads a player's inventory and writes it back as a whole. A version per player detects
    /// whether another delivery has written in between.
    ReadAddWrite(Mutex<HashMap<String, u64>>),
    /// Records the grants, then the key, one delivery at a time.
    GrantThenKey(Mutex<()>),
    /// Records the key, then the grants, one delivery at a time.
    KeyThenGrant(Mutex<()>),
}

impl RecordingStrategy {
    /// The strategy that the flaws require.
    pub(in crate::receiver) fn new(flaws: Option<&Flaws>) -> Self {
        let has = |flaw| flaws.is_some_and(|flaws| flaws.has(flaw));
        if has(Flaw::DedupeMissing) {
            Self::Always
        } else if has(Flaw::DedupeInMemory) {
            Self::InMemory(Mutex::default())
        } else if has(Flaw::LastKeyOnly) {
            Self::LastKeyOnly(Mutex::default())
        } else if has(Flaw::CheckThenInsertRace) {
            Self::CheckThenInsert
        } else if has(Flaw::KeyWrittenLast) {
            Self::KeyLast
        } else if has(Flaw::StoppedByHangup) {
            Self::KeyLastInTurn(KeyLocks::default())
        } else if has(Flaw::LostUpdate) {
            Self::ReadAddWrite(Mutex::default())
        } else if has(Flaw::GrantBeforeKey) {
            Self::GrantThenKey(Mutex::default())
        } else if has(Flaw::KeyBeforeGrant) {
            Self::KeyThenGrant(Mutex::default())
        } else {
            Self::Sound
        }
    }

    /// Records an entry. If there are two transactions, `crash_point` is between them.
    pub(in crate::receiver) async fn record(
        &self,
        ledger: &Ledger,
        entry: LedgerEntry,
        crash_point: &CrashPoint,
    ) -> Result<RecordOutcome, LedgerError> {
        match self {
            Self::Sound => {
                let recorded = ledger.record(entry).await?;
                if recorded == RecordOutcome::First {
                    crash_point.pass();
                }
                return Ok(recorded);
            }
            Self::Always => {
                append(ledger, &entry).await?;
                crash_point.pass();
            }
            Self::InMemory(memory) => {
                let mut memory = memory.lock().await;
                if let Some(remembered) = memory.get(&entry.idempotency_key) {
                    let first = first_delivery(remembered, &entry.body);
                    return Ok(RecordOutcome::Redelivery(first));
                }
                append(ledger, &entry).await?;
                crash_point.pass();
                memory.insert(entry.idempotency_key, (entry.response, entry.body));
            }
            Self::CheckThenInsert => {
                let key = entry.idempotency_key.clone();
                if let Some(first) = ledger.recall(key, entry.body).await? {
                    return Ok(RecordOutcome::Redelivery(first));
                }
                // What a game does in between, without an artificial pause: other deliveries get to
                // run, and the player's inventory is read.
                yield_now().await;
                ledger.inventory(entry.player_id.clone()).await?;
                append(ledger, &entry).await?;
                crash_point.pass();
            }
            Self::LastKeyOnly(last) => {
                let mut last = last.lock().await;
                if let Some((key, remembered)) = last.get(&entry.player_id)
                    && *key == entry.idempotency_key
                {
                    let first = first_delivery(remembered, &entry.body);
                    return Ok(RecordOutcome::Redelivery(first));
                }
                append(ledger, &entry).await?;
                crash_point.pass();
                let remembered = (entry.idempotency_key, (entry.response, entry.body));
                last.insert(entry.player_id, remembered);
            }
            Self::KeyLast => return grant_and_then_key(ledger, entry, crash_point).await,
            Self::KeyLastInTurn(locks) => {
                let lock = locks.get(&entry.idempotency_key);
                let _guard = lock.lock().await;
                return grant_and_then_key(ledger, entry, crash_point).await;
            }
            Self::ReadAddWrite(versions) => {
                let player_id = entry.player_id.clone();
                let version = async || {
                    let versions = versions.lock().await;
                    versions.get(&player_id).copied().unwrap_or_default()
                };
                let read = version().await;
                // What a game does in between, without an artificial pause.
                yield_now().await;
                ledger.inventory(player_id.clone()).await?;
                let mut versions = versions.lock().await;
                let version = versions.entry(player_id.clone()).or_default();
                let is_overwritten = *version != read;
                let recorded = ledger
                    .record(if is_overwritten {
                        without_grants(entry)
                    } else {
                        entry
                    })
                    .await?;
                if recorded == RecordOutcome::First {
                    *version += 1;
                    crash_point.pass();
                }
                return Ok(recorded);
            }
            Self::GrantThenKey(mutex) => {
                let _guard = mutex.lock().await;
                let key = entry.idempotency_key.clone();
                if let Some(first) = ledger.recall(key, entry.body).await? {
                    return Ok(RecordOutcome::Redelivery(first));
                }
                append(ledger, &without_key(&entry)).await?;
                crash_point.pass();
                ledger.record(without_grants(entry)).await?;
            }
            Self::KeyThenGrant(mutex) => {
                let _guard = mutex.lock().await;
                let recorded = ledger.record(without_grants(entry.clone())).await?;
                if recorded != RecordOutcome::First {
                    return Ok(recorded);
                }
                crash_point.pass();
                append(ledger, &without_key(&entry)).await?;
            }
        }
        Ok(RecordOutcome::First)
    }

    /// The first delivery with this key, as far as this strategy knows it.
    pub(in crate::receiver) async fn recall(
        &self,
        ledger: &Ledger,
        key: String,
        body: BodyDigest,
    ) -> Result<Option<FirstDelivery>, LedgerError> {
        match self {
            Self::Always => Ok(None),
            Self::InMemory(memory) => {
                let memory = memory.lock().await;
                Ok(memory
                    .get(&key)
                    .map(|remembered| first_delivery(remembered, &body)))
            }
            Self::LastKeyOnly(last) => {
                let last = last.lock().await;
                let remembered = last.values().find(|(known, _)| *known == key);
                Ok(remembered.map(|(_, remembered)| first_delivery(remembered, &body)))
            }
            _ => ledger.recall(key, body).await,
        }
    }

    /// Whether a failed delivery leaves its first transaction behind.
    pub(in crate::receiver) fn has_two_transactions(&self) -> bool {
        matches!(self, Self::GrantThenKey(_) | Self::KeyThenGrant(_))
    }

    /// Records the first of two transactions, for a delivery that fails before the second.
    pub(in crate::receiver) async fn record_first_half(
        &self,
        ledger: &Ledger,
        entry: LedgerEntry,
    ) -> Result<(), LedgerError> {
        match self {
            Self::GrantThenKey(mutex) => {
                let _guard = mutex.lock().await;
                let key = entry.idempotency_key.clone();
                if ledger.recall(key, entry.body).await?.is_none() {
                    append(ledger, &without_key(&entry)).await?;
                }
            }
            Self::KeyThenGrant(mutex) => {
                let _guard = mutex.lock().await;
                ledger.record(without_grants(entry)).await?;
            }
            _ => {}
        }
        Ok(())
    }

    /// Clears the state that a restart of the process would lose.
    pub(in crate::receiver) async fn clear_memory(&self) {
        if let Self::InMemory(memory) = self {
            memory.lock().await.clear();
        }
    }
}

/// Records the grants, does the game's own work, then records the key, unless the sender has hung
/// up meanwhile.
async fn grant_and_then_key(
    ledger: &Ledger,
    entry: LedgerEntry,
    crash_point: &CrashPoint,
) -> Result<RecordOutcome, LedgerError> {
    let key = entry.idempotency_key.clone();
    if let Some(first) = ledger.recall(key, entry.body).await? {
        return Ok(RecordOutcome::Redelivery(first));
    }
    append(ledger, &without_key(&entry)).await?;
    crash_point.pass();
    tokio::time::sleep(WORK).await;
    if !sender_is_gone() {
        ledger.record(without_grants(entry)).await?;
    }
    Ok(RecordOutcome::First)
}

/// Records an entry even if its key is already recorded.
async fn append(ledger: &Ledger, entry: &LedgerEntry) -> Result<(), LedgerError> {
    let mut copy = entry.clone();
    let mut number = 1_u64;
    while ledger.record(copy.clone()).await? != RecordOutcome::First {
        number += 1;
        copy.idempotency_key = format!("{}#{number}", entry.idempotency_key);
    }
    Ok(())
}

/// The grants, under a key that is never looked up.
fn without_key(entry: &LedgerEntry) -> LedgerEntry {
    LedgerEntry {
        idempotency_key: format!("{}#grant", entry.idempotency_key),
        ..entry.clone()
    }
}

/// The key without the grants.
pub(in crate::receiver) fn without_grants(entry: LedgerEntry) -> LedgerEntry {
    LedgerEntry {
        grants: Vec::new(),
        ..entry
    }
}

fn first_delivery((response, first_body): &RememberedDelivery, body: &BodyDigest) -> FirstDelivery {
    FirstDelivery {
        response: response.clone(),
        same_body: first_body == body,
    }
}
