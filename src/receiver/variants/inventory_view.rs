//! What the probe shows of a player's inventory, if that differs from the ledger.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use tokio::sync::Mutex;

use crate::receiver::grants::ItemGrant;
use crate::receiver::ledger::{Inventory, Ledger, LedgerEntry, LedgerError, RecordOutcome};

use super::{Variant, Variants};

/// How long [`Variant::AsynchronousGrants`] hides a recorded grant.
const HIDDEN_FOR: Duration = Duration::from_millis(300);

/// A view of the ledger.
#[derive(Debug)]
pub(in crate::receiver) struct InventoryView {
    /// Recorded grants that are not visible yet. Only in memory: after a crash they are visible at
    /// once, because the ledger has them.
    hidden: Option<Mutex<Vec<HiddenGrant>>>,
    /// Whether the probe returns 404 for an item that the player does not hold.
    zero_is_missing: bool,
    /// Whether a player can hold at most one of each item.
    at_most_one: bool,
}

#[derive(Debug)]
struct HiddenGrant {
    player_id: String,
    grants: Vec<ItemGrant>,
    visible_at: Instant,
}

impl InventoryView {
    pub(in crate::receiver) fn new(variants: &Variants) -> Self {
        Self {
            hidden: variants
                .has(Variant::AsynchronousGrants)
                .then(Mutex::default),
            zero_is_missing: variants.has(Variant::NothingHeld404),
            at_most_one: variants.has(Variant::HeldOnce),
        }
    }

    /// Calls `record` and hides the new grants for a while.
    pub(in crate::receiver) async fn record(
        &self,
        entry: LedgerEntry,
        record: impl AsyncFnOnce(LedgerEntry) -> Result<RecordOutcome, LedgerError>,
    ) -> Result<RecordOutcome, LedgerError> {
        let Some(hidden) = &self.hidden else {
            return record(entry).await;
        };
        let (player_id, grants) = (entry.player_id.clone(), entry.grants.clone());
        // Keep the lock during the write, so that no reader sees a grant that then disappears.
        let mut hidden = hidden.lock().await;
        let recorded = record(entry).await?;
        if recorded == RecordOutcome::First {
            hidden.push(HiddenGrant {
                player_id,
                grants,
                visible_at: Instant::now() + HIDDEN_FOR,
            });
        }
        Ok(recorded)
    }

    /// How much of one SKU the probe shows for a player, or `None` for a 404.
    pub(in crate::receiver) async fn quantity(
        &self,
        ledger: &Ledger,
        player_id: &str,
        sku: &str,
    ) -> Result<Option<u128>, LedgerError> {
        let held = match &self.hidden {
            None => {
                ledger
                    .quantity(player_id.to_owned(), sku.to_owned())
                    .await?
            }
            Some(hidden) => {
                let mut hidden = hidden.lock().await;
                let held = ledger
                    .quantity(player_id.to_owned(), sku.to_owned())
                    .await?;
                let hidden = hidden_quantities(&mut hidden, player_id);
                held.saturating_sub(hidden.get(sku).copied().unwrap_or(0))
            }
        };
        let held = if self.at_most_one { held.min(1) } else { held };
        Ok((held > 0 || !self.zero_is_missing).then_some(held))
    }

    /// Everything that the probe shows for a player.
    pub(in crate::receiver) async fn read(
        &self,
        ledger: &Ledger,
        player_id: &str,
    ) -> Result<Inventory, LedgerError> {
        let Some(hidden) = &self.hidden else {
            return ledger.inventory(player_id.to_owned()).await;
        };
        let mut hidden = hidden.lock().await;
        let mut inventory = ledger.inventory(player_id.to_owned()).await?;
        for (sku, quantity) in hidden_quantities(&mut hidden, player_id) {
            if let Some(held) = inventory.get_mut(&sku) {
                *held = held.saturating_sub(quantity);
            }
        }
        Ok(inventory)
    }
}

/// The quantities of a player's grants that are not visible yet.
fn hidden_quantities(hidden: &mut Vec<HiddenGrant>, player_id: &str) -> BTreeMap<String, u128> {
    let now = Instant::now();
    hidden.retain(|grant| grant.visible_at > now);
    let mut sums = BTreeMap::new();
    for hidden in hidden.iter().filter(|grant| grant.player_id == player_id) {
        for grant in &hidden.grants {
            *sums.entry(grant.sku.clone()).or_insert(0) += u128::from(grant.quantity);
        }
    }
    sums
}
