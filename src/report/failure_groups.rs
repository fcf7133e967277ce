//! Groups failing checks by their cause: a wrong secret, redeliveries that are granted again, a probe
//! that can't be read. Reports for people show such a common cause once, with the number of scenarios
//! and checks that it affects and its simplest scenario, and only the remaining problems of each
//! scenario. Reports for programs are not grouped: they have one entry per check.

mod event_features;
mod genuine_responses;
mod grant_cause;
mod group_key;
mod response_bodies;

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;

use super::counts::{counted, problem_summary};
use super::event_trace::event_name;
use super::sanitize::sanitize;
use super::scenario_record::{PlacedCheck, ScenarioRecord, is_problem};
use crate::run::{AttemptEnded, ResponseRecord};
use crate::transport::Failure;
use crate::verify::{Check, GrantFailure, Verdict, VerdictCounts};
use event_features::{CommonFeatures, EventFeatures};
use genuine_responses::GenuineResponses;
use grant_cause::GrantCause;
use group_key::{CheckKind, GroupKey, HandledAs};
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
}

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct FoundKey {
    key: GroupKey,
    /// Whether the cause is that the target went away, if it did.
    if_lost: bool,
    /// The key instead, if other scenarios have it.
    if_known: Option<GroupKey>,
}

#[derive(Debug, Default)]
struct FailureGroup {
    checks: VerdictCounts,
    scenarios: BTreeMap<usize, AffectedScenario>,
    example: Option<CauseExample>,
    bodies: ResponseBodies,
    events: EventFeatures,
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

/// The most telling check of a cause: the worst one of the simplest scenario.
#[derive(Debug)]
pub(super) struct CauseExample {
    pub(super) scenario: AffectedScenario,
    pub(super) check: Check,
    /// What the scenario advises.
    pub(super) about: Option<String>,
    rank: Rank,
}

/// If the target went away, the first lost response comes first. Otherwise the worst verdict, then the
/// fewest steps, attempts and probe readings.
type Rank = (
    Option<(bool, bool, Timestamp)>,
    Reverse<Verdict>,
    [usize; 4],
);

#[derive(Debug)]
pub(super) struct CommonCause {
    /// From 1, the worst first.
    pub(super) number: usize,
    pub(super) verdict: Verdict,
    pub(super) title: String,
    pub(super) help: Option<String>,
    pub(super) checks: VerdictCounts,
    /// In the order of their numbers.
    pub(super) scenarios: Vec<AffectedScenario>,
    pub(super) example: CauseExample,
    /// The different response bodies, if there are several: a sign of more than one cause.
    pub(super) responses: Option<String>,
    /// What its events have in common, unlike all others.
    pub(super) in_common: Option<String>,
}

#[derive(Debug, Default)]
pub(super) struct CommonCauses {
    pub(super) causes: Vec<CommonCause>,
    /// The number of the cause of each check, by the number of the scenario and the check's index.
    numbers: BTreeMap<(usize, usize), usize>,
    pub(super) advice: Option<String>,
}

impl FailureGroups {
    pub(super) fn observe(&mut self, record: &ScenarioRecord) {
        // A scripted response says nothing about the receiver's own ones.
        let scripted = record.steps.iter().any(|step| step.script.is_some());
        if !scripted {
            self.genuine.observe(&record.attempts);
        }
        let mut readings = record.effects.iter().flat_map(|effects| &effects.readings);
        self.probe_works |= readings.any(|reading| reading.before != reading.after);
        let attempts = record.last_attempts();
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
                let if_known =
                    delivered.and_then(|delivered| key.of_known_event(record, delivered));
                let key = FoundKey {
                    key,
                    if_lost,
                    if_known,
                };
                self.keys
                    .insert((record.started.scenario, index), key.clone());
                let group = self.groups.entry(key).or_default();
                group.add(placed, record, attempt, if_lost);
                if let Some(delivered) = delivered {
                    group.events.observe(delivered);
                }
            }
        }
    }

    /// The groups that are large enough to be one common cause. `lost_target` says that the target
    /// went away during the run.
    pub(super) fn common_causes(self, lost_target: Option<&String>) -> CommonCauses {
        let size = |key: &GroupKey| {
            let own = self.groups.iter().filter(|(found, _)| found.key == *key);
            own.map(|(_, group)| group.scenarios.len()).sum::<usize>()
        };
        let basic = GroupKey::BASIC_REPETITIONS.into_iter();
        let basic = basic.filter(|key| size(key) > 0).max_by_key(size);
        let key_of = |found: &FoundKey| {
            if found.if_lost && lost_target.is_some() {
                return GroupKey::LostTarget;
            }
            let basic = basic.as_ref().filter(|_| found.key.is_repeated_grant());
            let known = found.if_known.as_ref().filter(|known| size(known) > 0);
            let never = GroupKey::Grant(GrantCause::Other(GrantFailure::AcceptedNotGranted));
            let is_of_never = found.key == GroupKey::Grant(GrantCause::KeyKept)
                && size(&never) > size(&found.key);
            let never = Some(&never).filter(|_| is_of_never);
            basic.or(known).or(never).unwrap_or(&found.key).clone()
        };
        let keys = self
            .groups
            .keys()
            .map(|found| (found.clone(), key_of(found)));
        let keys: BTreeMap<FoundKey, GroupKey> = keys.collect();
        let mut groups: BTreeMap<GroupKey, FailureGroup> = BTreeMap::new();
        for (found, group) in self.groups {
            groups.entry(keys[&found].clone()).or_default().merge(group);
        }
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
            let is_other = *key != GroupKey::LostTarget;
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
        let causes = common.into_iter().zip(1..);
        let causes = causes.filter_map(|((key, group, features), number)| {
            let title = match (&key, lost_target) {
                (GroupKey::LostTarget, Some(note)) => note.clone(),
                _ => key.title(),
            };
            let help = key.help(self.probe_works);
            let help =
                help.or_else(|| features.as_ref()?.refusal_help.filter(|_| key.is_refusal()));
            group.cause(number, title, help, features)
        });
        CommonCauses {
            causes: causes.collect(),
            numbers,
            advice: self.genuine.advice(),
        }
    }
}

