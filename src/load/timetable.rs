//! When each event of this sender's shard is due: computed from rate, warm-up, length and shard.

use std::time::Duration;

use super::rate::Rate;
use super::settings::{Length, LoadSettings};
use super::shard::LoadShard;

/// The due times of all events of a load. At the rate `max`, only its limits.
#[derive(Debug, Clone, Copy)]
pub(super) struct Timetable {
    rate: Rate,
    pub(super) warmup: Duration,
    /// How many events of the whole stream belong to the warm-up; 0 at the rate `max`, at which the
    /// clock decides.
    pub(super) warmup_events: u64,
    length: Length,
    pub(super) shard: LoadShard,
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
            shard: settings.shard,
        }
    }

    pub(super) fn is_max(&self) -> bool {
        self.rate == Rate::Max
    }

    /// When this shard's event `index` is due after the start; `None` at the rate `max`.
    pub(super) fn due(&self, index: u64) -> Option<Duration> {
        self.due_of_number(self.shard.number(index))
    }

    fn due_of_number(&self, number: u64) -> Option<Duration> {
        match number.checked_sub(self.warmup_events) {
            None => self.rate.at_start().due(number),
            Some(measured) => Some(self.warmup.saturating_add(self.rate.due(measured)?)),
        }
    }

    /// How many events this shard has; `None` at the rate `max`.
    pub(super) fn own_events(&self) -> Option<u64> {
        let numbers = self.numbers()?;
        Some(self.shard.count_of_first(numbers))
    }

    /// How many events the whole stream has; `None` at the rate `max`.
    fn numbers(&self) -> Option<u64> {
        let measured = match (self.is_max(), self.length) {
            (true, _) => return None,
            (false, Length::Count(count)) => count,
            (false, Length::Duration(duration)) => self.rate.events_before(duration)?,
        };
        Some(self.warmup_events.saturating_add(measured))
    }

    /// When no new event may start any more: `grace` after the last one was due. `None` at the rate
    /// `max`.
    pub(super) fn cutoff(&self, grace: Duration) -> Option<Duration> {
        let last = self.due(self.own_events()?.checked_sub(1)?)?;
        last.checked_add(grace)
    }

    /// How many of this shard's events belong to the warm-up.
    pub(super) fn own_warmup_events(&self) -> u64 {
        self.shard.count_of_first(self.warmup_events)
    }

    /// The limit of measured events of this shard at the rate `max`, if there is one.
    pub(super) fn most_measured(&self) -> Option<u64> {
        match self.length {
            Length::Count(count) => Some(self.shard.count_of_first(count)),
            Length::Duration(_) => None,
        }
    }

    /// The time after the start when no new event may start at the rate `max`, if limited.
    pub(super) fn last_start(&self) -> Option<Duration> {
        match self.length {
            Length::Duration(duration) => Some(self.warmup.saturating_add(duration)),
            Length::Count(_) => None,
        }
    }

    pub(super) fn planned_span(&self) -> Option<Duration> {
        if let (false, Length::Duration(duration)) = (self.is_max(), self.length) {
            return Some(duration);
        }
        let end = self.due_of_number(self.numbers()?)?;
        Some(end.saturating_sub(self.warmup))
    }
}
