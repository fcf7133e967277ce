//! The problems of a scenario in sections, which reports for people show one after the other.

use super::scenario_record::{CheckPlace, PlacedCheck, ScenarioRecord, reading_line};
use crate::run::AttemptEnded;
use crate::verify::{Check, Verdict};

pub(super) struct ProblemSection<'record> {
    /// Such as `step 1: deliver welcome, delivery 1 of 2`.
    pub(super) title: String,
    /// Whether it is about a step, of which a scenario may have many.
    pub(super) is_of_step: bool,
    pub(super) checks: Vec<&'record Check>,
    pub(super) evidence: Evidence<'record>,
}

pub(super) enum Evidence<'record> {
    Nothing,
    /// The last attempt, which the checks are about.
    Exchange(&'record AttemptEnded),
    /// The probe readings, one per line.
    Readings(Vec<String>),
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
                let readings = record.effects.iter().flat_map(|effects| &effects.readings);
                Evidence::Readings(readings.map(reading_line).collect())
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
        })
    });
    sections.collect()
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
    /// Whether a check failed or broke. For a warning alone, an exchange would be too much detail.
    pub(super) fn has_failure(&self) -> bool {
        let mut checks = self.checks.iter();
        checks.any(|check| check.verdict > Verdict::Warned)
    }
}