impl CommonCauses {
    pub(super) fn mark(&self, record: &mut ScenarioRecord) {
        let scenario = record.started.scenario;
        let numbers = self.numbers.range((scenario, 0)..(scenario + 1, 0));
        let numbers = numbers.map(|((_, index), number)| (*index, *number));
        record.reported_by = numbers.collect();
    }
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
        if_lost: bool,
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
            [
                record.steps.len(),
                record.attempts.len(),
                readings.map_or(0, |effects| effects.readings.len()),
                started.scenario,
            ],
        );
        let example = CauseExample {
            scenario: scenario.clone(),
            check: placed.check.clone(),
            about: started.about.clone(),
            rank,
        };
        self.scenarios.insert(scenario.number, scenario);
        self.offer(example);
    }

    /// Takes an example that is more telling than the known one.
    fn offer(&mut self, example: CauseExample) {
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

    fn cause(
        self,
        number: usize,
        title: String,
        help: Option<&str>,
        features: Option<CommonFeatures>,
    ) -> Option<CommonCause> {
        let example = self.example?;
        let hint = example.check.hint.clone();
        Some(CommonCause {
            number,
            verdict: self.checks.verdict(),
            title,
            help: hint.or_else(|| help.map(str::to_owned)),
            checks: self.checks,
            scenarios: self.scenarios.into_values().collect(),
            example,
            responses: self.bodies.summary(),
            in_common: features.map(|features| features.text),
        })
    }
}

impl CommonCause {
    /// At most `limit` scenarios other than the example, and the number of the rest.
    pub(super) fn others(&self, limit: usize) -> (Vec<&AffectedScenario>, usize) {
        let example = self.example.scenario.number;
        let others = self.scenarios.iter();
        let mut others: Vec<_> = others.filter(|other| other.number != example).collect();
        let more = others.len().saturating_sub(limit);
        others.truncate(limit);
        (others, more)
    }

    /// The cause and the number of its scenarios.
    pub(super) fn headline(&self) -> String {
        let scenarios = counted(self.scenarios.len(), "scenario");
        format!("{}: {scenarios}", self.title)
    }

    pub(super) fn scope(&self) -> String {
        let scenarios = counted(self.scenarios.len(), "scenario");
        format!("{}, in {scenarios}", self.check_summary())
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
