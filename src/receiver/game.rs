//! The game behind the endpoint: its settings, its key and its ledger.

use std::num::NonZeroU64;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::protocol::Signer;

use super::ledger::{Ledger, LedgerEntry, LedgerError, RecordOutcome};
use super::settings::ReceiverSettings;

pub(super) struct Game {
    pub(super) settings: ReceiverSettings,
    pub(super) signer: Signer,
    pub(super) ledger: Ledger,
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
            ledger,
            settings,
        }
    }

    pub(super) async fn record(&self, entry: LedgerEntry) -> Result<RecordOutcome, LedgerError> {
        let recorded = self.ledger.record(entry).await?;
        if recorded == RecordOutcome::First {
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
