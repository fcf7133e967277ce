//! One worker's queue of retries and duplicates that are not due yet. It is bounded and stores no
//! bodies: an event is rebuilt from its number.

use std::cmp::Ordering;
use std::collections::BinaryHeap;
use std::time::Instant;

use super::scheduled_attempt::ScheduledAttempt;

/// The most attempts that one worker's queue holds: some 8 MB.
const MOST: usize = 100_000;

/// The queue, ordered by due time.
#[derive(Debug, Default)]
pub(super) struct Redeliveries {
    waiting: BinaryHeap<Waiting>,
    /// A sequence number that orders attempts due at the same time.
    sequence: u64,
}

#[derive(Debug)]
struct Waiting {
    sequence: u64,
    scheduled: ScheduledAttempt,
}

impl Redeliveries {
    /// Queues an attempt, or returns it if the queue is full.
    pub(super) fn add(&mut self, scheduled: ScheduledAttempt) -> Result<(), ScheduledAttempt> {
        if self.waiting.len() >= MOST {
            return Err(scheduled);
        }
        self.sequence += 1;
        let sequence = self.sequence;
        self.waiting.push(Waiting {
            sequence,
            scheduled,
        });
        Ok(())
    }

    /// When the next attempt is due.
    pub(super) fn next_due(&self) -> Option<Instant> {
        self.waiting.peek().map(|waiting| waiting.scheduled.due)
    }

    /// Removes the next attempt if it is due.
    pub(super) fn take_due(&mut self, now: Instant) -> Option<ScheduledAttempt> {
        if self.next_due()? > now {
            return None;
        }
        self.waiting.pop().map(|waiting| waiting.scheduled)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.waiting.is_empty()
    }

    /// Removes all attempts, which will not be made.
    pub(super) fn abandon(&mut self) -> impl Iterator<Item = ScheduledAttempt> + use<> {
        std::mem::take(&mut self.waiting)
            .into_iter()
            .map(|waiting| waiting.scheduled)
    }
}

/// Reversed, so that the heap's greatest element is the earliest.
impl Ord for Waiting {
    fn cmp(&self, other: &Self) -> Ordering {
        (other.scheduled.due, other.sequence).cmp(&(self.scheduled.due, self.sequence))
    }
}

impl PartialOrd for Waiting {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Waiting {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Waiting {}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn the_earliest_comes_first_and_only_when_due() {
        let now = Instant::now();
        let after = |milliseconds| now + Duration::from_millis(milliseconds);
        let mut redeliveries = Redeliveries::default();
        for (number, milliseconds) in [(1, 30), (2, 10), (3, 20), (4, 10)] {
            let scheduled = ScheduledAttempt::new(number, after(milliseconds), true);
            assert!(redeliveries.add(scheduled).is_ok());
        }
        assert!(redeliveries.take_due(now).is_none());
        let mut taken = Vec::new();
        while let Some(scheduled) = redeliveries.take_due(after(20)) {
            taken.push(scheduled.number);
        }
        assert_eq!(taken, [2, 4, 3]);
        assert_eq!(redeliveries.abandon().count(), 1);
        assert!(redeliveries.is_empty());
    }

    #[test]
    fn the_queue_is_bounded() {
        let mut redeliveries = Redeliveries::default();
        let scheduled = || ScheduledAttempt::new(0, Instant::now(), true);
        while redeliveries.add(scheduled()).is_ok() {}
        assert_eq!(redeliveries.waiting.len(), MOST);
    }
}
