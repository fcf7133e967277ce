//! The cause of a wrong grant: what went wrong with it, and how its event was delivered.

use super::event_features::WIDE_HELP;
use crate::policy::Forgery;
use crate::report::event_trace::event_name;
use crate::report::scenario_record::ScenarioRecord;
use crate::run::{AttemptEnded, ResponseRecord, StepEnded};
use crate::verify::{Check, GrantFailure};

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum GrantCause {
    Repeated(Repetition),
    Forgery,
    /// A valid signature, but far from the receiver's time.
    Timestamp,
    Refused,
    /// Accepted and not granted, after an attempt that was refused or failed.
    KeyKept,
    Other(GrantFailure),
}

/// How an event was delivered more than once, the most basic way first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Repetition {
    Redelivery,
    AfterError,
    AfterRefusal,
    AfterLostResponse,
    Together,
    AfterRestart,
    OtherEventId,
}

impl GrantCause {
    /// Every cause.
    pub(crate) fn all() -> impl Iterator<Item = Self> {
        let repetitions = Repetition::ALL.into_iter().map(Self::Repeated);
        let others = GrantFailure::ALL.into_iter().map(Self::Other);
        let causes = [Self::Forgery, Self::Timestamp, Self::Refused, Self::KeyKept];
        repetitions.chain(causes).chain(others)
    }

    /// The cause of this failure of a check in a scenario.
    pub(super) fn of(failure: GrantFailure, record: &ScenarioRecord, check: &Check) -> Self {
        let name = event_name(check);
        let attempts = record.attempts.iter();
        let attempts = attempts.filter(|attempt| attempt.event_name.as_deref() == name);
        let (forged, mut genuine): (Vec<_>, Vec<_>) =
            attempts.partition(|attempt| attempt.forgery.is_some());
        genuine.sort_by_key(|attempt| attempt.started_at);
        let is_doubled = failure == GrantFailure::BothEvents;
        let failure = if is_doubled && !has_item_add(record, &genuine) {
            GrantFailure::Repeated
        } else {
            failure
        };
        if is_doubled && were_together(&genuine, &record.steps) {
            return Self::Repeated(Repetition::Together);
        }
        let is_more = matches!(failure, GrantFailure::Repeated | GrantFailure::TooMuch);
        let is_forbidden = failure == GrantFailure::Forbidden;
        match Repetition::of(&genuine, &record.steps) {
            Some(repetition) if is_more => Self::Repeated(repetition),
            _ if !forged.is_empty() && (is_more || is_forbidden) => {
                if forged.iter().all(|attempt| is_signed(attempt)) {
                    Self::Timestamp
                } else {
                    Self::Forgery
                }
            }
            _ if is_forbidden && !genuine.is_empty() && !genuine.iter().any(|a| is_accepted(a)) => {
                Self::Refused
            }
            _ if failure == GrantFailure::AcceptedNotGranted && is_first_unaccepted(&genuine) => {
                Self::KeyKept
            }
            _ => Self::Other(failure),
        }
    }

    pub(crate) fn title(self) -> &'static str {
        match self {
            Self::Repeated(repetition) => repetition.title(),
            Self::Forgery => "a forgery is granted",
            Self::Timestamp => "a delivery that was signed at another time is granted",
            Self::Refused => "an event is granted although it was refused",
            Self::KeyKept => {
                "nothing is granted after a failed attempt, although a retry was accepted"
            }
            Self::Other(failure) => failure.text(),
        }
    }

    /// `probe_works` is whether the probe has shown a grant in the run.
    pub(crate) fn help(self, probe_works: bool) -> Option<&'static str> {
        Some(match self {
            Self::Repeated(repetition) => repetition.help(),
            Self::Forgery => "verify the signature before you do anything else",
            Self::Timestamp => {
                "refuse a timestamp that differs from your clock by more than some minutes"
            }
            Self::Refused => "grant nothing if you respond with an error",
            Self::KeyKept => {
                "the key was kept although the attempt failed: store it in the transaction of the grant"
            }
            Self::Other(GrantFailure::AcceptedNotGranted) if probe_works => {
                "respond with 2xx only after the grant is stored: nobody sends an accepted event again"
            }
            Self::Other(GrantFailure::AcceptedNotGranted) => {
                "respond with 2xx only after the grant is stored: nobody sends an accepted event again. If \
                 the game did grant it, check the probe's URL and `read`"
            }
            Self::Other(GrantFailure::BundleItself) => {
                "grant the innermost items: walk `nested_items` recursively. If the game is meant to grant \
                 bundles by their own SKU, set `policy: { bundles: sku }` in the profile, or `parts` if only \
                 bundles in bundles"
            }
            Self::Other(GrantFailure::ItemAndFallback) => {
                "grant `fallback_item` only if the main item can't be granted"
            }
            Self::Other(GrantFailure::PartMissing) => {
                "grant all items of an event, each part of a bundle included, in one transaction with \
                 the key, or refuse the event"
            }
            Self::Other(GrantFailure::Overflow) => WIDE_HELP,
            Self::Other(GrantFailure::Rounded) => {
                "parse and store quantities as integers, not as floating-point numbers"
            }
            Self::Other(GrantFailure::BothEvents) => {
                "credit on one of the two event types, and answer the other with 2xx without a grant; \
                 or subscribe to only one of them"
            }
            Self::Other(GrantFailure::TakenTooOften) => {
                "deduplicate `item.remove` by `idempotency_key`, like grants, and take away no more than \
                 the player holds"
            }
            Self::Other(_) => return None,
        })
    }
}

