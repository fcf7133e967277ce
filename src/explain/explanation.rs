//! The explanation of a subject, collected from the texts that lists, schemas and reports have of it.

use serde::Serialize;
use serde_json::Map;

use super::{Language, Subject, Topic};
use crate::policy::{Fault, Forgery};
use crate::report::GrantCause;
use crate::run::FaultDictionary;
use crate::scenario::{Action, Case, bundled_suite};

/// The most scenarios that are named.
const LISTED: usize = 5;

/// What a name means and what to do about it.
#[derive(Debug, Serialize)]
pub(crate) struct Explanation {
    pub(crate) name: &'static str,
    pub(crate) kind: &'static str,
    /// What it costs the game or its players.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) cost: Option<&'static str>,
    /// What it is; empty for a cause and a topic, whose names and titles say it.
    #[serde(skip_serializing_if = "str::is_empty")]
    pub(crate) about: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) revealed_by: Option<&'static str>,
    /// What to change in the receiver.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) remedy: Option<&'static str>,
    /// The scenarios of the bundled suite that tell most about it, without matrix values.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) scenarios: Vec<String>,
    pub(crate) topic: TopicText,
}

/// A topic with its code by language.
#[derive(Debug, Serialize)]
pub(crate) struct TopicText {
    pub(crate) name: &'static str,
    pub(crate) title: &'static str,
    pub(crate) why: String,
    pub(crate) code: Map<String, serde_json::Value>,
}

impl Explanation {
    /// Explains a subject, with the code in these languages.
    pub(crate) fn new(subject: Subject, languages: &[Language]) -> Self {
        let mut explanation = Self {
            name: subject.name(),
            kind: subject.kind(),
            cost: None,
            about: "",
            revealed_by: None,
            remedy: None,
            scenarios: Vec::new(),
            topic: TopicText::new(subject.topic(), languages),
        };
        match subject {
            Subject::Flaw(flaw) => {
                explanation.cost = Some(flaw.class().about());
                explanation.about = flaw.about();
                explanation.revealed_by = Some(flaw.revealed_by());
                explanation.remedy = Some(flaw.remedy());
                let scenarios = FaultDictionary::bundled().revealing(flaw).into_iter();
                explanation.scenarios = scenarios.take(LISTED).map(str::to_owned).collect();
            }
            Subject::Forgery(forgery) => {
                explanation.about = forgery.about();
                explanation.scenarios = scenarios_with(|sent, _| sent == Some(forgery));
            }
            Subject::Fault(fault) => {
                explanation.about = fault.about();
                let is_same = |other: Fault| other.name() == fault.name();
                explanation.scenarios = scenarios_with(|_, injected| injected.is_some_and(is_same));
            }
            Subject::Check(key) => explanation.about = key.about(),
            Subject::Cause(cause) => explanation.remedy = GrantCause::help(cause, true),
            Subject::Topic(_) => {}
        }
        explanation
    }
}

impl TopicText {
    fn new(topic: Topic, languages: &[Language]) -> Self {
        let code = languages.iter().map(|language| {
            let code = topic.code(*language);
            (language.name().to_owned(), code.into())
        });
        Self {
            name: topic.name(),
            title: topic.title(),
            why: topic.why(),
            code: code.collect(),
        }
    }
}

/// The first scenarios of the bundled suite that send such a forgery or inject such a fault.
fn scenarios_with(is_used: impl Fn(Option<Forgery>, Option<Fault>) -> bool) -> Vec<String> {
    let mut scenarios: Vec<String> = Vec::new();
    for case in bundled_suite().unwrap_or_default() {
        let mut actions = case.scenario.steps.iter().map(|step| &step.action);
        let has_it = actions.any(|action| match action {
            Action::Deliver(deliver) => is_used(deliver.forge, deliver.fault()),
            _ => false,
        });
        let name = scenario_name(&case);
        if has_it && !scenarios.contains(&name) {
            scenarios.push(name);
        }
    }
    scenarios.truncate(LISTED);
    scenarios
}

/// `idempotency/redelivery`.
fn scenario_name(case: &Case) -> String {
    let file = case.source.name.trim_start_matches("scenarios/");
    file.rsplit_once('.')
        .map_or(file, |(name, _)| name)
        .to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everything_is_explained() {
        for subject in Subject::all() {
            let explanation = Explanation::new(subject, &Language::ALL);
            let name = explanation.name;
            let says_itself = matches!(subject, Subject::Cause(_) | Subject::Topic(_));
            assert!(says_itself || !explanation.about.is_empty(), "{name}");
            let has_scenarios = matches!(
                subject,
                Subject::Flaw(_) | Subject::Forgery(_) | Subject::Fault(_)
            );
            let scenarios = &explanation.scenarios;
            assert_eq!(has_scenarios, !scenarios.is_empty(), "{name}");
            assert_eq!(explanation.topic.code.len(), 5, "{name}");
        }
    }
}
