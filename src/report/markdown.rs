//! Markdown for the summary page of a CI job: the verdict, the common problems, a table of the other
//! problems with folded details, and the reasons for checks that were not made.

mod common_problems;
mod details;
pub(super) mod escape;

use std::io::{self, Write};

use super::counts::{check_summary, counted, scenario_summary};
use super::coverage::coverage_lines;
use super::failure_groups::problem_numbers;
use super::run_record::{RunRecord, receiver_note, reproduce_options};
use super::scenario_record::{PlacedCheck, ScenarioRecord, worst};
use crate::verify::Verdict;
use common_problems::{write_common_problems, write_likely_causes};
use details::details;
use escape::{code, text};

/// The size limit of the table's rows, in bytes. GitHub rejects a summary of more than 1 MiB.
const TABLE_LIMIT: usize = 200 * 1024;

const DETAILS_LIMIT: usize = 600 * 1024;

pub(super) fn write_markdown(out: &mut dyn Write, run: &RunRecord) -> io::Result<()> {
    let verdict = run.ended.scenarios.verdict();
    writeln!(out, "## {} aghook: {verdict}\n", mark(verdict))?;
    let bold = |verdict: Verdict| format!("**{verdict}**");
    writeln!(out, "- {}", scenario_summary(&run.ended, bold))?;
    writeln!(out, "- {}", check_summary(&run.ended, bold))?;
    writeln!(
        out,
        "- took {:.2} s of wall time",
        run.ended.took.as_secs_f64()
    )?;
    for line in run.ended.explored.iter().flat_map(coverage_lines) {
        writeln!(out, "- {}", text(&line))?;
    }
    let notes = [&run.lost_target, &run.common.advice];
    for note in notes.into_iter().flatten() {
        writeln!(out, "- {}", text(note))?;
    }
    if let Some(started) = &run.started {
        let receiver = receiver_note(started.built_in_receiver);
        writeln!(out, "- against {}{receiver}", code(&started.target))?;
        let reproduce = code(&reproduce_options(started));
        writeln!(out, "- reproduce with: {reproduce}")?;
    }
    write_likely_causes(out, run)?;
    write_common_problems(out, run)?;
    write_problems(
        out,
        &run.with_own_problems(),
        run.common.problems.is_empty(),
    )?;
    let not_checked = run.not_checked_lines(text);
    if !not_checked.is_empty() {
        writeln!(out, "\n### Not checked\n")?;
    }
    for line in not_checked {
        writeln!(out, "- {line}")?;
    }
    if let Some(changes) = &run.ended.since_baseline {
        writeln!(out, "\n### Changes\n\n{}", text(&changes.summary()))?;
        if changes.lists().next().is_some() {
            write_table_head(out, &["change", "scenario"], &[])?;
        }
        for (label, names) in changes.lists() {
            for name in names {
                write_row(out, &[label.to_owned(), text(name)])?;
            }
        }
    }
    if let Some(explored) = &run.ended.explored {
        writeln!(out, "\n### Kinds of events and steps")?;
        write_table_head(out, &["kind", "meaning"], &["cases"])?;
        for kind in &explored.kinds {
            write_row(
                out,
                &[code(&kind.kind), text(&kind.about), kind.cases.to_string()],
            )?;
        }
    }
    writeln!(out)
}

pub(super) fn mark(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Passed => "✅",
        Verdict::NotChecked => "❔",
        Verdict::Warned => "⚠️",
        Verdict::Broken => "💥",
        Verdict::Failed => "❌",
    }
}

/// Writes the table of the scenarios with problems of their own, and the details, folded unless
/// `is_first_open`.
fn write_problems(
    out: &mut dyn Write,
    scenarios: &[&ScenarioRecord],
    is_first_open: bool,
) -> io::Result<()> {
    if scenarios.is_empty() {
        return Ok(());
    }
    write_table_head(out, &["verdict", "scenario", "problem", "location"], &[])?;
    let own = || {
        scenarios
            .iter()
            .map(|record| (record, record.own_problems()))
    };
    let rows = own().map(|(record, problems)| row(record, &problems));
    let (rows, left_out) = within(TABLE_LIMIT, rows);
    for row in rows {
        writeln!(out, "{row}")?;
    }
    if left_out > 0 {
        writeln!(out, "\n… and {}", counted(left_out, "more scenario"))?;
    }
    let details = own()
        .enumerate()
        .map(|(index, (record, problems))| details(record, &problems, is_first_open && index == 0));
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

fn row(record: &ScenarioRecord, problems: &[PlacedCheck<'_>]) -> String {
    // The worst check of the scenario may belong to a common problem.
    let (first, more) = worst(problems);
    let first = first.map_or(String::new(), |check| {
        let (expected, observed) = (code(&check.expected), code(&check.observed));
        let subject = text(&check.subject);
        format!("{subject}: expected {expected}, observed {observed}")
    });
    let more = match more {
        0 => String::new(),
        count => format!(" (and {count} more)"),
    };
    let problems = record.common_problems();
    let problems = match problems.len() {
        0 => String::new(),
        _ => format!(", also affected by {}", problem_numbers(&problems)),
    };
    let (location, name) = (code(&record.location()), text(&record.started.name));
    let verdict = record.ended.verdict;
    format!(
        "| {} {verdict} | {name} | {first}{more}{problems} | {location} |",
        mark(verdict)
    )
}

/// Writes the head of a table after an empty line. Columns of numbers come last, aligned on the right.
pub(super) fn write_table_head(
    out: &mut dyn Write,
    texts: &[&str],
    numbers: &[&str],
) -> io::Result<()> {
    writeln!(out, "\n| {} |", [texts, numbers].concat().join(" | "))?;
    let (texts, numbers) = (texts.len(), numbers.len());
    writeln!(
        out,
        "|{}{}",
        " --- |".repeat(texts),
        " ---: |".repeat(numbers)
    )
}

pub(super) fn write_row(out: &mut dyn Write, cells: &[String]) -> io::Result<()> {
    writeln!(out, "| {} |", cells.join(" | "))
}

/// The texts that fit into `room` bytes, and the number of those that do not.
fn within(mut room: usize, texts: impl Iterator<Item = String>) -> (Vec<String>, usize) {
    let mut taken = Vec::new();
    let mut left_out = 0;
    for text in texts {
        match room.checked_sub(text.len()) {
            Some(rest) => {
                room = rest;
                taken.push(text);
            }
            None => left_out += 1,
        }
    }
    (taken, left_out)
}
