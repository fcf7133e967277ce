//! What happened in one scenario, collected from the events of a run, and its checks with their places.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use jiff::Timestamp;

use super::event_trace::{EventTrace, event_traces};
use super::limits::Limits;
use super::sanitize::sanitize;
use crate::run::{
    AttemptEnded, DeliveryEnded, EffectsEnded, ResponseRecord, RunEvent, ScenarioEnded,
    ScenarioStarted, SnapshotCompared, StepEnded,
};
use crate::scenario::shortened;
use crate::verify::{Check, Verdict, VerdictCounts};

#[derive(Debug, Default)]
pub(crate) struct RunningScenarios(BTreeMap<usize, ScenarioRecord>);

/// The events of one scenario.
#[derive(Debug)]
pub struct ScenarioRecord {
    /// Its start.
    pub started: ScenarioStarted,
    pub(super) attempts: Vec<AttemptEnded>,
    pub(super) steps: Vec<StepEnded>,
    pub(super) effects: Option<EffectsEnded>,
    /// Of the events whose effects failed.
    pub(super) traces: Vec<EventTrace>,
    pub(super) snapshot: Option<SnapshotCompared>,
    /// Its end.
    pub ended: ScenarioEnded,
    /// The number of the common problem that reports a check, by the check's index among all checks.
    pub(super) reported_by: BTreeMap<usize, usize>,
}

#[derive(Debug, Clone, Copy)]
pub(crate) struct PlacedCheck<'record> {
    pub(crate) check: &'record Check,
    pub(super) place: CheckPlace<'record>,
    pub(super) reported_by: Option<usize>,
}

#[derive(Debug, Clone, Copy)]
pub(super) enum CheckPlace<'record> {
    Delivery(&'record StepEnded, &'record DeliveryEnded),
    /// A step that could not run.
    NotMade(&'record StepEnded),
    Effects,
    Snapshot,
}

/// How much of the attempts a record keeps once its scenario has ended. The last attempts of
/// deliveries with problems are always kept whole.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum KeptAttempts {
    /// No others.
    #[default]
    OfProblems,
    /// The others without headers and bodies.
    Heads,
    /// The others with the beginning of their bodies.
    Shortened,
    /// All of them whole.
    Whole,
}

impl RunningScenarios {
    /// Handles an event. The one that ends a scenario returns its record.
    pub(crate) fn observe(&mut self, event: RunEvent) -> Option<ScenarioRecord> {
        match event {
            RunEvent::ScenarioStarted(started) => {
                self.0
                    .insert(started.scenario, ScenarioRecord::new(started));
            }
            RunEvent::AttemptEnded(attempt) => {
                let record = self.0.get_mut(&attempt.scenario)?;
                record.attempts.push(*attempt);
            }
            RunEvent::StepEnded(step) => self.0.get_mut(&step.scenario)?.steps.push(step),
            RunEvent::EffectsEnded(effects) => {
                let record = self.0.get_mut(&effects.scenario)?;
                record.effects = Some(effects);
            }
            RunEvent::SnapshotCompared(compared) => {
                let record = self.0.get_mut(&compared.scenario)?;
                record.snapshot = Some(compared);
            }
            RunEvent::ScenarioEnded(ended) => {
                let record = self.0.remove(&ended.scenario)?;
                let effects = record.effects.as_ref();
                let traces = effects.map(|effects| event_traces(effects, &record.attempts));
                return Some(ScenarioRecord {
                    traces: traces.unwrap_or_default(),
                    ended,
                    ..record
                });
            }
            RunEvent::RunStarted(_) | RunEvent::SnapshotsEnded(_) | RunEvent::RunEnded(_) => {}
        }
        None
    }

    pub(super) fn name(&self, scenario: usize) -> &str {
        let record = self.0.get(&scenario);
        record.map_or("", |record| &record.started.name)
    }
}

