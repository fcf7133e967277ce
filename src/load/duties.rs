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
    /// Whether another delivery of the event leaves at the same moment.
    pub(super) together: bool,
    /// As of when the event was signed before, if it was.
    pub(super) signed: Option<Signed>,
}

/// As of which Unix seconds an event was signed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Signed {
    /// The first attempt of the present delivery; none before it.
    first: Option<u64>,
    earliest: u64,
    latest: u64,
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
            together: false,
            signed: None,
        }
    }

    /// The first attempt of another delivery of the same event, which was signed as of `signed`.
    pub(super) fn duplicate(&self, due: Instant, signed: u64) -> Self {
        let before = self.signed_as_of(signed);
        Self {
            due,
            attempt: 1,
            part: Part::Duplicate,
            signed: Some(Signed {
                first: None,
                ..before
            }),
            ..*self
        }
    }

    /// The attempt after this one, which was signed as of `signed`.
    pub(super) fn retry(&self, due: Instant, signed: u64) -> Self {
        Self {
            due,
            attempt: self.attempt.saturating_add(1),
            signed: Some(self.signed_as_of(signed)),
            ..*self
        }
    }

    fn signed_as_of(&self, second: u64) -> Signed {
        Signed {
            first: self.signed.and_then(|signed| signed.first).or(Some(second)),
            earliest: self
                .signed
                .map_or(second, |signed| signed.earliest.min(second)),
            latest: self
                .signed
                .map_or(second, |signed| signed.latest.max(second)),
        }
    }

    /// As of which second it is signed at `now`, in Unix seconds: of one that is signed afresh, never
    /// the same one twice, for a receiver may take a signature that it has seen for a replay. Where
    /// `now` is taken, the latest one before those.
    pub(super) fn second_to_sign(&self, now: u64, resign: bool) -> u64 {
        match self.signed {
            Some(Signed {
                first: Some(first), ..
            }) if !resign => first,
            Some(Signed {
                earliest, latest, ..
            }) if now <= latest => earliest.saturating_sub(1),
            _ => now,
        }
    }

    /// Whether the event is seen for the first time.
    pub(super) fn is_new(&self) -> bool {
        self.attempt == 1 && self.part == Part::Own
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_second_is_signed_twice_unless_retries_repeat_it() {
        let due = Instant::now();
        let first = Duty::new(7, due, true);
        assert_eq!(first.second_to_sign(100, true), 100);
        let retry = first.retry(due, 100);
        assert_eq!(retry.second_to_sign(100, true), 99);
        assert_eq!(retry.second_to_sign(101, true), 101);
        assert_eq!(retry.second_to_sign(101, false), 100);
        let third = retry.retry(due, 99);
        assert_eq!(third.second_to_sign(100, true), 98);
        // Another delivery has a first attempt of its own.
        let duplicate = third.duplicate(due, 98);
        assert_eq!(duplicate.second_to_sign(100, true), 97);
        assert_eq!(duplicate.second_to_sign(102, false), 102);
        let again = duplicate.retry(due, 102);
        assert_eq!(again.second_to_sign(105, false), 102);
    }
}
