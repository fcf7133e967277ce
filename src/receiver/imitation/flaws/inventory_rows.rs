//! Flaws in writing what a player holds: updates that overlap, rows that stay deleted, and a queue that
//! drops grants when it is full.

use std::collections::{HashMap, HashSet};
use std::time::Duration;

use tokio::sync::{Mutex, Semaphore};
use tokio::time::sleep;

use crate::receiver::game::Game;
use crate::receiver::ledger::{Grants, LedgerAction, LedgerEntry, LedgerError, RecordOutcome};

use super::{Flaw, Flaws, KeyLocks};

/// The rows of a batch.
const BATCH: usize = 25;
/// How many grants the queue has room for: more than the deliveries of usual scenarios at a time.
const ROOM: usize = 18;
/// How long a grant is in the queue.
const IN_QUEUE: Duration = Duration::from_millis(50);

/// How long the database takes to read or to write.
const ROUND_TRIP: Duration = Duration::from_millis(2);

/// A player and an SKU.
type Row = (String, String);

pub(super) struct InventoryRows {
    /// How often each row was written.
    versions: Mutex<HashMap<Row, u64>>,
    /// The rows that are marked as deleted.
    deleted: Mutex<HashSet<Row>>,
    player_locks: KeyLocks,
    queue: Semaphore,
}

impl Default for InventoryRows {
    fn default() -> Self {
        Self {
            versions: Mutex::default(),
            deleted: Mutex::default(),
            player_locks: KeyLocks::default(),
            queue: Semaphore::new(ROOM),
        }
    }
}

impl InventoryRows {
    /// Reads the quantities, adds and writes, so that an update in between is overwritten.
    pub(super) async fn overwrite(
        &self,
        game: &Game,
        mut entry: LedgerEntry,
    ) -> Result<RecordOutcome, LedgerError> {
        let row = |sku: &String| (entry.player_id.clone(), sku.clone());
        let rows: Vec<Row> = entry.grants.keys().map(row).collect();
        let read = self.versions.lock().await.clone();
        sleep(ROUND_TRIP).await;
        let ledger = &game.ledger;
        ledger.inventory(entry.player_id.clone(), None).await?;
        let mut versions = self.versions.lock().await;
        for row in rows.iter().filter(|row| versions.get(row) != read.get(row)) {
            entry.grants.remove(&row.1);
        }
        let recorded = game.record(entry).await?;
        if recorded == RecordOutcome::First {
            for row in rows {
                *versions.entry(row).or_default() += 1;
            }
        }
        Ok(recorded)
    }

    /// As `overwrite`, but locks the player. A released lock is removed from the map, whoever waits
    /// for it, so that the next request does not wait.
    pub(super) async fn overwrite_under_lock(
        &self,
        game: &Game,
        entry: LedgerEntry,
    ) -> Result<RecordOutcome, LedgerError> {
        let player_id = entry.player_id.clone();
        let player_lock = self.player_locks.of(&player_id);
        let _guard = player_lock.lock().await;
        let recorded = self.overwrite(game, entry).await;
        sleep(ROUND_TRIP).await;
        self.player_locks.remove(&player_id);
        recorded
    }

    /// Marks rows without items as deleted, and never clears the mark.
    pub(super) async fn mark_deleted(
        &self,
        game: &Game,
        mut entry: LedgerEntry,
    ) -> Result<RecordOutcome, LedgerError> {
        let mut deleted = self.deleted.lock().await;
        let player = entry.player_id.clone();
        let row = |sku: &String| (player.clone(), sku.clone());
        entry.grants.retain(|sku, _| !deleted.contains(&row(sku)));
        let removes = entry.action == LedgerAction::Remove;
        let recorded = game.record(entry).await?;
        if removes {
            let held = game.ledger.inventory(player.clone(), None).await?;
            let empty = held.iter().filter(|(_, quantity)| **quantity == 0);
            deleted.extend(empty.map(|(sku, _)| row(sku)));
        }
        Ok(recorded)
    }

    /// Drops the grants if the queue is full.
    pub(super) async fn enqueue(
        &self,
        game: &Game,
        mut entry: LedgerEntry,
    ) -> Result<RecordOutcome, LedgerError> {
        let room = self.queue.try_acquire();
        if room.is_ok() {
            sleep(IN_QUEUE).await;
        } else {
            entry.grants.clear();
        }
        game.record(entry).await
    }
}

impl Flaws {
    /// Leaves out the last rows, which do not fill a batch.
    pub(crate) fn write_in_batches(&self, grants: &mut Grants) {
        let written = grants.len() / BATCH * BATCH;
        if written > 0
            && self.has(Flaw::LastBatchLost)
            && let Some(rest) = grants.keys().nth(written).cloned()
        {
            grants.split_off(&rest);
        }
    }
}
