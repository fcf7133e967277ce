//! The comparison of a run with an earlier one: which scenarios no longer fail, still fail, or newly
//! fail.

use std::collections::BTreeMap;

use super::run_event::{BaselineChanges, RunEvent, ScenarioEnded};
use super::symptoms::scenario_key;
use crate::verify::Verdict;

/// The results of a run's scenarios.
#[derive(Debug, Default)]
pub(crate) struct ScenarioResults {
    /// The keys and names of the scenarios that started, by their numbers.
    started: BTreeMap<usize, (String, String)>,
    ended: BTreeMap<String, ScenarioResult>,
}

/// The worst result of a scenario, which may be repeated.
#[derive(Debug)]
struct ScenarioResult {
    name: String,
    verdict: Verdict,
    not_checked: usize,
}

impl ScenarioResults {
    /// Takes what an event tells.
    pub(crate) fn observe(&mut self, event: &RunEvent) {
        match event {
            RunEvent::ScenarioStarted(started) => {
                let names = (scenario_key(started), started.name.clone());
                self.started.insert(started.scenario, names);
            }
            RunEvent::ScenarioEnded(ended) => self.scenario_ended(ended),
            _ => {}
        }
    }

    fn scenario_ended(&mut self, ended: &ScenarioEnded) {
        let Some((key, name)) = self.started.remove(&ended.scenario) else {
            return;
        };
        let worst = self.ended.entry(key).or_insert(ScenarioResult {
            name,
            verdict: ended.verdict,
            not_checked: 0,
        });
        worst.verdict = worst.verdict.max(ended.verdict);
        worst.not_checked = worst.not_checked.max(ended.checks.not_checked);
    }

    /// What changed since an earlier run.
    pub(crate) fn changes_since(&self, baseline: &Self) -> BaselineChanges {
        let mut changes = BaselineChanges::default();
        for (key, before) in baseline.failed() {
            let list = match self.ended.get(key) {
                Some(now) if now.verdict == Verdict::Failed => &mut changes.still_failing,
                // What failed may be what is not checked now.
                Some(now)
                    if now.verdict != Verdict::Broken && now.not_checked <= before.not_checked =>
                {
                    &mut changes.fixed
                }
                _ => &mut changes.undecided,
            };
            list.push(before.name.clone());
        }
        let failed_before = |key| baseline.failed().any(|(other, _)| other == key);
        let new = self.failed().filter(|(key, _)| !failed_before(*key));
        changes.new = new.map(|(_, now)| now.name.clone()).collect();
        changes
    }

    fn failed(&self) -> impl Iterator<Item = (&String, &ScenarioResult)> {
        let results = self.ended.iter();
        results.filter(|(_, result)| result.verdict == Verdict::Failed)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::run::run_event::ScenarioStarted;
    use crate::scenario::Level;
    use crate::verify::VerdictCounts;

    /// The results of scenarios with these names, verdicts, and numbers of checks not made.
    fn results(scenarios: &[(&str, Verdict, usize)]) -> ScenarioResults {
        let mut results = ScenarioResults::default();
        for (number, &(name, verdict, not_checked)) in scenarios.iter().enumerate() {
            results.observe(&RunEvent::ScenarioStarted(ScenarioStarted {
                scenario: number,
                name: name.to_uppercase(),
                about: None,
                tags: Vec::new(),
                level: Level::Must,
                source: None,
                file: format!("scenarios/{name}.yaml"),
                line: 1,
                choice: None,
                varying: Vec::new(),
            }));
            results.observe(&RunEvent::ScenarioEnded(ScenarioEnded {
                scenario: number,
                verdict,
                checks: VerdictCounts {
                    not_checked,
                    ..VerdictCounts::default()
                },
                took: Duration::ZERO,
            }));
        }
        results
    }

    #[test]
    fn a_failed_scenario_is_new_still_failing_fixed_or_undecided() {
        use Verdict::{Broken, Failed, NotChecked, Passed, Warned};
        let baseline = results(&[
            ("still", Failed, 0),
            ("passes", Failed, 0),
            ("warns", Failed, 0),
            ("repeated", Failed, 0),
            ("repeated", Passed, 0),
            ("as_little_checked", Failed, 1),
            ("less_checked", Failed, 1),
            ("broken", Failed, 0),
            ("not_run", Failed, 0),
            ("worse", Warned, 0),
            ("was_broken", Broken, 0),
            ("passed_before", Passed, 0),
        ]);
        let now = results(&[
            ("still", Failed, 0),
            ("passes", Passed, 0),
            ("warns", Warned, 0),
            ("repeated", Passed, 0),
            ("repeated", Failed, 0),
            ("as_little_checked", NotChecked, 1),
            ("less_checked", NotChecked, 2),
            ("broken", Broken, 0),
            ("worse", Failed, 0),
            ("was_broken", Failed, 0),
            ("passed_before", Broken, 0),
            ("added", Failed, 0),
        ]);
        let names = |names: &[&str]| names.iter().map(|name| name.to_uppercase()).collect();
        assert_eq!(
            now.changes_since(&baseline),
            BaselineChanges {
                new: names(&["added", "was_broken", "worse"]),
                still_failing: names(&["repeated", "still"]),
                fixed: names(&["as_little_checked", "passes", "warns"]),
                undecided: names(&["broken", "less_checked", "not_run"]),
            }
        );
    }
}
