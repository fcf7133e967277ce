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

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn check(observed: &str) -> Value {
        json!({
            "subject": "status", "verdict": if observed == "200" { "passed" } else { "failed" },
            "level": "must", "expected": "200", "observed": observed,
        })
    }

    /// A scenario with deliveries that got these responses, by steps, and a failed effect.
    fn record(steps: &[&[&str]]) -> ScenarioRecord {
        let mut record = ScenarioRecord::test(1);
        for (step, responses) in (1..).zip(steps) {
            let deliveries = (1..).zip(*responses).map(|(delivery, observed)| {
                json!({
                    "delivery": delivery, "event_name": "coupon", "outcome": null, "attempts": 1,
                    "checks": [check(observed)],
                })
            });
            let ended = json!({
                "scenario": 1, "step": step, "description": "deliver coupon", "together": false,
                "deliveries": deliveries.collect::<Vec<_>>(), "not_made": null, "script": null,
            });
            record
                .steps
                .push(serde_json::from_value(ended).expect("a step"));
        }
        let effects = json!({
            "scenario": 1, "readings": [], "checks": [check("0")], "settled_after_seconds": 0.0,
        });
        record.effects = Some(serde_json::from_value(effects).expect("effects"));
        record
    }

    #[test]
    fn deliveries_of_a_step_with_the_same_problems_are_one_section() {
        for (steps, titles) in [
            (
                &[&["409", "409", "200", "409"][..]][..],
                &["step 1: deliver coupon, 3 of 4 deliveries"][..],
            ),
            // Another step, or another problem, is another section.
            (
                &[&["409"], &["409"]],
                &["step 1: deliver coupon", "step 2: deliver coupon"],
            ),
            (
                &[&["409", "500", "409"]],
                &[
                    "step 1: deliver coupon, delivery 1 of 3",
                    "step 1: deliver coupon, delivery 2 of 3",
                    "step 1: deliver coupon, delivery 3 of 3",
                ],
            ),
        ] {
            let record = record(steps);
            let problems: Vec<_> = record.problems().collect();
            let found = sections(&record, &problems);
            let (last, of_steps) = found.split_last().expect("sections");
            assert_eq!(last.title, "effects");
            let found: Vec<&str> = of_steps.iter().map(|section| &*section.title).collect();
            assert_eq!(found, titles);
        }
    }
}
