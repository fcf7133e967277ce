//! Groups failing checks by their cause: a wrong secret, a receiver that answers 500 to everything, a
//! probe that can't be read. Reports for people show such a common cause once, with the number of
//! scenarios and checks that it affects, and only the remaining problems of each scenario. Reports for
//! programs are not grouped: they have one entry per check.

mod genuine_responses;
mod group_key;
mod response_bodies;

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

use super::counts::{counted, problem_summary};
use super::sanitize::sanitize;
use super::scenario_record::{PlacedCheck, ScenarioRecord, is_problem};
use crate::run::{AttemptEnded, ResponseRecord};
use crate::verify::{Check, Verdict, VerdictCounts};
use genuine_responses::GenuineResponses;
use group_key::{CheckKind, GroupKey};
use response_bodies::ResponseBodies;

#[derive(Debug, Default)]
pub(super) struct FailureGroups {
    groups: BTreeMap<GroupKey, FailureGroup>,
    /// The number of checks of each kind, including those that passed.
    check_counts: BTreeMap<CheckKind, usize>,
    genuine: GenuineResponses,
}

#[derive(Debug, Default)]
struct FailureGroup {
    checks: VerdictCounts,
    scenarios: BTreeMap<usize, AffectedScenario>,
    example: Option<CauseExample>,
    bodies: ResponseBodies,
}

#[derive(Debug, Clone)]
pub(super) struct AffectedScenario {
    pub(super) number: usize,
    pub(super) name: String,
    pub(super) file: String,
    pub(super) line: usize,
}

impl AffectedScenario {
    pub(super) fn location(&self) -> String {
        format!("{}:{}", self.file, self.line)
    }
}

/// The first of the worst checks of a cause.
#[derive(Debug)]
pub(super) struct CauseExample {
    pub(super) scenario: AffectedScenario,
    pub(super) check: Check,
    /// The description of its step; none for an effect.
    pub(super) step: Option<String>,
    pub(super) attempt: Option<AttemptEnded>,
}

#[derive(Debug)]
pub(super) struct CommonCause {
    /// From 1, the worst first.
    pub(super) number: usize,
    pub(super) verdict: Verdict,
    pub(super) title: String,
    pub(super) checks: VerdictCounts,
    /// In the order of their numbers.
    pub(super) scenarios: Vec<AffectedScenario>,
    pub(super) example: CauseExample,
    /// The different response bodies, if there are several: a sign of more than one cause.
    pub(super) responses: Option<String>,
}

#[derive(Debug, Default)]
pub(super) struct CommonCauses {
    pub(super) causes: Vec<CommonCause>,
    numbers: BTreeMap<GroupKey, usize>,
    pub(super) advice: Option<String>,
}

impl FailureGroups {
    pub(super) fn observe(&mut self, record: &ScenarioRecord) {
        // A scripted response says nothing about the receiver's own ones.
        let scripted = record.steps.iter().any(|step| step.script.is_some());
        if !scripted {
            self.genuine.observe(&record.attempts);
        }
        for (placed, kind, attempt) in kinds(record) {
            *self.check_counts.entry(kind.clone()).or_default() += 1;
            if is_problem(placed.check) {
                self.genuine.has_problems |= kind.is_genuine() && !scripted;
                let group = self.groups.entry(GroupKey::of(kind, record, placed.check));
                group.or_default().add(placed, record, attempt);
            }
        }
    }

    /// The groups that are large enough to be one common cause.
    pub(super) fn common_causes(self) -> CommonCauses {
        let common = self.groups.into_iter().filter(|(key, group)| {
            let (failing, scenarios) = (group.checks.total(), group.scenarios.len());
            key.is_common(failing, scenarios, &self.check_counts)
        });
        let mut common: Vec<_> = common.collect();
        common.sort_by_key(|(_, group)| Reverse((group.checks.verdict(), group.scenarios.len())));
        let mut causes = CommonCauses {
            advice: self.genuine.advice(),
            ..CommonCauses::default()
        };
        for (key, group) in common {
            let number = causes.causes.len() + 1;
            causes.causes.extend(group.cause(number, &key));
            causes.numbers.insert(key, number);
        }
        causes
    }
}

