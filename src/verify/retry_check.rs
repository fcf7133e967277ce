//! Checks that aghook itself followed the retry policy of a delivery.
//!
//! The verdict on a receiver depends on correct retries. So this module checks the record of every
//! delivery without using the code that sent it. A deviation makes the scenario broken, but never
//! fails the receiver.

mod identity;
mod waits;

use self::identity::check_identity;
use self::waits::check_waits;
use super::verdict::{Check, Requirement};
use crate::delivery::{Attempt, Delivery, Outcome};
use crate::policy::{Fault, RetryOn, RetryPolicy};
use crate::transport::FailureClass;

/// A broken check if the delivery deviates from its policy; `None` otherwise.
pub(crate) fn check_retry_policy(policy: &RetryPolicy, delivery: &Delivery) -> Option<Check> {
    let deviations = policy_deviations(policy, delivery);
    let expected = "aghook follows the retry policy";
    (!deviations.is_empty())
        .then(|| Requirement::default().broken("retries", expected, deviations.join("; ")))
}

/// All deviations of a delivery from its policy:
///
/// - the number of attempts: the delivery ends with a success, with a response or a failure that is
///   not retried, or when all attempts are used up;
/// - each wait: within the jitter of its delay or as long as `Retry-After` asks, and consistent
///   with the virtual clock;
/// - the identity of retries: the same body, or the same except for the event ID; signed again or
///   with the first signature; on a new connection if the policy says so.
pub fn policy_deviations(policy: &RetryPolicy, delivery: &Delivery) -> Vec<String> {
    let mut deviations = Vec::new();
    number_of_attempts(policy, delivery, &mut deviations);
    check_waits(policy, delivery, &mut deviations);
    check_identity(policy, delivery, &mut deviations);
    deviations
}

/// How the delivery ends after an attempt; `None` if the policy retries it.
fn outcome_after(policy: &RetryPolicy, attempt: &Attempt) -> Option<Outcome> {
    let retries = |on: RetryOn| policy.retry_on.contains(&on);
    match &attempt.exchange.result {
        Ok(response) if (200..300).contains(&response.status) => Some(Outcome::Delivered),
        Ok(response) if policy.retries_status(response.status) => None,
        Ok(response) => {
            let slow = matches!(attempt.fault, Some(Fault::SlowBody(_)));
            if !slow || response.status != 408 {
                return Some(Outcome::Refused);
            }
            (!retries(RetryOn::Timeout)).then_some(Outcome::Exhausted)
        }
        Err(failure) => {
            let on = match failure.class() {
                FailureClass::Timeout => RetryOn::Timeout,
                FailureClass::Connection => RetryOn::Connection,
            };
            (!retries(on)).then_some(Outcome::Exhausted)
        }
    }
}

/// The maximum number of attempts of a delivery. With a late retry, it is two.
fn max_attempts(policy: &RetryPolicy, delivery: &Delivery) -> u32 {
    if is_late(delivery) {
        policy.attempts.min(2)
    } else {
        policy.attempts
    }
}

fn is_late(delivery: &Delivery) -> bool {
    let first = delivery.attempts.first();
    matches!(
        first.and_then(|first| first.fault),
        Some(Fault::LateRetry(_))
    )
}

fn number_of_attempts(policy: &RetryPolicy, delivery: &Delivery, deviations: &mut Vec<String>) {
    let Some((last, before)) = delivery.attempts.split_last() else {
        return deviations.push("no attempt was made".to_owned());
    };
    for (number, attempt) in (1..).zip(&delivery.attempts) {
        if attempt.number != number {
            let other = attempt.number;
            deviations.push(format!("attempt {number} has the number {other}"));
        }
    }
    let max = max_attempts(policy, delivery);
    let count = delivery.attempts.len();
    if count > max as usize {
        deviations.push(format!(
            "{count} attempts were made, but only {max} are allowed"
        ));
    }
    for attempt in before {
        if let Some(outcome) = outcome_after(policy, attempt) {
            let number = attempt.number;
            let outcome = format!("{outcome:?}").to_lowercase();
            deviations.push(format!(
                "attempt {number} was {outcome}, but another followed"
            ));
        }
    }
    let expected = outcome_after(policy, last);
    if expected.is_none() && count < max as usize {
        deviations.push(format!("attempt {} was not retried", last.number));
    }
    let expected = expected.unwrap_or(Outcome::Exhausted);
    if expected != delivery.outcome {
        let reported = delivery.outcome;
        deviations.push(format!(
            "the delivery is {expected:?}, but was reported as {reported:?}"
        ));
    }
}

#[cfg(test)]
mod tests;
