//! Groups failing checks by what went wrong: a wrong secret, redeliveries that are granted again, a probe
//! that can't be read. Reports for people show such a common problem once, with the number of scenarios
//! and checks that it affects and its simplest scenario, and only the remaining problems of each
//! scenario. Reports for programs are not grouped: they have one entry per check.

mod affected_scenario;
mod event_features;
mod genuine_responses;
mod grant_cause;
mod group_key;
mod nested_bundles;
mod refused_skus;
mod response_bodies;

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;

use super::counts::{counted, problem_summary};
use super::event_trace::event_name;
use super::repetition::Repetitions;
use super::sanitize::sanitize;
use super::scenario_record::{PlacedCheck, ScenarioRecord, is_problem};
use crate::run::{AttemptEnded, Certainty, LikelyCause, RefusedItems, ResponseRecord};
use crate::transport::Failure;
use crate::verify::{Check, GrantFailure, Verdict, VerdictCounts};
use affected_scenario::{AffectedScenario, grouped};
use event_features::{CommonFeatures, EventFeatures, WorstEvents, has_undocumented_keys};
use genuine_responses::GenuineResponses;
pub(crate) use grant_cause::{GrantCause, Repetition};
use group_key::{CheckKind, GroupKey, HandledAs};
use nested_bundles::join_nested_bundles;
use refused_skus::refused_skus;
use response_bodies::ResponseBodies;

#[derive(Debug, Default)]
pub(super) struct FailureGroups {
    groups: BTreeMap<FoundKey, FailureGroup>,
    /// The keys of the failing checks, by the number of the scenario and the check's index.
    keys: BTreeMap<(usize, usize), FoundKey>,
    /// The number of checks of each kind, including those that passed.
    check_counts: BTreeMap<CheckKind, usize>,
    genuine: GenuineResponses,
    /// Whether a probe has shown that a grant changes something.
    probe_works: bool,
    /// The events that were handled as expected.
    handled: BTreeMap<HandledAs, EventFeatures>,
    repetitions: Repetitions,
}

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct FoundKey {
    key: GroupKey,
    /// Whether it counts as the target going away, if that happened.
    if_lost: bool,
    /// The key instead, if other scenarios have it.
    if_known: Option<GroupKey>,
    /// The SKUs in the events of the scenario that were refused.
    refused_skus: BTreeSet<String>,
}

#[derive(Debug, Default)]
struct FailureGroup {
    checks: VerdictCounts,
    scenarios: BTreeMap<usize, AffectedScenario>,
    example: Option<ProblemExample>,
    bodies: ResponseBodies,
    events: WorstEvents,
}

/// The most telling check of a problem: the worst one of the simplest scenario.
#[derive(Debug)]
pub(super) struct ProblemExample {
    pub(super) scenario: AffectedScenario,
    pub(super) check: Check,
    /// What the scenario advises.
    pub(super) about: Option<String>,
    rank: Rank,
}

/// If the target went away, the first lost response comes first. Otherwise the worst verdict, then an
/// event without undocumented keys, then the fewest steps, attempts and probe readings.
type Rank = (
    Option<(bool, bool, Timestamp)>,
    Reverse<Verdict>,
    bool,
    [usize; 4],
);

#[derive(Debug)]
pub(super) struct CommonProblem {
    /// From 1, the worst first.
    pub(super) number: usize,
    pub(super) verdict: Verdict,
    pub(super) title: String,
    pub(super) help: Option<String>,
    pub(super) checks: VerdictCounts,
    /// In the order of their numbers. The repetitions of a scenario are one.
    pub(super) scenarios: Vec<AffectedScenario>,
    /// The numbers of all of them.
    numbers: BTreeSet<usize>,
    pub(super) example: ProblemExample,
    /// The different response bodies, if there are several: a sign of more than one cause.
    pub(super) responses: Option<String>,
    /// What its events have in common, unlike all others.
    pub(super) in_common: Option<String>,
}

