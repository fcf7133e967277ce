//! What kind of failure a try shows. Shrinking keeps it, so that it does not end at another bug.

use std::collections::BTreeSet;
use std::fmt;

use crate::run::{RunEvent, StepEnded};
use crate::verify::{Check, GrantFailure, Verdict};

/// A kind of failure. If a try shows several, the first one explains the others best.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum FailureClass {
    /// Players hold more than they should.
    TooMuch,
    /// A genuine delivery is answered with another status than it should.
    WrongResponse,
    /// A genuine delivery gets no response.
    NoResponse,
    /// Players hold less than they should.
    TooLittle,
}

impl FailureClass {
    /// The classes of the failed checks among the events of a try.
    pub(super) fn of(events: &[RunEvent]) -> BTreeSet<Self> {
        let mut classes = BTreeSet::new();
        for event in events {
            match event {
                RunEvent::EffectsEnded(ended) => {
                    classes.extend(failed(&ended.checks).map(Self::of_effect));
                }
                RunEvent::StepEnded(step) => {
                    classes.extend(failed(response_checks(step)).map(Self::of_response));
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
            Self::WrongResponse => "wrong_response",
            Self::NoResponse => "no_response",
        }
    }

    fn of_effect(check: &Check) -> Self {
        use GrantFailure::{Forbidden, OtherItem, Repeated, TooMuch};
        match check.cause.as_deref().and_then(GrantFailure::from_text) {
            Some(Forbidden | OtherItem | Repeated | TooMuch) => Self::TooMuch,
            _ => Self::TooLittle,
        }
    }

    fn of_response(check: &Check) -> Self {
        let is_status = check
            .observed
            .starts_with(|first: char| first.is_ascii_digit());
        if is_status {
            Self::WrongResponse
        } else {
            Self::NoResponse
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
            Self::WrongResponse => "a genuine delivery gets a wrong response",
            Self::NoResponse => "a genuine delivery gets no response",
        })
    }
}
