//! Flaws in granting an event only once: the wrong key or the wrong transactions.
//!
//! All use the transactions of the sound ledger. To imitate a table without a unique key, they
//! record further entries under the same key with a number appended.

use std::collections::HashMap;
use std::sync::Arc;

use tokio::sync::Mutex;
use tokio::task::yield_now;
use tokio::time::sleep;

use crate::protocol::Event;
use crate::receiver::game::Game;
use crate::receiver::hangup::sender_is_gone;
use crate::receiver::ledger::{
    BodyDigest, FirstDelivery, Ledger, LedgerEntry, LedgerError, RecordOutcome,
};
use crate::receiver::response::ReceiverResponse;

use super::{Flaw, Flaws, WORK, lock};

impl Flaws {
    /// The key by which deliveries of the same event are recognized.
    pub(in crate::receiver::imitation) fn identify(
        &self,
        event: &Event,
        signature: &str,
    ) -> String {
        if self.has(Flaw::DedupeBySignature) {
            return signature.to_owned();
        }
        let identity = if self.has(Flaw::DedupeByEventId) {
            &event.event_id
        } else if self.has(Flaw::DedupeByTransactionId) {
            &event.transaction_id
        } else if self.has(Flaw::DedupeByCouponCode) {
            &event.event_data.coupon.code
        } else {
            &event.idempotency_key
        };
        identity.to_string()
    }
}

/// A delivery that is remembered outside the ledger.
pub(in crate::receiver::imitation) struct Remembered {
    key: String,
    response: ReceiverResponse,
    body: BodyDigest,
}

impl Remembered {
    fn compared_with(&self, body: &BodyDigest) -> FirstDelivery {
        FirstDelivery {
            response: self.response.clone(),
            same_body: self.body == *body,
        }
    }
}

/// One of the two transactions of a delivery.
#[derive(Clone, Copy)]
pub(in crate::receiver::imitation) enum Half {
    Grants,
    Key,
}

/// How a delivery is recorded.
pub(in crate::receiver::imitation) enum RecordingStrategy {
    /// Records a unique key and the grants in one transaction.
    Sound,
    /// Grants every delivery without checking the key.
    Always,
    /// Keeps the keys in memory only.
    InMemory(Mutex<HashMap<String, Remembered>>),
    /// Keeps only the last key of each player.
    LastKeyOnly(Mutex<HashMap<String, Remembered>>),
    /// Checks the key in one transaction and grants in another, without a unique key.
    CheckThenInsert,
    /// Grants, works for a while, then records the key.
    KeyLast,
    /// Like [`Self::KeyLast`], but processes deliveries with the same key one at a time and stops
    /// if the sender hangs up.
    StoppedByHangup(std::sync::Mutex<HashMap<String, Arc<Mutex<()>>>>),
    /// Reads a player's inventory and writes it back as a whole. A version per player detects
    /// whether another delivery has written in between.
    ReadAddWrite(Mutex<HashMap<String, u64>>),
    /// Records this half first, then the other, one delivery at a time.
    InHalves(Half, Mutex<()>),
}

impl RecordingStrategy {
    /// The strategy that the flaws require.
    pub(in crate::receiver::imitation) fn new(flaws: &Flaws) -> Self {
        let strategies: [(Flaw, fn() -> Self); 9] = [
            (Flaw::DedupeMissing, || Self::Always),
            (Flaw::DedupeInMemory, || Self::InMemory(Mutex::default())),
            (Flaw::LastKeyOnly, || Self::LastKeyOnly(Mutex::default())),
            (Flaw::CheckThenInsertRace, || Self::CheckThenInsert),
            (Flaw::KeyWrittenLast, || Self::KeyLast),
            (Flaw::StoppedByHangup, || {
                Self::StoppedByHangup(std::sync::Mutex::default())
            }),
            (Flaw::LostUpdate, || Self::ReadAddWrite(Mutex::default())),
            (Flaw::GrantBeforeKey, || {
                Self::InHalves(Half::Grants, Mutex::default())
            }),
            (Flaw::KeyBeforeGrant, || {
                Self::InHalves(Half::Key, Mutex::default())
            }),
        ];
        let chosen = strategies.iter().find(|(flaw, _)| flaws.has(*flaw));
        chosen.map_or(Self::Sound, |(_, strategy)| strategy())
    }