#[derive(Debug, Default)]
pub(super) struct CommonProblems {
    pub(super) problems: Vec<CommonProblem>,
    /// The number of the problem of each check, by the number of the scenario and the check's index.
    numbers: BTreeMap<(usize, usize), usize>,
    pub(super) advice: Option<String>,
    pub(super) repetitions: Repetitions,
}

impl FailureGroups {
    pub(super) fn observe(&mut self, record: &ScenarioRecord) {
        self.repetitions.observe(&record.started.name);
        // A scripted response says nothing about the receiver's own ones.
        let scripted = record.steps.iter().any(|step| step.script.is_some());
        if !scripted {
            self.genuine.observe(&record.attempts);
        }
        let mut readings = record.effects.iter().flat_map(|effects| &effects.readings);
        self.probe_works |= readings.any(|reading| reading.before != reading.after);
        let attempts = record.last_attempts();
        let has_problems = record.checks().any(|placed| is_problem(placed.check));
        let refused_skus = if has_problems {
            refused_skus(record)
        } else {
            BTreeSet::new()
        };
        for (index, placed) in record.checks().enumerate() {
            let attempt = placed.place.delivery();
            let attempt = attempt.and_then(|delivery| attempts.get(&delivery).copied());
            let kind = CheckKind::of(record, placed, attempt);
            *self.check_counts.entry(kind.clone()).or_default() += 1;
            let delivered = attempt.or_else(|| record.first_attempt(event_name(placed.check)?));
            if let (Some(how), Some(delivered)) =
                (kind.handled_as(placed.check, attempt), delivered)
            {
                self.handled.entry(how).or_default().observe(delivered);
            }
            if is_problem(placed.check) {
                self.genuine.has_problems |= kind.is_genuine() && !scripted;
                let key = GroupKey::of(kind, record, placed.check, attempt);
                let if_lost = key.is_lost_target(attempt);
                let of_known = || key.of_known_event(record, delivered?);
                let if_known = key.of_both_events(placed.check).or_else(of_known);
                let key = FoundKey {
                    key,
                    if_lost,
                    if_known,
                    refused_skus: refused_skus.clone(),
                };
                self.keys
                    .insert((record.started.scenario, index), key.clone());
                let group = self.groups.entry(key).or_default();
                let is_odd = delivered.is_some_and(has_undocumented_keys);
                group.add(placed, record, attempt, is_odd, if_lost);
                if let Some(delivered) = delivered {
                    group.events.observe(placed.check.verdict, delivered);
                }
            }
        }
    }

