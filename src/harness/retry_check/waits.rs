//! Whether each wait is what the policy says.

use std::time::Duration;

use super::is_late;
use crate::delivery::{Attempt, Delivery, Failure, SenderAbort};
use crate::scenario::{Delays, DurationText, RetryAfter, RetryPolicy};

/// How far computing with floating point may stray: seconds are exact to some 15 digits, and each
/// step of a backoff is cut to the nanosecond.
const SLACK: f64 = 1e-6;

/// The shortest and the longest that a wait may be, in seconds.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Bounds {
    least: f64,
    most: f64,
}

impl Bounds {
    /// Of the wait before the retry of this index, from 0.
    fn of(policy: &RetryPolicy, index: usize) -> Self {
        let delay = match &policy.delays {
            Delays::List(delays) => {
                let delay = delays.get(index).or(delays.last());
                delay.map_or(0.0, |delay| delay.0.as_secs_f64())
            }
            Delays::Exponential(backoff) => {
                let exponent = i32::try_from(index).unwrap_or(i32::MAX);
                let grown = match backoff.first.0.as_secs_f64() {
                    0.0 => 0.0,
                    first => first * backoff.factor.powi(exponent),
                };
                grown.min(backoff.max.0.as_secs_f64())
            }
        };
        let share = f64::from(policy.jitter.millionths()) / 1e6;
        Self {
            least: delay * (1.0 - share),
            most: delay * (1.0 + share),
        }
    }

    /// The same where the receiver has asked for a wait.
    fn asked(self, setting: RetryAfter, asked: Option<Duration>) -> Self {
        match (setting, asked) {
            (RetryAfter::UpTo(max), Some(asked)) => {
                let asked = asked.min(max.0).as_secs_f64();
                Self {
                    least: self.least.max(asked),
                    most: self.most.max(asked),
                }
            }
            _ => self,
        }
    }

    fn holds(self, wait: Duration) -> bool {
        let seconds = wait.as_secs_f64();
        let slack = SLACK * self.most.max(1.0);
        self.least - slack <= seconds && seconds <= self.most + slack
    }
}

/// Looks at each wait and at its place in the timeline.
pub(super) fn waits(policy: &RetryPolicy, delivery: &Delivery, found: &mut Vec<String>) {
    if let Some(first) = delivery.attempts.first()
        && !first.delay_before.is_zero()
    {
        let waited = DurationText(first.delay_before);
        found.push(format!("attempt 1 was waited for: {waited}"));
    }
    for (index, pair) in delivery.attempts.windows(2).enumerate() {
        let [before, attempt] = pair else { continue };
        let (number, waited) = (attempt.number, attempt.delay_before);
        // The sum of all waits of a late retry needs no bounds that are worth the computing where
        // there are very many.
        let bounds = match is_late(delivery) {
            true if policy.attempts > MOST_ADDED => None,
            true => Some(whole(policy)),
            false => {
                let asked = before.retry_after();
                Some(Bounds::of(policy, index).asked(policy.retry_after, asked))
            }
        };
        if let Some(bounds) = bounds.filter(|bounds| !bounds.holds(waited)) {
            let (waited, Bounds { least, most }) = (DurationText(waited), bounds);
            found.push(format!(
                "attempt {number} came after {waited}, and {least} s to {most} s are allowed"
            ));
        }
        let earliest = before
            .virtual_offset
            .saturating_add(given_up_after(before))
            .saturating_add(waited);
        if attempt.virtual_offset < earliest {
            found.push(format!(
                "attempt {number} began before its wait of {} was over",
                DurationText(waited)
            ));
        }
    }
}

/// How many waits are added up.
const MOST_ADDED: u32 = 10_000;

/// The bounds of all waits of a policy together.
fn whole(policy: &RetryPolicy) -> Bounds {
    let retries = policy.attempts.saturating_sub(1) as usize;
    let none = Bounds {
        least: 0.0,
        most: 0.0,
    };
    let each = (0..retries).map(|index| Bounds::of(policy, index));
    each.fold(none, |sum, one| Bounds {
        least: sum.least + one.least,
        most: sum.most + one.most,
    })
}

/// How long the sender waited for an answer, as if, before it gave the attempt up.
fn given_up_after(attempt: &Attempt) -> Duration {
    match &attempt.exchange.result {
        Err(Failure::Aborted(SenderAbort::Abandoned { after })) => *after,
        _ => Duration::ZERO,
    }
}
