//! Flaws of a journal from which the receiver reads its grants after a restart.

use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::time::sleep;

use crate::protocol::Event;
use crate::receiver::game::Game;
use crate::receiver::ledger::{Ledger, LedgerAction, LedgerEntry, LedgerError, RecordOutcome};

use super::key_table::append;
use super::lock;

/// How long the journal waits for more entries before it writes them.
const IN_BATCH: Duration = Duration::from_millis(5);

#[derive(Default)]
pub(super) struct Journal {
    /// The number of the newest entry.
    newest: AtomicU64,
    /// The entries that can't be read again.
    lost: Mutex<Vec<LedgerEntry>>,
}

impl Journal {
    /// Records an entry. A newer one, before the batch is written, overwrites its buffer.
    pub(super) async fn record_in_batch(
        &self,
        game: &Game,
        entry: LedgerEntry,
    ) -> Result<RecordOutcome, LedgerError> {
        let number = self.newest.fetch_add(1, Ordering::Relaxed) + 1;
        let recorded = game.record(entry.clone()).await?;
        sleep(IN_BATCH).await;
        let is_overwritten = self.newest.load(Ordering::Relaxed) != number;
        Ok(self.keep(recorded, entry, is_overwritten))
    }

    /// Records an entry, with the name of its item, as a line of values between commas.
    pub(super) async fn record_line(
        &self,
        game: &Game,
        entry: LedgerEntry,
        event: &Event,
    ) -> Result<RecordOutcome, LedgerError> {
        let recorded = game.record(entry.clone()).await?;
        let mut items = event.event_data.granted_items().iter();
        let is_split = items.any(|item| item.name.contains(','));
        Ok(self.keep(recorded, entry, is_split))
    }

    fn keep(&self, recorded: RecordOutcome, entry: LedgerEntry, is_lost: bool) -> RecordOutcome {
        if is_lost && recorded == RecordOutcome::First {
            lock(&self.lost).push(entry);
        }
        recorded
    }

    /// Takes away what a restart does not find in the journal.
    pub(super) async fn restart(&self, ledger: &Ledger) -> Result<(), LedgerError> {
        let lost = std::mem::take(&mut *lock(&self.lost));
        for mut entry in lost {
            entry.action = LedgerAction::Remove;
            entry.redemption = None;
            append(ledger, &entry).await?;
        }
        Ok(())
    }
}
