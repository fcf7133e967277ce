//! Other words for what was decided, and the time that they take.

use std::sync::atomic::Ordering;
use std::time::Duration;

use bytes::Bytes;
use http::StatusCode;
use http::header::{CONTENT_TYPE, RETRY_AFTER};
use serde_json::json;

use crate::receiver::answer::Answer;
use crate::receiver::control::Handled;
use crate::receiver::grants::Withheld;
use crate::receiver::refusal::Refusal;
use crate::receiver::request_record::Decision;

use super::{Variant, Variants};

/// How long the answers of [`Variant::UnhurriedAnswers`] take.
const UNHURRIED: Duration = Duration::from_millis(150);
/// How long the body of [`Variant::BodyHuge`] is at least: more than a reader of answers keeps.
const HUGE: usize = 300 * 1024;

impl Variants {
    /// The answer to a delivery, as the variants have it.
    pub(in crate::receiver) async fn answer(&self, handled: Handled) -> Handled {
        if self.has(Variant::UnhurriedAnswers) {
            tokio::time::sleep(UNHURRIED).await;
        }
        let answer = self.with_status(handled.answer, &handled.decision);
        let answer = self.with_body(answer, &handled.decision);
        Handled { answer, ..handled }
    }

    /// Whether an event that is not to be granted is denied rather than acknowledged.
    pub(in crate::receiver) fn denies(&self, reason: Withheld) -> Option<Refusal> {
        self.has(Variant::SandboxDenied)
            .then_some(Refusal::Denied(reason))
    }

    fn with_status(&self, mut answer: Answer, decision: &Decision) -> Answer {
        match decision {
            Decision::Refused(refusal) if refusal.is_forgery() => {
                if self.has(Variant::Forgery400) {
                    answer.status = StatusCode::BAD_REQUEST;
                } else if self.has(Variant::Forgery401) {
                    answer.status = StatusCode::UNAUTHORIZED;
                }
            }
            Decision::Refused(Refusal::UnknownEventType(_))
                if self.has(Variant::UnknownType200) =>
            {
                return Answer::ok();
            }
            Decision::Scripted if self.has(Variant::RetryAfter) => {
                let asks = [
                    StatusCode::TOO_MANY_REQUESTS,
                    StatusCode::SERVICE_UNAVAILABLE,
                ];
                if asks.contains(&answer.status) {
                    return answer.with_header(RETRY_AFTER, "1");
                }
            }
            // A script can ask for another 2xx, which is then meant.
            _ if answer.status == StatusCode::OK => {
                if let Some(status) = self.success() {
                    return Answer::new(status, answer.body);
                }
            }
            _ => {}
        }
        answer
    }

    fn success(&self) -> Option<StatusCode> {
        [
            (Variant::Created201, StatusCode::CREATED),
            (Variant::Accepted202, StatusCode::ACCEPTED),
            (Variant::NoContent204, StatusCode::NO_CONTENT),
        ]
        .into_iter()
        .find_map(|(variant, status)| self.has(variant).then_some(status))
    }

    fn with_body(&self, answer: Answer, decision: &Decision) -> Answer {
        if answer.body.is_empty() {
            return answer;
        }
        let text = String::from_utf8_lossy(&answer.body).into_owned();
        let replaced = if self.has(Variant::BodyArray) {
            Some(format!("[{text}]"))
        } else if self.has(Variant::BodyNested) {
            Some(format!(r#"{{"data":{{"result":{text}}}}}"#))
        } else if self.has(Variant::BodyEmptyObject) {
            Some("{}".to_owned())
        } else if self.has(Variant::BodyNone) {
            Some(String::new())
        } else if self.has(Variant::BodyHuge) {
            let padding = "x".repeat(HUGE);
            Some(format!(r#"{{"result":{text},"padding":"{padding}"}}"#))
        } else if matches!(decision, Decision::Redelivery { .. })
            && self.has(Variant::RedeliveryDiffers)
        {
            Some(r#"{"status":"already_granted"}"#.to_owned())
        } else if self.has(Variant::AnswersNumbered) {
            let number = self.answered.fetch_add(1, Ordering::Relaxed);
            Some(json!({ "status": answer.status.as_u16(), "number": number }).to_string())
        } else {
            None
        };
        if self.has(Variant::BodyText) {
            let reason = answer.status.canonical_reason().unwrap_or("see the status");
            return answer
                .with_body(Bytes::from_static(reason.as_bytes()))
                .with_header(CONTENT_TYPE, "text/plain; charset=utf-8");
        }
        match replaced {
            Some(body) => answer.with_body(Bytes::from(body)),
            None => answer,
        }
    }
}
