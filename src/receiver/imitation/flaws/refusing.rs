//! Flaws in what is remembered of an attempt that was refused.

use std::collections::HashMap;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use crate::protocol::Event;
use crate::receiver::game::Game;
use crate::receiver::ledger::{LedgerEntry, LedgerError};
use crate::receiver::outcome::{Decision, RequestOutcome};
use crate::receiver::response::ReceiverResponse;

use super::{Flaw, Flaws, lock};

/// How long [`Flaw::ItemRefusedToAll`] remembers a refusal.
const REMEMBERED: Duration = Duration::from_secs(2);
/// How long [`Flaw::RefusedRetriedByBoth`] waits before it tries again.
const UNTIL_RETRY: Duration = Duration::from_millis(400);

/// What is remembered of attempts that were refused, by the events' keys or items.
#[derive(Default)]
pub(super) struct Refusals(Mutex<HashMap<String, RememberedRefusal>>);

struct RememberedRefusal {
    response: ReceiverResponse,
    player_id: Option<String>,
    at: Instant,
}

/// Refused events, and when the receiver tries again on its own.
#[derive(Default)]
pub(super) struct OwnRetries(Mutex<Vec<(Instant, LedgerEntry)>>);

impl Flaws {
    /// Tries again to grant a refused event, under a key that no delivery has.
    pub(crate) fn retry_later(&self, mut entry: LedgerEntry) {
        entry.idempotency_key.push_str("#retry");
        lock(&self.own_retries.0).push((Instant::now() + UNTIL_RETRY, entry));
    }

    pub(super) async fn retry_refused(&self, game: &Game) -> Result<(), LedgerError> {
        let now = Instant::now();
        let is_due = |(due, entry): &mut (Instant, LedgerEntry)| {
            *due <= now && !game.has_no_room(&entry.player_id, &entry.grants)
        };
        let due: Vec<_> = lock(&self.own_retries.0).extract_if(.., is_due).collect();
        for (_, entry) in due {
            game.record(entry).await?;
        }
        Ok(())
    }

    /// By what an event's refusal is remembered, if it is: the event's `key`, or its item.
    pub(crate) fn refusal_key(&self, event: &Event, key: &str) -> Option<String> {
        if self.has(Flaw::ItemRefusedToAll) {
            let items = event.event_data.granted_items();
            items.first().map(|item| item.sku.to_string())
        } else {
            self.has(Flaw::RefusalRemembered).then(|| key.to_owned())
        }
    }

    /// The response to an earlier attempt that was refused.
    pub(crate) fn remembered_refusal(&self, key: &str) -> Option<ReceiverResponse> {
        let refusals = lock(&self.refusals.0);
        let refusal = refusals.get(key)?;
        let is_kept = !self.has(Flaw::ItemRefusedToAll) || refusal.at.elapsed() < REMEMBERED;
        is_kept.then(|| refusal.response.clone())
    }

    /// Keeps the response to an attempt, if it was refused. A scripted failure is none of the game.
    pub(crate) fn remember_refusal(
        &self,
        key: String,
        player_id: Option<String>,
        outcome: &RequestOutcome,
    ) {
        let RequestOutcome {
            response, decision, ..
        } = outcome;
        let is_of_game = !matches!(decision, Decision::Scripted);
        if !response.status.is_success() && (is_of_game || !self.has(Flaw::ItemRefusedToAll)) {
            let refusal = RememberedRefusal {
                response: response.clone(),
                player_id,
                at: Instant::now(),
            };
            lock(&self.refusals.0).insert(key, refusal);
        }
    }

    /// Forgets what was refused to a player for whom there is room now, so that other scenarios of a run are
    /// rarely refused the item.
    pub(crate) fn forget_refusals(&self, player_id: &str) {
        if self.has(Flaw::ItemRefusedToAll) {
            let is_others = |_: &String, refusal: &mut RememberedRefusal| {
                refusal.player_id.as_deref() != Some(player_id)
            };
            lock(&self.refusals.0).retain(is_others);
        }
    }
}