    /// The groups that are large enough to be one common problem. `lost_target` says that the target
    /// went away during the run.
    pub(super) fn common_problems(
        self,
        lost_target: Option<&String>,
        refused_items: Option<&RefusedItems>,
    ) -> CommonProblems {
        let size = |key: &GroupKey| {
            let own = self.groups.iter().filter(|(found, _)| found.key == *key);
            own.map(|(_, group)| group.scenarios.len()).sum::<usize>()
        };
        let basic = GroupKey::BASIC_REPETITIONS.into_iter();
        let basic = basic.filter(|key| size(key) > 0).max_by_key(size);
        let too_little = GroupKey::Grant(GrantCause::Other(GrantFailure::TooLittle));
        let is_refused = |sku: &String| refused_items.is_some_and(|items| items.skus.contains(sku));
        let key_of = |found: &FoundKey| {
            if found.refused_skus.iter().any(is_refused) {
                return GroupKey::RefusedItems;
            }
            if found.if_lost && lost_target.is_some() {
                return GroupKey::LostTarget;
            }
            let basic = basic.as_ref().filter(|_| found.key.is_repeated_grant());
            let known = found.if_known.as_ref().filter(|known| size(known) > 0);
            let never = GroupKey::Grant(GrantCause::Other(GrantFailure::AcceptedNotGranted));
            let is_of_never = found.key == GroupKey::Grant(GrantCause::KeyKept)
                && size(&never) > size(&found.key);
            let never = Some(&never).filter(|_| is_of_never);
            let less = Some(&too_little);
            let less =
                less.filter(|key| found.key.may_be_too_little() && size(key) > size(&found.key));
            let other = basic.or(known).or(never).or(less);
            other.unwrap_or(&found.key).clone()
        };
        let keys = self
            .groups
            .keys()
            .map(|found| (found.clone(), key_of(found)));
        let mut keys: BTreeMap<FoundKey, GroupKey> = keys.collect();
        let mut groups: BTreeMap<GroupKey, FailureGroup> = BTreeMap::new();
        for (found, group) in self.groups {
            groups.entry(keys[&found].clone()).or_default().merge(group);
        }
        join_nested_bundles(
            &mut groups,
            &mut keys,
            self.handled.get(&HandledAs::Granted),
        );
        let groups = groups.into_iter().map(|(key, group)| {
            let handled = key
                .opposite()
                .and_then(|how| Some((how, self.handled.get(&how)?)));
            let features =
                handled.and_then(|(how, handled)| group.events.unlike(handled, how.text()));
            (key, group, features)
        });
        let common = groups.filter(|(key, group, features)| {
            let (failing, scenarios) = (group.checks.total(), group.scenarios.len());
            let is_distinct = features.is_some() && scenarios > 1;
            is_distinct || key.is_common(failing, scenarios, &self.check_counts)
        });
        let mut common: Vec<_> = common.collect();
        common.sort_by_key(|(key, group, _)| {
            let is_other = !matches!(key, GroupKey::LostTarget | GroupKey::RefusedItems);
            let size = Reverse((group.checks.verdict(), group.scenarios.len()));
            (is_other, size)
        });
        let numbers: BTreeMap<&GroupKey, usize> =
            common.iter().map(|(key, ..)| key).zip(1..).collect();
        let numbers = self
            .keys
            .iter()
            .filter_map(|(check, found)| Some((*check, *numbers.get(&keys[found])?)));
        let numbers = numbers.collect();
        let problems = common.into_iter().zip(1..);
        let problems = problems.filter_map(|((key, group, features), number)| {
            let title = match (&key, lost_target, refused_items) {
                (GroupKey::LostTarget, Some(note), _) => note.clone(),
                (GroupKey::RefusedItems, _, Some(items)) => sanitize(&items.reason),
                _ => key.title(),
            };
            let help = match (&key, refused_items) {
                (GroupKey::RefusedItems, Some(items)) => Some(items.help.as_str()),
                _ => key.help(self.probe_works),
            };
            let own = features.as_ref();
            let own = own.and_then(|own| own.help(key.is_refusal()));
            let help = own.or(help);
            group.problem(number, title, help, features, &self.repetitions)
        });
        CommonProblems {
            problems: problems.collect(),
            numbers,
            advice: self.genuine.advice(),
            repetitions: self.repetitions.clone(),
        }
    }
}

impl CommonProblems {
    /// Advice of a problem that a likely cause explains would be a second opinion.
    pub(super) fn leave_advice_to(&mut self, causes: &[LikelyCause]) {
        let likely = causes
            .iter()
            .filter(|cause| cause.certainty == Certainty::Likely);
        let explained: BTreeSet<usize> =
            likely.flat_map(|cause| &cause.scenarios).copied().collect();
        for problem in &mut self.problems {
            if problem.numbers.is_subset(&explained) {
                problem.help = None;
            }
        }
    }

    pub(super) fn mark(&self, record: &mut ScenarioRecord) {
        let scenario = record.started.scenario;
        let numbers = self.numbers.range((scenario, 0)..=(scenario, usize::MAX));
        let numbers = numbers.map(|((_, index), number)| (*index, *number));
        record.reported_by = numbers.collect();
    }
}

