//! An attempt that a connection has to make.

use std::time::Instant;

/// An attempt to deliver an event, with its due time.
#[derive(Debug, Clone)]
pub(super) struct ScheduledAttempt {
    /// The event's number in the whole stream.
    pub(super) number: u64,
    /// When it should start.
    pub(super) due: Instant,
    /// The attempt's number within its delivery, from 1.
    pub(super) attempt: u32,
    /// Which delivery of the event it belongs to.
    pub(super) delivery: DeliveryKind,
    /// Whether it is measured, which it is not during the warm-up.
    pub(super) measured: bool,
    /// Whether another delivery of the event is sent simultaneously.
    pub(super) together: bool,
    /// The timestamps of the event's earlier signatures, if any.
    pub(super) used: Option<UsedTimestamps>,
}

/// The timestamps in Unix seconds with which an event was signed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct UsedTimestamps {
    /// That of the delivery's first attempt; `None` before that attempt.
    first: Option<u64>,
    earliest: u64,
    latest: u64,
}

/// Which of an event's deliveries an attempt belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum DeliveryKind {
    /// The event's first delivery, which decides whether the event counts as acknowledged.
    Original,
    /// A duplicate, simultaneous or later.
    Duplicate,
}

impl ScheduledAttempt {
    /// The first attempt of an event.
    pub(super) fn new(number: u64, due: Instant, measured: bool) -> Self {
        Self {
            number,
            due,
            attempt: 1,
            delivery: DeliveryKind::Original,
            measured,
            together: false,
            used: None,
        }
    }

    /// The first attempt of a duplicate of this event, which was just signed with `timestamp`.
    pub(super) fn duplicate(&self, due: Instant, timestamp: u64) -> Self {
        let used = self.with_timestamp(timestamp);
        Self {
            due,
            attempt: 1,
            delivery: DeliveryKind::Duplicate,
            used: Some(UsedTimestamps {
                first: None,
                ..used
            }),
            ..*self
        }
    }

    /// The attempt after this one, which was signed with `timestamp`.
    pub(super) fn retry(&self, due: Instant, timestamp: u64) -> Self {
        Self {
            due,
            attempt: self.attempt.saturating_add(1),
            used: Some(self.with_timestamp(timestamp)),
            ..*self
        }
    }

    fn with_timestamp(&self, timestamp: u64) -> UsedTimestamps {
        UsedTimestamps {
            first: self.used.and_then(|used| used.first).or(Some(timestamp)),
            earliest: self
                .used
                .map_or(timestamp, |used| used.earliest.min(timestamp)),
            latest: self
                .used
                .map_or(timestamp, |used| used.latest.max(timestamp)),
        }
    }

    /// The timestamp to sign this attempt with at `now`, in Unix seconds.
    ///
    /// A fresh signature never uses a timestamp twice, because a receiver may reject a signature it
    /// has seen as a replay. If `now` was used already, this is the second before the earliest one.
    pub(super) fn next_timestamp(&self, now: u64, resign: bool) -> u64 {
        match self.used {
            Some(UsedTimestamps {
                first: Some(first), ..
            }) if !resign => first,
            Some(UsedTimestamps {
                earliest, latest, ..
            }) if now <= latest => earliest.saturating_sub(1),
            _ => now,
        }
    }

    /// Whether this is the first attempt to send the event.
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
        let first = ScheduledAttempt::new(7, due, true);
        assert_eq!(first.next_timestamp(100, true), 100);
        let retry = first.retry(due, 100);
        assert_eq!(retry.next_timestamp(100, true), 99);
        assert_eq!(retry.next_timestamp(101, true), 101);
        assert_eq!(retry.next_timestamp(101, false), 100);
        let third = retry.retry(due, 99);
        assert_eq!(third.next_timestamp(100, true), 98);
        // A duplicate has its own first attempt.
        let duplicate = third.duplicate(due, 98);
        assert_eq!(duplicate.next_timestamp(100, true), 97);
        assert_eq!(duplicate.next_timestamp(102, false), 102);
        let again = duplicate.retry(due, 102);
        assert_eq!(again.next_timestamp(105, false), 102);
    }
}
