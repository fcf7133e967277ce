//! What the probe shows of a player's inventory, if that differs from the ledger.

use std::time::{Duration, Instant};

use tokio::sync::MutexGuard;

use crate::receiver::ledger::{Inventory, Ledger, LedgerEntry, LedgerError};

use super::{Variant, Variants};

/// How long [`Variant::AsynchronousGrants`] hides a recorded grant.
const HIDDEN_FOR: Duration = Duration::from_millis(300);

/// A grant that is not visible yet.
#[derive(Debug)]
pub(super) struct HiddenGrant {
    player_id: String,
    grants: Vec<(String, u128)>,
    visible_at: Instant,
}

/// Keeps readers out while grants are recorded, so that none sees a grant that then disappears.
pub(in crate::receiver::imitation) struct Hiding<'a> {
    hidden: MutexGuard<'a, Vec<HiddenGrant>>,
    grant: HiddenGrant,
}

impl Hiding<'_> {
    /// Hides the grants for a while, because they are recorded.
    pub(in crate::receiver::imitation) fn begin(mut self) {
        let visible_at = Instant::now() + HIDDEN_FOR;
        self.hidden.push(HiddenGrant {
            visible_at,
            ..self.grant
        });
    }
}

impl Variants {
    /// Prepares to hide the grants of an entry, if grants show later.
    pub(in crate::receiver::imitation) async fn hide_grants(
        &self,
        entry: &LedgerEntry,
    ) -> Option<Hiding<'_>> {
        if !self.has(Variant::AsynchronousGrants) {
            return None;
        }
        let grants = entry.grants.iter();
        let grants = grants.map(|grant| (grant.sku.clone(), u128::from(grant.quantity)));
        Some(Hiding {
            grant: HiddenGrant {
                player_id: entry.player_id.clone(),
                grants: grants.collect(),
                visible_at: Instant::now(),
            },
            hidden: self.hidden_grants.lock().await,
        })
    }

    /// How much of one SKU the probe shows for a player, or `None` for a 404.
    pub(in crate::receiver::imitation) async fn quantity(
        &self,
        ledger: &Ledger,
        player_id: String,
        sku: String,
    ) -> Result<Option<u128>, LedgerError> {
        let hidden = self.hidden_grants.lock().await;
        let mut held = ledger.quantity(player_id.clone(), sku.clone()).await?;
        for (hidden_sku, quantity) in hidden_from(hidden, &player_id) {
            if hidden_sku == sku {
                held = held.saturating_sub(quantity);
            }
        }
        if self.has(Variant::HeldOnce) {
            held = held.min(1);
        }
        let is_shown = held > 0 || !self.has(Variant::NothingHeld404);
        Ok(is_shown.then_some(held))
    }

    /// Everything that the probe shows for a player.
    pub(in crate::receiver::imitation) async fn inventory(
        &self,
        ledger: &Ledger,
        player_id: String,
    ) -> Result<Inventory, LedgerError> {
        let hidden = self.hidden_grants.lock().await;
        let mut inventory = ledger.inventory(player_id.clone()).await?;
        for (sku, quantity) in hidden_from(hidden, &player_id) {
            if let Some(held) = inventory.get_mut(&sku) {
                *held = held.saturating_sub(quantity);
            }
        }
        Ok(inventory)
    }
}

/// A player's grants that are not visible yet.
fn hidden_from(
    mut hidden: MutexGuard<'_, Vec<HiddenGrant>>,
    player_id: &str,
) -> Vec<(String, u128)> {
    let now = Instant::now();
    hidden.retain(|grant| grant.visible_at > now);
    let of_player = hidden.iter().filter(|grant| grant.player_id == player_id);
    of_player.flat_map(|grant| grant.grants.clone()).collect()
}
