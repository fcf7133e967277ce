//! The problems of a scenario in sections, which reports for people show one after the other.

use super::event_trace::event_name;
use super::scenario_record::{CheckPlace, PlacedCheck, ScenarioRecord, reading_lines};
use crate::run::AttemptEnded;
use crate::verify::{Check, Verdict};

pub(super) struct ProblemSection<'record> {
    /// Such as `step 1: deliver welcome, delivery 1 of 2`.
    pub(super) title: String,
    /// Whether it is about a step, of which a scenario may have many.
    pub(super) is_of_step: bool,
    pub(super) checks: Vec<&'record Check>,
    pub(super) evidence: Evidence<'record>,
    place: CheckPlace<'record>,
}

pub(super) enum Evidence<'record> {
    Nothing,
    /// The last attempt, which the checks are about.
    Exchange(&'record AttemptEnded),
    /// The deliveries of the events, and the probe readings, one per line.
    Effects(Vec<String>),
    Difference(&'record str),
}

pub(super) fn sections<'record>(
    record: &'record ScenarioRecord,
    problems: &[PlacedCheck<'record>],
) -> Vec<ProblemSection<'record>> {
    let attempts = record.last_attempts();
    let chunks = problems.chunk_by(|one, next| one.place.is_same(next.place));
    let sections = chunks.filter_map(|chunk| {
        let place = chunk.first()?.place;
        let evidence = match place {
            CheckPlace::Delivery(..) => {
                let attempt = attempts.get(&place.delivery()?);
                attempt.map_or(Evidence::Nothing, |attempt| Evidence::Exchange(attempt))
            }
            CheckPlace::NotMade(_) => Evidence::Nothing,
            CheckPlace::Effects => {
                let names = || chunk.iter().filter_map(|placed| event_name(placed.check));
                let traces = record.traces.iter();
                let traces = traces.filter(|trace| names().any(|name| name == trace.event_name));
                let readings = record.effects.iter().flat_map(reading_lines);
                let traces = traces.flat_map(|trace| trace.lines.iter().cloned());
                Evidence::Effects(traces.chain(readings).collect())
            }
            CheckPlace::Snapshot => {
                let snapshot = record.snapshot.as_ref();
                let difference = snapshot.and_then(|snapshot| snapshot.difference.as_deref());
                difference.map_or(Evidence::Nothing, Evidence::Difference)
            }
        };
        Some(ProblemSection {
            title: title(place),
            is_of_step: place.step().is_some(),
            checks: chunk.iter().map(|placed| placed.check).collect(),
            evidence,
            place,
        })
    });
    let mut merged: Vec<(ProblemSection<'_>, usize)> = Vec::new();
    for section in sections {
        match merged.last_mut() {
            Some((last, count)) if last.is_repeated_by(&section) => *count += 1,
            _ => merged.push((section, 1)),
        }
    }
    let counted = merged.into_iter().map(|(section, count)| match count {
        1 => section,
        _ => section.with_count(count),
    });
    counted.collect()
}

fn title(place: CheckPlace<'_>) -> String {
    match place {
        CheckPlace::Delivery(step, delivery) => {
            let which = match step.deliveries.len() {
                1 => String::new(),
                count => format!(", delivery {} of {count}", delivery.delivery),
            };
            format!("step {}: {}{which}", step.step, step.description)
        }
        CheckPlace::NotMade(step) => format!("step {}: {}", step.step, step.description),
        CheckPlace::Effects => "effects".to_owned(),
        CheckPlace::Snapshot => "snapshot".to_owned(),
    }
}

impl ProblemSection<'_> {
    /// Whether another section is about a delivery of the same step with the same problems.
    fn is_repeated_by(&self, other: &Self) -> bool {
        let step = |section: &Self| section.place.delivery().map(|(step, _)| step);
        step(self).is_some() && step(self) == step(other) && self.checks == other.checks
    }

    /// The first of `count` sections that differ only in the delivery.
    fn with_count(mut self, count: usize) -> Self {
        if let Some(step) = self.place.step() {
            let all = step.deliveries.len();
            self.title = format!(
                "step {}: {}, {count} of {all} deliveries",
                step.step, step.description
            );
        }
        self
    }

    /// Whether a check failed or broke. For a warning alone, an exchange would be too much detail.
    pub(super) fn has_failure(&self) -> bool {
        let mut checks = self.checks.iter();
        checks.any(|check| check.verdict > Verdict::Warned)
    }
}
