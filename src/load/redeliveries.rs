//! One worker's queue of retries and duplicates that are not due yet. It is bounded and stores no
//! bodies: an event is rebuilt from its number.

use std::collections::BTreeMap;
use std::time::Instant;

use super::scheduled_attempt::ScheduledAttempt;

/// The most attempts that one worker's queue holds: some 8 MB.
const MOST: usize = 100_000;

#[derive(Debug, Default)]
pub(super) struct Redeliveries {
    /// By due time, then by the order in which they were added.
    waiting: BTreeMap<(Instant, u64), ScheduledAttempt>,
    added: u64,
}

impl Redeliveries {
    pub(super) fn add(&mut self, scheduled: ScheduledAttempt) -> Result<(), ScheduledAttempt> {
        if self.waiting.len() >= MOST {
            return Err(scheduled);
        }
        self.added += 1;
        self.waiting.insert((scheduled.due, self.added), scheduled);
        Ok(())
    }

    pub(super) fn next_due(&self) -> Option<Instant> {
        self.waiting.keys().next().map(|(due, _)| *due)
    }

    pub(super) fn take_due(&mut self, now: Instant) -> Option<ScheduledAttempt> {
        let next = self.waiting.first_entry()?;
        (next.key().0 <= now).then(|| next.remove())
    }

    pub(super) fn is_empty(&self) -> bool {
        self.waiting.is_empty()
    }

    pub(super) fn abandon(&mut self) -> impl Iterator<Item = ScheduledAttempt> + use<> {
        std::mem::take(&mut self.waiting).into_values()
    }
}

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
