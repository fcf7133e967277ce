//! The game behind the endpoint: its settings, its key and its ledger.

use crate::protocol::Signer;

use super::crash_point::CrashPoint;
use super::ledger::{Ledger, LedgerEntry, LedgerError, RecordOutcome};
use super::settings::ReceiverSettings;

/// What the steps of a delivery work on.
pub(super) struct Game {
    pub(super) settings: ReceiverSettings,
    pub(super) signer: Signer,
    pub(super) ledger: Ledger,
    pub(super) crash_point: CrashPoint,
}

impl Game {
    pub(super) fn new(settings: ReceiverSettings, ledger: Ledger) -> Self {
        Self {
            signer: Signer::new(&settings.secret),
            crash_point: CrashPoint::new(settings.crash_after),
            ledger,
            settings,
        }
    }

    /// Records a delivery once.
    pub(super) async fn record(&self, entry: LedgerEntry) -> Result<RecordOutcome, LedgerError> {
        let recorded = self.ledger.record(entry).await?;
        if recorded == RecordOutcome::First {
            self.crash_point.pass();
        }
        Ok(recorded)
    }
}
