//! A scenario in the list, as it is shown before it is opened and without JavaScript.

use super::FinishedScenario;
use super::latency::format_seconds;
use crate::report::counts::counted;
use crate::report::failure_groups::{CommonCauses, cause_list};
use crate::report::sanitize::sanitize;
use crate::report::scenario_record::{ScenarioRecord, check_line, is_problem};
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

/// A verdict on the page: its name, its mark, and the CSS class for its color.
#[derive(Debug, Clone, Copy)]
pub(in crate::report) struct VerdictLabel {
    pub(in crate::report) word: &'static str,
    pub(in crate::report) mark: &'static str,
    pub(in crate::report) class: &'static str,
}

impl VerdictLabel {
    pub(in crate::report) fn new(verdict: Verdict) -> Self {
        let (word, mark, class) = match verdict {
            Verdict::Passed => ("passed", "✓", "passed"),
            Verdict::NotChecked => ("not checked", "?", "not_checked"),
            Verdict::Warned => ("warned", "!", "warned"),
            Verdict::Broken => ("broken", "‼", "broken"),
            Verdict::Failed => ("failed", "✗", "failed"),
        };
        Self { word, mark, class }
    }
}

impl ScenarioRow {
    pub(super) fn new(
        finished: &FinishedScenario,
        data: Option<String>,
        common: &CommonCauses,
    ) -> Self {
        let (record, ended) = (&finished.record, &finished.ended);
        let started = &record.started;
        let about = started.about.as_deref().unwrap_or_default();
        let skipped = match (ended.verdict, ended.checks.not_checked) {
            (Verdict::NotChecked, _) | (_, 0) => String::new(),
            (_, count) => format!(" ({count} not checked)"),
        };
        Self {
            number: ended.scenario,
            verdict: VerdictLabel::new(ended.verdict),
            name: sanitize(&started.name),
            about: about.split_whitespace().collect::<Vec<_>>().join(" "),
            tags: started.tags.clone(),
            location: format!("{}:{}", started.file, started.line),
            facts: format!(
                "{}{skipped} · {} · {}",
                counted(ended.checks.total(), "check"),
                counted(finished.attempts, "attempt"),
                format_seconds(ended.took.as_secs_f64())
            ),
            attempts: finished.attempts,
            took_seconds: ended.took.as_secs_f64(),
            first_problem: first_problem(record, common),
            problems: record
                .problems()
                .take(PROBLEM_LIMIT)
                .map(ProblemView::new)
                .collect(),
            data,
        }
    }
}

fn first_problem(record: &ScenarioRecord, common: &CommonCauses) -> Option<String> {
    let (checks, numbers) = common.split(record);
    let problems = checks.iter().filter(|check| is_problem(check));
    let worst = problems.clone().map(|check| check.verdict).max();
    let mut worst_checks = problems.filter(|check| Some(check.verdict) == worst);
    let causes = (!numbers.is_empty()).then(|| cause_list(&numbers));
    let Some(first) = worst_checks.next().map(|check| check_line(check)) else {
        return causes;
    };
    let more = match worst_checks.count() {
        0 => String::new(),
        more => format!(" (and {more} more)"),
    };
    let causes = causes.map_or(String::new(), |causes| format!(", also {causes}"));
    Some(format!("{first}{more}{causes}"))
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
