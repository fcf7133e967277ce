//! The verdict on a delivery of `aghook fire`, derived from its outcome and its last response.

use crate::policy::Outcome;
use crate::policy::{Forgery, StatusClass};
use crate::run::ResponseRecord;

/// Whether a delivery had the expected result.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum FireOutcome {
    Expected,
    Unexpected,
    /// The request could not be sent from this machine.
    Unknown,
}

/// The verdict as it is printed.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct FireVerdict {
    pub(super) outcome: FireOutcome,
    pub(super) message: String,
    /// What to do next.
    pub(super) help: Option<String>,
}

/// How to find out why a genuine signature was refused.
const VERIFY: &str = "if the receiver rejects the signature, log the body, the timestamp and the \
                      signature that it computes, then run `aghook verify BODY --timestamp SECONDS \
                      --signature HEX` to find the mistake";

impl FireVerdict {
    /// Judges a delivery by its last response and its number of attempts.
    pub(super) fn new(
        forgery: Option<Forgery>,
        outcome: Outcome,
        response: &ResponseRecord,
        attempts: usize,
    ) -> Self {
        let after = match attempts {
            0 | 1 => String::new(),
            count => format!(", after {count} attempts"),
        };
        match response {
            ResponseRecord::Response { status, .. } => match forgery {
                Some(forgery) => forged(forgery, *status),
                None => genuine(outcome, *status, &after),
            },
            ResponseRecord::Failure {
                name,
                message,
                hint,
            } => no_response(name, message, hint, &after),
        }
    }
}

fn verdict(outcome: FireOutcome, message: String, help: &str) -> FireVerdict {
    FireVerdict {
        outcome,
        message,
        help: (!help.is_empty()).then(|| help.to_owned()),
    }
}

fn genuine(outcome: Outcome, status: u16, after: &str) -> FireVerdict {
    if outcome == Outcome::Delivered {
        return verdict(
            FireOutcome::Expected,
            format!("accepted: {status}{after}"),
            "",
        );
    }
    let (message, help) = match status {
        400 | 401 | 403 => (format!("refused: {status}{after}"), VERIFY),
        404 | 405 => (
            format!("refused: {status}{after}"),
            "check the path of the target, and that the receiver accepts POST there",
        ),
        429 => (
            format!("rate limited: {status}{after}"),
            "the receiver accepts no more requests for now",
        ),
        300..400 => (
            format!("not accepted: {status}{after}; redirects are never followed"),
            "if this is a login page, open the path for webhooks; otherwise register the redirect target",
        ),
        400..500 => (
            format!("refused: {status}{after}"),
            "look for the reason in the response body or in the receiver's log",
        ),
        _ => (
            format!("failed: {status}{after}"),
            "look for the reason in the receiver's log",
        ),
    };
    verdict(FireOutcome::Unexpected, message, help)
}

/// A redirect or a server error is not a refusal: it does not show whether the receiver rejected the
/// signature.
fn forged(forgery: Forgery, status: u16) -> FireVerdict {
    let name = forgery.name();
    if matches!(status, 404 | 405) {
        let message = format!("forgery refused: {status} for {name}, perhaps because of the path");
        let help = "check that a genuine delivery is accepted there";
        return verdict(FireOutcome::Expected, message, help);
    }
    if StatusClass::ClientError.matches(status) {
        let message = format!("forgery refused as expected: {status} for {name}");
        return verdict(FireOutcome::Expected, message, "");
    }
    if StatusClass::Success.matches(status) {
        let help = "anyone who knows the URL can grant items with such a request; `aghook list \
                    --what forgeries` explains what the receiver has to verify";
        let message = format!("forgery accepted: {status} for {name}");
        return verdict(FireOutcome::Unexpected, message, help);
    }
    let message = format!("forgery not refused: {status} for {name} does not reject the signature");
    verdict(
        FireOutcome::Unexpected,
        message,
        "respond with 401 or 403 to a forged request",
    )
}

fn no_response(name: &str, message: &str, hint: &str, after: &str) -> FireVerdict {
    match name {
        "local_limit" => verdict(
            FireOutcome::Unknown,
            format!("not sent: {message}{after}"),
            hint,
        ),
        "timeout" => verdict(
            FireOutcome::Unexpected,
            format!("timed out: {message}{after}"),
            hint,
        ),
        _ => verdict(
            FireOutcome::Unexpected,
            format!("no response: {message}{after}"),
            hint,
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::run::BodyRecord;

    fn response(status: u16) -> ResponseRecord {
        ResponseRecord::Response {
            status,
            headers: Vec::new(),
            body: BodyRecord::new(b"", 0, false),
        }
    }

    fn failure(name: &'static str) -> ResponseRecord {
        ResponseRecord::Failure {
            name: name.into(),
            message: "there was no response within 10s".to_owned(),
            hint: "".into(),
        }
    }

    #[test]
    fn a_genuine_delivery_should_be_accepted() {
        for (delivered, response, attempts, outcome, message, help) in [
            (
                Outcome::Delivered,
                response(200),
                1,
                FireOutcome::Expected,
                "accepted: 200",
                "",
            ),
            (
                Outcome::Delivered,
                response(204),
                3,
                FireOutcome::Expected,
                "accepted: 204, after 3 attempts",
                "",
            ),
            (
                Outcome::Refused,
                response(403),
                1,
                FireOutcome::Unexpected,
                "refused: 403",
                "aghook verify",
            ),
            (
                Outcome::Refused,
                response(422),
                1,
                FireOutcome::Unexpected,
                "refused: 422",
                "body",
            ),
            (
                Outcome::Refused,
                response(404),
                1,
                FireOutcome::Unexpected,
                "refused: 404",
                "path",
            ),
            (
                Outcome::Refused,
                response(302),
                1,
                FireOutcome::Unexpected,
                "not accepted: 302",
                "redirect target",
            ),
            (
                Outcome::Exhausted,
                response(500),
                5,
                FireOutcome::Unexpected,
                "failed: 500, after 5 attempts",
                "log",
            ),
            (
                Outcome::Exhausted,
                failure("timeout"),
                5,
                FireOutcome::Unexpected,
                "timed out",
                "",
            ),
            (
                Outcome::Exhausted,
                failure("reset"),
                1,
                FireOutcome::Unexpected,
                "no response",
                "",
            ),
            (
                Outcome::Exhausted,
                failure("local_limit"),
                1,
                FireOutcome::Unknown,
                "not sent",
                "",
            ),
        ] {
            let verdict = FireVerdict::new(None, delivered, &response, attempts);
            assert_eq!(verdict.outcome, outcome, "{verdict:?}");
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
                response(401),
                FireOutcome::Expected,
                "forgery refused as expected: 401 for wrong_secret",
            ),
            (
                response(200),
                FireOutcome::Unexpected,
                "forgery accepted: 200 for wrong_secret",
            ),
            (
                response(500),
                FireOutcome::Unexpected,
                "forgery not refused: 500",
            ),
            (
                response(307),
                FireOutcome::Unexpected,
                "forgery not refused: 307",
            ),
            (failure("timeout"), FireOutcome::Unexpected, "timed out"),
        ] {
            let forgery = Some(Forgery::WrongSecret);
            let verdict = FireVerdict::new(forgery, Outcome::Refused, &response, 1);
            assert_eq!(verdict.outcome, outcome, "{verdict:?}");
            assert!(verdict.message.starts_with(message), "{verdict:?}");
        }
    }
}
