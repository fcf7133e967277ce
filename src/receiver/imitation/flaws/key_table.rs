//! The ledger as a table of deliveries without a unique key.

use crate::receiver::ledger::{
    BodyDigest, FirstDelivery, Ledger, LedgerEntry, LedgerError, RecordOutcome,
};

pub(super) fn compare(first: &LedgerEntry, body: &BodyDigest) -> FirstDelivery {
    FirstDelivery {
        response: first.response.clone(),
        same_body: first.body == *body,
    }
}

pub(super) async fn known(
    ledger: &Ledger,
    entry: &LedgerEntry,
) -> Result<Option<FirstDelivery>, LedgerError> {
    let key = entry.idempotency_key.clone();
    ledger.recall(key, entry.body).await
}

/// Records an entry even if its key is already recorded.
pub(super) async fn append(ledger: &Ledger, entry: &LedgerEntry) -> Result<(), LedgerError> {
    let mut copy = entry.clone();
    let mut number = 1_u64;
    while matches!(
        ledger.record(copy.clone()).await?,
        RecordOutcome::Redelivery(_)
    ) {
        number += 1;
        copy.idempotency_key = format!("{}#{number}", entry.idempotency_key);
    }
    Ok(())
}
