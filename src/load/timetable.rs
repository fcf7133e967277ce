//! Which event of this sender's share is due when: pure arithmetic over rate, warm-up, length and
//! partition.

use std::time::Duration;

use super::partition::Partition;
use super::rate::Rate;
use super::settings::{Length, LoadSettings};

/// The times of all events of a load at a rate; where events leave as fast as they can, only its
/// bounds.
#[derive(Debug, Clone, Copy)]
pub(super) struct Timetable {
    rate: Rate,
    warmup: Duration,
    /// How many events of the whole stream are warm-up; none where events leave as fast as they
    /// can, for then the clock decides.
    warmup_events: u64,
    length: Length,
    partition: Partition,
}

impl Timetable {
    pub(super) fn new(settings: &LoadSettings) -> Self {
        let warmup_rate = settings.rate.at_start();
        let warmup_events = warmup_rate.events_before(settings.warmup);
        Self {
            rate: settings.rate,
            warmup: settings.warmup,
            warmup_events: warmup_events.unwrap_or_default(),
            length: settings.length,
            partition: settings.partition,
        }
    }

    pub(super) fn is_max(&self) -> bool {
        self.rate == Rate::Max
    }

    /// The number of this share's event `index`.
    pub(super) fn number(&self, index: u64) -> u64 {
        self.partition.number(index)
    }

    /// When this share's event `index` is due after the start.
    pub(super) fn due(&self, index: u64) -> Option<Duration> {
        self.due_of_number(self.number(index))
    }

    fn due_of_number(&self, number: u64) -> Option<Duration> {
        match number.checked_sub(self.warmup_events) {
            None => self.rate.at_start().due(number),
            Some(measured) => Some(self.warmup.saturating_add(self.rate.due(measured)?)),
        }
    }

    /// How many events this share has at a rate.
    pub(super) fn own_events(&self) -> Option<u64> {
        let numbers = self.numbers()?;
        Some(self.partition.of_first(numbers))
    }

    /// How many events the whole stream has at a rate.
    fn numbers(&self) -> Option<u64> {
        let measured = match (self.is_max(), self.length) {
            (true, _) => return None,
            (false, Length::Count(count)) => count,
            (false, Length::Duration(duration)) => self.rate.events_before(duration)?,
        };
        Some(self.warmup_events.saturating_add(measured))
    }

    /// How many events are measured of those that leave as fast as they can, where that is bounded.
    pub(super) fn most_measured(&self) -> Option<u64> {
        match self.length {
            Length::Count(count) => Some(self.partition.of_first(count)),
            Length::Duration(_) => None,
        }
    }

    /// When, after the start, no new event leaves any more as fast as it can.
    pub(super) fn last_moment(&self) -> Option<Duration> {
        match self.length {
            Length::Duration(duration) => Some(self.warmup.saturating_add(duration)),
            Length::Count(_) => None,
        }
    }

    pub(super) fn warmup(&self) -> Duration {
        self.warmup
    }

    /// Whether an event of this number is warm-up, at a rate.
    pub(super) fn is_warmup(&self, number: u64) -> bool {
        number < self.warmup_events
    }

    /// How long the measured events take by plan.
    pub(super) fn planned_span(&self) -> Option<Duration> {
        if let (false, Length::Duration(duration)) = (self.is_max(), self.length) {
            return Some(duration);
        }
        let end = self.due_of_number(self.numbers()?)?;
        Some(end.saturating_sub(self.warmup))
    }
}
