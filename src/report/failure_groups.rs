//! Groups failing checks by their cause: a wrong secret, a receiver that answers 500 to everything, a
//! probe that can't be read. Reports for people show such a common cause once, with the number of
//! scenarios and checks that it affects, and only the remaining problems of each scenario. Reports for
//! programs are not grouped: they have one entry per check.

mod genuine_responses;
mod group_key;
mod response_bodies;

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use super::sanitize::sanitize;
use super::scenario_record::{ScenarioRecord, is_problem};
use crate::run::{AttemptEnded, ResponseRecord, ScenarioStarted};
use crate::verify::{Check, Verdict, VerdictCounts};
use genuine_responses::GenuineResponses;
use group_key::{CheckKind, GroupKey, LocatedCheck};
use response_bodies::ResponseBodies;

/// The fewest scenarios of a common cause that is inferred from similar failures.
const MIN_SCENARIOS: usize = 3;
/// The fewest checks of a common cause that the run itself names.
const MIN_CHECKS: usize = 2;

/// Groups the problems of a run as its scenarios end.
#[derive(Debug, Default)]
pub(super) struct FailureGroups {
    groups: BTreeMap<GroupKey, FailureGroup>,
    /// The number of checks of each kind, including those that passed.
    check_counts: BTreeMap<CheckKind, usize>,
    genuine: GenuineResponses,
}

/// The problems with one key.
#[derive(Debug)]
struct FailureGroup {
    checks: VerdictCounts,
    scenarios: Vec<AffectedScenario>,
    example: CauseExample,
    bodies: ResponseBodies,
}

/// A scenario that a cause affects.
#[derive(Debug, Clone)]
pub(super) struct AffectedScenario {
    pub(super) number: usize,
    pub(super) name: String,
    pub(super) file: String,
    pub(super) line: usize,
}

/// The first of the worst checks of a cause.
#[derive(Debug, Clone)]
pub(super) struct CauseExample {
    pub(super) scenario: AffectedScenario,
    pub(super) check: Check,
    /// The description of its step; none for an effect.
    pub(super) step: Option<String>,
    /// The attempt that the check is about, if any.
    pub(super) attempt: Option<AttemptEnded>,
}

/// A cause that affects several scenarios.
#[derive(Debug, Clone)]
pub(super) struct CommonCause {
    /// From 1, the worst first.
    pub(super) number: usize,
    pub(super) verdict: Verdict,
    /// What is wrong, in one line.
    pub(super) title: String,
    pub(super) checks: VerdictCounts,
    /// In the order of their numbers.
    pub(super) scenarios: Vec<AffectedScenario>,
    pub(super) example: CauseExample,
    /// The different response bodies, if there are several: a sign of more than one cause.
    pub(super) responses: Option<String>,
}

/// The common causes of a run.
#[derive(Debug, Default)]
pub(super) struct CommonCauses {
    pub(super) causes: Vec<CommonCause>,
    numbers: BTreeMap<GroupKey, usize>,
    /// What to do if all genuine deliveries got the same wrong response.
    pub(super) advice: Option<String>,
}

impl FailureGroups {
    /// Adds a scenario that has ended.
    pub(super) fn observe(&mut self, record: &ScenarioRecord) {
        self.genuine.observe(record);
        for located in group_key::checks(record) {
            *self.check_counts.entry(located.kind()).or_default() += 1;
            if !is_problem(located.check) {
                continue;
            }
            let scenario = AffectedScenario::new(&record.started);
            match self.groups.entry(located.key()) {
                Entry::Occupied(known) => known.into_mut().add(&located, record, scenario),
                Entry::Vacant(new) => _ = new.insert(FailureGroup::new(&located, record, scenario)),
            }
        }
    }

    /// The groups that are large enough to be one common cause.
    pub(super) fn common_causes(&self) -> CommonCauses {
        let common = self.groups.iter().filter(|(key, group)| {
            let checks = group.checks.total();
            if key.is_unambiguous() {
                return checks >= MIN_CHECKS;
            }
            let all = self
                .check_counts
                .get(&key.kind())
                .copied()
                .unwrap_or_default();
            group.scenarios.len() >= MIN_SCENARIOS && key.is_systemic(checks, all)
        });
        let mut common: Vec<_> = common.collect();
        common.sort_by_key(|(_, group)| {
            std::cmp::Reverse((group.checks.verdict(), group.scenarios.len()))
        });
        let numbers = common.iter().enumerate();
        let numbers = numbers.map(|(index, (key, _))| ((*key).clone(), index + 1));
        let causes = common.iter().enumerate();
        let causes: Vec<CommonCause> = causes
            .map(|(index, (key, group))| CommonCause::new(index + 1, key, group))
            .collect();
        CommonCauses {
            numbers: numbers.collect(),
            advice: self.genuine.advice(),
            causes,
        }
    }
}

