//! Variants of the response to a decision, and of the time it takes.

use std::sync::atomic::Ordering;
use std::time::Duration;

use http::StatusCode;
use http::header::{CONTENT_TYPE, RETRY_AFTER};
use serde_json::json;

use crate::receiver::outcome::{Decision, RequestOutcome};
use crate::receiver::refusal::Refusal;
use crate::receiver::response::ReceiverResponse;

use super::{Variant, Variants, first_chosen};

const UNHURRIED: Duration = Duration::from_millis(150);
/// The minimum body size of [`Variant::BodyHuge`]: more than `aghook` keeps of a response.
const HUGE: usize = 300 * 1024;

impl Variants {
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
                let status = first_chosen(
                    &self.chosen,
                    [
                        (Variant::Forgery400, StatusCode::BAD_REQUEST),
                        (Variant::Forgery401, StatusCode::UNAUTHORIZED),
                    ],
                );
                response.status = status.unwrap_or(response.status);
            }
            Decision::Refused(Refusal::UnknownEventType(_))
                if self.has(Variant::UnknownType200) =>
            {
                return ReceiverResponse::ok();
            }
            Decision::Refused(Refusal::UnknownEventType(_))
                if self.has(Variant::UnknownType202) =>
            {
                return ReceiverResponse::success(StatusCode::ACCEPTED);
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
                let status = first_chosen(
                    &self.chosen,
                    [
                        (Variant::Created201, StatusCode::CREATED),
                        (Variant::Accepted202, StatusCode::ACCEPTED),
                        (Variant::NoContent204, StatusCode::NO_CONTENT),
                    ],
                );
                if let Some(status) = status {
                    return ReceiverResponse::new(status, response.body);
                }
            }
            _ => {}
        }
        response
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
