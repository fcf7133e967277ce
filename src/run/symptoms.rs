//! What failed in the scenarios of a run, in words that do not depend on players, items and numbers, so
//! that the same bug in another receiver fails in the same way.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use super::run_event::{RunEvent, ScenarioStarted};
use crate::verify::{Check, Verdict};

/// The scenarios that were decided, by folder, file name and choice, each with its symptoms. One that
/// passed has none.
#[derive(Debug, Clone, Default)]
pub struct Symptoms {
    running: BTreeMap<usize, (String, ScenarioSymptoms)>,
    scenarios: BTreeMap<String, ScenarioSymptoms>,
}

/// What failed in a scenario.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct ScenarioSymptoms {
    /// The scenario's number in the run.
    pub(super) number: usize,
    pub(super) symptoms: BTreeSet<String>,
    pub(super) only_warns: bool,
}

impl ScenarioSymptoms {
    pub(super) fn has_failed(&self) -> bool {
        !self.symptoms.is_empty() && !self.only_warns
    }
}

impl Symptoms {
    /// Of scenarios that have ended.
    #[cfg(test)]
    pub(super) fn of(scenarios: BTreeMap<String, ScenarioSymptoms>) -> Self {
        Self {
            running: BTreeMap::new(),
            scenarios,
        }
    }

    /// Takes what an event tells.
    pub fn observe(&mut self, event: &RunEvent) {
        match event {
            RunEvent::ScenarioStarted(started) => {
                let number = started.scenario;
                let symptoms = ScenarioSymptoms {
                    number,
                    ..ScenarioSymptoms::default()
                };
                self.running
                    .insert(number, (scenario_key(started), symptoms));
            }
            RunEvent::StepEnded(ended) => {
                let checks = ended
                    .deliveries
                    .iter()
                    .flat_map(|delivery| &delivery.checks);
                for check in checks.filter(|check| is_symptom(check)) {
                    self.add(ended.scenario, of_response(ended.step, check));
                }
            }
            RunEvent::EffectsEnded(ended) => {
                for check in ended.checks.iter().filter(|check| is_symptom(check)) {
                    let cause = check.cause.as_deref();
                    let symptom = cause.unwrap_or_else(|| first_word(&check.subject));
                    self.add(ended.scenario, symptom.to_owned());
                }
            }
            RunEvent::ScenarioEnded(ended) => {
                let decided = matches!(
                    ended.verdict,
                    Verdict::Passed | Verdict::Warned | Verdict::Failed
                );
                let running = self.running.remove(&ended.scenario).filter(|_| decided);
                self.scenarios.extend(running.map(|(key, found)| {
                    let only_warns = ended.verdict == Verdict::Warned;
                    (
                        key,
                        ScenarioSymptoms {
                            only_warns,
                            ..found
                        },
                    )
                }));
            }
            _ => {}
        }
    }

    fn add(&mut self, scenario: usize, symptom: String) {
        if let Some((_, found)) = self.running.get_mut(&scenario) {
            found.symptoms.insert(symptom);
        }
    }

    pub(super) fn scenarios(&self) -> impl Iterator<Item = (&str, &ScenarioSymptoms)> {
        let scenarios = self.scenarios.iter();
        scenarios.map(|(name, found)| (name.as_str(), found))
    }
}

fn is_symptom(check: &Check) -> bool {
    matches!(check.verdict, Verdict::Warned | Verdict::Failed)
}

/// `2 status 4xx`: the step, what was checked, and the class of the status.
fn of_response(step: usize, check: &Check) -> String {
    let subject = first_word(&check.subject);
    let class = match (subject, check.observed.as_bytes()) {
        ("status", [class @ b'1'..=b'9', ..]) => format!(" {}xx", char::from(*class)),
        ("status", _) => " none".to_owned(),
        _ => String::new(),
    };
    format!("{step} {subject}{class}")
}

fn first_word(text: &str) -> &str {
    text.split(' ').next().unwrap_or_default()
}

/// `payload/body_layout [layout=spaced]`, which is the same for the bundled suite and for a copy of it.
pub(super) fn scenario_key(started: &ScenarioStarted) -> String {
    let path = Path::new(&started.file);
    let parts = [path.parent().and_then(Path::file_name), path.file_stem()];
    let parts = parts
        .into_iter()
        .flatten()
        .map(|part| part.to_string_lossy());
    let name = parts.collect::<Vec<_>>().join("/");
    match &started.choice {
        Some(choice) => format!("{name} [{choice}]"),
        None => name,
    }
}