    /// Records an entry. If there are two transactions, the crash point is between them.
    pub(in crate::receiver::imitation) async fn record(
        &self,
        game: &Game,
        entry: LedgerEntry,
    ) -> Result<RecordOutcome, LedgerError> {
        let Game {
            ledger,
            crash_point,
            ..
        } = game;
        match self {
            Self::Sound => return game.record(entry).await,
            Self::Always => append(ledger, &entry).await?,
            Self::InMemory(deliveries) | Self::LastKeyOnly(deliveries) => {
                let place = match self {
                    Self::LastKeyOnly(_) => &entry.player_id,
                    _ => &entry.idempotency_key,
                };
                let mut deliveries = deliveries.lock().await;
                if let Some(known) = deliveries.get(place)
                    && known.key == entry.idempotency_key
                {
                    let first = known.compared_with(&entry.body);
                    return Ok(RecordOutcome::Redelivery(first));
                }
                append(ledger, &entry).await?;
                let remembered = Remembered {
                    key: entry.idempotency_key.clone(),
                    response: entry.response.clone(),
                    body: entry.body,
                };
                deliveries.insert(place.clone(), remembered);
            }
            Self::CheckThenInsert => {
                if let Some(first) = known(ledger, &entry).await? {
                    return Ok(RecordOutcome::Redelivery(first));
                }
                // What a game does in between, without an artificial pause: other deliveries get to
                // run, and the player's inventory is read.
                yield_now().await;
                ledger.inventory(entry.player_id.clone()).await?;
                append(ledger, &entry).await?;
            }
            Self::KeyLast => {
                let work = async {
                    sleep(WORK).await;
                    true
                };
                return record_halves(game, entry, Half::Grants, work).await;
            }
            Self::StoppedByHangup(locks) => {
                let key = entry.idempotency_key.clone();
                let key_lock = Arc::clone(lock(locks).entry(key).or_default());
                let _guard = key_lock.lock().await;
                let work = async {
                    sleep(WORK).await;
                    !sender_is_gone()
                };
                return record_halves(game, entry, Half::Grants, work).await;
            }
            Self::InHalves(first, mutex) => {
                let _guard = mutex.lock().await;
                return record_halves(game, entry, *first, async { true }).await;
            }
            Self::ReadAddWrite(versions) => {
                let player_id = entry.player_id.clone();
                let read = versions.lock().await.get(&player_id).copied();
                // What a game does in between, without an artificial pause.
                yield_now().await;
                ledger.inventory(player_id.clone()).await?;
                let mut versions = versions.lock().await;
                let version = versions.entry(player_id).or_default();
                let is_overwritten = *version != read.unwrap_or_default();
                let entry = if is_overwritten {
                    without_grants(entry)
                } else {
                    entry
                };
                let recorded = game.record(entry).await?;
                if recorded == RecordOutcome::First {
                    *version += 1;
                }
                return Ok(recorded);
            }
        }
        crash_point.pass();
        Ok(RecordOutcome::First)
    }

    /// The first delivery with this key, as far as this strategy knows it.
    pub(in crate::receiver::imitation) async fn recall(
        &self,
        game: &Game,
        key: String,
        body: BodyDigest,
    ) -> Result<Option<FirstDelivery>, LedgerError> {
        match self {
            Self::Always => Ok(None),
            Self::InMemory(deliveries) | Self::LastKeyOnly(deliveries) => {
                let deliveries = deliveries.lock().await;
                let known = deliveries.values().find(|known| known.key == key);
                Ok(known.map(|known| known.compared_with(&body)))
            }
            _ => game.ledger.recall(key, body).await,
        }
    }

    /// Records the first of two transactions, for a delivery that fails before the second.
    pub(in crate::receiver::imitation) async fn record_half(
        &self,
        game: &Game,
        entry: LedgerEntry,
    ) -> Result<(), LedgerError> {
        if let Self::InHalves(first, mutex) = self {
            let _guard = mutex.lock().await;
            if known(&game.ledger, &entry).await?.is_none() {
                first.record(&game.ledger, entry).await?;
            }
        }
        Ok(())
    }

    /// Clears the state that a restart of the process would lose.
    pub(in crate::receiver::imitation) async fn clear_memory(&self) {
        if let Self::InMemory(deliveries) = self {
            deliveries.lock().await.clear();
        }
    }
}

impl Half {
    async fn record(self, ledger: &Ledger, entry: LedgerEntry) -> Result<(), LedgerError> {
        match self {
            Self::Key => ledger.record(without_grants(entry)).await.map(drop),
            Self::Grants => {
                // A key that is never looked up.
                let idempotency_key = format!("{}#grant", entry.idempotency_key);
                let grants = LedgerEntry {
                    idempotency_key,
                    ..entry
                };
                append(ledger, &grants).await
            }
        }
    }
}

/// Records the first half, does the game's own work, then records the other half, if the work is
/// finished.
async fn record_halves(
    Game {
        ledger,
        crash_point,
        ..
    }: &Game,
    entry: LedgerEntry,
    first: Half,
    work: impl Future<Output = bool>,
) -> Result<RecordOutcome, LedgerError> {
    if let Some(first) = known(ledger, &entry).await? {
        return Ok(RecordOutcome::Redelivery(first));
    }
    let second = match first {
        Half::Grants => Half::Key,
        Half::Key => Half::Grants,
    };
    first.record(ledger, entry.clone()).await?;
    crash_point.pass();
    if work.await {
        second.record(ledger, entry).await?;
    }
    Ok(RecordOutcome::First)
}

/// The first delivery with this entry's key, if there is one.
async fn known(ledger: &Ledger, entry: &LedgerEntry) -> Result<Option<FirstDelivery>, LedgerError> {
    let key = entry.idempotency_key.clone();
    ledger.recall(key, entry.body).await
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

/// The key without the grants.
fn without_grants(entry: LedgerEntry) -> LedgerEntry {
    LedgerEntry {
        grants: Vec::new(),
        ..entry
    }
}
