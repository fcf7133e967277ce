//! The due time of each attempt of a delivery: the sum of the retry policy's waits, without the time
//! that requests took.

use std::time::Duration;

use crate::policy::DurationText;
use crate::run::{AttemptEnded, ResponseRecord};

/// When an attempt was due. `None` after a response with a date in `Retry-After`, which refers to the
/// real clock.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct DueTime(Option<Duration>);

impl DueTime {
    /// When the first attempt was due.
    pub(super) const START: Self = Self(Some(Duration::ZERO));

    /// When the attempt after `before` was due.
    pub(super) fn next(self, before: &AttemptEnded, attempt: &AttemptEnded) -> Self {
        let waited = attempt.delay_before;
        let due = self.0.filter(|_| !names_a_date(&before.response));
        Self(due.map(|due| due.saturating_add(waited)))
    }
}

impl std::fmt::Display for DueTime {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.0 {
            Some(due) => write!(formatter, "+{}", DurationText(due)),
            None => formatter.write_str("+…"),
        }
    }
}

/// Whether a response has a date in `Retry-After`.
pub(super) fn names_a_date(response: &ResponseRecord) -> bool {
    let ResponseRecord::Response { headers, .. } = response else {
        return false;
    };
    headers.iter().any(|(name, value)| {
        name.eq_ignore_ascii_case("retry-after") && value.trim().parse::<u64>().is_err()
    })
}
