//! A scenario in the list, as it is shown before it is opened and without JavaScript.

use super::latency::format_seconds;
use crate::report::counts::counted;
use crate::report::failure_groups::problem_numbers;
use crate::report::sanitize::sanitize;
use crate::report::scenario_record::{ScenarioRecord, worst_line};
use crate::verify::{Check, Verdict};

const PROBLEM_LIMIT: usize = 20;

pub(super) struct ScenarioRow<'run> {
    pub(super) record: &'run ScenarioRecord,
    pub(super) verdict: Verdict,
    pub(super) facts: String,
    /// The worst check that no common problem explains, in one line, and the common problems.
    pub(super) first_problem: Option<String>,
    pub(super) problems: Vec<ProblemView>,
    pub(super) more_problems: Option<String>,
    /// The deliveries of the events whose effects failed.
    pub(super) traces: Vec<&'run String>,
    /// Whether it is the most telling failure, which is shown at once.
    pub(super) is_open: bool,
    /// The events for the script. `None` if there was no room.
    pub(super) data: Option<String>,
}

pub(super) struct ProblemView {
    pub(super) verdict: Verdict,
    pub(super) subject: String,
    pub(super) expected: String,
    pub(super) observed: String,
    pub(super) hint: Option<String>,
}

impl<'run> ScenarioRow<'run> {
    pub(super) fn new(record: &'run ScenarioRecord, data: Option<String>, is_open: bool) -> Self {
        let ended = &record.ended;
        let skipped = match (ended.verdict, ended.checks.not_checked) {
            (Verdict::NotChecked, _) | (_, 0) => String::new(),
            (_, count) => format!(" ({count} not checked)"),
        };
        let checks = counted(ended.checks.total(), "check");
        let attempts = counted(record.attempts.len(), "attempt");
        let took = format_seconds(ended.took.as_secs_f64());
        let mut problems = record.problems();
        Self {
            record,
            is_open,
            verdict: ended.verdict,
            facts: format!("{checks}{skipped} · {attempts} · {took}"),
            first_problem: first_problem(record),
            problems: problems
                .by_ref()
                .take(PROBLEM_LIMIT)
                .map(|placed| ProblemView::new(placed.check))
                .collect(),
            more_problems: Some(problems.count())
                .filter(|more| *more > 0)
                .map(|more| counted(more, "more problem")),
            traces: record
                .traces
                .iter()
                .flat_map(|trace| &trace.lines)
                .collect(),
            data,
        }
    }

    pub(super) fn name(&self) -> String {
        sanitize(&self.record.started.name)
    }

    pub(super) fn about(&self) -> String {
        let about = self.record.started.about.as_deref().unwrap_or_default();
        about.split_whitespace().collect::<Vec<_>>().join(" ")
    }
}

fn first_problem(record: &ScenarioRecord) -> Option<String> {
    let problems = record.common_problems();
    let problems = (!problems.is_empty()).then(|| problem_numbers(&problems));
    match (worst_line(&record.own_problems()), problems) {
        (Some(worst), Some(problems)) => Some(format!("{worst}, also {problems}")),
        (worst, problems) => worst.or(problems),
    }
}

impl ProblemView {
    fn new(check: &Check) -> Self {
        Self {
            verdict: check.verdict,
            subject: sanitize(&check.subject),
            expected: sanitize(&check.expected),
            observed: sanitize(&check.observed),
            hint: check.hint.as_deref().map(sanitize),
        }
    }
}
