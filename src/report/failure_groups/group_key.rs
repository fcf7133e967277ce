//! The key by which failing checks are grouped: what went wrong, without players and items.

use std::collections::BTreeMap;

use super::grant_cause::{GrantCause, Repetition, is_accepted, is_success};
use crate::report::sanitize::sanitize;
use crate::report::scenario_record::{
    CheckPlace, PlacedCheck, ScenarioRecord, is_problem, responses,
};
use crate::run::{AttemptEnded, ResponseRecord};
use crate::verify::{Check, GrantFailure, Verdict};

/// The fewest scenarios of a common problem that is inferred from similar failures.
const MIN_SCENARIOS: usize = 3;
/// The fewest checks of a common problem that the run itself names.
const MIN_CHECKS: usize = 2;

const NO_RESPONSE: &str = "no response: ";

/// The checks of a response that fail if the delivery is not accepted.
const OF_ACCEPTANCE: [&str; 3] = ["status", "outcome", "same response"];

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum GroupKey {
    /// The target went away during the run.
    LostTarget,
    /// The receiver refuses listed items, unlike others.
    RefusedItems,
    /// What went wrong with a grant.
    Grant(GrantCause),
    /// Genuine deliveries got an error response, or none.
    Unaccepted { is_redelivery: bool, result: String },
    /// The same expectation on the same kind of request, with the same observation.
    SameResult { kind: CheckKind, observed: String },
    /// The run itself named the cause.
    Reported {
        cause: String,
        /// Whether the cause is a single thing, such as a missing probe, rather than a symptom that
        /// different bugs can produce.
        unambiguous: bool,
    },
}

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum CheckKind {
    Effect,
    /// Whether a delivery with a valid signature is accepted.
    Genuine {
        /// Whether the receiver had accepted the event before.
        is_redelivery: bool,
    },
    Response {
        is_forged: bool,
        subject: String,
        expected: String,
    },
    /// A check of this scenario only.
    Scenario(usize, String),
}

/// How an event was handled as expected.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum HandledAs {
    Accepted,
    Granted,
}

impl HandledAs {
    pub(super) fn text(self) -> &'static str {
        match self {
            Self::Accepted => "accepted",
            Self::Granted => "granted as expected",
        }
    }
}

impl CheckKind {
    /// How the event of a check was handled, if it was.
    pub(super) fn handled_as(
        &self,
        check: &Check,
        attempt: Option<&AttemptEnded>,
    ) -> Option<HandledAs> {
        match self {
            Self::Genuine { .. } => attempt
                .is_some_and(|attempt| responses(attempt).any(is_success))
                .then_some(HandledAs::Accepted),
            Self::Effect => (check.verdict == Verdict::Passed).then_some(HandledAs::Granted),
            _ => None,
        }
    }

    /// The kind of a check, which is about this attempt if it is about a delivery.
    pub(super) fn of(
        record: &ScenarioRecord,
        placed: PlacedCheck<'_>,
        attempt: Option<&AttemptEnded>,
    ) -> Self {
        let subject = placed.check.subject.clone();
        match placed.place {
            CheckPlace::Effects => Self::Effect,
            CheckPlace::NotMade(_) | CheckPlace::Snapshot => {
                Self::Scenario(record.started.scenario, subject)
            }
            CheckPlace::Delivery(_, delivery) => {
                let is_of_acceptance = OF_ACCEPTANCE.contains(&&*subject);
                let is_forged = attempt.is_some_and(|attempt| attempt.forgery.is_some());
                if delivery.event_name.is_none() || is_forged {
                    let expected = placed.check.expected.clone();
                    return Self::Response {
                        is_forged,
                        subject,
                        expected,
                    };
                }
                if !is_of_acceptance {
                    return Self::Scenario(record.started.scenario, subject);
                }
                Self::Genuine {
                    is_redelivery: attempt.is_some_and(|attempt| is_redelivery(attempt, record)),
                }
            }
        }
    }

    pub(super) fn is_genuine(&self) -> bool {
        matches!(self, Self::Genuine { .. })
    }
}

/// Whether the receiver had accepted the event of an attempt before.
fn is_redelivery(attempt: &AttemptEnded, record: &ScenarioRecord) -> bool {
    let mut attempts = record.attempts.iter();
    attempts.any(|earlier| {
        let is_same = earlier.event_name == attempt.event_name && earlier.forgery.is_none();
        let lost = earlier.discarded_response.as_deref();
        let accepted = is_accepted(earlier) || lost.and_then(ResponseRecord::status) == Some(200);
        is_same && earlier.started_at < attempt.started_at && accepted
    })
}

