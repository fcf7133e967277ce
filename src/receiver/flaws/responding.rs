//! Flaws in responses: the decision is correct, but the response is wrong or sent at the wrong
//! time.

use bytes::Bytes;
use http::StatusCode;

use crate::receiver::control::RequestOutcome;
use crate::receiver::received_request::Decision;
use crate::receiver::refusal::Refusal;
use crate::receiver::response::ReceiverResponse;

use super::{Flaw, Flaws};

/// Whether the response is sent before the delivery is processed.
pub(in crate::receiver) fn responds_early(flaws: &Flaws) -> bool {
    flaws.has(Flaw::EarlyAnswer)
}

/// Delays or replaces the response as the flaws require.
pub(in crate::receiver) async fn alter_response(
    flaws: &Flaws,
    outcome: RequestOutcome,
) -> RequestOutcome {
    if flaws.has(Flaw::SlowAnswer) && !matches!(outcome.decision, Decision::Refused(_)) {
        tokio::time::sleep(flaws.answer_delay).await;
    }
    RequestOutcome {
        response: wrong_response(flaws, &outcome).unwrap_or(outcome.response),
        ..outcome
    }
}

fn wrong_response(flaws: &Flaws, outcome: &RequestOutcome) -> Option<ReceiverResponse> {
    let with_status = |status| ReceiverResponse::new(status, outcome.response.body.clone());
    match &outcome.decision {
        Decision::Refused(Refusal::CausedByFlaw {
            flaw: Flaw::LoginRedirect,
            ..
        }) => Some(ReceiverResponse::redirect("/login")),
        Decision::Refused(refusal) if refusal.is_forgery() => {
            if flaws.has(Flaw::ForgeryAnswered500) {
                Some(with_status(StatusCode::INTERNAL_SERVER_ERROR))
            } else if flaws.has(Flaw::ForgeryAnswered200) {
                Some(with_status(StatusCode::OK))
            } else {
                None
            }
        }
        Decision::Redelivery { .. } => {
            let error =
                |status| ReceiverResponse::error(status, "this idempotency_key was used before");
            if flaws.has(Flaw::RedeliveryAnswered409) {
                Some(error(StatusCode::CONFLICT))
            } else if flaws.has(Flaw::RedeliveryAnswered500) {
                Some(error(StatusCode::INTERNAL_SERVER_ERROR))
            } else if flaws.has(Flaw::RedeliveryAnsweredOtherwise) {
                let body = Bytes::from_static(br#"{"status":"duplicate"}"#);
                Some(ReceiverResponse::new(StatusCode::OK, body))
            } else {
                None
            }
        }
        _ => None,
    }
}
