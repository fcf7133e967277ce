//! Flaws in responses: the decision is correct, but the response is wrong or late.

use bytes::Bytes;
use http::StatusCode;
use http::header::LOCATION;

use crate::receiver::outcome::{Decision, RequestOutcome};
use crate::receiver::refusal::Refusal;
use crate::receiver::response::ReceiverResponse;

use super::{Flaw, Flaws, first_chosen};

/// The longest body, in bytes, that [`Flaw::LargeBodyAnsweredEarly`] processes before it responds.
const SMALL_BODY: usize = 4096;

impl Flaws {
    /// Whether it responds before it processes a delivery with a body of this many bytes.
    pub(crate) fn answer_early(&self, length: usize) -> bool {
        self.has(Flaw::EarlyAnswer)
            || (self.has(Flaw::LargeBodyAnsweredEarly) && length > SMALL_BODY)
    }

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
        match &outcome.decision {
            Decision::Refused(Refusal::CausedByFlaw {
                flaw: Flaw::LoginRedirect,
                ..
            }) => {
                let redirect = ReceiverResponse::new(StatusCode::FOUND, Bytes::new());
                Some(redirect.with_header(LOCATION, "/login"))
            }
            Decision::Refused(refusal) if refusal.is_forgery() => {
                let status = first_chosen(
                    &self.chosen,
                    [
                        (Flaw::ForgeryAnswered500, StatusCode::INTERNAL_SERVER_ERROR),
                        (Flaw::ForgeryAnswered200, StatusCode::OK),
                    ],
                )?;
                Some(ReceiverResponse::new(status, outcome.response.body.clone()))
            }
            Decision::Refused(Refusal::CannotGrant { .. } | Refusal::Declined(_))
                if self.has(Flaw::ErrorAnswered200) =>
            {
                let body = outcome.response.body.clone();
                Some(ReceiverResponse::new(StatusCode::OK, body))
            }
            Decision::Redelivery { .. } if self.has(Flaw::RedeliveryAnsweredOtherwise) => {
                let body = Bytes::from_static(br#"{"status":"duplicate"}"#);
                Some(ReceiverResponse::new(StatusCode::OK, body))
            }
            Decision::Redelivery { .. } => {
                let status = first_chosen(
                    &self.chosen,
                    [
                        (Flaw::RedeliveryAnswered409, StatusCode::CONFLICT),
                        (
                            Flaw::RedeliveryAnswered500,
                            StatusCode::INTERNAL_SERVER_ERROR,
                        ),
                    ],
                )?;
                let message = "this idempotency_key was used before";
                Some(ReceiverResponse::error(status, message))
            }
            _ => None,
        }
    }
}
