//! A run as its reports show it, built once from the run's events. Reports are pure functions of it.

use std::collections::{BTreeMap, BTreeSet};

use super::counts::counted;
use super::escaped_event::{escape_end, escape_event};
use super::failure_groups::{CommonProblem, CommonProblems, FailureGroups};
use super::lost_target::LostTarget;
use super::repetition::{RepeatedScenario, RepeatedScenarios};
use super::scenario_record::{KeptAttempts, PlacedCheck, RunningScenarios, ScenarioRecord};
use crate::run::{RunEnded, RunEvent, RunStarted, SnapshotsEnded};

/// How much was not checked for one reason.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct NotChecked {
    checks: usize,
    scenarios: usize,
}

impl NotChecked {
    /// `3 checks in 1 scenario`.
    pub(super) fn text(self) -> String {
        let scenarios = counted(self.scenarios, "scenario");
        format!("{} in {scenarios}", counted(self.checks, "check"))
    }
}

#[derive(Debug)]
pub struct RunRecord {
    pub(super) started: Option<RunStarted>,
    /// In the order in which they ended. With [`KeptAttempts::OfProblems`], only those with problems.
    pub(super) scenarios: Vec<ScenarioRecord>,
    /// The reasons for checks that were not made, and hints.
    pub(super) not_checked: BTreeMap<(String, Option<String>), NotChecked>,
    /// The scenarios that were repeated, in the order of their first repetitions.
    pub(super) repeated: Vec<RepeatedScenario>,
    pub(super) common: CommonProblems,
    /// That the target went away, unless this is a common problem.
    pub(super) lost_target: Option<String>,
    pub(super) snapshots: Option<SnapshotsEnded>,
    pub(super) ended: RunEnded,
}

/// Builds the record of a run as its events happen.
#[derive(Debug, Default)]
pub struct RunRecorder {
    kept: KeptAttempts,
    running: RunningScenarios,
    lost_target: LostTarget,
    groups: FailureGroups,
    started: Option<RunStarted>,
    scenarios: Vec<ScenarioRecord>,
    not_checked: BTreeMap<(String, Option<String>), NotChecked>,
    repeated: RepeatedScenarios,
    snapshots: Option<SnapshotsEnded>,
}

impl RunRecorder {
    /// Keeps only what reports need.
    pub fn new(kept: KeptAttempts) -> Self {
        Self {
            kept,
            ..Self::default()
        }
    }

    /// Handles an event. `scenario_ended` gets each scenario with all its attempts when it ends.
    pub fn observe(&mut self, mut event: RunEvent, scenario_ended: impl FnOnce(&ScenarioRecord)) {
        escape_event(&mut event);
        match event {
            RunEvent::RunStarted(started) => self.started = Some(started),
            RunEvent::SnapshotsEnded(ended) => self.snapshots = Some(ended),
            event => {
                if let RunEvent::AttemptEnded(attempt) = &event {
                    let name = self.running.name(attempt.scenario);
                    self.lost_target.observe(attempt, name);
                }
                if let Some(record) = self.running.observe(event) {
                    scenario_ended(&record);
                    self.add(record);
                }
            }
        }
    }

    fn add(&mut self, mut record: ScenarioRecord) {
        self.groups.observe(&record);
        self.repeated.observe(&record);
        let mut reasons = BTreeSet::new();
        for check in record.not_checked() {
            let reason = check.cause.as_ref().unwrap_or(&check.observed);
            let reason = (reason.clone(), check.hint.clone());
            let count = self.not_checked.entry(reason.clone()).or_default();
            count.checks += 1;
            count.scenarios += usize::from(reasons.insert(reason));
        }
        let has_problems = !record.ended.verdict.is_passed_or_not_checked();
        if has_problems || self.kept > KeptAttempts::OfProblems {
            record.reduce(self.kept);
            self.scenarios.push(record);
        }
    }

    /// The record of the run.
    pub fn finish(self, mut ended: RunEnded) -> RunRecord {
        escape_end(&mut ended);
        let lost_target = self.lost_target.note();
        let mut common = self
            .groups
            .common_problems(lost_target.as_ref(), ended.refused_items.as_ref());
        common.leave_advice_to(&ended.likely_causes);
        let is_known = |note: &String| common.problems.iter().any(|problem| problem.title == *note);
        let lost_target = lost_target.filter(|note| !is_known(note));
        let mut scenarios = self.scenarios;
        for record in &mut scenarios {
            common.mark(record);
        }
        RunRecord {
            started: self.started,
            scenarios,
            not_checked: self.not_checked,
            repeated: self.repeated.into_sorted(),
            common,
            lost_target,
            snapshots: self.snapshots,
            ended,
        }
    }
}

impl RunRecord {
    pub(super) fn by_number(&self) -> Vec<&ScenarioRecord> {
        let mut scenarios: Vec<_> = self.scenarios.iter().collect();
        scenarios.sort_by_key(|record| record.started.scenario);
        scenarios
    }

    /// The most telling scenario of a common problem, with its checks that have this problem.
    pub(super) fn example(
        &self,
        problem: &CommonProblem,
    ) -> Option<(&ScenarioRecord, Vec<PlacedCheck<'_>>)> {
        let number = problem.example.scenario.number;
        let mut scenarios = self.scenarios.iter();
        let record = scenarios.find(|record| record.started.scenario == number)?;
        let problems = record.problems();
        let own = problems.filter(|placed| placed.reported_by == Some(problem.number));
        Some((record, own.collect()))
    }

    /// The scenarios with problems that no common problem reports, in the order of their numbers.
    pub(super) fn with_own_problems(&self) -> Vec<&ScenarioRecord> {
        let mut scenarios = self.by_number();
        scenarios.retain(|record| !record.own_problems().is_empty());
        scenarios
    }

    /// The reasons for checks that were not made, each with its hint and the number of checks.
    /// `show` formats the text.
    pub(super) fn not_checked_lines(&self, show: impl Fn(&str) -> String) -> Vec<String> {
        let reasons = self.not_checked.iter();
        reasons
            .map(|((reason, hint), count)| {
                let hint = hint.as_ref().map(|hint| format!(" → {}", show(hint)));
                let (count, hint) = (count.text(), hint.unwrap_or_default());
                format!("{count}: {}{hint}", show(reason))
            })
            .collect()
    }
}

pub(super) fn reproduce_options(run: &RunStarted) -> String {
    let seed = run.seed.map(|seed| format!(" --seed {seed}"));
    format!(
        "--start-time {}{}",
        run.start_time,
        seed.unwrap_or_default()
    )
}

pub(super) fn receiver_note(built_in: bool) -> &'static str {
    if built_in {
        " (the built-in receiver)"
    } else {
        ""
    }
}
