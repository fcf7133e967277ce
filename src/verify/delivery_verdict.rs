//! The verdict on a delivery outside of scenarios: a genuine one must be accepted, a forged one
//! refused. It comes with what to do next.

use super::verdict::Verdict;
use crate::delivery::Delivery;
use crate::policy::{Forgery, Outcome};
use crate::transport::{Failure, Response};

#[derive(Debug, PartialEq, Eq)]
pub(crate) struct DeliveryVerdict {
    /// Broken if the request could not be sent from this machine.
    pub verdict: Verdict,
    pub message: String,
    pub help: Option<String>,
}

/// How to find out why a genuine signature was refused.
const VERIFY: &str = "check that the receiver has the same secret; if it has, log the body, the \
                      timestamp and the signature that it computes, then run `aghook verify BODY --timestamp SECONDS \
                      --signature HEX` to find the mistake";

impl DeliveryVerdict {
    /// Judges a delivery by its last attempt. `None` if there was none.
    pub(crate) fn new(forgery: Option<Forgery>, delivery: &Delivery) -> Option<Self> {
        let exchange = &delivery.attempts.last()?.exchange;
        let attempts = delivery.attempts.len();
        if forgery.is_none()
            && let Some(mistake) = exchange.setup_mistake()
        {
            // Nothing is known about the receiver.
            let message = format!("{mistake}{}", after(attempts));
            return Some(verdict(Verdict::Broken, message, mistake.help()));
        }
        let response = exchange.result.as_ref();
        Some(Self::of_response(
            forgery,
            delivery.outcome,
            response,
            attempts,
            &exchange.request.credential_names(),
        ))
    }

    fn of_response(
        forgery: Option<Forgery>,
        outcome: Outcome,
        response: Result<&Response, &Failure>,
        attempts: usize,
        own_headers: &[String],
    ) -> Self {
        let after = after(attempts);
        match (response, forgery) {
            (Ok(response), Some(forgery)) => forged(forgery, response.status),
            (Ok(response), None) => genuine(outcome, response, &after, own_headers),
            (Err(failure), _) => no_response(failure, &after),
        }
    }
}

fn after(attempts: usize) -> String {
    match attempts {
        0 | 1 => String::new(),
        count => format!(", after {count} attempts"),
    }
}

fn verdict(verdict: Verdict, message: String, help: &str) -> DeliveryVerdict {
    DeliveryVerdict {
        verdict,
        message,
        help: (!help.is_empty()).then(|| help.to_owned()),
    }
}

fn genuine(
    outcome: Outcome,
    response: &Response,
    after: &str,
    own_headers: &[String],
) -> DeliveryVerdict {
    let status = response.status;
    if outcome == Outcome::Delivered {
        return verdict(Verdict::Passed, format!("accepted: {status}{after}"), "");
    }
    let signature = response.refusal_help(VERIFY, own_headers);
    let (what, help) = match status {
        400 | 401 | 403 => ("refused", signature.as_str()),
        400..500 => (
            "refused",
            "look for the reason in the response body or in the receiver's log",
        ),
        _ => ("failed", "look for the reason in the receiver's log"),
    };
    let message = format!("{what}: {status}{after}");
    verdict(Verdict::Failed, message, help)
}

/// A redirect or a server error is not a refusal: it does not show whether the receiver rejected the
/// signature.
fn forged(forgery: Forgery, status: u16) -> DeliveryVerdict {
    let (outcome, what, note, help) = match status {
        404 | 405 => (
            Verdict::Passed,
            "refused",
            ", perhaps because of the path",
            "check that a genuine delivery is accepted there",
        ),
        400..500 => (Verdict::Passed, "refused as expected", "", ""),
        200..300 => (
            Verdict::Failed,
            "accepted",
            "",
            "anyone who knows the URL can grant items with such a request; `aghook list \
             --what forgeries` explains what the receiver has to verify",
        ),
        _ => (
            Verdict::Failed,
            "not refused",
            " does not reject the signature",
            "respond with 401 or 403 to a forged request",
        ),
    };
    let message = format!("forgery {what}: {status} for {}{note}", forgery.name());
    verdict(outcome, message, help)
}

