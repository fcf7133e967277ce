//! Whether a delivery was made as its retry policy says: aghook's check of itself.
//!
//! What a receiver is judged by rests on the sender doing what it says. So every delivery that was
//! made is read again here, from its record alone and without the code that made it: a departure
//! makes the scenario broken, never the receiver failed.

mod identity;
mod waits;

use self::identity::identity;
use self::waits::waits;
use super::verdict::{Check, Demand};
use crate::delivery::{Attempt, Delivery, FailureClass, Outcome};
use crate::scenario::{Fault, RetryOn, RetryPolicy};

/// A check that is broken, where the delivery departs from its policy; none where it does not.
pub(super) fn self_check(policy: &RetryPolicy, delivery: &Delivery) -> Option<Check> {
    let departures = departures(policy, delivery);
    let expected = "aghook retries as the policy says";
    (!departures.is_empty())
        .then(|| Demand::default().broken("retries", expected, departures.join("; ")))
}

/// Everything in which a delivery departs from its policy:
///
/// - how many attempts there were: it stops on success, on an answer and a failure that are not
///   retried, and otherwise only when the attempts are used up;
/// - each wait: within its delay's jitter, or as long as the receiver asked for, and in the timeline;
/// - the identity of retries: the same bytes, or the same but for the event's ID; signed afresh, or
///   with the first signature; on a new connection, where one is asked for.
pub fn departures(policy: &RetryPolicy, delivery: &Delivery) -> Vec<String> {
    let mut found = Vec::new();
    number_of_attempts(policy, delivery, &mut found);
    waits(policy, delivery, &mut found);
    identity(policy, delivery, &mut found);
    found
}

/// What a policy says about an attempt: how the delivery ends with it, or nothing if it goes on.
fn end(policy: &RetryPolicy, attempt: &Attempt) -> Option<Outcome> {
    let goes_on = |on: RetryOn| policy.retry_on.contains(&on);
    match &attempt.exchange.result {
        Ok(response) if (200..300).contains(&response.status) => Some(Outcome::Delivered),
        Ok(response) if policy.retries_status(response.status) => None,
        Ok(response) => {
            let slow = matches!(attempt.fault, Some(Fault::SlowBody(_)));
            if !slow || response.status != 408 {
                return Some(Outcome::Refused);
            }
            (!goes_on(RetryOn::Timeout)).then_some(Outcome::Exhausted)
        }
        Err(failure) => {
            let on = match failure.class() {
                FailureClass::Timeout => RetryOn::Timeout,
                FailureClass::Connection => RetryOn::Connection,
            };
            (!goes_on(on)).then_some(Outcome::Exhausted)
        }
    }
}

/// How many attempts a delivery can have: a late retry is the policy's last.
fn most_attempts(policy: &RetryPolicy, delivery: &Delivery) -> u32 {
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

fn number_of_attempts(policy: &RetryPolicy, delivery: &Delivery, found: &mut Vec<String>) {
    let Some((last, before)) = delivery.attempts.split_last() else {
        return found.push("no attempt was made".to_owned());
    };
    for (number, attempt) in (1..).zip(&delivery.attempts) {
        if attempt.number != number {
            let other = attempt.number;
            found.push(format!("attempt {number} has the number {other}"));
        }
    }
    let most = most_attempts(policy, delivery);
    let made = delivery.attempts.len();
    if made > most as usize {
        found.push(format!("{made} attempts were made, and {most} are allowed"));
    }
    for attempt in before {
        if let Some(outcome) = end(policy, attempt) {
            let number = attempt.number;
            let outcome = format!("{outcome:?}").to_lowercase();
            found.push(format!(
                "attempt {number} was {outcome}, and yet another followed"
            ));
        }
    }
    let right = end(policy, last);
    if right.is_none() && made < most as usize {
        found.push(format!(
            "attempt {} is to be retried, and was not",
            last.number
        ));
    }
    let right = right.unwrap_or(Outcome::Exhausted);
    if right != delivery.outcome {
        let told = delivery.outcome;
        found.push(format!("the delivery is {right:?}, and told as {told:?}"));
    }
}

#[cfg(test)]
mod tests;
