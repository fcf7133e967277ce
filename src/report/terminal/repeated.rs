//! The repetitions of a scenario that fail alike, which are shown once.

use std::collections::BTreeMap;

use crate::report::repetition::without_repetition;
use crate::report::scenario_record::{PlacedCheck, ScenarioRecord, worst};

/// A scenario, its problems, and how many of its repetitions have them.
pub(super) type Repeated<'run> = (&'run ScenarioRecord, Vec<PlacedCheck<'run>>, usize);

/// Of the repetitions of a scenario with the same worst problem, the first.
pub(super) fn repetitions_once<'run>(
    scenarios: Vec<(&'run ScenarioRecord, Vec<PlacedCheck<'run>>)>,
) -> Vec<Repeated<'run>> {
    let mut first: BTreeMap<_, usize> = BTreeMap::new();
    let mut once: Vec<Repeated<'run>> = Vec::new();
    for (record, problems) in scenarios {
        let (name, repetition) = without_repetition(&record.started.name);
        if repetition.is_none() {
            once.push((record, problems, 1));
            continue;
        }
        let worst = worst(&problems).0;
        let subject = worst.map(|check| (check.subject.clone(), check.cause.clone()));
        let known = *first
            .entry((record.location(), name, subject))
            .or_insert(once.len());
        match once.get_mut(known) {
            Some((.., count)) => *count += 1,
            None => once.push((record, problems, 1)),
        }
    }
    once
}
