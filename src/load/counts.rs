//! The counters of a load. Counters of several senders can be added exactly.

use std::borrow::Cow;
use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Counts of events, deliveries, attempts and forgeries by outcome.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct LoadCounts {
    /// Events that were started, including forged ones.
    pub events: u64,
    /// Genuine deliveries that were started: one for each genuine event, plus one for each
    /// duplicate.
    pub deliveries: u64,
    /// Deliveries that ended with a 2xx response, which the sender received.
    pub acknowledged: u64,
    /// Deliveries that ended with a status that is not retried, such as 403.
    pub refused: u64,
    /// Refused deliveries whose event may be refused: its scenario allows it, or it is a sandbox
    /// event.
    #[serde(default)]
    pub allowed_refusals: u64,
    /// Deliveries that used up all attempts.
    pub exhausted: u64,
    /// Deliveries still in flight or waiting for a retry when the load ended.
    pub unfinished: u64,
    /// Attempts of genuine deliveries.
    pub attempts: u64,
    /// Attempts without a 2xx response, except those whose response was lost on purpose.
    pub errors: u64,
    /// Attempts without a complete response in time.
    pub timeouts: u64,
    /// Attempts after the first attempt of a delivery.
    pub retries: u64,
    /// Retries and duplicates that were dropped because too many were waiting.
    pub dropped: u64,
    /// Attempts that started at least 10 ms late, mostly because every connection was busy.
    pub late_for_connections: u64,
    /// Attempts that started at least 10 ms late, mostly because this machine was too busy.
    pub late_for_machine: u64,
    /// Events that were delivered again later.
    pub duplicates: u64,
    /// Events that were delivered twice simultaneously.
    pub together: u64,
    /// Attempts whose response was lost on purpose.
    pub lost_acks: u64,
    /// Forgeries that were sent.
    pub forgeries: u64,
    /// Forgeries that were refused (4xx).
    pub refused_forgeries: u64,
    /// Forgeries that were accepted (2xx).
    pub accepted_forgeries: u64,
    /// Responses to genuine attempts by status.
    pub statuses: BTreeMap<u16, u64>,
    /// Genuine attempts without a response by cause.
    pub failures: BTreeMap<Cow<'static, str>, u64>,
}

impl LoadCounts {
    /// Adds the counts of another sender.
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

    /// Deliveries that were started and neither acknowledged nor refused as allowed.
    pub fn undelivered(&self) -> u64 {
        let ended_well = self.acknowledged.saturating_add(self.allowed_refusals);
        self.deliveries.saturating_sub(ended_well)
    }

    /// Counts as unfinished all started deliveries that have no outcome.
    pub(super) fn count_unfinished(&mut self) {
        let ended = self.acknowledged + self.refused + self.exhausted;
        self.unfinished = self.deliveries.saturating_sub(ended);
    }
}