impl CommonCauses {
    pub(super) fn mark(&self, record: &mut ScenarioRecord) {
        let problems = kinds(record).into_iter().enumerate();
        let problems = problems.filter(|(_, (placed, ..))| is_problem(placed.check));
        let reported = problems.filter_map(|(index, (placed, kind, _))| {
            let key = GroupKey::of(kind, record, placed.check);
            Some((index, *self.numbers.get(&key)?))
        });
        record.reported_by = reported.collect();
    }
}

/// The checks of a scenario, each with its kind and the attempt that it is about, if any.
fn kinds(record: &ScenarioRecord) -> Vec<(PlacedCheck<'_>, CheckKind, Option<&AttemptEnded>)> {
    let attempts = record.last_attempts();
    let checks = record.checks().map(|placed| {
        let attempt = placed.place.delivery();
        let attempt = attempt.and_then(|delivery| attempts.get(&delivery).copied());
        (placed, CheckKind::of(record, placed, attempt), attempt)
    });
    checks.collect()
}

/// `cause 1`, or `causes 1, 2`.
pub(super) fn cause_list(numbers: &BTreeSet<usize>) -> String {
    let noun = match numbers.len() {
        1 => "cause",
        _ => "causes",
    };
    let numbers: Vec<String> = numbers.iter().map(usize::to_string).collect();
    format!("{noun} {}", numbers.join(", "))
}

impl FailureGroup {
    fn add(
        &mut self,
        placed: PlacedCheck<'_>,
        record: &ScenarioRecord,
        attempt: Option<&AttemptEnded>,
    ) {
        let started = &record.started;
        let scenario = AffectedScenario {
            number: started.scenario,
            name: sanitize(&started.name),
            file: started.file.clone(),
            line: started.line,
        };
        self.checks.add(placed.check.verdict);
        if let Some(attempt) = attempt {
            self.bodies.observe(&attempt.response);
        }
        let rank =
            |check: &Check, scenario: &AffectedScenario| (Reverse(check.verdict), scenario.number);
        let is_better = |known: &CauseExample| {
            rank(placed.check, &scenario) < rank(&known.check, &known.scenario)
        };
        if self.example.as_ref().is_none_or(is_better) {
            let step = placed.place.step().map(|step| {
                let description = sanitize(&step.description);
                format!("step {}: {description}", step.step)
            });
            self.example = Some(CauseExample {
                scenario: scenario.clone(),
                check: placed.check.clone(),
                step,
                attempt: attempt.cloned(),
            });
        }
        self.scenarios.insert(scenario.number, scenario);
    }

    fn cause(self, number: usize, key: &GroupKey) -> Option<CommonCause> {
        Some(CommonCause {
            number,
            verdict: self.checks.verdict(),
            title: key.title(),
            checks: self.checks,
            scenarios: self.scenarios.into_values().collect(),
            example: self.example?,
            responses: self.bodies.summary(),
        })
    }
}

impl CommonCause {
    /// At most `limit` scenarios, and the number of the others.
    pub(super) fn listed(&self, limit: usize) -> (&[AffectedScenario], usize) {
        let listed = limit.min(self.scenarios.len());
        (&self.scenarios[..listed], self.scenarios.len() - listed)
    }

    pub(super) fn scope(&self) -> String {
        let scenarios = counted(self.scenarios.len(), "scenario");
        format!("{}, in {scenarios}", problem_summary(&self.checks))
    }

    /// The example in one line, if that says more than the title.
    pub(super) fn example_line(&self) -> Option<String> {
        let (check, name) = (&self.example.check, &self.example.scenario.name);
        if let (Some(step), None) = (&self.example.step, &check.cause) {
            return Some(format!("“{name}”, {step}"));
        }
        let says_more = check.cause.as_ref() != Some(&check.observed);
        let observed = sanitize(&check.observed);
        says_more.then(|| format!("“{name}”, {}: {observed}", check.subject))
    }

    pub(super) fn response(&self) -> Option<String> {
        Some(match &self.example.attempt.as_ref()?.response {
            ResponseRecord::Response { status, .. } => status.to_string(),
            ResponseRecord::Failure { name, .. } => name.to_string(),
        })
    }
}
