//! Wrong answers to deliveries that were decided on rightly, and answers at the wrong time.

use bytes::Bytes;
use http::StatusCode;

use crate::receiver::answer::Answer;
use crate::receiver::control::Handled;
use crate::receiver::refusal::Refusal;
use crate::receiver::request_record::Decision;

use super::{Flaw, Flaws};

/// Whether the answer goes out before the work is done.
pub(in crate::receiver) fn answers_early(flaws: &Flaws) -> bool {
    flaws.has(Flaw::EarlyAnswer)
}

/// The answer as the flaws have it, when they have it.
pub(in crate::receiver) async fn answer(flaws: &Flaws, handled: Handled) -> Handled {
    if flaws.has(Flaw::SlowAnswer) && !matches!(handled.decision, Decision::Refused(_)) {
        tokio::time::sleep(flaws.answer_delay).await;
    }
    Handled {
        answer: wrong_answer(flaws, &handled).unwrap_or(handled.answer),
        ..handled
    }
}

fn wrong_answer(flaws: &Flaws, handled: &Handled) -> Option<Answer> {
    let with_status = |status| Answer::new(status, handled.answer.body.clone());
    match &handled.decision {
        Decision::Refused(Refusal::OnPurpose {
            flaw: Flaw::LoginRedirect,
            ..
        }) => Some(Answer::redirect("/login")),
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
            let error = |status| Answer::error(status, "this idempotency_key was used before");
            if flaws.has(Flaw::RedeliveryAnswered409) {
                Some(error(StatusCode::CONFLICT))
            } else if flaws.has(Flaw::RedeliveryAnswered500) {
                Some(error(StatusCode::INTERNAL_SERVER_ERROR))
            } else if flaws.has(Flaw::RedeliveryAnsweredOtherwise) {
                let body = Bytes::from_static(br#"{"status":"duplicate"}"#);
                Some(Answer::new(StatusCode::OK, body))
            } else {
                None
            }
        }
        _ => None,
    }
}
