//! How the deliveries of each event were answered, as far as that decides what it may have granted.

use std::collections::BTreeMap;

use crate::delivery::{Delivery, Outcome};

/// How an event was answered, all of its unforged deliveries taken together.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Answered {
    /// Every attempt was answered, and none with 2xx.
    Refused,
    /// An attempt was not answered, or none was made: it may have been granted or not.
    #[default]
    Unknown,
    /// A delivery was answered 2xx.
    Success,
}

/// How each event was answered.
#[derive(Debug, Default)]
pub(super) struct AnsweredEvents(BTreeMap<String, Answered>);

impl AnsweredEvents {
    /// Takes another delivery of an event.
    pub(super) fn add(&mut self, event: &str, delivery: &Delivery) {
        let mut attempts = delivery.attempts.iter();
        let answered = match delivery.outcome {
            Outcome::Delivered => Answered::Success,
            _ if attempts.all(|attempt| attempt.exchange.result.is_ok()) => Answered::Refused,
            _ => Answered::Unknown,
        };
        let known = self.0.entry(event.to_owned()).or_insert(answered);
        *known = answered.max(*known);
    }

    /// How an event was answered.
    pub(super) fn of(&self, event: &str) -> Answered {
        self.0.get(event).copied().unwrap_or_default()
    }
}
