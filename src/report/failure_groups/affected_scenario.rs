//! A scenario with a common problem. The repetitions of a scenario are one.

use std::collections::BTreeMap;

use crate::report::repetition::{Repetitions, without_repetition};

#[derive(Debug, Clone)]
pub(in crate::report) struct AffectedScenario {
    pub(in crate::report) number: usize,
    pub(in crate::report) name: String,
    pub(in crate::report) file: String,
    pub(in crate::report) line: usize,
    /// In how many repetitions, if the run has some.
    pub(super) repetitions: Option<String>,
}

impl AffectedScenario {
    pub(in crate::report) fn location(&self) -> String {
        format!("{}:{}", self.file, self.line)
    }
}

/// Scenarios, of whose repetitions only one is left: the example, or else the first.
pub(super) fn grouped(
    scenarios: BTreeMap<usize, AffectedScenario>,
    example: usize,
    repetitions: &Repetitions,
) -> Vec<AffectedScenario> {
    let mut groups: BTreeMap<(String, String), Vec<AffectedScenario>> = BTreeMap::new();
    for scenario in scenarios.into_values() {
        let (name, _) = without_repetition(&scenario.name);
        let key = (scenario.location(), name);
        groups.entry(key).or_default().push(scenario);
    }
    let groups = groups.into_iter().filter_map(|((_, name), group)| {
        let example = group.iter().find(|scenario| scenario.number == example);
        let scenario = example.or(group.first())?.clone();
        let repetitions = repetitions.text(group.len());
        let name = match &repetitions {
            Some(text) => format!("{name}, {text}"),
            None => name,
        };
        Some(AffectedScenario {
            name,
            repetitions,
            ..scenario
        })
    });
    let mut grouped: Vec<_> = groups.collect();
    grouped.sort_by_key(|scenario| scenario.number);
    grouped
}
