//! When each attempt of a delivery was due: the waits of the retry policy added up, without the
//! time that anything took.

use std::time::Duration;

use crate::harness::{AttemptEnded, ResponseRecord};
use crate::scenario::DurationText;

/// When an attempt was due; none where an answer named a date for it, which counts from the real
/// clock.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Due(Option<Duration>);

impl Due {
    /// The first attempt's.
    pub(super) const START: Self = Self(Some(Duration::ZERO));

    /// That of the attempt after `before`.
    pub(super) fn next(self, before: &AttemptEnded, attempt: &AttemptEnded) -> Self {
        let waited = attempt.delay_before;
        let due = self.0.filter(|_| !names_a_date(&before.answer));
        Self(due.map(|due| due.saturating_add(waited)))
    }
}

impl std::fmt::Display for Due {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.0 {
            Some(due) => write!(formatter, "+{}", DurationText(due)),
            None => formatter.write_str("+…"),
        }
    }
}

/// Whether an answer asks to come back at a date.
pub(super) fn names_a_date(answer: &ResponseRecord) -> bool {
    let ResponseRecord::Response { headers, .. } = answer else {
        return false;
    };
    headers.iter().any(|(name, value)| {
        name.eq_ignore_ascii_case("retry-after") && value.trim().parse::<u64>().is_err()
    })
}
