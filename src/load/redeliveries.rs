//! The deliveries of one worker that wait for their time: retries and duplicates. Bounded, and no
//! bodies: an event is made again from its number.

use std::cmp::Ordering;
use std::collections::BinaryHeap;
use std::time::Instant;

use super::duties::Duty;

/// The most that one worker keeps waiting: some 8 MB.
const MOST: usize = 100_000;

/// What waits, the soonest first.
#[derive(Debug, Default)]
pub(super) struct Redeliveries {
    waiting: BinaryHeap<Waiting>,
    /// In which order they came, for those that are due at the same moment.
    came: u64,
}

#[derive(Debug)]
struct Waiting {
    came: u64,
    duty: Duty,
}

impl Redeliveries {
    /// Keeps a duty until it is due, or gives it back where too many wait already.
    pub(super) fn add(&mut self, duty: Duty) -> Result<(), Duty> {
        if self.waiting.len() >= MOST {
            return Err(duty);
        }
        self.came += 1;
        let came = self.came;
        self.waiting.push(Waiting { came, duty });
        Ok(())
    }

    /// When the next one is due.
    pub(super) fn next_due(&self) -> Option<Instant> {
        self.waiting.peek().map(|waiting| waiting.duty.due)
    }

    /// The next one, if it is due.
    pub(super) fn take_due(&mut self, now: Instant) -> Option<Duty> {
        if self.next_due()? > now {
            return None;
        }
        self.waiting.pop().map(|waiting| waiting.duty)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.waiting.is_empty()
    }

    /// All that waits, which nobody will do any more.
    pub(super) fn abandon(&mut self) -> impl Iterator<Item = Duty> + use<> {
        std::mem::take(&mut self.waiting)
            .into_iter()
            .map(|waiting| waiting.duty)
    }
}

/// The greatest is the soonest.
impl Ord for Waiting {
    fn cmp(&self, other: &Self) -> Ordering {
        (other.duty.due, other.came).cmp(&(self.duty.due, self.came))
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
    fn the_soonest_comes_first_and_none_before_its_time() {
        let now = Instant::now();
        let after = |milliseconds| now + Duration::from_millis(milliseconds);
        let mut redeliveries = Redeliveries::default();
        for (number, milliseconds) in [(1, 30), (2, 10), (3, 20), (4, 10)] {
            let duty = Duty::new(number, after(milliseconds), true);
            assert!(redeliveries.add(duty).is_ok());
        }
        assert!(redeliveries.take_due(now).is_none());
        let mut taken = Vec::new();
        while let Some(duty) = redeliveries.take_due(after(20)) {
            taken.push(duty.number);
        }
        assert_eq!(taken, [2, 4, 3]);
        assert_eq!(redeliveries.abandon().count(), 1);
        assert!(redeliveries.is_empty());
    }

    #[test]
    fn there_is_a_bound() {
        let mut redeliveries = Redeliveries::default();
        let duty = || Duty::new(0, Instant::now(), true);
        while redeliveries.add(duty()).is_ok() {}
        assert_eq!(redeliveries.waiting.len(), MOST);
    }
}
