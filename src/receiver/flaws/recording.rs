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

use super::{Flaw, Flaws};

/// The text by which deliveries of one event are told from other events.
pub(in crate::receiver) fn identify(flaws: &Flaws, event: &Event) -> String {
    let data = &event.event_data;
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

/// How a delivery is written down.
pub(in crate::receiver) enum Recorder {
    /// Key and grants in one transaction, the key unique.
    Sound,
    /// No key is asked for.
    Always,
    /// Keys are in memory, gone with the process.
    InMemory(Mutex<HashMap<String, (Answer, BodyDigest)>>),
    /// A transaction that asks for the key, and then one that writes without asking.
    CheckThenInsert,
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
        } else if has(Flaw::CheckThenInsertRace) {
            Self::CheckThenInsert
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

fn without_grants(entry: Entry) -> Entry {
    Entry {
        grants: Vec::new(),
        ..entry
    }
}

fn earlier((answer, first_body): &(Answer, BodyDigest), body: &BodyDigest) -> Earlier {
    Earlier {
        answer: answer.clone(),
        same_body: first_body == body,
    }
}