impl GroupKey {
    pub(super) fn of(
        kind: CheckKind,
        record: &ScenarioRecord,
        check: &Check,
        attempt: Option<&AttemptEnded>,
    ) -> Self {
        let failure = check.cause.as_deref().and_then(GrantFailure::from_text);
        match (&check.cause, failure) {
            (_, Some(GrantFailure::NeverAccepted)) => {
                if let Some(key) = Self::of_unaccepted(record) {
                    return key;
                }
            }
            (_, Some(failure)) => return Self::Grant(GrantCause::of(failure, record, check)),
            _ => {}
        }
        if let Some(cause) = &check.cause {
            return Self::Reported {
                cause: cause.clone(),
                unambiguous: check.hint.is_some() || check.verdict == Verdict::Broken,
            };
        }
        let scenario = |subject: String| CheckKind::Scenario(record.started.scenario, subject);
        let observed = check.observed.clone();
        match (kind, attempt) {
            (CheckKind::Genuine { is_redelivery }, Some(attempt)) if !is_accepted(attempt) => {
                let result = match &attempt.response {
                    ResponseRecord::Response { .. } if check.subject == "status" => observed,
                    ResponseRecord::Response { status, .. } => status.to_string(),
                    ResponseRecord::Failure { message, .. } => format!("{NO_RESPONSE}{message}"),
                };
                Self::Unaccepted {
                    is_redelivery,
                    result,
                }
            }
            // Other checks of effects and genuine deliveries differ in what they expect.
            (CheckKind::Effect | CheckKind::Genuine { .. }, _) => Self::SameResult {
                kind: scenario(check.subject.clone()),
                observed,
            },
            (kind, _) => Self::SameResult { kind, observed },
        }
    }

    /// The key of the first genuine delivery of a scenario that failed and was not accepted, which
    /// is why nothing is granted.
    fn of_unaccepted(record: &ScenarioRecord) -> Option<Self> {
        let attempts = record.last_attempts();
        let mut checks = record.checks().filter(|placed| is_problem(placed.check));
        checks.find_map(|placed| {
            let attempt = *attempts.get(&placed.place.delivery()?)?;
            let kind = CheckKind::of(record, placed, Some(attempt));
            let is_cause = kind.is_genuine() && placed.check.cause.is_none();
            let key = is_cause.then(|| Self::of(kind, record, placed.check, Some(attempt)))?;
            matches!(key, Self::Unaccepted { .. }).then_some(key)
        })
    }

    /// What happened to events that do not have this problem, if the event itself can be its reason.
    pub(super) fn opposite(&self) -> Option<HandledAs> {
        match self {
            Self::Unaccepted {
                is_redelivery: false,
                ..
            } => Some(HandledAs::Accepted),
            Self::Grant(GrantCause::Other(_)) => Some(HandledAs::Granted),
            _ => None,
        }
    }

    /// The same problem of events that are certainly known, for a delivery of an event that the receiver
    /// may know: another delivery of it was accepted or got no response.
    pub(super) fn of_known_event(
        &self,
        record: &ScenarioRecord,
        delivered: &AttemptEnded,
    ) -> Option<Self> {
        let Self::Unaccepted {
            is_redelivery: false,
            result,
        } = self
        else {
            return None;
        };
        let mut attempts = record.attempts.iter();
        let may_be_known = attempts.any(|attempt| {
            let is_same = attempt.event_name == delivered.event_name;
            let status = attempt.response.status();
            is_same && attempt.forgery.is_none() && (status.is_none() || is_accepted(attempt))
        });
        may_be_known.then(|| Self::Unaccepted {
            is_redelivery: true,
            result: result.clone(),
        })
    }

    /// Crediting on both events, for a check that either this or a race between deliveries of one event fails.
    pub(super) fn of_both_events(&self, check: &Check) -> Option<Self> {
        let both = GrantFailure::BothEvents;
        let may_be = check.cause.as_deref() == Some(both.text()) && self.is_repeated_grant();
        may_be.then_some(Self::Grant(GrantCause::Other(both)))
    }