impl Repetition {
    const ALL: [Self; 7] = [
        Self::Redelivery,
        Self::AfterError,
        Self::AfterRefusal,
        Self::AfterLostResponse,
        Self::Together,
        Self::AfterRestart,
        Self::OtherEventId,
    ];

    /// How an event was repeated by these attempts, in the order of their start.
    fn of(attempts: &[&AttemptEnded], steps: &[StepEnded]) -> Option<Self> {
        let (last, before) = attempts.split_last()?;
        let first = before.first()?;
        let is_scripted = steps.iter().any(|step| step.script.is_some());
        let is_error = |attempt: &&AttemptEnded| attempt.response.status() >= Some(500);
        let differing_ids = || {
            let id = |attempt: &AttemptEnded| attempt.request.body.json()?.get("event_id").cloned();
            let expected = id(first)?;
            let other = attempts.iter().filter_map(|attempt| id(attempt));
            other.into_iter().find(|id| *id != expected)
        };
        let is_restart = |step: &&StepEnded| step.restarted && step.step > first.step;
        // A receiver that knows the event by then needs no race to grant it again.
        let was_accepted_before = before
            .iter()
            .any(|attempt| attempt.step < last.step && is_accepted(attempt));
        Some(if !is_scripted && before.iter().any(is_error) {
            Self::AfterError
        } else if differing_ids().is_some() {
            Self::OtherEventId
        } else if steps
            .iter()
            .any(|step| is_restart(&step) && step.step <= last.step)
        {
            Self::AfterRestart
        } else if were_together(attempts, steps) && !was_accepted_before {
            Self::Together
        } else if before.iter().any(|attempt| is_accepted(attempt)) {
            Self::Redelivery
        } else if before
            .iter()
            .all(|attempt| attempt.response.status().is_some())
        {
            if before.iter().any(is_error) {
                Self::AfterError
            } else {
                Self::AfterRefusal
            }
        } else {
            Self::AfterLostResponse
        })
    }

    fn title(self) -> &'static str {
        match self {
            Self::Redelivery => "redeliveries are granted again",
            Self::AfterError => {
                "retries are granted again after the receiver responded with an error"
            }
            Self::AfterRefusal => "an event is granted more than once after it was refused",
            Self::AfterLostResponse => "retries are granted again after a lost response",
            Self::Together => "simultaneous deliveries of one event are granted more than once",
            Self::AfterRestart => "redeliveries are granted again after a restart",
            Self::OtherEventId => "retries with another event ID are granted again",
        }
    }

    fn help(self) -> &'static str {
        match self {
            Self::Redelivery => {
                "store the idempotency key in the transaction of the grant, and grant only if the \
                 key is new: after `ON CONFLICT DO NOTHING`, check that a row was inserted"
            }
            Self::AfterError => {
                "store the idempotency key and the grant in one transaction: an error between two \
                 transactions leaves a grant without its key"
            }
            Self::AfterRefusal => {
                "leave nothing behind when you refuse an event: roll back its transaction first"
            }
            Self::AfterLostResponse => {
                "store the idempotency key in the transaction of the grant, before you respond"
            }
            Self::Together => {
                "a look-up before the grant is a race: put a unique constraint on the idempotency key"
            }
            Self::AfterRestart => "keep idempotency keys in the database, not in memory",
            Self::OtherEventId => "deduplicate by `idempotency_key`, not by `event_id`",
        }
    }
}

/// Whether some of these attempts of one event, in the order of their start, were simultaneous.
fn were_together(attempts: &[&AttemptEnded], steps: &[StepEnded]) -> bool {
    let step = |number: usize| steps.iter().find(|step| step.step == number);
    attempts.windows(2).any(|two| {
        let is_other = two[0].delivery != two[1].delivery;
        two[0].step == two[1].step && is_other && step(two[0].step).is_some_and(|s| s.together)
    })
}

/// Whether an `item.add` was accepted for the player of these attempts.
fn has_item_add(record: &ScenarioRecord, attempts: &[&AttemptEnded]) -> bool {
    let at = |attempt: &AttemptEnded, pointer: &str| {
        attempt.request.body.json()?.pointer(pointer).cloned()
    };
    let player = |attempt: &AttemptEnded| at(attempt, "/event_data/player_id");
    let own = attempts.first().and_then(|first| player(first));
    record.attempts.iter().any(|attempt| {
        let is_genuine = attempt.event_name.is_some() && attempt.forgery.is_none();
        let is_item_add = at(attempt, "/event_type").is_some_and(|kind| kind == "item.add");
        is_genuine && is_item_add && is_accepted(attempt) && player(attempt) == own
    })
}

/// Whether the first of these attempts, in the order of their start, was refused or failed.
fn is_first_unaccepted(attempts: &[&AttemptEnded]) -> bool {
    attempts.first().is_some_and(|first| {
        let status = first.response.status();
        status.is_some_and(|status| status >= 400)
            || (status.is_none() && first.discarded_response.is_none())
    })
}

/// Whether only the time of a forgery's signature is wrong.
fn is_signed(attempt: &AttemptEnded) -> bool {
    let forgeries = [Forgery::StaleTimestamp, Forgery::FutureTimestamp];
    let name = attempt.forgery.as_deref();
    forgeries.iter().any(|forgery| name == Some(forgery.name()))
}

pub(super) fn is_accepted(attempt: &AttemptEnded) -> bool {
    is_success(&attempt.response)
}

pub(super) fn is_success(response: &ResponseRecord) -> bool {
    let status = response.status();
    status.is_some_and(|status| (200..300).contains(&status))
}
