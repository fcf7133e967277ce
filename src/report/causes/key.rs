//! Which checks fail of the same cause: never two that differ in what was expected, in how it was
//! answered or in what came of it.

use crate::harness::{AttemptEnded, Check, StepEnded, Verdict};
use crate::report::printable::printable;
use crate::report::scenario_story::ScenarioStory;

/// What checks have in common that fail of the same cause.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Key {
    /// The same was expected of the same kind of request, and the same was seen.
    Alike {
        demanded: Demanded,
        observed: String,
    },
    /// The run said what the check comes of.
    Said {
        cause: String,
        /// Whether that is a thing by itself, such as a probe that is missing, rather than something
        /// that several receivers' mistakes can look like.
        known: bool,
    },
}

/// What a check demands, and of whom.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Demanded {
    Effect,
    Answer {
        to: Sent,
        subject: String,
        expected: String,
    },
    /// Something about the scenario itself: nothing that others share, unless the run says so.
    Scenario(usize, String),
}

/// Which kind of request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Sent {
    Genuine,
    Forged,
    Other,
}

/// A check and where it stands.
#[derive(Debug, Clone, Copy)]
pub(super) struct Placed<'story> {
    pub(super) check: &'story Check,
    pub(super) step: Option<&'story StepEnded>,
    pub(super) place: Place,
    sent: Sent,
    scenario: usize,
}

/// Where a check stands in the story of its scenario, by indices.
#[derive(Debug, Clone, Copy)]
pub(super) enum Place {
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

/// The checks of a scenario, but for that of its snapshot, which is its own affair.
pub(super) fn checks(story: &ScenarioStory) -> impl Iterator<Item = Placed<'_>> {
    let scenario = story.started.scenario;
    let of_steps = story.steps.iter().enumerate().flat_map(move |(at, step)| {
        let deliveries = step.deliveries.iter().enumerate();
        let of_deliveries = deliveries.flat_map(move |(index, delivery)| {
            let attempt = story.last_attempt(step.step, delivery.delivery);
            let sent = match (attempt, &delivery.event_name) {
                (_, None) => Sent::Other,
                (
                    Some(AttemptEnded {
                        forgery: Some(_), ..
                    }),
                    _,
                ) => Sent::Forged,
                _ => Sent::Genuine,
            };
            let checks = delivery.checks.iter().enumerate();
            checks.map(move |(check, found)| Placed {
                check: found,
                step: Some(step),
                place: Place::Delivery {
                    step: at,
                    delivery: index,
                    check,
                },
                sent,
                scenario,
            })
        });
        let not_made = step.not_made.iter().map(move |check| Placed {
            check,
            step: Some(step),
            place: Place::NotMade { step: at },
            sent: Sent::Other,
            scenario,
        });
        of_deliveries.chain(not_made)
    });
    let effects = story.effects.iter().flat_map(|effects| &effects.checks);
    let of_effects = effects.enumerate().map(move |(index, check)| Placed {
        check,
        step: None,
        place: Place::Effect(index),
        sent: Sent::Other,
        scenario,
    });
    of_steps.chain(of_effects)
}

impl<'story> Placed<'story> {
    /// What checks share that fail of the same.
    pub(super) fn key(&self) -> Key {
        if let Some(cause) = &self.check.cause {
            let known = self.check.hint.is_some() || self.check.verdict == Verdict::Broken;
            return Key::Said {
                cause: cause.clone(),
                known,
            };
        }
        let demanded = match self.demanded() {
            // Effects that are not said to be alike differ: in what was granted and to whom.
            Demanded::Effect => Demanded::Scenario(self.scenario, self.check.subject.clone()),
            other => other,
        };
        Key::Alike {
            demanded,
            observed: self.check.observed.clone(),
        }
    }

    /// What is demanded, and of whom.
    pub(super) fn demanded(&self) -> Demanded {
        let subject = self.check.subject.clone();
        match self.place {
            Place::Effect(_) => Demanded::Effect,
            Place::NotMade { .. } => Demanded::Scenario(self.scenario, subject),
            Place::Delivery { .. } => Demanded::Answer {
                to: self.sent,
                subject,
                expected: self.check.expected.clone(),
            },
        }
    }

    /// Whether it is about a genuine delivery.
    pub(super) fn is_genuine(&self) -> bool {
        matches!(self.place, Place::Delivery { .. }) && self.sent == Sent::Genuine
    }

    /// The attempt that the check is about.
    pub(super) fn attempt(&self, story: &'story ScenarioStory) -> Option<&'story AttemptEnded> {
        let Place::Delivery { delivery, .. } = self.place else {
            return None;
        };
        let step = self.step?;
        story.last_attempt(step.step, step.deliveries.get(delivery)?.delivery)
    }
}

impl Place {
    /// Makes the check one that holds, so that nobody tells of it any more. Its place stays, and so
    /// do those of the others.
    pub(super) fn remove(self, story: &mut ScenarioStory) {
        let check = match self {
            Self::Delivery {
                step,
                delivery,
                check,
            } => story
                .steps
                .get_mut(step)
                .and_then(|step| step.deliveries.get_mut(delivery))
                .and_then(|delivery| delivery.checks.get_mut(check)),
            Self::NotMade { step } => story
                .steps
                .get_mut(step)
                .and_then(|step| step.not_made.as_mut()),
            Self::Effect(index) => story
                .effects
                .as_mut()
                .and_then(|effects| effects.checks.get_mut(index)),
        };
        if let Some(check) = check {
            check.verdict = Verdict::Passed;
        }
    }
}

impl Key {
    /// Whether it is known to be one thing, however few it concerns.
    pub(super) fn is_known(&self) -> bool {
        matches!(self, Self::Said { known: true, .. })
    }

    /// What the check demands, to count those that were made.
    pub(super) fn demanded(&self) -> Demanded {
        match self {
            Self::Said { .. } => Demanded::Effect,
            Self::Alike { demanded, .. } => demanded.clone(),
        }
    }

    /// Whether so many of the checks that were made fail alike that it is one cause rather than
    /// several that look the same. Forgeries and other requests differ among each other on purpose,
    /// so all of them have to.
    pub(super) fn is_systemic(&self, alike: usize, made: usize) -> bool {
        match self {
            Self::Said { .. } => alike * 2 >= made,
            Self::Alike { demanded, .. } => match demanded {
                Demanded::Answer {
                    to: Sent::Genuine, ..
                } => alike * 2 >= made,
                Demanded::Answer { .. } => alike == made,
                Demanded::Effect | Demanded::Scenario(..) => false,
            },
        }
    }

    /// What is wrong, in a line.
    pub(super) fn in_words(&self) -> String {
        match self {
            Self::Said { cause, .. } => printable(cause),
            Self::Alike { demanded, observed } => match demanded {
                Demanded::Answer {
                    to,
                    subject,
                    expected,
                } => {
                    let to = match to {
                        Sent::Genuine => "genuine deliveries",
                        Sent::Forged => "forged deliveries",
                        Sent::Other => "other requests",
                    };
                    let (expected, observed) = (printable(expected), printable(observed));
                    format!("{subject} of {to}: expected {expected}, observed {observed}")
                }
                Demanded::Effect => printable(observed),
                Demanded::Scenario(_, subject) => format!("{subject}: {}", printable(observed)),
            },
        }
    }
}
