//! Deliveries and attempts as the control API returns them.

use serde_json::{Map, Value, json};

use crate::serve::model::{AttemptRecord, DeliveryDetails};

pub(super) fn details_json(details: &DeliveryDetails) -> Value {
    let mut json = json!(details.delivery);
    json["body"] = String::from_utf8_lossy(&details.body).into();
    json["attempts"] = details.attempts.iter().map(attempt_json).collect();
    json
}

fn attempt_json(attempt: &AttemptRecord) -> Value {
    let response = attempt.response.as_ref().map(|kept| {
        let headers = kept
            .headers
            .iter()
            .map(|(name, value)| (name.clone(), value.clone().into()));
        json!({
            "headers": headers.collect::<Map<_, _>>(),
            "body": String::from_utf8_lossy(&kept.body),
        })
    });
    json!({
        "number": attempt.number,
        "started_at": attempt.started_at,
        "signed_timestamp": attempt.signed_timestamp,
        "duration_us": attempt.duration_us,
        "status": attempt.status,
        "failure": attempt.failure,
        "response": response,
        "next_at": attempt.next_at,
    })
}