    /// Whether genuine deliveries are refused.
    pub(super) fn is_refusal(&self) -> bool {
        match self {
            Self::Unaccepted { result, .. } => {
                matches!(result.parse::<u16>(), Ok(400 | 401 | 403))
            }
            _ => false,
        }
    }

    /// Whether these checks can fail because the target went away.
    pub(super) fn is_lost_target(&self, attempt: Option<&AttemptEnded>) -> bool {
        match self {
            Self::Reported { cause, .. } => cause.contains("connection"),
            Self::Unaccepted { result, .. } => result.starts_with(NO_RESPONSE),
            _ => attempt.is_some_and(|attempt| {
                responses(attempt).all(|response| response.status().is_none())
            }),
        }
    }

    /// Whether events that were delivered more than once are granted again.
    pub(super) fn is_repeated_grant(&self) -> bool {
        matches!(self, Self::Grant(GrantCause::Repeated(_)))
    }

    /// Whether a receiver that grants too little of everything fails in this way by chance.
    pub(super) fn may_be_too_little(&self) -> bool {
        use GrantFailure::{Overflow, TakenTooOften};
        matches!(
            self,
            Self::Grant(GrantCause::Other(Overflow | TakenTooOften))
        )
    }

    /// The ways of repeating a delivery that need nothing special: if one of them is granted again,
    /// so are the others.
    pub(super) const BASIC_REPETITIONS: [Self; 2] = [
        Self::Grant(GrantCause::Repeated(Repetition::Redelivery)),
        Self::Grant(GrantCause::Repeated(Repetition::AfterError)),
    ];

    /// Whether a group with this key has a single cause: enough checks fail the same way.
    pub(super) fn is_common(
        &self,
        failing: usize,
        scenarios: usize,
        check_counts: &BTreeMap<CheckKind, usize>,
    ) -> bool {
        let all = |kind: &CheckKind| check_counts.get(kind).copied().unwrap_or_default();
        match self {
            Self::LostTarget
            | Self::RefusedItems
            | Self::Grant(_)
            | Self::Unaccepted {
                is_redelivery: true,
                ..
            } => true,
            Self::Reported {
                unambiguous: true, ..
            } => failing >= MIN_CHECKS,
            _ if scenarios < MIN_SCENARIOS => false,
            Self::Reported { .. } => failing * 2 >= all(&CheckKind::Effect),
            Self::Unaccepted { is_redelivery, .. } => {
                let is_redelivery = *is_redelivery;
                failing * 2 >= all(&CheckKind::Genuine { is_redelivery })
            }
            // Forgeries and other requests differ from each other on purpose, so all must fail.
            Self::SameResult { kind, .. } => {
                matches!(kind, CheckKind::Response { .. }) && failing == all(kind)
            }
        }
    }

