//! Flaws in responses: the decision is correct, but the response is wrong or late.

use bytes::Bytes;
use http::StatusCode;
use http::header::LOCATION;

use crate::receiver::outcome::RequestOutcome;
use crate::receiver::received_request::Decision;
use crate::receiver::refusal::Refusal;
use crate::receiver::response::ReceiverResponse;

use super::{Flaw, Flaws};

impl Flaws {
    /// Delays or replaces the response as the flaws require.
    pub(crate) async fn alter_response(&self, mut outcome: RequestOutcome) -> RequestOutcome {
        if self.has(Flaw::SlowAnswer) && !matches!(outcome.decision, Decision::Refused(_)) {
            tokio::time::sleep(self.answer_delay).await;
        }
        if let Some(wrong) = self.wrong_response(&outcome) {
            outcome.response = wrong;
        }
        outcome
    }

    fn wrong_response(&self, outcome: &RequestOutcome) -> Option<ReceiverResponse> {
        let with_status = |status| ReceiverResponse::new(status, outcome.response.body.clone());
        let key_used =
            |status| ReceiverResponse::error(status, "this idempotency_key was used before");
        match &outcome.decision {
            Decision::Refused(Refusal::CausedByFlaw {
                flaw: Flaw::LoginRedirect,
                ..
            }) => {
                let redirect = ReceiverResponse::new(StatusCode::FOUND, Bytes::new());
                Some(redirect.with_header(LOCATION, "/login"))
            }
            Decision::Refused(refusal) if refusal.is_forgery() => {
                if self.has(Flaw::ForgeryAnswered500) {
                    Some(with_status(StatusCode::INTERNAL_SERVER_ERROR))
                } else {
                    self.has(Flaw::ForgeryAnswered200)
                        .then(|| with_status(StatusCode::OK))
                }
            }
            Decision::Redelivery { .. } => {
                if self.has(Flaw::RedeliveryAnswered409) {
                    Some(key_used(StatusCode::CONFLICT))
                } else if self.has(Flaw::RedeliveryAnswered500) {
                    Some(key_used(StatusCode::INTERNAL_SERVER_ERROR))
                } else {
                    self.has(Flaw::RedeliveryAnsweredOtherwise).then(|| {
                        let body = Bytes::from_static(br#"{"status":"duplicate"}"#);
                        ReceiverResponse::new(StatusCode::OK, body)
                    })
                }
            }
            _ => None,
        }
    }
}
