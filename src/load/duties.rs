//! One thing that a connection is to do: an attempt to deliver an event.

use std::time::Instant;

/// An attempt to deliver an event.
#[derive(Debug, Clone)]
pub(super) struct Duty {
    /// The event's number in the whole stream.
    pub(super) number: u64,
    /// When it is to begin.
    pub(super) due: Instant,
    /// Which attempt of its delivery this is, from 1.
    pub(super) attempt: u32,
    /// The event's own delivery, or another one beside it.
    pub(super) part: Part,
    /// Whether figures are taken, which they are not in the warm-up.
    pub(super) measured: bool,
    /// What the delivery's first attempt was signed as of, in Unix seconds.
    pub(super) first_signed: Option<u64>,
}

/// Which of an event's deliveries.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Part {
    /// Its own, which decides whether the event was acknowledged.
    Own,
    /// A duplicate, at the same moment or later.
    Duplicate,
}

impl Duty {
    /// The first attempt of an event.
    pub(super) fn new(number: u64, due: Instant, measured: bool) -> Self {
        Self {
            number,
            due,
            attempt: 1,
            part: Part::Own,
            measured,
            first_signed: None,
        }
    }

    /// The first attempt of another delivery of the same event.
    pub(super) fn duplicate(&self, due: Instant) -> Self {
        Self {
            due,
            attempt: 1,
            part: Part::Duplicate,
            first_signed: None,
            ..*self
        }
    }

    /// The attempt after this one.
    pub(super) fn retry(&self, due: Instant, first_signed: u64) -> Self {
        Self {
            due,
            attempt: self.attempt.saturating_add(1),
            first_signed: Some(first_signed),
            ..*self
        }
    }

    /// Whether the event is seen for the first time.
    pub(super) fn is_new(&self) -> bool {
        self.attempt == 1 && self.part == Part::Own
    }
}