impl ScenarioRecord {
    fn new(started: ScenarioStarted) -> Self {
        let ended = ScenarioEnded {
            scenario: started.scenario,
            verdict: Verdict::NotChecked,
            checks: VerdictCounts::default(),
            took: Duration::ZERO,
        };
        Self {
            started,
            attempts: Vec::new(),
            steps: Vec::new(),
            effects: None,
            traces: Vec::new(),
            snapshot: None,
            ended,
            reported_by: BTreeMap::new(),
        }
    }

    /// A scenario of a test, in which nothing happened.
    #[cfg(test)]
    pub(super) fn test(number: usize) -> Self {
        let started = serde_json::json!({
            "scenario": number, "name": "a coupon", "about": null, "tags": [], "level": "must",
            "source": null, "file": "coupon.yaml", "line": 1, "choice": null, "varying": [],
        });
        Self::new(serde_json::from_value(started).expect("a start"))
    }

    pub(crate) fn checks(&self) -> impl Iterator<Item = PlacedCheck<'_>> {
        let of_steps = self.steps.iter().flat_map(|step| {
            let deliveries = step.deliveries.iter().flat_map(move |delivery| {
                let place = CheckPlace::Delivery(step, delivery);
                delivery.checks.iter().map(move |check| (check, place))
            });
            let not_made = step.not_made.iter();
            deliveries.chain(not_made.map(move |check| (check, CheckPlace::NotMade(step))))
        });
        let of_effects = self.effects.iter().flat_map(|effects| &effects.checks);
        let of_snapshot = self.snapshot.iter().flat_map(|snapshot| &snapshot.check);
        let all = of_steps
            .chain(of_effects.map(|check| (check, CheckPlace::Effects)))
            .chain(of_snapshot.map(|check| (check, CheckPlace::Snapshot)));
        all.enumerate().map(|(index, (check, place))| PlacedCheck {
            check,
            place,
            reported_by: self.reported_by.get(&index).copied(),
        })
    }

    /// The checks that warned, failed or broke.
    pub(super) fn problems(&self) -> impl Iterator<Item = PlacedCheck<'_>> {
        self.checks().filter(|placed| is_problem(placed.check))
    }

    pub(super) fn own_problems(&self) -> Vec<PlacedCheck<'_>> {
        let problems = self.problems();
        problems
            .filter(|placed| placed.reported_by.is_none())
            .collect()
    }

    pub(super) fn common_problems(&self) -> BTreeSet<usize> {
        self.reported_by.values().copied().collect()
    }

    pub(super) fn not_checked(&self) -> impl Iterator<Item = &Check> {
        let checks = self.checks().map(|placed| placed.check);
        checks.filter(|check| check.verdict == Verdict::NotChecked)
    }

    pub(super) fn began(&self) -> Option<Timestamp> {
        let attempts = self.attempts.iter();
        attempts.map(|attempt| attempt.started_at).min()
    }

    pub(super) fn location(&self) -> String {
        format!("{}:{}", self.started.file, self.started.line)
    }

    /// The last attempt of each delivery, which its expectations are about, by the numbers of the
    /// step and the delivery.
    pub(super) fn last_attempts(&self) -> BTreeMap<(usize, usize), &AttemptEnded> {
        let attempts = self.attempts.iter();
        attempts
            .map(|attempt| ((attempt.step, attempt.delivery), attempt))
            .collect()
    }

    /// The first genuine attempt of an event.
    pub(super) fn first_attempt(&self, event_name: &str) -> Option<&AttemptEnded> {
        self.attempts.iter().find(|attempt| {
            attempt.event_name.as_deref() == Some(event_name) && attempt.forgery.is_none()
        })
    }

    pub(super) fn reduce(&mut self, kept: KeptAttempts) {
        // Only snapshots need these.
        self.started.varying.clear();
        let limits = match kept {
            KeptAttempts::Whole => return,
            KeptAttempts::Shortened => Some(Limits::KEPT),
            KeptAttempts::Heads => Some(Limits::HEADS),
            KeptAttempts::OfProblems => None,
        };
        let problems = self.problems();
        let mut whole: BTreeSet<_> = problems
            .filter_map(|placed| placed.place.delivery())
            .collect();
        let mut room = usize::MAX;
        // In reverse order, so that the last attempt of each delivery is kept.
        self.attempts.reverse();
        self.attempts.retain_mut(|attempt| {
            if whole.remove(&(attempt.step, attempt.delivery)) {
                return true;
            }
            if let Some(limits) = limits {
                limits.cut_attempt(attempt, &mut room);
            }
            limits.is_some()
        });
        self.attempts.reverse();
    }
}