fn no_response(failure: &Failure, after: &str) -> DeliveryVerdict {
    let (outcome, what) = match failure {
        Failure::LocalLimit { .. } => (Verdict::Broken, "not sent"),
        Failure::Timeout { .. } => (Verdict::Failed, "timed out"),
        _ => (Verdict::Failed, "no response"),
    };
    verdict(outcome, format!("{what}: {failure}{after}"), failure.hint())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    fn response(status: u16) -> Response {
        Response {
            status,
            headers: Vec::new(),
            body: bytes::Bytes::new(),
            body_length: 0,
            encoded: false,
            truncated: false,
            complete: true,
        }
    }

    fn timeout() -> Failure {
        Failure::Timeout {
            after: Duration::from_secs(10),
            response_began: false,
        }
    }

    fn local_limit() -> Failure {
        let reason = "too many open files".to_owned();
        Failure::LocalLimit { reason }
    }

    #[test]
    fn a_genuine_delivery_should_be_accepted() {
        for (delivered, response, attempts, outcome, message, help) in [
            (
                Outcome::Delivered,
                Ok(response(200)),
                1,
                Verdict::Passed,
                "accepted: 200",
                "",
            ),
            (
                Outcome::Delivered,
                Ok(response(204)),
                3,
                Verdict::Passed,
                "accepted: 204, after 3 attempts",
                "",
            ),
            (
                Outcome::Refused,
                Ok(response(403)),
                1,
                Verdict::Failed,
                "refused: 403",
                "aghook verify",
            ),
            (
                Outcome::Refused,
                Ok(response(422)),
                1,
                Verdict::Failed,
                "refused: 422",
                "body",
            ),
            (
                Outcome::Exhausted,
                Ok(response(500)),
                5,
                Verdict::Failed,
                "failed: 500, after 5 attempts",
                "log",
            ),
            (
                Outcome::Exhausted,
                Err(timeout()),
                5,
                Verdict::Failed,
                "timed out",
                "waiting for",
            ),
            (
                Outcome::Exhausted,
                Err(Failure::Reset),
                1,
                Verdict::Failed,
                "no response",
                "log",
            ),
            (
                Outcome::Exhausted,
                Err(local_limit()),
                1,
                Verdict::Broken,
                "not sent",
                "open files",
            ),
        ] {
            let verdict =
                DeliveryVerdict::of_response(None, delivered, response.as_ref(), attempts, &[]);
            assert_eq!(verdict.verdict, outcome, "{verdict:?}");
            assert!(verdict.message.starts_with(message), "{verdict:?}");
            let found = verdict.help.unwrap_or_default();
            assert!(found.contains(help), "{found}");
            assert_eq!(found.is_empty(), help.is_empty(), "{found}");
        }
    }

    #[test]
    fn a_forgery_should_be_refused() {
        for (response, outcome, message) in [
            (
                Ok(response(401)),
                Verdict::Passed,
                "forgery refused as expected: 401 for wrong_secret",
            ),
            (
                Ok(response(200)),
                Verdict::Failed,
                "forgery accepted: 200 for wrong_secret",
            ),
            (
                Ok(response(500)),
                Verdict::Failed,
                "forgery not refused: 500",
            ),
            (
                Ok(response(307)),
                Verdict::Failed,
                "forgery not refused: 307",
            ),
            (Err(timeout()), Verdict::Failed, "timed out"),
        ] {
            let forgery = Some(Forgery::WrongSecret);
            let verdict =
                DeliveryVerdict::of_response(forgery, Outcome::Refused, response.as_ref(), 1, &[]);
            assert_eq!(verdict.verdict, outcome, "{verdict:?}");
            assert!(verdict.message.starts_with(message), "{verdict:?}");
        }
    }
}
