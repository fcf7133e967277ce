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
    let first_body = &first.exchange.request.body;
    let mut ids = vec![event_id(first_body)];
    let keeps_id = policy.event_id == EventIdOnRetry::Keep || late || ids[0].is_none();
    for retry in retries {
        let body = &retry.exchange.request.body;
        let is_same = body == first_body;
        let id = if keeps_id { None } else { event_id(body) };
        let reuses_signature = !late && !policy.resign;
        let reused = retry.exchange.connection.is_some_and(|used| used.reused);
        let checks = [
            (keeps_id && !is_same, "has a different body than the first"),
            (!keeps_id && ids.contains(&id), "has no fresh event ID"),
            (
                !keeps_id && without_event_id(body) != without_event_id(first_body),
                "differs from the first in more than the event ID",
            ),
            (
                late && retry.signed_timestamp > first.signed_timestamp,
                "is signed later than the first",
            ),
            (
                reuses_signature && retry.signed_timestamp != first.signed_timestamp,
                "has a different timestamp",
            ),
            (
                reuses_signature && is_same && signature(retry) != signature(first),
                "has a different signature",
            ),
            (
                reused && policy.connection == ConnectionChoice::New,
                "reused a connection",
            ),
        ];
        ids.push(id);
        let found = checks.into_iter().filter(|(deviates, _)| *deviates);
        deviations.extend(found.map(|(_, how)| format!("attempt {} {how}", retry.number)));
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
