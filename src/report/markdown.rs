//! Markdown for the summary page of a CI job: the verdict, the common causes, a table of the other
//! problems with folded details, and the reasons for checks that were not made.

mod common_causes;
mod details;
pub(super) mod escape;

use std::collections::BTreeMap;
use std::io::{self, Write};

use super::Report;
use super::counts::{check_summary, counted, scenario_summary};
use super::failure_groups::{FailureGroups, cause_list};
use super::lost_target::LostTarget;
use super::scenario_record::{RunningScenarios, ScenarioRecord};
use crate::run::{RunEnded, RunEvent, RunStarted, ScenarioEnded};
use crate::verify::Verdict;
use common_causes::write_causes;
use details::{details, exchange};
use escape::{code, text};

/// The size limit of the table's rows, in bytes. GitHub rejects a summary of more than 1 MiB.
const TABLE_LIMIT: usize = 200 * 1024;

/// The size limit of the details, in bytes.
const DETAILS_LIMIT: usize = 600 * 1024;

/// Collects the problems of a run and writes them at its end.
pub struct MarkdownReport<W> {
    out: W,
    running: RunningScenarios,
    run: Option<RunStarted>,
    lost_target: LostTarget,
    failures: FailureGroups,
    /// The scenarios with problems, by their numbers.
    problems: BTreeMap<usize, (ScenarioRecord, Verdict)>,
    /// The reasons for checks that were not made, with their counts.
    not_checked: BTreeMap<String, usize>,
}

struct ProblemRow {
    row: String,
    details: String,
}

impl<W: Write> MarkdownReport<W> {
    /// Writes to `out`.
    pub fn new(out: W) -> Self {
        Self {
            out,
            running: RunningScenarios::default(),
            run: None,
            lost_target: LostTarget::default(),
            failures: FailureGroups::default(),
            problems: BTreeMap::new(),
            not_checked: BTreeMap::new(),
        }
    }

    fn scenario_ended(&mut self, record: ScenarioRecord, ended: &ScenarioEnded) {
        self.failures.observe(&record);
        for check in record.not_checked() {
            let mut reason = text(&check.observed);
            if let Some(hint) = &check.hint {
                reason = format!("{reason} → {}", text(hint));
            }
            *self.not_checked.entry(reason).or_default() += 1;
        }
        if !ended.verdict.is_passed_or_not_checked() {
            let problem = (record.only_problems(), ended.verdict);
            self.problems.insert(ended.scenario, problem);
        }
    }

    fn run_ended(&mut self, ended: &RunEnded) -> io::Result<()> {
        let out = &mut self.out;
        let verdict = ended.scenarios.verdict();
        writeln!(out, "## {} aghook: {verdict}\n", mark(verdict))?;
        let bold = |verdict: Verdict| format!("**{verdict}**");
        writeln!(out, "- {}", scenario_summary(ended, bold))?;
        writeln!(out, "- {}", check_summary(ended, bold))?;
        writeln!(out, "- took {:.2} s", ended.took.as_secs_f64())?;
        let common = self.failures.common_causes();
        let lost = self.lost_target.note();
        for line in [&lost, &common.advice].into_iter().flatten() {
            writeln!(out, "- {}", text(line))?;
        }
        if let Some(run) = &self.run {
            write_run(out, run)?;
        }
        write_causes(out, &common.causes)?;
        let mut problems = Vec::new();
        for (record, verdict) in std::mem::take(&mut self.problems).into_values() {
            let (record, numbers) = common.without_common_causes(record);
            if record.problems().next().is_some() {
                problems.push(ProblemRow {
                    row: row(&record, verdict, &numbers),
                    details: details(&record, verdict),
                });
            }
        }
        if !problems.is_empty() {
            write_table(out, &problems)?;
            write_details(out, &problems)?;
        }
        if !self.not_checked.is_empty() {
            writeln!(out, "\n### Not checked\n")?;
            for (reason, count) in &self.not_checked {
                writeln!(out, "- {}: {reason}", counted(*count, "check"))?;
            }
        }
        writeln!(out)?;
        out.flush()
    }
}

