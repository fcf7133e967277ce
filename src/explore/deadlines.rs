//! When the stages of an exploration end at the latest.

use std::time::{Duration, Instant};

/// How long an exploration goes on after its budget: as long as the budget, within these limits.
const LEAST_REST: Duration = Duration::from_secs(20);
const MOST_REST: Duration = Duration::from_mins(1);
/// How long scenarios of the bundled suite are started to find the cause of the failures.
const DIAGNOSIS: Duration = Duration::from_secs(30);
/// Later times may not exist.
const LONGEST_BUDGET: Duration = Duration::from_secs(1 << 31);

#[derive(Debug, Clone, Copy)]
pub(super) struct Deadlines {
    pub(super) shrinking: Instant,
    pub(super) confirming: Instant,
    end: Instant,
}

impl Deadlines {
    pub(super) fn after(started: Instant, budget: Duration) -> Self {
        let rest = budget.clamp(LEAST_REST, MOST_REST);
        let over = started + budget.min(LONGEST_BUDGET);
        Self {
            shrinking: over + rest / 2,
            confirming: over + rest * 3 / 4,
            end: over + rest,
        }
    }

    /// The end of a diagnosis that begins now.
    pub(super) fn diagnosis(&self, now: Instant) -> Instant {
        self.end.min(now + DIAGNOSIS)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_exploration_ends_about_as_long_after_its_budget_as_the_budget_is() {
        let started = Instant::now();
        for (budget, shrinking, end) in [(5, 10, 20), (30, 15, 30), (600, 30, 60)] {
            let over = started + Duration::from_secs(budget);
            let deadlines = Deadlines::after(started, Duration::from_secs(budget));
            let after = |deadline: Instant| deadline.duration_since(over).as_secs();
            assert_eq!(after(deadlines.shrinking), shrinking);
            assert!(deadlines.shrinking < deadlines.confirming);
            let late = deadlines.diagnosis(deadlines.confirming);
            assert_eq!(after(late), end);
            assert!(deadlines.diagnosis(started) <= started + DIAGNOSIS);
        }
    }
}
