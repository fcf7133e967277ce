//! The counters of a load. Counters of several senders can be added exactly.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::ops::AddAssign;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

macro_rules! counters {
    ($(#[$about:meta])* $name:ident { $($(#[$doc:meta])* $counter:ident,)* } $($rest:tt)*) => {
        $(#[$about])*
        pub struct $name {
            $($(#[$doc])* pub $counter: u64,)*
            $($rest)*
        }

        impl $name {
            fn add_counters(&mut self, other: &Self) {
                $(self.$counter = self.$counter.saturating_add(other.$counter);)*
            }
        }
    };
}

counters! {
/// Counts of events, deliveries, attempts and forgeries by outcome.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
LoadCounts {
    /// Events that were started, including forged ones.
    events,
    /// Events that were due and never started, because every connection was busy until it was too
    /// late.
    #[serde(default)]
    unsent,
    /// Genuine deliveries that were started: one for each genuine event, plus one for each
    /// duplicate.
    deliveries,
    /// Deliveries that ended with a 2xx response, which the sender received.
    acknowledged,
    /// Deliveries that ended with a status that is not retried, such as 403.
    refused,
    /// Refused deliveries whose event may be refused: its scenario allows it, or it is a sandbox
    /// event.
    #[serde(default)]
    allowed_refusals,
    /// Deliveries that used up all attempts.
    exhausted,
    /// Deliveries still in flight or waiting for a retry when the load ended.
    unfinished,
    /// Attempts of genuine deliveries.
    attempts,
    /// Attempts without a 2xx response, except those whose response was lost on purpose.
    errors,
    /// Attempts without a complete response in time.
    timeouts,
    /// Attempts after the first attempt of a delivery.
    retries,
    /// Retries and duplicates that were dropped because too many were waiting.
    dropped,
    /// Attempts that started at least 10 ms late, mostly because every connection was busy.
    late_for_connections,
    /// Attempts that started at least 10 ms late, mostly because this machine was too busy.
    late_for_machine,
    /// Events that were delivered again later.
    duplicates,
    /// Events that were delivered twice simultaneously.
    together,
    /// Attempts whose response was lost on purpose.
    lost_acks,
    /// Forgeries that were sent.
    forgeries,
    /// Forgeries that were refused (4xx).
    refused_forgeries,
    /// Forgeries that were accepted (2xx).
    accepted_forgeries,
}
    /// Responses to genuine attempts by status.
    pub statuses: BTreeMap<u16, u64>,
    /// Genuine attempts without a response by cause.
    pub failures: BTreeMap<Cow<'static, str>, u64>,
}

counters! {
/// The counts of some of the events, defined as in the counts of the whole load.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
MixCounts {
    /// Events that were started, including forged ones.
    events,
    /// Genuine deliveries that were started.
    deliveries,
    /// Deliveries that ended with a 2xx response, which the sender received.
    acknowledged,
    /// Refused deliveries whose event may be refused.
    allowed_refusals,
    /// Attempts without a 2xx response, except those whose response was lost on purpose.
    errors,
}
}

impl AddAssign for MixCounts {
    fn add_assign(&mut self, other: Self) {
        self.add_counters(&other);
    }
}

impl LoadCounts {
    pub fn add(&mut self, other: &Self) {
        self.add_counters(other);
        for (status, count) in &other.statuses {
            let sum = self.statuses.entry(*status).or_default();
            *sum = sum.saturating_add(*count);
        }
        for (name, count) in &other.failures {
            let sum = self.failures.entry(name.clone()).or_default();
            *sum = sum.saturating_add(*count);
        }
    }

    pub fn undelivered(&self) -> u64 {
        let ended_well = self.acknowledged.saturating_add(self.allowed_refusals);
        self.deliveries.saturating_sub(ended_well)
    }

    pub(super) fn count_unfinished(&mut self) {
        let ended = self.acknowledged + self.refused + self.exhausted;
        self.unfinished = self.deliveries.saturating_sub(ended);
    }
}
