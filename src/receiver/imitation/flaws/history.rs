//! Flaws in what is remembered of a player's earlier coupons, besides their keys.

use std::collections::HashMap;
use std::sync::Mutex;

use indexmap::IndexSet;

use crate::protocol::{Event, Field};

use super::{Flaw, Flaws, lock};

/// How many coupons [`Flaw::CouponsLimited`] grants to a player.
const MOST_COUPONS: usize = 15;

#[derive(Default)]
pub(super) struct PlayerHistory {
    /// Whether the first event of each player was a sandbox event.
    is_sandbox: Mutex<HashMap<String, bool>>,
    /// The idempotency keys of each player's events.
    keys: Mutex<HashMap<String, IndexSet<String>>>,
    /// The idempotency key with which each player got an item ID first.
    items: Mutex<HashMap<(String, String), String>>,
}

impl Flaws {
    /// Takes the player's first event for what all later ones are: from the sandbox, or live.
    pub(crate) fn keep_environment(&self, event: &mut Event) {
        if self.has(Flaw::PlayerEnvironmentKept) {
            let player = event.event_data.player_id.to_string();
            event.sandbox = *lock(&self.history.is_sandbox)
                .entry(player)
                .or_insert(event.sandbox);
        }
    }

    /// Leaves out what the player can't get any more.
    pub(super) fn limit_grants(&self, event: &mut Event) {
        let key = event.idempotency_key.to_string();
        let player = event.event_data.player_id.to_string();
        if self.has(Flaw::CouponsLimited) {
            let mut keys = lock(&self.history.keys);
            let keys = keys.entry(player.clone()).or_default();
            if keys.insert_full(key.clone()).0 >= MOST_COUPONS {
                event.trigger = Field::Value(Event::TRIGGER_TEST.into());
            }
        }
        if self.has(Flaw::OncePerItem) {
            let mut items = lock(&self.history.items);
            let mut is_new = |id: String| {
                let first = items.entry((player.clone(), id));
                *first.or_insert_with(|| key.clone()) == key
            };
            let granted = event.event_data.granted_items().iter();
            let left = granted.filter(|item| is_new(item.id.to_string())).cloned();
            event.event_data.items = Field::Value(left.collect());
            event.event_data.item = Field::Absent;
        }
    }
}
