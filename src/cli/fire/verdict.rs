//! What came of a delivery that was fired, in words and with the next step. A pure function of the
//! delivery's outcome and its last answer.

use crate::delivery::Outcome;
use crate::harness::ResponseRecord;
use crate::scenario::{Forgery, StatusClass};

/// What came of a delivery.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fired {
    /// As it has to be.
    Right,
    /// Not as it has to be.
    Wrong,
    /// Nothing is known of the receiver, since this machine could not send.
    Unknown,
}

/// A verdict with its words.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct FireVerdict {
    pub(super) fired: Fired,
    pub(super) words: String,
    /// What to do next.
    pub(super) next: Option<String>,
}

/// How to find out why a genuine signature was refused.
const VERIFY: &str = "where the signature is the reason, let the receiver log the body, the \
                      timestamp and the signature that it computes: `aghook verify BODY \
                      --timestamp SECONDS --signature HEX` names the mistake";

impl FireVerdict {
    /// Judges a delivery by its last answer, after so many attempts.
    pub(super) fn of(
        forgery: Option<Forgery>,
        outcome: Outcome,
        answer: &ResponseRecord,
        attempts: usize,
    ) -> Self {
        let after = match attempts {
            0 | 1 => String::new(),
            count => format!(", after {count} attempts"),
        };
        match answer {
            ResponseRecord::Response { status, .. } => match forgery {
                Some(forgery) => forged(forgery, *status),
                None => genuine(outcome, *status, &after),
            },
            ResponseRecord::Failure {
                name,
                message,
                hint,
            } => unanswered(name, message, hint, &after),
        }
    }
}

fn verdict(fired: Fired, words: String, next: &str) -> FireVerdict {
    FireVerdict {
        fired,
        words,
        next: (!next.is_empty()).then(|| next.to_owned()),
    }
}

fn genuine(outcome: Outcome, status: u16, after: &str) -> FireVerdict {
    if outcome == Outcome::Delivered {
        return verdict(Fired::Right, format!("accepted: {status}{after}"), "");
    }
    let (words, next) = match status {
        400 | 401 | 403 => (format!("refused: {status}{after}"), VERIFY),
        404 | 405 => (
            format!("refused: {status}{after}"),
            "look at the path of the target, and whether the receiver takes POST there",
        ),
        429 => (
            format!("turned away: {status}{after}"),
            "the receiver takes no more requests for now",
        ),
        300..400 => (
            format!("not accepted: {status}{after}; a redirection is never followed"),
            "register the address that it leads to",
        ),
        400..500 => (
            format!("refused: {status}{after}"),
            "the answer's body or the receiver's log may say why",
        ),
        _ => (
            format!("failed: {status}{after}"),
            "look for the reason in the receiver's log",
        ),
    };
    verdict(Fired::Wrong, words, next)
}

/// A redirection or a failure of the receiver is no refusal: it says nothing of what the receiver
/// thinks of the signature.
fn forged(forgery: Forgery, status: u16) -> FireVerdict {
    let name = forgery.name();
    if matches!(status, 404 | 405) {
        let words = format!("forgery refused: {status} to {name}, which may be said of the path");
        let next = "look whether a genuine delivery is accepted there";
        return verdict(Fired::Right, words, next);
    }
    if StatusClass::ClientError.matches(status) {
        let words = format!("forgery refused, as it has to be: {status} to {name}");
        return verdict(Fired::Right, words, "");
    }
    if StatusClass::Success.matches(status) {
        let next = "whoever knows the address can hand out items like this; `aghook list --what \
                    forgeries` says what the receiver has to look at";
        let words = format!("forgery accepted: {status} to {name}");
        return verdict(Fired::Wrong, words, next);
    }
    let words = format!("forgery not refused: {status} to {name} says nothing of the signature");
    verdict(Fired::Wrong, words, "answer 401 or 403")
}

fn unanswered(name: &str, message: &str, hint: &str, after: &str) -> FireVerdict {
    match name {
        "local_limit" => verdict(Fired::Unknown, format!("not sent: {message}{after}"), hint),
        "timeout" => {
            let words = format!("answered too late: {message}{after}");
            verdict(Fired::Wrong, words, hint)
        }
        _ => verdict(
            Fired::Wrong,
            format!("not answered: {message}{after}"),
            hint,
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::harness::BodyRecord;

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
            message: "there was no answer within 10s".to_owned(),
            hint: "".into(),
        }
    }

    #[test]
    fn a_genuine_delivery_is_right_where_it_is_accepted() {
        for (outcome, answer, attempts, fired, words, next) in [
            (
                Outcome::Delivered,
                response(200),
                1,
                Fired::Right,
                "accepted: 200",
                "",
            ),
            (
                Outcome::Delivered,
                response(204),
                3,
                Fired::Right,
                "accepted: 204, after 3 attempts",
                "",
            ),
            (
                Outcome::Refused,
                response(403),
                1,
                Fired::Wrong,
                "refused: 403",
                "aghook verify",
            ),
            (
                Outcome::Refused,
                response(422),
                1,
                Fired::Wrong,
                "refused: 422",
                "body",
            ),
            (
                Outcome::Refused,
                response(404),
                1,
                Fired::Wrong,
                "refused: 404",
                "path",
            ),
            (
                Outcome::Refused,
                response(302),
                1,
                Fired::Wrong,
                "not accepted: 302",
                "leads to",
            ),
            (
                Outcome::Exhausted,
                response(500),
                5,
                Fired::Wrong,
                "failed: 500, after 5 attempts",
                "log",
            ),
            (
                Outcome::Exhausted,
                failure("timeout"),
                5,
                Fired::Wrong,
                "answered too late",
                "",
            ),
            (
                Outcome::Exhausted,
                failure("reset"),
                1,
                Fired::Wrong,
                "not answered",
                "",
            ),
            (
                Outcome::Exhausted,
                failure("local_limit"),
                1,
                Fired::Unknown,
                "not sent",
                "",
            ),
        ] {
            let verdict = FireVerdict::of(None, outcome, &answer, attempts);
            assert_eq!(verdict.fired, fired, "{verdict:?}");
            assert!(verdict.words.starts_with(words), "{verdict:?}");
            let told = verdict.next.unwrap_or_default();
            assert!(told.contains(next), "{told}");
            assert_eq!(told.is_empty(), next.is_empty(), "{told}");
        }
    }

    #[test]
    fn a_forgery_is_right_where_it_is_refused() {
        for (answer, fired, words) in [
            (
                response(401),
                Fired::Right,
                "forgery refused, as it has to be: 401 to wrong_secret",
            ),
            (
                response(200),
                Fired::Wrong,
                "forgery accepted: 200 to wrong_secret",
            ),
            (response(500), Fired::Wrong, "forgery not refused: 500"),
            (response(307), Fired::Wrong, "forgery not refused: 307"),
            (failure("timeout"), Fired::Wrong, "answered too late"),
        ] {
            let forgery = Some(Forgery::WrongSecret);
            let verdict = FireVerdict::of(forgery, Outcome::Refused, &answer, 1);
            assert_eq!(verdict.fired, fired, "{verdict:?}");
            assert!(verdict.words.starts_with(words), "{verdict:?}");
        }
    }
}
