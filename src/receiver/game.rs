//! The game behind the endpoint: its settings, its key and its ledger.

use std::borrow::Cow;
use std::collections::{BTreeSet, HashMap};
use std::num::NonZeroU64;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

use crate::protocol::Signer;

use super::ledger::{Grants, Ledger, LedgerEntry, LedgerError, RecordOutcome};
use super::settings::ReceiverSettings;

pub(super) struct Game {
    pub(super) settings: ReceiverSettings,
    pub(super) signer: Signer,
    pub(super) ledger: Ledger,
    /// How far its clock is ahead of that of the settings, in seconds.
    clock_ahead: AtomicU64,
    /// The players and the SKUs that they can't get any more of.
    full: Mutex<BTreeSet<(String, String)>>,
    /// When each key was recorded, and how often it had been forgotten before. Only for keys that are
    /// not remembered forever.
    key_times: Mutex<HashMap<String, (u64, u64)>>,
    /// How many new deliveries remain until the process crashes, including the one that crashes.
    until_crash: Option<AtomicU64>,
}

impl Game {
    pub(super) fn new(settings: ReceiverSettings, ledger: Ledger) -> Self {
        Self {
            signer: Signer::new(&settings.secret),
            until_crash: settings
                .crash_after
                .map(NonZeroU64::get)
                .map(AtomicU64::new),
            clock_ahead: AtomicU64::new(0),
            full: Mutex::default(),
            key_times: Mutex::default(),
            ledger,
            settings,
        }
    }

    /// The time on its clock, in Unix seconds.
    pub(super) fn now(&self) -> u64 {
        let ahead = self.clock_ahead.load(Ordering::Relaxed);
        (self.settings.clock)().saturating_add(ahead)
    }

    pub(super) fn set_clock_ahead(&self, seconds: u64) {
        self.clock_ahead.store(seconds, Ordering::Relaxed);
    }

    /// Sets whether a player can't get any more of an SKU.
    /// Whether the player can't get any more of one of these items.
    pub(super) fn has_no_room(&self, player_id: &str, grants: &Grants) -> bool {
        let full = self.full.lock().unwrap_or_else(PoisonError::into_inner);
        let mut skus = grants.keys();
        skus.any(|sku| full.contains(&(player_id.to_owned(), sku.clone())))
    }

    pub(super) fn set_full(&self, player_id: &str, sku: &str, is_full: bool) {
        let limit = (player_id.to_owned(), sku.to_owned());
        let mut full = self.full.lock().unwrap_or_else(PoisonError::into_inner);
        if is_full {
            full.insert(limit);
        } else {
            full.remove(&limit);
        }
    }

    /// The settings, with what can't be granted to this player.
    pub(super) fn settings_for(&self, player_id: &str) -> Cow<'_, ReceiverSettings> {
        let full = self.full.lock().unwrap_or_else(PoisonError::into_inner);
        let of_player = full.iter().filter(|(player, _)| player == player_id);
        let mut skus = of_player.map(|(_, sku)| sku.clone()).peekable();
        if skus.peek().is_none() {
            return Cow::Borrowed(&self.settings);
        }
        let mut settings = self.settings.clone();
        settings.cannot_grant.extend(skus);
        Cow::Owned(settings)
    }

    /// The key under which a delivery is recorded: another one than before, once that was forgotten.
    fn remembered_key(&self, key: String) -> String {
        let Some(lifetime) = self.settings.key_lifetime else {
            return key;
        };
        let now = self.now();
        let mut times = self
            .key_times
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        let (since, forgotten) = times.entry(key.clone()).or_insert((now, 0));
        if now.saturating_sub(*since) > lifetime.as_secs() {
            *since = now;
            *forgotten += 1;
        }
        match *forgotten {
            0 => key,
            times => format!("{key}#{times}"),
        }
    }

    pub(super) async fn record(
        &self,
        mut entry: LedgerEntry,
    ) -> Result<RecordOutcome, LedgerError> {
        entry.idempotency_key = self.remembered_key(entry.idempotency_key);
        let recorded = self.ledger.record(entry).await?;
        if !matches!(recorded, RecordOutcome::Redelivery(_)) {
            self.pass_crash_point();
        }
        Ok(recorded)
    }

    /// Aborts the process at the chosen delivery: the effect of `kill -9`, without depending on timing.
    ///
    /// Called for each new delivery before its response: between its two transactions if it needs
    /// two, otherwise after its only one.
    pub(super) fn pass_crash_point(&self) {
        if let Some(remaining) = &self.until_crash
            && remaining.fetch_sub(1, Ordering::Relaxed) == 1
        {
            // Unlike an exit, an abort flushes and closes nothing.
            std::process::abort();
        }
    }
}