    pub(super) fn help(&self, probe_works: bool) -> Option<&'static str> {
        match self {
            Self::Grant(cause) => cause.help(probe_works),
            Self::Unaccepted {
                is_redelivery: true,
                result,
            } if !result.starts_with(NO_RESPONSE) => Some(
                "respond to a known idempotency key with 2xx: the sender may never have seen your \
                 first response",
            ),
            _ => None,
        }
    }

    pub(super) fn title(&self) -> String {
        match self {
            Self::LostTarget => "the target refuses connections".to_owned(),
            Self::RefusedItems => "listed items are refused".to_owned(),
            Self::Grant(cause) => cause.title().to_owned(),
            Self::Unaccepted {
                is_redelivery,
                result,
            } => {
                let of = if *is_redelivery {
                    "redeliveries"
                } else {
                    "genuine deliveries"
                };
                match result.parse::<u16>() {
                    Ok(status @ 400..500) => format!("{of} are refused with {status}"),
                    Ok(status) => format!("{of} fail with {status}"),
                    Err(_) => format!("{of} fail: {}", sanitize(result)),
                }
            }
            Self::Reported { cause, .. } => sanitize(cause),
            Self::SameResult { kind, observed } => match kind {
                CheckKind::Response {
                    is_forged,
                    subject,
                    expected,
                } => {
                    let of = if *is_forged {
                        "forged deliveries"
                    } else {
                        "other requests"
                    };
                    let (expected, observed) = (sanitize(expected), sanitize(observed));
                    format!("{subject} of {of}: expected {expected}, observed {observed}")
                }
                CheckKind::Scenario(_, subject) => format!("{subject}: {}", sanitize(observed)),
                CheckKind::Effect | CheckKind::Genuine { .. } => sanitize(observed),
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::policy::Forgery;

    /// A genuine attempt of `coupon` at this second, whose response has this status; none, if it is 0.
    fn attempt(second: u8, status: u16) -> AttemptEnded {
        let body = json!({ "text": "{}", "length": 2, "truncated": false });
        let answer = match status {
            0 => json!({ "failure": { "name": "reset", "message": "reset", "hint": "" } }),
            _ => json!({ "response": { "status": status, "headers": [], "body": body } }),
        };
        let line = json!({
            "scenario": 1, "step": second, "delivery": 1,
            "event_name": "coupon", "forgery": null, "fault": null, "attempt": 1,
            "started_at": format!("2026-11-29T16:17:{second:02}Z"), "virtual_offset_seconds": 0.0,
            "delay_before_seconds": 0.0, "took_seconds": 0.1,
            "timings": { "connect_seconds": null, "first_byte_seconds": null, "held_seconds": 0.0 },
            "connection": null,
            "request": { "method": "POST", "url": "http://a/", "headers": [], "body": body },
            "answer": answer, "unheard_answer": null,
        });
        serde_json::from_value(line).expect("an attempt")
    }

    fn check(subject: &str, observed: &str, cause: Option<&str>) -> Check {
        let check = json!({
            "subject": subject, "verdict": "failed", "level": "must", "expected": "2xx",
            "observed": observed, "cause": cause,
        });
        serde_json::from_value(check).expect("a check")
    }

    /// A scenario with these attempts.
    fn record(attempts: &[(u8, u16)]) -> ScenarioRecord {
        let mut record = ScenarioRecord::test(1);
        let attempts = attempts.iter();
        record.attempts = attempts
            .map(|(second, status)| attempt(*second, *status))
            .collect();
        record
    }

    fn genuine(is_redelivery: bool) -> CheckKind {
        CheckKind::Genuine { is_redelivery }
    }

    #[test]
    fn an_unaccepted_delivery_is_grouped_by_its_response() {
        let record = record(&[(1, 503), (2, 0)]);
        let [responded, reset] = record.attempts.as_slice() else {
            panic!("two attempts");
        };
        let status = check("status", "503", None);
        let outcome = check("outcome", "exhausted", None);
        let key = |check, attempt| GroupKey::of(genuine(false), &record, check, Some(attempt));
        assert_eq!(
            key(&status, responded).title(),
            "genuine deliveries fail with 503"
        );
        assert_eq!(key(&status, responded), key(&outcome, responded));
        let no_response = key(&outcome, reset);
        assert_eq!(
            no_response.title(),
            "genuine deliveries fail: no response: reset"
        );
        assert!(no_response.is_lost_target(Some(reset)));
        assert!(!key(&status, responded).is_lost_target(Some(responded)));
    }

    #[test]
    fn a_delivery_after_an_accepted_one_is_a_redelivery() {
        let record = record(&[(1, 200), (2, 409)]);
        let [first, second] = record.attempts.as_slice() else {
            panic!("two attempts");
        };
        assert!(is_redelivery(second, &record) && !is_redelivery(first, &record));
        let conflict = check("status", "409", None);
        let key = GroupKey::of(genuine(true), &record, &conflict, Some(second));
        assert_eq!(key.title(), "redeliveries are refused with 409");
        assert!(key.help(true).is_some_and(|help| help.contains("2xx")));
        assert!(!key.is_refusal() && key.opposite().is_none());
    }

    #[test]
    fn a_refusal_beside_an_accepted_or_unanswered_delivery_may_be_one_of_a_known_event() {
        let conflict = check("status", "409", None);
        for (other, is_known) in [(200, true), (0, true), (503, false)] {
            let record = record(&[(1, 409), (2, other)]);
            let refused = record.attempts.first().expect("an attempt");
            let key = GroupKey::of(genuine(false), &record, &conflict, Some(refused));
            let known = key.of_known_event(&record, refused);
            let title = known.map(|known| known.title());
            let expected = is_known.then_some("redeliveries are refused with 409");
            assert_eq!(title.as_deref(), expected);
        }
    }

    #[test]
    fn the_help_for_a_lost_grant_fits_what_happened_before() {
        let lost = check(
            "grant of `coupon`",
            "0",
            Some(GrantFailure::AcceptedNotGranted.text()),
        );
        let help = |attempts: &[(u8, u16)], probe_works| {
            let key = GroupKey::of(CheckKind::Effect, &record(attempts), &lost, None);
            key.help(probe_works).unwrap_or_default()
        };
        for failed in [503, 422, 0] {
            let help = help(&[(1, failed), (2, 200)], false);
            assert!(help.contains("the key was kept"), "{help}");
        }
        assert!(help(&[(1, 200)], false).contains("check the probe's URL"));
        assert!(!help(&[(1, 200), (2, 200)], true).contains("probe"));
    }

    #[test]
    fn a_cause_that_the_run_names_wins() {
        let record = record(&[(1, 200)]);
        let attempt = record.attempts.first();
        let named = check("status", "200", Some("the profile has no probe"));
        let key = GroupKey::of(genuine(false), &record, &named, attempt);
        assert_eq!(key.title(), "the profile has no probe");
        let grant = check(
            "grant of `coupon`",
            "0",
            Some(GrantFailure::Overflow.text()),
        );
        let key = GroupKey::of(CheckKind::Effect, &record, &grant, None);
        assert_eq!(key.title(), GrantFailure::Overflow.text());
        assert_eq!(key.opposite(), Some(HandledAs::Granted));
    }

    #[test]
    fn a_valid_signature_of_another_time_is_not_called_a_forgery() {
        for (forgery, title) in [
            (
                Forgery::StaleTimestamp,
                "a delivery that was signed at another time is granted",
            ),
            (Forgery::WrongSecret, "a forgery is granted"),
        ] {
            let mut record = record(&[(1, 200)]);
            for attempt in &mut record.attempts {
                attempt.forgery = Some(forgery.name().into());
            }
            let cause = GrantFailure::Forbidden.text();
            let check = check("no grant of `coupon`", "1", Some(cause));
            let key = GroupKey::of(CheckKind::Effect, &record, &check, None);
            assert_eq!(key.title(), title);
        }
    }

    #[test]
    fn similar_failures_have_one_cause_only_if_there_are_enough() {
        let counts = |kind: &CheckKind, all| BTreeMap::from([(kind.clone(), all)]);
        let first = genuine(false);
        let unaccepted = |is_redelivery| GroupKey::Unaccepted {
            is_redelivery,
            result: "500".to_owned(),
        };
        for (key, failing, scenarios, all, common) in [
            (unaccepted(false), 6, 3, 12, true),
            (unaccepted(false), 6, 2, 12, false),
            (unaccepted(false), 5, 3, 12, false),
            (unaccepted(true), 1, 1, 12, true),
            (GroupKey::LostTarget, 1, 1, 12, true),
        ] {
            let found = key.is_common(failing, scenarios, &counts(&first, all));
            assert_eq!(found, common, "{key:?} {failing} {scenarios}");
        }
        let forged = CheckKind::Response {
            is_forged: true,
            subject: "status".to_owned(),
            expected: "4xx".to_owned(),
        };
        let key = GroupKey::SameResult {
            kind: forged.clone(),
            observed: "200".to_owned(),
        };
        assert!(key.is_common(4, 3, &counts(&forged, 4)));
        assert!(!key.is_common(4, 3, &counts(&forged, 5)));
    }

    #[test]
    fn only_a_response_is_advised_to_be_another() {
        let help = |result: String| {
            let key = GroupKey::Unaccepted {
                is_redelivery: true,
                result,
            };
            key.help(true)
        };
        assert!(help("409".to_owned()).is_some());
        assert_eq!(
            help(format!("{NO_RESPONSE}the connection was refused")),
            None
        );
    }

    #[test]
    fn a_repeated_grant_is_named_after_what_came_before() {
        let repeated = GrantFailure::Repeated.text();
        let repeated = check("grant of `coupon`", "2", Some(repeated));
        for (first, title) in [
            (200, "redeliveries are granted again"),
            (
                422,
                "an event is granted more than once after it was refused",
            ),
            (0, "retries are granted again after a lost response"),
            (
                503,
                "retries are granted again after the receiver responded with an error",
            ),
        ] {
            let record = record(&[(1, first), (2, 200)]);
            let key = GroupKey::of(CheckKind::Effect, &record, &repeated, None);
            assert_eq!(key.title(), title);
        }
    }
}
