//! The problems of a scenario: each check with what was expected and observed, and the request and
//! response if it failed.

use std::io;

use super::difference::write_lines;
use super::exchange::{write_brief_exchange, write_exchange};
use super::layout::TextOutput;
use super::style::{DIM, mark, paint, paint_verdict};
use crate::report::counts::counted;
use crate::report::failure_groups::problem_numbers;
use crate::report::problem_section::{Evidence, sections};
use crate::report::sanitize::sanitize;
use crate::report::scenario_record::{PlacedCheck, ScenarioRecord};
use crate::verify::Check;

/// The number of steps and effects whose problems are brief.
const BRIEF_SECTIONS: usize = 2;

/// Writes some of the problems of a scenario. If these are not all, the common problems of the others
/// follow its name. `is_brief` leaves out all but the first ones and the first exchange.
pub(crate) fn write_problems(
    out: &mut TextOutput<'_>,
    record: &ScenarioRecord,
    problems: &[PlacedCheck<'_>],
    is_brief: bool,
) -> io::Result<()> {
    let (started, verdict) = (&record.started, record.ended.verdict);
    let name = &started.name;
    out.line(
        0,
        &format!("{} {}: {name}", mark(verdict), paint_verdict(verdict)),
    )?;
    out.line(2, &paint(DIM, record.location()))?;
    let common = record.common_problems();
    if !common.is_empty() && problems.iter().all(|problem| problem.reported_by.is_none()) {
        let line = format!("also affected by {}", problem_numbers(&common));
        out.line(2, &paint(DIM, line))?;
    }
    for paragraph in started.about.iter().flat_map(|about| about.trim().lines()) {
        out.prose(2, 0, paragraph)?;
    }
    let sections = sections(record, problems);
    let limit = if is_brief {
        BRIEF_SECTIONS
    } else {
        sections.len()
    };
    let mut has_exchange = false;
    for section in sections.iter().take(limit) {
        out.line(2, &section.title)?;
        for check in &section.checks {
            write_check(out, check)?;
        }
        match &section.evidence {
            Evidence::Exchange(attempt) if section.has_failure() => {
                if !is_brief {
                    write_exchange(out, attempt)?;
                } else if !std::mem::replace(&mut has_exchange, true) {
                    write_brief_exchange(out, attempt)?;
                }
            }
            Evidence::Exchange(_) | Evidence::Nothing => {}
            Evidence::Effects(lines) => {
                let mut lines = lines.iter();
                lines.try_for_each(|line| out.line(4, &paint(DIM, line)))?;
            }
            Evidence::Difference(difference) => write_lines(out, difference)?,
        }
    }
    let left_out = sections.iter().skip(limit);
    match left_out.map(|section| section.checks.len()).sum() {
        0 => Ok(()),
        more => {
            let more = counted(more, "more problem");
            out.line(2, &paint(DIM, format!("… {more}; --verbose shows all")))
        }
    }
}

fn write_check(out: &mut TextOutput<'_>, check: &Check) -> io::Result<()> {
    out.line(4, &format!("{} {}", mark(check.verdict), check.subject))?;
    out.labelled(8, 10, &format!("expected  {}", sanitize(&check.expected)))?;
    out.labelled(8, 10, &format!("observed  {}", sanitize(&check.observed)))?;
    if let Some(source) = &check.source {
        out.prose(8, 10, &paint(DIM, format!("source    {source}")))?;
    }
    match &check.hint {
        Some(hint) => out.labelled(8, 10, &format!("help      {hint}")),
        None => Ok(()),
    }
}
