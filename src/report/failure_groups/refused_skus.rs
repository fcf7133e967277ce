//! Which SKUs a scenario could not deliver.

use std::collections::BTreeSet;

use crate::report::scenario_record::ScenarioRecord;
use crate::run::DeliveredItems;

/// The SKUs in the genuine events of a scenario that were refused.
pub(super) fn refused_skus(record: &ScenarioRecord) -> BTreeSet<String> {
    let refused = record.attempts.iter().filter(|attempt| {
        let is_genuine = attempt.event_name.is_some() && attempt.forgery.is_none();
        let status = attempt.response.status();
        is_genuine && status.is_some_and(|status| (400..500).contains(&status))
    });
    refused
        .flat_map(|attempt| DeliveredItems::of(attempt).skus)
        .collect()
}
