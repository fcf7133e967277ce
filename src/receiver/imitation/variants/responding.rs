//! Variants of the response to a decision, and of the time it takes.

use std::sync::atomic::Ordering;
use std::time::Duration;

use http::StatusCode;
use http::header::{CONTENT_TYPE, RETRY_AFTER};
use serde_json::json;

use crate::receiver::outcome::RequestOutcome;
use crate::receiver::received_request::Decision;
use crate::receiver::refusal::Refusal;
use crate::receiver::response::ReceiverResponse;

use super::{Variant, Variants};

/// How long [`Variant::UnhurriedAnswers`] delays a response.
const UNHURRIED: Duration = Duration::from_millis(150);
/// The minimum body size of [`Variant::BodyHuge`]: more than `aghook` keeps of a response.
const HUGE: usize = 300 * 1024;

impl Variants {
    /// Delays and changes the response as the variants require.
    pub(crate) async fn alter_response(&self, outcome: RequestOutcome) -> RequestOutcome {
        if self.has(Variant::UnhurriedAnswers) {
            tokio::time::sleep(UNHURRIED).await;
        }
        let response = self.with_status(outcome.response, &outcome.decision);
        RequestOutcome {
            response: self.with_body(response, &outcome.decision),
            ..outcome
        }
    }

    fn with_status(&self, mut response: ReceiverResponse, decision: &Decision) -> ReceiverResponse {
        match decision {
            Decision::Refused(refusal) if refusal.is_forgery() => {
                if self.has(Variant::Forgery400) {
                    response.status = StatusCode::BAD_REQUEST;
                } else if self.has(Variant::Forgery401) {
                    response.status = StatusCode::UNAUTHORIZED;
                }
            }
            Decision::Refused(Refusal::UnknownEventType(_))
                if self.has(Variant::UnknownType200) =>
            {
                return ReceiverResponse::ok();
            }
            Decision::Scripted if self.has(Variant::RetryAfter) => {
                let retryable = [
                    StatusCode::TOO_MANY_REQUESTS,
                    StatusCode::SERVICE_UNAVAILABLE,
                ];
                if retryable.contains(&response.status) {
                    return response.with_header(RETRY_AFTER, "1");
                }
            }
            // Keep another 2xx status, which a script asked for.
            _ if response.status == StatusCode::OK => {
                if let Some(status) = self.success_status() {
                    return ReceiverResponse::new(status, response.body);
                }
            }
            _ => {}
        }
        response
    }

    fn success_status(&self) -> Option<StatusCode> {
        [
            (Variant::Created201, StatusCode::CREATED),
            (Variant::Accepted202, StatusCode::ACCEPTED),
            (Variant::NoContent204, StatusCode::NO_CONTENT),
        ]
        .into_iter()
        .find_map(|(variant, status)| self.has(variant).then_some(status))
    }

    fn with_body(&self, response: ReceiverResponse, decision: &Decision) -> ReceiverResponse {
        if response.body.is_empty() {
            return response;
        }
        if self.has(Variant::BodyText) {
            let reason = response.status.canonical_reason();
            return response
                .with_body(reason.unwrap_or("see the status"))
                .with_header(CONTENT_TYPE, "text/plain; charset=utf-8");
        }
        let text = String::from_utf8_lossy(&response.body);
        let body = if self.has(Variant::BodyArray) {
            format!("[{text}]")
        } else if self.has(Variant::BodyNested) {
            format!(r#"{{"data":{{"result":{text}}}}}"#)
        } else if self.has(Variant::BodyEmptyObject) {
            "{}".to_owned()
        } else if self.has(Variant::BodyNone) {
            String::new()
        } else if self.has(Variant::BodyHuge) {
            let padding = "x".repeat(HUGE);
            format!(r#"{{"result":{text},"padding":"{padding}"}}"#)
        } else if matches!(decision, Decision::Redelivery { .. })
            && self.has(Variant::RedeliveryDiffers)
        {
            r#"{"status":"already_granted"}"#.to_owned()
        } else if self.has(Variant::AnswersNumbered) {
            let number = self.responses.fetch_add(1, Ordering::Relaxed);
            json!({ "status": response.status.as_u16(), "number": number }).to_string()
        } else {
            return response;
        };
        response.with_body(body)
    }
}
