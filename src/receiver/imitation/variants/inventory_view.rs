//! What the probe shows of a player's inventory, if that differs from the ledger.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use tokio::sync::MutexGuard;

use crate::receiver::ledger::{Grants, Inventory, Ledger, LedgerAction, LedgerEntry, LedgerError};

use super::{Variant, Variants};

const HIDDEN_FOR: Duration = Duration::from_millis(300);

/// Recorded grants that are not visible yet.
#[derive(Debug, Default)]
pub(super) struct HiddenGrants {
    grants: Vec<HiddenGrant>,
    /// The players and the SKUs that they have no room for.
    full: BTreeSet<(String, String)>,
}

#[derive(Debug)]
struct HiddenGrant {
    player_id: String,
    grants: Grants,
    until: Until,
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Until {
    Time(Instant),
    Room,
}

/// Keeps readers out while grants are recorded, so that none sees a grant that then disappears.
pub(crate) struct Hiding<'a> {
    hidden: MutexGuard<'a, HiddenGrants>,
    player_id: String,
    grants: Grants,
    until: Until,
}

impl Hiding<'_> {
    pub(crate) fn begin(mut self) {
        self.hidden.grants.push(HiddenGrant {
            player_id: self.player_id,
            grants: self.grants,
            until: match self.until {
                Until::Time(_) => Until::Time(Instant::now() + HIDDEN_FOR),
                Until::Room => Until::Room,
            },
        });
    }
}

impl Variants {
    /// Prepares to hide the grants of an entry, if grants show later.
    pub(crate) async fn hide_grants(&self, entry: &LedgerEntry) -> Option<Hiding<'_>> {
        let keeps = self.has(Variant::Mailbox);
        let delays = self.has(Variant::AsynchronousGrants);
        if !(keeps || delays) || entry.action != LedgerAction::Grant {
            return None;
        }
        let hidden = self.hidden_grants.lock().await;
        let player_id = entry.player_id.clone();
        let mut grants = entry.grants.clone();
        if keeps {
            grants.retain(|sku, _| hidden.full.contains(&(player_id.clone(), sku.clone())));
        }
        Some(Hiding {
            until: if keeps {
                Until::Room
            } else {
                Until::Time(Instant::now())
            },
            hidden,
            player_id,
            grants,
        })
    }

    /// Sets whether a player has no room for an SKU. Once there is room, the mailbox grants it.
    pub(crate) async fn set_full(&self, player_id: &str, sku: &str, is_full: bool) {
        let mut hidden = self.hidden_grants.lock().await;
        let limit = (player_id.to_owned(), sku.to_owned());
        if is_full {
            hidden.full.insert(limit);
            return;
        }
        hidden.full.remove(&limit);
        for kept in &mut hidden.grants {
            if kept.until == Until::Room && kept.player_id == player_id {
                kept.grants.remove(sku);
            }
        }
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
        hidden.grants.retain(|hidden| match hidden.until {
            Until::Time(time) => time > now,
            Until::Room => !hidden.grants.is_empty(),
        });
        let hidden = hidden.grants.iter();
        let of_player = hidden.filter(|hidden| hidden.player_id == player_id);
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
