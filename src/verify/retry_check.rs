//! Checks that the retries of a delivery sent the same event, as the retry policy says.
//!
//! The verdict on a receiver depends on that. So this module checks the requests as they were sent,
//! without using the code that built them. A deviation makes the scenario broken, but never fails the
//! receiver. That waits and the number of attempts follow the policy is tested in `delivery`.

use bytes::Bytes;
use serde_json::Value;

use super::verdict::{Check, Requirement};
use crate::delivery::{Attempt, Delivery};
use crate::policy::{ConnectionChoice, EventIdOnRetry, Fault, RetryPolicy};
use crate::protocol::{SIGNATURE_HEADER, TIMESTAMP_HEADER};

pub(crate) fn check_retry_policy(policy: &RetryPolicy, delivery: &Delivery) -> Option<Check> {
    let deviations = policy_deviations(policy, delivery);
    let expected = "aghook follows the retry policy";
    (!deviations.is_empty())
        .then(|| Requirement::default().broken("retries", expected, deviations.join("; ")))
}

/// All deviations: each retry has the same body, or the same except for the event ID, is signed again
/// or with the first signature, and uses a new connection if the policy says so.
fn policy_deviations(policy: &RetryPolicy, delivery: &Delivery) -> Vec<String> {
    let Some((first, retries)) = delivery.attempts.split_first() else {
        return Vec::new();
    };
    let late = matches!(first.fault, Some(Fault::LateRetry(_)));
    let mut deviations = Vec::new();
    let mut ids = vec![event_id(&first.exchange.request.body)];
    for retry in retries {
        let number = retry.number;
        let (body, first_body) = (&retry.exchange.request.body, &first.exchange.request.body);
        if policy.event_id == EventIdOnRetry::Keep || late || ids[0].is_none() {
            if body != first_body {
                deviations.push(format!(
                    "attempt {number} has a different body than the first"
                ));
            }
        } else {
            let id = event_id(body);
            if ids.contains(&id) {
                deviations.push(format!("attempt {number} has no fresh event ID"));
            }
            ids.push(id);
            if without_event_id(body) != without_event_id(first_body) {
                deviations.push(format!(
                    "attempt {number} differs from the first in more than the event ID"
                ));
            }
        }
        if late && retry.signed_timestamp > first.signed_timestamp {
            deviations.push(format!("attempt {number} is signed later than the first"));
        }
        if !late && !policy.resign {
            if retry.signed_timestamp != first.signed_timestamp {
                deviations.push(format!("attempt {number} has a different timestamp"));
            }
            if body == first_body && signature(retry) != signature(first) {
                deviations.push(format!("attempt {number} has a different signature"));
            }
        }
        let reused = retry.exchange.connection.is_some_and(|used| used.reused);
        if reused && policy.connection == ConnectionChoice::New {
            deviations.push(format!("attempt {number} reused a connection"));
        }
    }
    deviations
}

fn signature(attempt: &Attempt) -> Vec<&[u8]> {
    let names = [SIGNATURE_HEADER, TIMESTAMP_HEADER];
    let headers = attempt.exchange.request.headers.iter();
    headers
        .filter(|(name, _)| names.iter().any(|one| name.eq_ignore_ascii_case(one)))
        .map(|(_, value)| value.as_bytes())
        .collect()
}

fn event_id(body: &Bytes) -> Option<String> {
    let json: Value = serde_json::from_slice(body).ok()?;
    Some(json.get("event_id")?.as_str()?.to_owned())
}

fn without_event_id(body: &Bytes) -> Option<Value> {
    let mut json: Value = serde_json::from_slice(body).ok()?;
    json.as_object_mut()?.remove("event_id");
    Some(json)
}

#[cfg(test)]
mod tests;
