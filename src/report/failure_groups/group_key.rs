//! The key by which failing checks are grouped. Two checks share a group only if they expected the
//! same of the same kind of request and observed the same.

use std::collections::BTreeMap;

use crate::report::sanitize::sanitize;
use crate::report::scenario_record::{CheckPlace, PlacedCheck, ScenarioRecord};
use crate::run::AttemptEnded;
use crate::verify::{Check, Verdict};

/// The fewest scenarios of a common cause that is inferred from similar failures.
const MIN_SCENARIOS: usize = 3;
/// The fewest checks of a common cause that the run itself names.
const MIN_CHECKS: usize = 2;

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

impl CheckKind {
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
            CheckPlace::Delivery(_, delivery) => Self::Response {
                of: match attempt {
                    _ if delivery.event_name.is_none() => RequestKind::Other,
                    Some(attempt) if attempt.forgery.is_some() => RequestKind::Forged,
                    _ => RequestKind::Genuine,
                },
                subject,
                expected: placed.check.expected.clone(),
            },
        }
    }

    pub(super) fn is_genuine(&self) -> bool {
        let genuine = RequestKind::Genuine;
        matches!(self, Self::Response { of, .. } if *of == genuine)
    }
}

impl GroupKey {
    pub(super) fn of(kind: CheckKind, record: &ScenarioRecord, check: &Check) -> Self {
        if let Some(cause) = &check.cause {
            return Self::Reported {
                cause: cause.clone(),
                unambiguous: check.hint.is_some() || check.verdict == Verdict::Broken,
            };
        }
        Self::SameResult {
            kind: match kind {
                // Effects differ in what was granted and to whom, so without a reported cause each
                // is on its own.
                CheckKind::Effect => {
                    CheckKind::Scenario(record.started.scenario, check.subject.clone())
                }
                other => other,
            },
            observed: check.observed.clone(),
        }
    }

    /// Whether a group with this key has a single cause: enough checks fail the same way.
    pub(super) fn is_common(
        &self,
        failing: usize,
        scenarios: usize,
        check_counts: &BTreeMap<CheckKind, usize>,
    ) -> bool {
        let all = |kind: &CheckKind| check_counts.get(kind).copied().unwrap_or_default();
        match self {
            Self::Reported {
                unambiguous: true, ..
            } => failing >= MIN_CHECKS,
            _ if scenarios < MIN_SCENARIOS => false,
            Self::Reported { .. } => failing * 2 >= all(&CheckKind::Effect),
            Self::SameResult { kind, .. } if kind.is_genuine() => failing * 2 >= all(kind),
            // Forgeries and other requests differ from each other on purpose, so all must fail.
            Self::SameResult { kind, .. } => {
                matches!(kind, CheckKind::Response { .. }) && failing == all(kind)
            }
        }
    }

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
