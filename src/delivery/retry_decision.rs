//! Decides what follows from an attempt: the only place that knows which results are retried. The
//! policy's schedule computes the delay.

use std::time::Duration;

use crate::policy::{Outcome, RetryOn, RetryPolicy, StatusClass};
use crate::transport::FailureClass;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum RetryDecision {
    End(Outcome),
    RetryAfter(Duration),
}

/// How an attempt ended, as far as a retry depends on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct AttemptEnd {
    pub(crate) result: Result<u16, FailureClass>,
    /// Whether the body was slow on purpose, so that a 408 is a timeout.
    pub(crate) slow_body: bool,
    pub(crate) retry_after: Option<Duration>,
}

impl AttemptEnd {
    /// What follows under this policy. `next_delay` returns the schedule's next delay, or `None` if no
    /// attempts are left; it is called only if the policy retries the result.
    pub(crate) fn decide(
        self,
        policy: &RetryPolicy,
        next_delay: impl FnOnce() -> Option<Duration>,
    ) -> RetryDecision {
        let retried_on = |on| (policy.retry_on.contains(&on), Outcome::Exhausted);
        let (is_retried, otherwise) = match self.result {
            // Never retry a success, even if the policy lists its status.
            Ok(status) if StatusClass::Success.matches(status) => (false, Outcome::Delivered),
            Ok(status) if policy.retries_status(status) => (true, Outcome::Exhausted),
            Ok(408) if self.slow_body => retried_on(RetryOn::Timeout),
            Ok(_) => (false, Outcome::Refused),
            Err(FailureClass::Timeout) => retried_on(RetryOn::Timeout),
            Err(FailureClass::Connection) => retried_on(RetryOn::Connection),
        };
        let delay = if is_retried { next_delay() } else { None };
        match delay {
            Some(delay) => {
                RetryDecision::RetryAfter(policy.retry_after.wait(delay, self.retry_after))
            }
            None => RetryDecision::End(otherwise),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::{DurationText, RetryAfter, StatusPattern};

    const DELAY: Duration = Duration::from_secs(5);
    const RETRY: RetryDecision = RetryDecision::RetryAfter(DELAY);

    fn end(result: Result<u16, FailureClass>) -> AttemptEnd {
        AttemptEnd {
            result,
            slow_body: false,
            retry_after: None,
        }
    }

    #[test]
    fn the_result_and_the_policy_decide() {
        let (timeout, connection) = (FailureClass::Timeout, FailureClass::Connection);
        let policy = RetryPolicy {
            retry_on: vec![
                RetryOn::Status(StatusPattern::Exact(429)),
                RetryOn::Status(StatusPattern::Exact(201)),
                RetryOn::Timeout,
            ],
            ..RetryPolicy::default()
        };
        for (result, expected) in [
            (Ok(200), RetryDecision::End(Outcome::Delivered)),
            (Ok(201), RetryDecision::End(Outcome::Delivered)),
            (Ok(429), RETRY),
            (Ok(408), RetryDecision::End(Outcome::Refused)),
            (Ok(500), RetryDecision::End(Outcome::Refused)),
            (Err(timeout), RETRY),
            (Err(connection), RetryDecision::End(Outcome::Exhausted)),
        ] {
            assert_eq!(
                end(result).decide(&policy, || Some(DELAY)),
                expected,
                "{result:?}"
            );
            let last = match expected {
                RetryDecision::RetryAfter(_) => RetryDecision::End(Outcome::Exhausted),
                end @ RetryDecision::End(_) => end,
            };
            assert_eq!(end(result).decide(&policy, || None), last, "{result:?}");
        }
        let slow = AttemptEnd {
            slow_body: true,
            ..end(Ok(408))
        };
        assert_eq!(slow.decide(&policy, || Some(DELAY)), RETRY);
        let never = RetryPolicy {
            retry_on: Vec::new(),
            ..policy
        };
        let exhausted = RetryDecision::End(Outcome::Exhausted);
        assert_eq!(slow.decide(&never, || Some(DELAY)), exhausted);
    }

    #[test]
    fn a_schedule_advances_only_for_a_retry() {
        for result in [Ok(200), Ok(400)] {
            end(result).decide(&RetryPolicy::default(), || {
                panic!("{result:?} is not retried")
            });
        }
    }

    #[test]
    fn a_retry_after_extends_the_delay_up_to_its_limit() {
        let up_to = |seconds| RetryAfter::UpTo(DurationText(Duration::from_secs(seconds)));
        for (setting, expected) in [(RetryAfter::Ignored, 5), (up_to(60), 20), (up_to(10), 10)] {
            let policy = RetryPolicy {
                retry_after: setting,
                ..RetryPolicy::default()
            };
            let asked = AttemptEnd {
                retry_after: Some(Duration::from_secs(20)),
                ..end(Ok(503))
            };
            let expected = RetryDecision::RetryAfter(Duration::from_secs(expected));
            assert_eq!(asked.decide(&policy, || Some(DELAY)), expected);
        }
    }
}
