//! Checks that retries send the same event, signed as the policy says.

use bytes::Bytes;
use serde_json::Value;

use super::is_late;
use crate::delivery::{Attempt, Delivery};
use crate::policy::{ConnectionChoice, EventIdOnRetry, RetryPolicy};
use crate::protocol::{SIGNATURE_HEADER, TIMESTAMP_HEADER};

/// Checks the body, the signature and the connection of each retry.
pub(super) fn check_identity(
    policy: &RetryPolicy,
    delivery: &Delivery,
    deviations: &mut Vec<String>,
) {
    let Some((first, retries)) = delivery.attempts.split_first() else {
        return;
    };
    let late = is_late(delivery);
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
}

/// The values of the signature headers.
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
