//! A scenario in the list, as it is shown before it is opened and without JavaScript.

use super::latency::format_seconds;
use super::verdict_label::VerdictLabel;
use crate::report::counts::counted;
use crate::report::failure_groups::cause_list;
use crate::report::sanitize::sanitize;
use crate::report::scenario_record::{ScenarioRecord, check_line, worst};
use crate::verify::{Check, Verdict};

/// The most checks of a scenario that are shown without JavaScript.
const PROBLEM_LIMIT: usize = 20;

/// The fields of a scenario for the template, which escapes all of them.
pub(super) struct ScenarioRow {
    pub(super) number: usize,
    pub(super) verdict: VerdictLabel,
    pub(super) name: String,
    pub(super) about: String,
    pub(super) tags: Vec<String>,
    pub(super) location: String,
    /// The number of checks and attempts, and the duration.
    pub(super) facts: String,
    pub(super) attempts: usize,
    pub(super) took_seconds: f64,
    /// The worst check that no common cause explains, in one line, and the common causes.
    pub(super) first_problem: Option<String>,
    pub(super) problems: Vec<ProblemView>,
    /// The number of problems that are not shown without JavaScript.
    pub(super) more_problems: usize,
    /// The events for the script. `None` if there was no room.
    pub(super) data: Option<String>,
}

/// A check that did not pass.
pub(super) struct ProblemView {
    pub(super) verdict: VerdictLabel,
    pub(super) subject: String,
    pub(super) expected: String,
    pub(super) observed: String,
    pub(super) hint: Option<String>,
}

impl ScenarioRow {
    pub(super) fn new(record: &ScenarioRecord, data: Option<String>) -> Self {
        let (started, ended) = (&record.started, &record.ended);
        let attempts = record.attempts.len();
        let about = started.about.as_deref().unwrap_or_default();
        let skipped = match (ended.verdict, ended.checks.not_checked) {
            (Verdict::NotChecked, _) | (_, 0) => String::new(),
            (_, count) => format!(" ({count} not checked)"),
        };
        let problems: Vec<&Check> = record.problems().map(|placed| placed.check).collect();
        Self {
            number: ended.scenario,
            verdict: VerdictLabel::new(ended.verdict),
            name: sanitize(&started.name),
            about: about.split_whitespace().collect::<Vec<_>>().join(" "),
            tags: started.tags.clone(),
            location: record.location(),
            facts: format!(
                "{}{skipped} · {} · {}",
                counted(ended.checks.total(), "check"),
                counted(attempts, "attempt"),
                format_seconds(ended.took.as_secs_f64())
            ),
            attempts,
            took_seconds: ended.took.as_secs_f64(),
            first_problem: first_problem(record),
            problems: problems
                .iter()
                .take(PROBLEM_LIMIT)
                .map(|check| ProblemView::new(check))
                .collect(),
            more_problems: problems.len().saturating_sub(PROBLEM_LIMIT),
            data,
        }
    }
}

fn first_problem(record: &ScenarioRecord) -> Option<String> {
    let causes = record.causes();
    let causes = (!causes.is_empty()).then(|| cause_list(&causes));
    let (Some(first), more) = worst(&record.own_problems()) else {
        return causes;
    };
    let more = match more {
        0 => String::new(),
        more => format!(" (and {more} more)"),
    };
    let causes = causes.map_or(String::new(), |causes| format!(", also {causes}"));
    Some(format!("{}{more}{causes}", check_line(first)))
}

impl ProblemView {
    fn new(check: &Check) -> Self {
        Self {
            verdict: VerdictLabel::new(check.verdict),
            subject: sanitize(&check.subject),
            expected: sanitize(&check.expected),
            observed: sanitize(&check.observed),
            hint: check.hint.as_deref().map(sanitize),
        }
    }
}