/// `problem 1`, or `problems 1, 2`.
pub(super) fn problem_numbers(numbers: &BTreeSet<usize>) -> String {
    let noun = match numbers.len() {
        1 => "problem",
        _ => "problems",
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
        is_odd: bool,
        if_lost: bool,
    ) {
        let started = &record.started;
        let scenario = AffectedScenario {
            number: started.scenario,
            name: sanitize(&started.name),
            file: started.file.clone(),
            line: started.line,
            repetitions: None,
        };
        self.checks.add(placed.check.verdict);
        if let Some(attempt) = attempt {
            self.bodies.observe(&attempt.response);
        }
        let lost = if_lost.then(
            || match attempt.map(|attempt| (attempt, &attempt.response)) {
                Some((attempt, ResponseRecord::Failure { name, .. })) => {
                    let is_genuine = attempt.forgery.is_none();
                    (*name == Failure::REFUSED, is_genuine, attempt.started_at)
                }
                _ => (true, true, Timestamp::MAX),
            },
        );
        let readings = record.effects.as_ref();
        let rank = (
            lost,
            Reverse(placed.check.verdict),
            is_odd,
            [
                record.steps.len(),
                record.attempts.len(),
                readings.map_or(0, |effects| effects.readings.len()),
                started.scenario,
            ],
        );
        let example = ProblemExample {
            scenario: scenario.clone(),
            check: placed.check.clone(),
            about: started.about.clone(),
            rank,
        };
        self.scenarios.insert(scenario.number, scenario);
        self.offer(example);
    }

    /// Takes an example that is more telling than the known one.
    fn offer(&mut self, example: ProblemExample) {
        let known = self.example.as_ref();
        if known.is_none_or(|known| example.rank < known.rank) {
            self.example = Some(example);
        }
    }

    fn merge(&mut self, other: Self) {
        self.checks += other.checks;
        self.scenarios.extend(other.scenarios);
        self.bodies.merge(other.bodies);
        self.events.merge(other.events);
        other
            .example
            .into_iter()
            .for_each(|example| self.offer(example));
    }

    fn problem(
        self,
        number: usize,
        title: String,
        help: Option<&str>,
        features: Option<CommonFeatures>,
        repetitions: &Repetitions,
    ) -> Option<CommonProblem> {
        let example = self.example?;
        let numbers = self.scenarios.keys().copied().collect();
        let hint = example.check.hint.clone();
        Some(CommonProblem {
            number,
            verdict: self.checks.verdict(),
            title,
            help: hint.or_else(|| help.map(str::to_owned)),
            checks: self.checks,
            scenarios: grouped(self.scenarios, example.scenario.number, repetitions),
            numbers,
            example,
            responses: self.bodies.summary(),
            in_common: features.map(|features| features.text),
        })
    }
}

impl CommonProblem {
    /// At most `limit` scenarios other than the example, and the number of the rest.
    pub(super) fn others(&self, limit: usize) -> (Vec<&AffectedScenario>, usize) {
        let example = self.example.scenario.number;
        let others = self.scenarios.iter();
        let mut others: Vec<_> = others.filter(|other| other.number != example).collect();
        let more = others.len().saturating_sub(limit);
        others.truncate(limit);
        (others, more)
    }

    /// The problem and the number of its scenarios.
    pub(super) fn headline(&self) -> String {
        format!("{}: {}", self.title, self.affected())
    }

    pub(super) fn scope(&self) -> String {
        format!("{}, in {}", self.check_summary(), self.affected())
    }

    /// How many scenarios have it, and if it is one of several repetitions, in how many of these.
    fn affected(&self) -> String {
        let scenarios = counted(self.scenarios.len(), "scenario");
        match self.scenarios.as_slice() {
            [
                AffectedScenario {
                    repetitions: Some(text),
                    ..
                },
            ] => format!("{scenarios}, {text}"),
            _ => scenarios,
        }
    }

    pub(super) fn check_summary(&self) -> String {
        problem_summary(&self.checks)
    }

    /// The advice of the example in one line.
    pub(super) fn about(&self) -> Option<String> {
        let about = self.example.about.as_ref()?;
        Some(about.split_whitespace().collect::<Vec<_>>().join(" "))
    }

    pub(super) fn observed(&self) -> String {
        sanitize(&self.example.check.observed)
    }
}
