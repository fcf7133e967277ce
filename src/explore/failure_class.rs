//! What kind of failure a try shows. Shrinking keeps it, so that it does not end at another bug.

use std::collections::BTreeSet;
use std::fmt;

use super::history::{History, is_genuine};
use crate::run::{RunEvent, StepEnded};
use crate::verify::{Check, GrantFailure, Verdict};

/// A kind of failure. If a try shows several, the first one explains the others best.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum FailureClass {
    /// Players hold more than they should.
    TooMuch,
    /// A forgery is accepted, although it grants nothing.
    ForgeryAccepted,
    /// A genuine delivery is answered with another status than it should.
    WrongResponse,
    /// A delivery gets no response.
    NoResponse,
    /// Players hold less than they should.
    TooLittle,
    /// Players hold something else than they should, but only the game knows what is right: a warning.
    /// A failure must not shrink to it.
    Doubtful,
}

impl FailureClass {
    /// The classes of the failed checks among the events of a try of this history.
    pub(super) fn of(events: &[RunEvent], history: &History) -> BTreeSet<Self> {
        let mut classes = BTreeSet::new();
        for event in events {
            match event {
                RunEvent::EffectsEnded(ended) => {
                    classes.extend(ended.checks.iter().filter_map(Self::of_effect));
                }
                RunEvent::StepEnded(step) => {
                    let sent = history.steps.get(step.step.wrapping_sub(1));
                    let is_forgery = sent.is_some_and(|sent| !is_genuine(sent));
                    let of_response = |check| Self::of_response(check, is_forgery);
                    classes.extend(failed(response_checks(step)).map(of_response));
                }
                _ => {}
            }
        }
        classes
    }

    /// The class in a file's name.
    pub(super) fn slug(self) -> &'static str {
        match self {
            Self::TooMuch => "too_much",
            Self::TooLittle => "too_little",
            Self::ForgeryAccepted => "forgery_accepted",
            Self::WrongResponse => "wrong_response",
            Self::NoResponse => "no_response",
            Self::Doubtful => "doubtful_grant",
        }
    }

    fn of_effect(check: &Check) -> Option<Self> {
        use GrantFailure::{Forbidden, OtherItem, Repeated, TooMuch};
        let cause = || check.cause.as_deref().and_then(GrantFailure::from_text);
        match check.verdict {
            Verdict::Warned => Some(Self::Doubtful),
            Verdict::Failed => match cause() {
                Some(Forbidden | OtherItem | Repeated | TooMuch) => Some(Self::TooMuch),
                _ => Some(Self::TooLittle),
            },
            _ => None,
        }
    }

    /// Whether it shows in a response, so that what players hold does not matter.
    pub(super) fn is_of_responses(self) -> bool {
        !matches!(self, Self::TooMuch | Self::TooLittle | Self::Doubtful)
    }

    /// Whether it may only be a receiver that is slower than an exploration waits.
    pub(super) fn may_be_slow(self) -> bool {
        matches!(self, Self::NoResponse | Self::TooLittle | Self::Doubtful)
    }

    fn of_response(check: &Check, is_forgery: bool) -> Self {
        let is_status = check
            .observed
            .starts_with(|first: char| first.is_ascii_digit());
        match (is_status, is_forgery) {
            (true, true) => Self::ForgeryAccepted,
            (true, false) => Self::WrongResponse,
            (false, _) => Self::NoResponse,
        }
    }
}

fn response_checks(step: &StepEnded) -> impl Iterator<Item = &Check> {
    step.deliveries.iter().flat_map(|delivery| &delivery.checks)
}

fn failed<'check>(
    checks: impl IntoIterator<Item = &'check Check>,
) -> impl Iterator<Item = &'check Check> {
    checks
        .into_iter()
        .filter(|check| check.verdict == Verdict::Failed)
}

impl fmt::Display for FailureClass {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(match self {
            Self::TooMuch => "too much is granted",
            Self::TooLittle => "too little is granted",
            Self::ForgeryAccepted => "a forgery is accepted",
            Self::WrongResponse => "a genuine delivery gets a wrong response",
            Self::NoResponse => "a delivery gets no response",
            Self::Doubtful => "what players hold may be wrong",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scenario::Level;

    /// Otherwise a failure could shrink to a warning, and the exploration would end as if nothing failed.
    #[test]
    fn a_warning_about_what_players_hold_is_another_class_than_a_failure() {
        let class = |verdict, cause: GrantFailure| {
            FailureClass::of_effect(&Check {
                subject: "grant of `a`".to_owned(),
                verdict,
                level: Level::Must,
                expected: String::new(),
                observed: String::new(),
                hint: None,
                cause: Some(cause.text().to_owned()),
                source: None,
            })
        };
        for (cause, failed) in [
            (GrantFailure::TooMuch, FailureClass::TooMuch),
            (GrantFailure::Repeated, FailureClass::TooMuch),
            (GrantFailure::TooLittle, FailureClass::TooLittle),
        ] {
            assert_eq!(class(Verdict::Failed, cause), Some(failed));
            assert_eq!(class(Verdict::Warned, cause), Some(FailureClass::Doubtful));
            assert_eq!(class(Verdict::Passed, cause), None);
            assert!(failed < FailureClass::Doubtful);
        }
    }
}
