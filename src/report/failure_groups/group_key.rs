//! The key by which failing checks are grouped. Two checks share a group only if they expected the
//! same of the same kind of request and observed the same.

use crate::report::sanitize::sanitize;
use crate::report::scenario_record::ScenarioRecord;
use crate::run::{AttemptEnded, StepEnded};
use crate::verify::{Check, Verdict};

/// What the checks of a group have in common.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum GroupKey {
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

/// What a check expects, and of which kind of request.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum CheckKind {
    Effect,
    Response {
        of: RequestKind,
        subject: String,
        expected: String,
    },
    /// A check of this scenario only.
    Scenario(usize, String),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum RequestKind {
    Genuine,
    Forged,
    Other,
}

/// A check and its location in the scenario's record.
#[derive(Debug, Clone, Copy)]
pub(super) struct LocatedCheck<'record> {
    pub(super) check: &'record Check,
    pub(super) step: Option<&'record StepEnded>,
    pub(super) location: CheckLocation,
    request_kind: RequestKind,
    scenario: usize,
}

/// The indices that lead to a check in its scenario's record.
#[derive(Debug, Clone, Copy)]
pub(super) enum CheckLocation {
    Delivery {
        step: usize,
        delivery: usize,
        check: usize,
    },
    NotMade {
        step: usize,
    },
    Effect(usize),
}

/// The checks of a scenario except that of its snapshot, which never shares a cause with others.
pub(super) fn checks(record: &ScenarioRecord) -> impl Iterator<Item = LocatedCheck<'_>> {
    let scenario = record.started.scenario;
    let of_steps = record.steps.iter().enumerate().flat_map(move |(at, step)| {
        let deliveries = step.deliveries.iter().enumerate();
        let of_deliveries = deliveries.flat_map(move |(index, delivery)| {
            let attempt = record.last_attempt(step.step, delivery.delivery);
            let request_kind = match (attempt, &delivery.event_name) {
                (_, None) => RequestKind::Other,
                (
                    Some(AttemptEnded {
                        forgery: Some(_), ..
                    }),
                    _,
                ) => RequestKind::Forged,
                _ => RequestKind::Genuine,
            };
            let checks = delivery.checks.iter().enumerate();
            checks.map(move |(check, found)| LocatedCheck {
                check: found,
                step: Some(step),
                location: CheckLocation::Delivery {
                    step: at,
                    delivery: index,
                    check,
                },
                request_kind,
                scenario,
            })
        });
        let not_made = step.not_made.iter().map(move |check| LocatedCheck {
            check,
            step: Some(step),
            location: CheckLocation::NotMade { step: at },
            request_kind: RequestKind::Other,
            scenario,
        });
        of_deliveries.chain(not_made)
    });
    let effects = record.effects.iter().flat_map(|effects| &effects.checks);
    let of_effects = effects.enumerate().map(move |(index, check)| LocatedCheck {
        check,
        step: None,
        location: CheckLocation::Effect(index),
        request_kind: RequestKind::Other,
        scenario,
    });
    of_steps.chain(of_effects)
}

impl<'record> LocatedCheck<'record> {
    /// The key of the group that the check belongs to.
    pub(super) fn key(&self) -> GroupKey {
        if let Some(cause) = &self.check.cause {
            let unambiguous = self.check.hint.is_some() || self.check.verdict == Verdict::Broken;
            return GroupKey::Reported {
                cause: cause.clone(),
                unambiguous,
            };
        }
        let kind = match self.kind() {
            // Effects differ in what was granted and to whom, so without a reported cause each is
            // on its own.
            CheckKind::Effect => CheckKind::Scenario(self.scenario, self.check.subject.clone()),
            other => other,
        };
        GroupKey::SameResult {
            kind,
            observed: self.check.observed.clone(),
        }
    }

    pub(super) fn kind(&self) -> CheckKind {
        let subject = self.check.subject.clone();
        match self.location {
            CheckLocation::Effect(_) => CheckKind::Effect,
            CheckLocation::NotMade { .. } => CheckKind::Scenario(self.scenario, subject),
            CheckLocation::Delivery { .. } => CheckKind::Response {
                of: self.request_kind,
                subject,
                expected: self.check.expected.clone(),
            },
        }
    }

    /// Whether the check is about a genuine delivery.
    pub(super) fn is_genuine(&self) -> bool {
        matches!(self.location, CheckLocation::Delivery { .. })
            && self.request_kind == RequestKind::Genuine
    }

    /// The attempt that the check is about.
    pub(super) fn attempt(&self, record: &'record ScenarioRecord) -> Option<&'record AttemptEnded> {
        let CheckLocation::Delivery { delivery, .. } = self.location else {
            return None;
        };
        let step = self.step?;
        record.last_attempt(step.step, step.deliveries.get(delivery)?.delivery)
    }
}

impl CheckLocation {
    /// Marks the check as passed, so that reports skip it. Removing it would shift the indices of
    /// the others.
    pub(super) fn mark_passed(self, record: &mut ScenarioRecord) {
        let check = match self {
            Self::Delivery {
                step,
                delivery,
                check,
            } => record
                .steps
                .get_mut(step)
                .and_then(|step| step.deliveries.get_mut(delivery))
                .and_then(|delivery| delivery.checks.get_mut(check)),
            Self::NotMade { step } => record
                .steps
                .get_mut(step)
                .and_then(|step| step.not_made.as_mut()),
            Self::Effect(index) => record
                .effects
                .as_mut()
                .and_then(|effects| effects.checks.get_mut(index)),
        };
        if let Some(check) = check {
            check.verdict = Verdict::Passed;
        }
    }
}

impl GroupKey {
    /// Whether the group has a single cause, however few checks it has.
    pub(super) fn is_unambiguous(&self) -> bool {
        matches!(
            self,
            Self::Reported {
                unambiguous: true,
                ..
            }
        )
    }

    /// The kind under which all checks, failing or not, are counted.
    pub(super) fn kind(&self) -> CheckKind {
        match self {
            Self::Reported { .. } => CheckKind::Effect,
            Self::SameResult { kind, .. } => kind.clone(),
        }
    }

    /// Whether enough of the checks of this kind fail the same way to assume a single cause.
    /// Forgeries and other requests differ from each other on purpose, so all of them must fail.
    pub(super) fn is_systemic(&self, failing: usize, all: usize) -> bool {
        match self {
            Self::Reported { .. } => failing * 2 >= all,
            Self::SameResult { kind, .. } => match kind {
                CheckKind::Response {
                    of: RequestKind::Genuine,
                    ..
                } => failing * 2 >= all,
                CheckKind::Response { .. } => failing == all,
                CheckKind::Effect | CheckKind::Scenario(..) => false,
            },
        }
    }

    /// What is wrong, in one line.
    pub(super) fn title(&self) -> String {
        match self {
            Self::Reported { cause, .. } => sanitize(cause),
            Self::SameResult { kind, observed } => match kind {
                CheckKind::Response {
                    of,
                    subject,
                    expected,
                } => {
                    let of = match of {
                        RequestKind::Genuine => "genuine deliveries",
                        RequestKind::Forged => "forged deliveries",
                        RequestKind::Other => "other requests",
                    };
                    let (expected, observed) = (sanitize(expected), sanitize(observed));
                    format!("{subject} of {of}: expected {expected}, observed {observed}")
                }
                CheckKind::Effect => sanitize(observed),
                CheckKind::Scenario(_, subject) => format!("{subject}: {}", sanitize(observed)),
            },
        }
    }
}
