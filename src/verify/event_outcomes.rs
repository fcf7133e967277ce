//! How the receiver responded to each event, which decides whether it must have been granted.

use std::collections::BTreeMap;

use crate::delivery::Delivery;
use crate::policy::Outcome;

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum EventOutcome {
    /// No attempt reached the receiver.
    Unreached,
    /// Every attempt got a response, none of them 2xx.
    Refused,
    /// An attempt got no response, or none was made: the event may or may not have been granted.
    #[default]
    Unknown,
    /// A delivery got a 2xx response.
    Success,
}

#[derive(Debug, Default)]
pub(crate) struct EventOutcomes {
    by_event: BTreeMap<String, EventOutcome>,
    /// The outcome of all other events.
    others: EventOutcome,
}

impl EventOutcomes {
    /// As if every event was accepted.
    pub(super) fn all_accepted() -> Self {
        Self {
            others: EventOutcome::Success,
            ..Self::default()
        }
    }

    pub(crate) fn add(&mut self, event: &str, delivery: &Delivery) {
        let mut attempts = delivery.attempts.iter();
        let outcome = match delivery.outcome {
            Outcome::Delivered => EventOutcome::Success,
            _ if attempts
                .clone()
                .all(|attempt| attempt.exchange.is_refused_connection()) =>
            {
                EventOutcome::Unreached
            }
            _ if attempts.all(|attempt| attempt.exchange.result.is_ok()) => EventOutcome::Refused,
            _ => EventOutcome::Unknown,
        };
        let known = self.by_event.entry(event.to_owned()).or_insert(outcome);
        *known = outcome.max(*known);
    }

    pub(crate) fn get(&self, event: &str) -> EventOutcome {
        self.by_event.get(event).copied().unwrap_or(self.others)
    }

    #[cfg(test)]
    pub(super) fn set(&mut self, event: &str, outcome: EventOutcome) {
        self.by_event.insert(event.to_owned(), outcome);
    }
}