impl<W: Write> Report for MarkdownReport<W> {
    fn observe(&mut self, event: &RunEvent) -> io::Result<()> {
        self.lost_target.observe(event);
        if let Some((record, ended)) = self.running.observe(event) {
            self.scenario_ended(record, ended);
        }
        match event {
            RunEvent::RunStarted(started) => self.run = Some(started.clone()),
            RunEvent::RunEnded(ended) => return self.run_ended(ended),
            _ => {}
        }
        Ok(())
    }
}

/// A verdict's mark. The marks differ in shape as well as in color.
pub(super) fn mark(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Passed => "✅",
        Verdict::NotChecked => "❔",
        Verdict::Warned => "⚠️",
        Verdict::Broken => "💥",
        Verdict::Failed => "❌",
    }
}

fn write_run(out: &mut impl Write, run: &RunStarted) -> io::Result<()> {
    let receiver = if run.built_in_receiver {
        " (the built-in receiver)"
    } else {
        ""
    };
    writeln!(out, "- against {}{receiver}", code(&run.target))?;
    let seed = run.seed.map(|seed| format!(" --seed {seed}"));
    let options = format!(
        "--start-time {}{}",
        run.start_time,
        seed.unwrap_or_default()
    );
    writeln!(out, "- reproduce with: {}", code(&options))
}

fn row(record: &ScenarioRecord, verdict: Verdict, causes: &[usize]) -> String {
    let started = &record.started;
    // The worst check of the scenario may belong to a common cause, which this record leaves out.
    let worst = record.problems().map(|check| check.verdict).max();
    let mut worst_checks = record
        .problems()
        .filter(|check| Some(check.verdict) == worst);
    let first = worst_checks.next().map_or(String::new(), |check| {
        let (expected, observed) = (code(&check.expected), code(&check.observed));
        let subject = text(&check.subject);
        format!("{subject}: expected {expected}, observed {observed}")
    });
    let mut more = match worst_checks.count() {
        0 => String::new(),
        count => format!(" (and {count} more)"),
    };
    if !causes.is_empty() {
        more = format!("{more}, also affected by {}", cause_list(causes));
    }
    let location = code(&format!("{}:{}", started.file, started.line));
    let name = text(&started.name);
    format!(
        "| {} {verdict} | {name} | {first}{more} | {location} |",
        mark(verdict)
    )
}

fn write_table(out: &mut impl Write, problems: &[ProblemRow]) -> io::Result<()> {
    writeln!(out, "\n| verdict | scenario | problem | location |")?;
    writeln!(out, "| --- | --- | --- | --- |")?;
    let rows = problems.iter().map(|problem| &problem.row);
    let (rows, left_out) = within(TABLE_LIMIT, rows);
    for row in rows {
        writeln!(out, "{row}")?;
    }
    match left_out {
        0 => Ok(()),
        _ => writeln!(out, "\n… and {}", counted(left_out, "more scenario")),
    }
}

fn write_details(out: &mut impl Write, problems: &[ProblemRow]) -> io::Result<()> {
    let details = problems.iter().map(|problem| &problem.details);
    let (details, left_out) = within(DETAILS_LIMIT, details);
    for text in details {
        write!(out, "\n{text}")?;
    }
    match left_out {
        0 => Ok(()),
        _ => writeln!(
            out,
            "\nThe details of {} are left out to keep the page below its size limit. The other \
             reports have them.",
            counted(left_out, "scenario")
        ),
    }
}

/// The texts that fit into `room` bytes, and the number of those that do not.
fn within<'text>(
    mut room: usize,
    texts: impl Iterator<Item = &'text String>,
) -> (Vec<&'text str>, usize) {
    let mut taken = Vec::new();
    let mut left_out = 0;
    for text in texts {
        match room.checked_sub(text.len()) {
            Some(rest) => {
                room = rest;
                taken.push(text.as_str());
            }
            None => left_out += 1,
        }
    }
    (taken, left_out)
}
