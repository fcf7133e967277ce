//! What a player is seen to hold, where that is not at once what was written down.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use tokio::sync::Mutex;

use crate::receiver::grants::Grant;
use crate::receiver::ledger::{Entry, Holdings, Ledger, LedgerError, Recorded};

use super::{Variant, Variants};

/// How long after it was written down a grant of [`Variant::AsynchronousGrants`] shows.
const SHOWS_AFTER: Duration = Duration::from_millis(300);

/// A view of the ledger.
#[derive(Debug)]
pub(in crate::receiver) struct Inventory {
    /// Grants that are in the ledger and do not show yet. They are kept in memory alone: the ledger
    /// has them, so that after a crash they show at once.
    queue: Option<Mutex<Vec<Queued>>>,
    nothing_is_missing: bool,
    /// Whether a player holds one of each item at most.
    once: bool,
}

#[derive(Debug)]
struct Queued {
    player_id: String,
    grants: Vec<Grant>,
    shows_at: Instant,
}

impl Inventory {
    pub(in crate::receiver) fn of(variants: &Variants) -> Self {
        Self {
            queue: variants
                .has(Variant::AsynchronousGrants)
                .then(Mutex::default),
            nothing_is_missing: variants.has(Variant::NothingHeld404),
            once: variants.has(Variant::HeldOnce),
        }
    }

    /// Writes a delivery down by `record`, and queues what it grants.
    pub(in crate::receiver) async fn after(
        &self,
        entry: Entry,
        record: impl AsyncFnOnce(Entry) -> Result<Recorded, LedgerError>,
    ) -> Result<Recorded, LedgerError> {
        let Some(queue) = &self.queue else {
            return record(entry).await;
        };
        let (player_id, grants) = (entry.player_id.clone(), entry.grants.clone());
        // Held while the ledger is written, so that no reader sees a grant that then goes away.
        let mut queue = queue.lock().await;
        let recorded = record(entry).await?;
        if recorded == Recorded::First {
            queue.push(Queued {
                player_id,
                grants,
                shows_at: Instant::now() + SHOWS_AFTER,
            });
        }
        Ok(recorded)
    }

    /// How much of one SKU a player is seen to hold; none where that is not found.
    pub(in crate::receiver) async fn holding(
        &self,
        ledger: &Ledger,
        player_id: &str,
        sku: &str,
    ) -> Result<Option<u128>, LedgerError> {
        let held = match &self.queue {
            None => ledger.holding(player_id.to_owned(), sku.to_owned()).await?,
            Some(queue) => {
                let mut queue = queue.lock().await;
                let held = ledger.holding(player_id.to_owned(), sku.to_owned()).await?;
                let queued = not_shown(&mut queue, player_id);
                held.saturating_sub(queued.get(sku).copied().unwrap_or(0))
            }
        };
        let held = if self.once { held.min(1) } else { held };
        Ok((held > 0 || !self.nothing_is_missing).then_some(held))
    }

    /// All that a player is seen to hold.
    pub(in crate::receiver) async fn holdings(
        &self,
        ledger: &Ledger,
        player_id: &str,
    ) -> Result<Holdings, LedgerError> {
        let Some(queue) = &self.queue else {
            return ledger.holdings(player_id.to_owned()).await;
        };
        let mut queue = queue.lock().await;
        let mut holdings = ledger.holdings(player_id.to_owned()).await?;
        for (sku, queued) in not_shown(&mut queue, player_id) {
            if let Some(held) = holdings.get_mut(&sku) {
                *held = held.saturating_sub(queued);
            }
        }
        Ok(holdings)
    }
}

/// What of a player's grants does not show yet.
fn not_shown(queue: &mut Vec<Queued>, player_id: &str) -> BTreeMap<String, u128> {
    let now = Instant::now();
    queue.retain(|queued| queued.shows_at > now);
    let mut sums = BTreeMap::new();
    for queued in queue.iter().filter(|queued| queued.player_id == player_id) {
        for grant in &queued.grants {
            *sums.entry(grant.sku.clone()).or_insert(0) += u128::from(grant.quantity);
        }
    }
    sums
}
