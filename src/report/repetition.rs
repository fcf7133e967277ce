//! The repetitions of a scenario, which `run --repeat` names, as one scenario.

use std::cmp::Ordering;
use std::collections::BTreeMap;

use super::scenario_record::ScenarioRecord;
use crate::verify::Verdict;

const LABEL: &str = " (repetition ";

/// The name of a scenario without its repetition, and the repetition's number.
pub(super) fn without_repetition(name: &str) -> (String, Option<u32>) {
    let split = || {
        let (before, rest) = name.rsplit_once(LABEL)?;
        let (number, after) = rest.split_once(')')?;
        Some((format!("{before}{after}"), number.parse().ok()?))
    };
    match split() {
        Some((name, number)) => (name, Some(number)),
        None => (name.to_owned(), None),
    }
}

/// How many repetitions each scenario of a run has, 0 if it is not repeated.
#[derive(Debug, Clone, Default)]
pub(super) struct Repetitions {
    pub(super) all: u32,
}

impl Repetitions {
    pub(super) fn observe(&mut self, name: &str) {
        let (_, number) = without_repetition(name);
        self.all = self.all.max(number.unwrap_or_default());
    }

    /// `in 3 of 20 repetitions`; `None` if the run has none.
    pub(super) fn text(&self, own: usize) -> Option<String> {
        (self.all > 1).then(|| format!("in {own} of {} repetitions", self.all))
    }
}

/// The repetitions of one scenario.
#[derive(Debug)]
pub(super) struct RepeatedScenario {
    pub(super) name: String,
    /// The worst verdict, and how many repetitions have it.
    pub(super) verdict: Verdict,
    count: usize,
    all: usize,
    first: usize,
}

/// Those that have ended, by their location and name.
#[derive(Debug, Default)]
pub(super) struct RepeatedScenarios(BTreeMap<(String, String), RepeatedScenario>);

impl RepeatedScenarios {
    pub(super) fn observe(&mut self, record: &ScenarioRecord) {
        let (name, Some(_)) = without_repetition(&record.started.name) else {
            return;
        };
        let (verdict, number) = (record.ended.verdict, record.started.scenario);
        let key = (record.location(), name.clone());
        let known = self.0.entry(key).or_insert(RepeatedScenario {
            name,
            verdict,
            count: 0,
            all: 0,
            first: number,
        });
        known.all += 1;
        known.first = known.first.min(number);
        match verdict.cmp(&known.verdict) {
            Ordering::Greater => (known.verdict, known.count) = (verdict, 1),
            Ordering::Equal => known.count += 1,
            Ordering::Less => {}
        }
    }

    pub(super) fn into_sorted(self) -> Vec<RepeatedScenario> {
        let mut scenarios: Vec<_> = self.0.into_values().collect();
        scenarios.sort_by_key(|scenario| scenario.first);
        scenarios
    }
}

impl RepeatedScenario {
    /// `20 of 20 repetitions`, which have the verdict.
    pub(super) fn text(&self) -> String {
        format!("{} of {} repetitions", self.count, self.all)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_repetition_is_not_part_of_the_name() {
        for (name, expected) in [
            ("a (repetition 12)", ("a", Some(12))),
            (
                "a (repetition 2) [layout=spaced]",
                ("a [layout=spaced]", Some(2)),
            ),
            ("a (repetition x)", ("a (repetition x)", None)),
            ("a", ("a", None)),
        ] {
            let (name, number) = without_repetition(name);
            assert_eq!((&*name, number), expected);
        }
    }

    #[test]
    fn a_run_without_repetitions_has_no_text() {
        let mut repetitions = Repetitions::default();
        repetitions.observe("a");
        assert_eq!(repetitions.text(1), None);
        repetitions.observe("a (repetition 20)");
        assert_eq!(
            repetitions.text(3).as_deref(),
            Some("in 3 of 20 repetitions")
        );
    }
}