impl CommonCauses {
    /// The problems of a scenario that no common cause explains, and the numbers of its common
    /// causes.
    pub(super) fn split<'record>(
        &self,
        record: &'record ScenarioRecord,
    ) -> (Vec<&'record Check>, Vec<usize>) {
        let (mut checks, mut numbers) = (Vec::new(), Vec::new());
        for located in group_key::checks(record).filter(|located| is_problem(located.check)) {
            match self.numbers.get(&located.key()) {
                Some(number) => numbers.push(*number),
                None => checks.push(located.check),
            }
        }
        checks.extend(record.snapshot_problem());
        numbers.sort_unstable();
        numbers.dedup();
        (checks, numbers)
    }

    /// The record without the problems of common causes, and the numbers of these causes.
    pub(super) fn without_common_causes(
        &self,
        mut record: ScenarioRecord,
    ) -> (ScenarioRecord, Vec<usize>) {
        let mut numbers = Vec::new();
        let problems = group_key::checks(&record).filter(|located| is_problem(located.check));
        let common: Vec<_> = problems
            .filter_map(|located| Some((located.location, *self.numbers.get(&located.key())?)))
            .collect();
        for (location, number) in common {
            location.mark_passed(&mut record);
            numbers.push(number);
        }
        numbers.sort_unstable();
        numbers.dedup();
        (record, numbers)
    }
}

/// `cause 1`, or `causes 1, 2`.
pub(super) fn cause_list(numbers: &[usize]) -> String {
    let noun = if numbers.len() == 1 {
        "cause"
    } else {
        "causes"
    };
    let numbers: Vec<String> = numbers.iter().map(usize::to_string).collect();
    format!("{noun} {}", numbers.join(", "))
}

impl AffectedScenario {
    fn new(started: &ScenarioStarted) -> Self {
        Self {
            number: started.scenario,
            name: sanitize(&started.name),
            file: started.file.clone(),
            line: started.line,
        }
    }
}

impl FailureGroup {
    fn new(
        located: &LocatedCheck<'_>,
        record: &ScenarioRecord,
        scenario: AffectedScenario,
    ) -> Self {
        let mut checks = VerdictCounts::default();
        checks.add(located.check.verdict);
        let mut bodies = ResponseBodies::default();
        bodies.observe_attempt(located.attempt(record));
        Self {
            checks,
            scenarios: vec![scenario.clone()],
            example: CauseExample::new(located, record, scenario),
            bodies,
        }
    }

    fn add(
        &mut self,
        located: &LocatedCheck<'_>,
        record: &ScenarioRecord,
        scenario: AffectedScenario,
    ) {
        self.checks.add(located.check.verdict);
        self.bodies.observe_attempt(located.attempt(record));
        let rank = |verdict: Verdict, number: usize| (std::cmp::Reverse(verdict), number);
        let known = &self.example;
        if rank(located.check.verdict, scenario.number)
            < rank(known.check.verdict, known.scenario.number)
        {
            self.example = CauseExample::new(located, record, scenario.clone());
        }
        // The checks of one scenario come in a row.
        if self
            .scenarios
            .last()
            .is_none_or(|last| last.number != scenario.number)
        {
            self.scenarios.push(scenario);
        }
    }
}

impl CauseExample {
    fn new(
        located: &LocatedCheck<'_>,
        record: &ScenarioRecord,
        scenario: AffectedScenario,
    ) -> Self {
        let step = located
            .step
            .map(|step| format!("step {}: {}", step.step, sanitize(&step.description)));
        Self {
            scenario,
            check: located.check.clone(),
            step,
            attempt: located.attempt(record).cloned(),
        }
    }
}

impl CommonCause {
    fn new(number: usize, key: &GroupKey, group: &FailureGroup) -> Self {
        let mut scenarios = group.scenarios.clone();
        scenarios.sort_by_key(|scenario| scenario.number);
        Self {
            number,
            verdict: group.checks.verdict(),
            title: key.title(),
            checks: group.checks,
            scenarios,
            example: group.example.clone(),
            responses: group.bodies.summary(),
        }
    }

    /// The example in one line, if that says more than the title.
    pub(super) fn example_line(&self) -> Option<String> {
        let CauseExample {
            scenario,
            check,
            step,
            ..
        } = &self.example;
        if let (Some(step), None) = (step, &check.cause) {
            return Some(format!("“{}”, {step}", scenario.name));
        }
        let says_more = check.cause.as_ref() != Some(&check.observed);
        says_more.then(|| {
            let (subject, observed) = (&check.subject, sanitize(&check.observed));
            format!("“{}”, {subject}: {observed}", scenario.name)
        })
    }

    /// The response to the example: its status, or why there was none.
    pub(super) fn response(&self) -> Option<String> {
        Some(match &self.example.attempt.as_ref()?.response {
            ResponseRecord::Response { status, .. } => status.to_string(),
            ResponseRecord::Failure { name, .. } => name.to_string(),
        })
    }
}