impl<'record> CheckPlace<'record> {
    pub(super) fn step(self) -> Option<&'record StepEnded> {
        match self {
            Self::Delivery(step, _) | Self::NotMade(step) => Some(step),
            Self::Effects | Self::Snapshot => None,
        }
    }

    /// Whether two checks of a scenario are about the same.
    pub(super) fn is_same(self, other: Self) -> bool {
        let step = |place: Self| place.step().map(|step| step.step);
        let key = |place: Self| (step(place), place.delivery());
        key(self) == key(other) && matches!(self, Self::Snapshot) == matches!(other, Self::Snapshot)
    }

    /// The numbers of the step and the delivery, if it is about a delivery.
    pub(super) fn delivery(self) -> Option<(usize, usize)> {
        match self {
            Self::Delivery(step, delivery) => Some((step.step, delivery.delivery)),
            _ => None,
        }
    }
}

/// The first of the worst problems in one line, and how many more are as bad.
pub(super) fn worst_line(problems: &[PlacedCheck<'_>]) -> Option<String> {
    let (first, more) = worst(problems);
    let line = check_line(first?);
    Some(match more {
        0 => line,
        more => format!("{line} (and {more} more)"),
    })
}

/// The first of the worst problems, and how many more are as bad.
pub(super) fn worst<'record>(problems: &[PlacedCheck<'record>]) -> (Option<&'record Check>, usize) {
    let checks = problems.iter().map(|placed| placed.check);
    let worst = checks.clone().map(|check| check.verdict).max();
    let mut as_bad = checks.filter(|check| Some(check.verdict) == worst);
    (as_bad.next(), as_bad.count())
}

pub(super) fn is_problem(check: &Check) -> bool {
    !check.verdict.is_passed_or_not_checked()
}

/// The responses to an attempt: the one that the sender got, and the one that a fault kept from it.
pub(super) fn responses(attempt: &AttemptEnded) -> impl Iterator<Item = &ResponseRecord> {
    let discarded = attempt.discarded_response.as_deref();
    [&attempt.response].into_iter().chain(discarded)
}

/// What the probes read before and after the steps.
pub(super) fn reading_lines(effects: &EffectsEnded) -> Vec<String> {
    let line = |probe: &str, sku: &str, player: &str, change: String| {
        let (sku, player) = (sanitize(sku), sanitize(player));
        format!("{probe} of {sku} for {player}: {change}")
    };
    let numbers = effects.readings.iter().map(|reading| {
        let change = format!("{} → {}", reading.before, reading.after);
        line(&reading.probe, &reading.sku, &reading.player_id, change)
    });
    let texts = effects.texts.iter().map(|reading| {
        let text = |text: &str| shortened(&text.into());
        let before = reading.before.as_deref();
        let before = before.map_or_else(|| "nothing".to_owned(), text);
        let change = format!("{before} → {}", text(&reading.after));
        line(&reading.probe, &reading.sku, &reading.player_id, change)
    });
    numbers.chain(texts).collect()
}

pub(super) fn check_line(check: &Check) -> String {
    format!(
        "{}: expected {}, observed {}",
        check.subject,
        sanitize(&check.expected),
        sanitize(&check.observed)
    )
}
