//! Wrong ways to grant an event once: by the wrong key, or in the wrong transactions.
//!
//! All are written with the sound ledger's own transactions. Where a flawed game would have a
//! table without a unique key, the ledger gets a second entry under a key with a number behind it.

use std::collections::HashMap;

use tokio::sync::Mutex;
use tokio::task::yield_now;

use crate::protocol::Event;
use crate::receiver::answer::Answer;
use crate::receiver::crash_point::CrashPoint;
use crate::receiver::ledger::{BodyDigest, Earlier, Entry, Ledger, LedgerError, Recorded};

use super::overlap::{LockOfKey, WORK, sender_is_gone};
use super::{Flaw, Flaws};

/// The text by which deliveries of one event are told from other events.
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

/// What is kept of a delivery beside the ledger.
type Kept = (Answer, BodyDigest);

/// How a delivery is written down.
pub(in crate::receiver) enum Recorder {
    /// Key and grants in one transaction, the key unique.
    Sound,
    /// No key is asked for.
    Always,
    /// Keys are in memory, gone with the process.
    InMemory(Mutex<HashMap<String, Kept>>),
    /// Of each player only the last key is kept.
    LastKeyOnly(Mutex<HashMap<String, (String, Kept)>>),
    /// A transaction that asks for the key, and then one that writes without asking.
    CheckThenInsert,
    /// Grants, works for a while, and then the key.
    KeyLast,
    /// Grants, works for a while, and then the key. Deliveries of one key are taken one at a time,
    /// but whoever hangs up stops the work.
    KeyLastInTurn(LockOfKey),
    /// What the players hold is read and written back whole. A number for each player tells
    /// whether somebody else has written in between.
    ReadAddWrite(Mutex<HashMap<String, u64>>),
    /// Grants, and then the key. Nothing else is wrong: they are taken one at a time.
    GrantThenKey(Mutex<()>),
    /// The key, and then the grants. Nothing else is wrong: they are taken one at a time.
    KeyThenGrant(Mutex<()>),
}

