//! Checks that each wait is as the policy says.

use std::time::Duration;

use super::is_late;
use crate::delivery::{Attempt, Delivery};
use crate::policy::{Delays, DurationText, RetryAfter, RetryPolicy};
use crate::transport::{Failure, SenderAbort};

/// The relative tolerance for floating point errors: seconds are exact to about 15 digits, and each
/// backoff is truncated to the nanosecond.
const TOLERANCE: f64 = 1e-6;

/// The minimum and the maximum wait in seconds.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Bounds {
    least: f64,
    most: f64,
}

impl Bounds {
    /// The bounds of the wait before the retry with this index, from 0.
    fn new(policy: &RetryPolicy, index: usize) -> Self {
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
        let fraction = f64::from(policy.jitter.millionths()) / 1e6;
        Self {
            least: delay * (1.0 - fraction),
            most: delay * (1.0 + fraction),
        }
    }

    /// Raises the bounds to the wait that the receiver asked for.
    fn with_retry_after(self, setting: RetryAfter, asked: Option<Duration>) -> Self {
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

    fn contains(self, wait: Duration) -> bool {
        let seconds = wait.as_secs_f64();
        let slack = TOLERANCE * self.most.max(1.0);
        self.least - slack <= seconds && seconds <= self.most + slack
    }
}

/// Checks each wait and its time on the virtual clock.
pub(super) fn check_waits(policy: &RetryPolicy, delivery: &Delivery, deviations: &mut Vec<String>) {
    if let Some(first) = delivery.attempts.first()
        && !first.delay_before.is_zero()
    {
        let waited = DurationText(first.delay_before);
        deviations.push(format!("attempt 1 came after a wait of {waited}"));
    }
    for (index, pair) in delivery.attempts.windows(2).enumerate() {
        let [before, attempt] = pair else { continue };
        let (number, waited) = (attempt.number, attempt.delay_before);
        // A late retry waits for the sum of all waits. With very many, the sum is not worth
        // computing.
        let bounds = match is_late(delivery) {
            true if policy.attempts > MAX_SUMMED_WAITS => None,
            true => Some(total(policy)),
            false => {
                let asked = before.retry_after();
                Some(Bounds::new(policy, index).with_retry_after(policy.retry_after, asked))
            }
        };
        if let Some(bounds) = bounds.filter(|bounds| !bounds.contains(waited)) {
            let (waited, Bounds { least, most }) = (DurationText(waited), bounds);
            deviations.push(format!(
                "attempt {number} came after {waited} instead of {least} s to {most} s"
            ));
        }
        let earliest = before
            .virtual_offset
            .saturating_add(timeout_before_retry(before))
            .saturating_add(waited);
        if attempt.virtual_offset < earliest {
            deviations.push(format!(
                "attempt {number} started before its wait of {} was over",
                DurationText(waited)
            ));
        }
    }
}

/// The maximum number of waits that are added up.
const MAX_SUMMED_WAITS: u32 = 10_000;

/// The bounds of the sum of all waits.
fn total(policy: &RetryPolicy) -> Bounds {
    let retries = policy.attempts.saturating_sub(1) as usize;
    let zero = Bounds {
        least: 0.0,
        most: 0.0,
    };
    let each = (0..retries).map(|index| Bounds::new(policy, index));
    each.fold(zero, |sum, one| Bounds {
        least: sum.least + one.least,
        most: sum.most + one.most,
    })
}

/// How long the sender pretended to wait for a response before it abandoned the attempt.
fn timeout_before_retry(attempt: &Attempt) -> Duration {
    match &attempt.exchange.result {
        Err(Failure::Aborted(SenderAbort::Abandoned { after })) => *after,
        _ => Duration::ZERO,
    }
}
