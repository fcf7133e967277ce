//! An attempt that a connection has to make.

use std::time::Instant;

use super::event_source::EventFacts;
use crate::delivery::UsedTimestamps;

#[derive(Debug, Clone, Copy)]
pub(super) struct ScheduledAttempt {
    /// The event's number in the whole stream.
    pub(super) number: u64,
    pub(super) due: Instant,
    /// The attempt's number within its delivery, from 1.
    pub(super) attempt: u32,
    pub(super) delivery: DeliveryKind,
    pub(super) measured: bool,
    /// Whether another delivery of the event is sent simultaneously.
    pub(super) together: bool,
    /// The timestamp of the delivery's first attempt; `None` before that attempt.
    first_timestamp: Option<u64>,
    /// The timestamps of the event's earlier signatures.
    used: UsedTimestamps,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum DeliveryKind {
    /// The event's first delivery, which decides whether the event counts as acknowledged.
    Original,
    Duplicate,
}

/// An attempt whose request is built.
#[derive(Debug)]
pub(super) struct BuiltAttempt {
    pub(super) scheduled: ScheduledAttempt,
    pub(super) facts: EventFacts,
}

impl ScheduledAttempt {
    pub(super) fn new(number: u64, due: Instant, measured: bool) -> Self {
        Self {
            number,
            due,
            attempt: 1,
            delivery: DeliveryKind::Original,
            measured,
            together: false,
            first_timestamp: None,
            used: UsedTimestamps::default(),
        }
    }

    pub(super) fn duplicate(&self, due: Instant) -> Self {
        Self {
            due,
            attempt: 1,
            delivery: DeliveryKind::Duplicate,
            first_timestamp: None,
            ..*self
        }
    }

    pub(super) fn retry(&self, due: Instant) -> Self {
        Self {
            due,
            attempt: self.attempt.saturating_add(1),
            ..*self
        }
    }

    /// Takes the timestamp to sign this attempt with at `now`, in Unix seconds: that of the first
    /// attempt, or with `resign` an unused one.
    pub(super) fn take_timestamp(&mut self, now: u64, resign: bool) -> u64 {
        match self.first_timestamp {
            Some(first) if !resign => first,
            first => {
                let timestamp = self.used.take(now);
                self.first_timestamp = first.or(Some(timestamp));
                timestamp
            }
        }
    }

    pub(super) fn is_new(&self) -> bool {
        self.attempt == 1 && self.delivery == DeliveryKind::Original
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fresh_signatures_never_repeat_a_timestamp() {
        let due = Instant::now();
        let mut first = ScheduledAttempt::new(7, due, true);
        assert_eq!(first.take_timestamp(100, true), 100);
        let retry = first.retry(due);
        assert_eq!({ retry }.take_timestamp(101, true), 101);
        assert_eq!({ retry }.take_timestamp(101, false), 100);
        let mut retry = retry;
        assert_eq!(retry.take_timestamp(100, true), 99);
        let mut third = retry.retry(due);
        assert_eq!(third.take_timestamp(100, true), 98);
        // A duplicate has its own first attempt.
        let duplicate = third.duplicate(due);
        assert_eq!({ duplicate }.take_timestamp(100, true), 97);
        let mut duplicate = duplicate;
        assert_eq!(duplicate.take_timestamp(102, false), 102);
        assert_eq!(duplicate.retry(due).take_timestamp(105, false), 102);
    }
}