impl Recorder {
    /// The way that the flaws have it.
    pub(in crate::receiver) fn of(flaws: Option<&Flaws>) -> Self {
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
            Self::KeyLastInTurn(LockOfKey::default())
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

    /// Writes an entry down. `crash_point` is between the two transactions, where there are two.
    pub(in crate::receiver) async fn record(
        &self,
        ledger: &Ledger,
        entry: Entry,
        crash_point: &CrashPoint,
    ) -> Result<Recorded, LedgerError> {
        match self {
            Self::Sound => {
                let recorded = ledger.record(entry).await?;
                if recorded == Recorded::First {
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
                if let Some(kept) = memory.get(&entry.idempotency_key) {
                    return Ok(Recorded::Earlier(earlier(kept, &entry.body)));
                }
                append(ledger, &entry).await?;
                crash_point.pass();
                memory.insert(entry.idempotency_key, (entry.answer, entry.body));
            }
            Self::CheckThenInsert => {
                let key = entry.idempotency_key.clone();
                if let Some(earlier) = ledger.recall(key, entry.body).await? {
                    return Ok(Recorded::Earlier(earlier));
                }
                // What a game does in between, and no pause: the others get their turn, and what the
                // player holds is looked up.
                yield_now().await;
                ledger.holdings(entry.player_id.clone()).await?;
                append(ledger, &entry).await?;
                crash_point.pass();
            }
            Self::LastKeyOnly(last) => {
                let mut last = last.lock().await;
                if let Some((key, kept)) = last.get(&entry.player_id)
                    && *key == entry.idempotency_key
                {
                    return Ok(Recorded::Earlier(earlier(kept, &entry.body)));
                }
                append(ledger, &entry).await?;
                crash_point.pass();
                let kept = (entry.idempotency_key, (entry.answer, entry.body));
                last.insert(entry.player_id, kept);
            }
            Self::KeyLast => return grant_and_then_key(ledger, entry, crash_point).await,
            Self::KeyLastInTurn(locks) => {
                let lock = locks.of(&entry.idempotency_key);
                let _in_turn = lock.lock().await;
                return grant_and_then_key(ledger, entry, crash_point).await;
            }
            Self::ReadAddWrite(versions) => {
                let player_id = entry.player_id.clone();
                let version = async || {
                    let versions = versions.lock().await;
                    versions.get(&player_id).copied().unwrap_or_default()
                };
                let read = version().await;
                // What a game does in between, and no pause.
                yield_now().await;
                ledger.holdings(player_id.clone()).await?;
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
                if recorded == Recorded::First {
                    *version += 1;
                    crash_point.pass();
                }
                return Ok(recorded);
            }
            Self::GrantThenKey(alone) => {
                let _alone = alone.lock().await;
                let key = entry.idempotency_key.clone();
                if let Some(earlier) = ledger.recall(key, entry.body).await? {
                    return Ok(Recorded::Earlier(earlier));
                }
                append(ledger, &without_key(&entry)).await?;
                crash_point.pass();
                ledger.record(without_grants(entry)).await?;
            }
            Self::KeyThenGrant(alone) => {
                let _alone = alone.lock().await;
                let recorded = ledger.record(without_grants(entry.clone())).await?;
                if recorded != Recorded::First {
                    return Ok(recorded);
                }
                crash_point.pass();
                append(ledger, &without_key(&entry)).await?;
            }
        }
        Ok(Recorded::First)
    }

    /// The delivery that used up this key, as far as this way can know.
    pub(in crate::receiver) async fn recall(
        &self,
        ledger: &Ledger,
        key: String,
        body: BodyDigest,
    ) -> Result<Option<Earlier>, LedgerError> {
        match self {
            Self::Always => Ok(None),
            Self::InMemory(memory) => {
                let memory = memory.lock().await;
                Ok(memory.get(&key).map(|kept| earlier(kept, &body)))
            }
            Self::LastKeyOnly(last) => {
                let last = last.lock().await;
                let kept = last.values().find(|(known, _)| *known == key);
                Ok(kept.map(|(_, kept)| earlier(kept, &body)))
            }
            _ => ledger.recall(key, body).await,
        }
    }

    /// Whether a delivery that fails leaves something behind.
    pub(in crate::receiver) fn has_two_halves(&self) -> bool {
        matches!(self, Self::GrantThenKey(_) | Self::KeyThenGrant(_))
    }

    /// The first of the two transactions of a delivery that fails before the second.
    pub(in crate::receiver) async fn record_first_half(
        &self,
        ledger: &Ledger,
        entry: Entry,
    ) -> Result<(), LedgerError> {
        match self {
            Self::GrantThenKey(alone) => {
                let _alone = alone.lock().await;
                let key = entry.idempotency_key.clone();
                if ledger.recall(key, entry.body).await?.is_none() {
                    append(ledger, &without_key(&entry)).await?;
                }
            }
            Self::KeyThenGrant(alone) => {
                let _alone = alone.lock().await;
                ledger.record(without_grants(entry)).await?;
            }
            _ => {}
        }
        Ok(())
    }

    /// Loses what a restart of the process would.
    pub(in crate::receiver) async fn forget(&self) {
        if let Self::InMemory(memory) = self {
            memory.lock().await.clear();
        }
    }
}

/// The grants; then, when the game's own work is done, the key, unless the sender's hanging up has
/// stopped the work.
async fn grant_and_then_key(
    ledger: &Ledger,
    entry: Entry,
    crash_point: &CrashPoint,
) -> Result<Recorded, LedgerError> {
    let key = entry.idempotency_key.clone();
    if let Some(earlier) = ledger.recall(key, entry.body).await? {
        return Ok(Recorded::Earlier(earlier));
    }
    append(ledger, &without_key(&entry)).await?;
    crash_point.pass();
    tokio::time::sleep(WORK).await;
    if !sender_is_gone() {
        ledger.record(without_grants(entry)).await?;
    }
    Ok(Recorded::First)
}

/// Writes an entry whether its key is new or not.
async fn append(ledger: &Ledger, entry: &Entry) -> Result<(), LedgerError> {
    let mut copy = entry.clone();
    let mut number = 1_u64;
    while ledger.record(copy.clone()).await? != Recorded::First {
        number += 1;
        copy.idempotency_key = format!("{}#{number}", entry.idempotency_key);
    }
    Ok(())
}

/// The grants, under a key that nobody asks for.
fn without_key(entry: &Entry) -> Entry {
    Entry {
        idempotency_key: format!("{}#grant", entry.idempotency_key),
        ..entry.clone()
    }
}

/// The key alone.
pub(in crate::receiver) fn without_grants(entry: Entry) -> Entry {
    Entry {
        grants: Vec::new(),
        ..entry
    }
}

fn earlier((answer, first_body): &Kept, body: &BodyDigest) -> Earlier {
    Earlier {
        answer: answer.clone(),
        same_body: first_body == body,
    }
}
