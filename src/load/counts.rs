//! What was counted: sums that can be joined exactly.

use std::borrow::Cow;
use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What came of the events, deliveries, attempts and forgeries.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Counts {
    /// Events that were begun, forged ones among them.
    pub events: u64,
    /// Genuine deliveries that were begun: one for each genuine event, and one more for each
    /// duplicate.
    pub deliveries: u64,
    /// Deliveries that were answered 2xx in the end, and heard it.
    pub acknowledged: u64,
    /// Deliveries that ended with an answer which is not retried, such as 403.
    pub refused: u64,
    /// Those of the refused whose event may be refused: as its scenario says, or as a sandbox event.
    #[serde(default)]
    pub allowed_refusals: u64,
    /// Deliveries whose attempts were used up.
    pub exhausted: u64,
    /// Deliveries without an end: under way or waiting for a retry when the load was over.
    pub unfinished: u64,
    /// Attempts of genuine deliveries.
    pub attempts: u64,
    /// Attempts without a 2xx answer, other than those whose answer was lost on purpose.
    pub errors: u64,
    /// Attempts that had no whole answer in time.
    pub timeouts: u64,
    /// Attempts after the first of their delivery.
    pub retries: u64,
    /// Retries and duplicates that were given up because too many were waiting.
    pub dropped: u64,
    /// Attempts that began 10 ms after they were due or later, mostly because every connection was
    /// busy.
    pub late_for_connections: u64,
    /// The same, but mostly because this machine did not get to them.
    pub late_for_machine: u64,
    /// Events that were delivered again later.
    pub duplicates: u64,
    /// Events that were delivered twice at the same moment.
    pub together: u64,
    /// Attempts whose answer was lost on purpose.
    pub lost_acks: u64,
    /// Forgeries that were sent.
    pub forgeries: u64,
    /// Forgeries that were refused: answered 4xx.
    pub refused_forgeries: u64,
    /// Forgeries that were accepted: answered 2xx.
    pub accepted_forgeries: u64,
    /// The answers of all genuine attempts by status.
    pub statuses: BTreeMap<u16, u64>,
    /// Why genuine attempts had no answer.
    pub failures: BTreeMap<Cow<'static, str>, u64>,
}

impl Counts {
    /// Adds what another sender counted.
    pub fn add(&mut self, other: &Self) {
        let Self {
            events,
            deliveries,
            acknowledged,
            refused,
            allowed_refusals,
            exhausted,
            unfinished,
            attempts,
            errors,
            timeouts,
            retries,
            dropped,
            late_for_connections,
            late_for_machine,
            duplicates,
            together,
            lost_acks,
            forgeries,
            refused_forgeries,
            accepted_forgeries,
            statuses,
            failures,
        } = other;
        for (own, other) in [
            (&mut self.events, events),
            (&mut self.deliveries, deliveries),
            (&mut self.acknowledged, acknowledged),
            (&mut self.refused, refused),
            (&mut self.allowed_refusals, allowed_refusals),
            (&mut self.exhausted, exhausted),
            (&mut self.unfinished, unfinished),
            (&mut self.attempts, attempts),
            (&mut self.errors, errors),
            (&mut self.timeouts, timeouts),
            (&mut self.retries, retries),
            (&mut self.dropped, dropped),
            (&mut self.late_for_connections, late_for_connections),
            (&mut self.late_for_machine, late_for_machine),
            (&mut self.duplicates, duplicates),
            (&mut self.together, together),
            (&mut self.lost_acks, lost_acks),
            (&mut self.forgeries, forgeries),
            (&mut self.refused_forgeries, refused_forgeries),
            (&mut self.accepted_forgeries, accepted_forgeries),
        ] {
            *own = own.saturating_add(*other);
        }
        for (status, count) in statuses {
            *self.statuses.entry(*status).or_default() += count;
        }
        for (name, count) in failures {
            *self.failures.entry(name.clone()).or_default() += count;
        }
    }

    /// Deliveries that were begun and not acknowledged, though they had to be.
    pub fn undelivered(&self) -> u64 {
        let ended_well = self.acknowledged.saturating_add(self.allowed_refusals);
        self.deliveries.saturating_sub(ended_well)
    }

    /// Deliveries that came to no end, as the rest of those that were begun.
    pub(super) fn count_unfinished(&mut self) {
        let ended = self.acknowledged + self.refused + self.exhausted;
        self.unfinished = self.deliveries.saturating_sub(ended);
    }
}
