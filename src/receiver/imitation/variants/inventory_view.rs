//! What the probe shows of a player's inventory, if that differs from the ledger.

use std::time::{Duration, Instant};

use tokio::sync::MutexGuard;

use crate::receiver::ledger::{Grants, Inventory, Ledger, LedgerAction, LedgerEntry, LedgerError};

use super::{Variant, Variants};

const HIDDEN_FOR: Duration = Duration::from_millis(300);

#[derive(Debug)]
pub(super) struct HiddenGrant {
    player_id: String,
    grants: Grants,
    visible_at: Instant,
}

/// Keeps readers out while grants are recorded, so that none sees a grant that then disappears.
pub(crate) struct Hiding<'a> {
    hidden: MutexGuard<'a, Vec<HiddenGrant>>,
    grant: HiddenGrant,
}

impl Hiding<'_> {
    pub(crate) fn begin(mut self) {
        self.grant.visible_at = Instant::now() + HIDDEN_FOR;
        self.hidden.push(self.grant);
    }
}

impl Variants {
    /// Prepares to hide the grants of an entry, if grants show later.
    pub(crate) async fn hide_grants(&self, entry: &LedgerEntry) -> Option<Hiding<'_>> {
        if !self.has(Variant::AsynchronousGrants) || entry.action != LedgerAction::Grant {
            return None;
        }
        Some(Hiding {
            grant: HiddenGrant {
                player_id: entry.player_id.clone(),
                grants: entry.grants.clone(),
                visible_at: Instant::now(),
            },
            hidden: self.hidden_grants.lock().await,
        })
    }

    /// What the probe shows for a player: of this SKU, or of every SKU.
    pub(crate) async fn inventory(
        &self,
        ledger: &Ledger,
        player_id: String,
        sku: Option<String>,
    ) -> Result<Inventory, LedgerError> {
        if self.chosen.is_empty() {
            return ledger.inventory(player_id, sku).await;
        }
        let mut hidden = self.hidden_grants.lock().await;
        let mut inventory = ledger.inventory(player_id.clone(), sku).await?;
        let now = Instant::now();
        hidden.retain(|grant| grant.visible_at > now);
        let of_player = hidden.iter().filter(|grant| grant.player_id == player_id);
        for (sku, quantity) in of_player.flat_map(|hidden| &hidden.grants) {
            if let Some(held) = inventory.get_mut(sku) {
                *held = held.saturating_sub(u128::from(*quantity));
            }
        }
        if self.has(Variant::HeldOnce) {
            for held in inventory.values_mut() {
                *held = 1.min(*held);
            }
        }
        if self.has(Variant::NothingHeld404) {
            inventory.retain(|_, held| *held > 0);
        }
        Ok(inventory)
    }
}
