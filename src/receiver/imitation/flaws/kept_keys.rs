//! Flaws in how long idempotency keys are kept, and where.

use indexmap::IndexMap;
use tokio::sync::Mutex;

use super::Flaw;
use super::key_table::{append, compare};
use crate::receiver::ledger::{
    BodyDigest, FirstDelivery, Ledger, LedgerEntry, LedgerError, RecordOutcome,
};

/// How many keys [`Flaw::RecentKeysOnly`] keeps, [`Flaw::LastKeysOfPlayer`] of each player, and
/// [`Flaw::KeysLostInSnapshot`] beyond a restart.
const RECENT: usize = 256;
const OF_PLAYER: usize = 10;
const IN_SNAPSHOT: usize = 64;

/// Whether a flaw keeps keys outside the ledger.
pub(super) fn keeps_keys(flaw: Flaw) -> bool {
    matches!(
        flaw,
        Flaw::DedupeInMemory
            | Flaw::LastKeyOnly
            | Flaw::LastKeysOfPlayer
            | Flaw::RecentKeysOnly
            | Flaw::KeysLostInSnapshot
            | Flaw::KeysPerInstance
    )
}

/// The deliveries that an instance remembers outside the ledger, by their keys, the oldest first.
#[derive(Default)]
pub(super) struct KeptKeys(Mutex<IndexMap<String, LedgerEntry>>);

impl KeptKeys {
    pub(super) async fn record(
        &self,
        flaw: Flaw,
        ledger: &Ledger,
        entry: LedgerEntry,
    ) -> Result<RecordOutcome, LedgerError> {
        let mut kept = self.0.lock().await;
        if let Some(known) = kept.get(&entry.idempotency_key) {
            return Ok(RecordOutcome::Redelivery(compare(known, &entry.body)));
        }
        append(ledger, &entry).await?;
        let player = entry.player_id.clone();
        kept.insert(entry.idempotency_key.clone(), entry);
        let is_counted = |kept: &LedgerEntry| match flaw {
            Flaw::LastKeyOnly | Flaw::LastKeysOfPlayer => kept.player_id == player,
            _ => true,
        };
        let most = match flaw {
            Flaw::LastKeyOnly => 1,
            Flaw::LastKeysOfPlayer => OF_PLAYER,
            Flaw::RecentKeysOnly => RECENT,
            _ => usize::MAX,
        };
        if kept.values().filter(|kept| is_counted(kept)).count() > most
            && let Some(oldest) = kept.values().position(is_counted)
        {
            kept.shift_remove_index(oldest);
        }
        Ok(RecordOutcome::First)
    }

    pub(super) async fn recall(&self, key: &str, body: &BodyDigest) -> Option<FirstDelivery> {
        let kept = self.0.lock().await;
        kept.get(key).map(|known| compare(known, body))
    }

    /// What a restart leaves.
    pub(super) async fn restart(&self, flaw: Option<Flaw>) {
        let left = match flaw {
            Some(Flaw::DedupeInMemory) => 0,
            Some(Flaw::KeysLostInSnapshot) => IN_SNAPSHOT,
            _ => return,
        };
        let mut kept = self.0.lock().await;
        let lost = kept.len().saturating_sub(left);
        kept.drain(..lost);
    }
}
