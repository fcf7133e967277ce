//! The problems of a scenario: each check with what was expected and observed, and the request and
//! response if it failed.

use std::io;

use super::difference::write_lines;
use super::exchange::write_exchange;
use super::layout::TextOutput;
use super::style::{DIM, mark, paint, paint_verdict};
use crate::report::failure_groups::cause_list;
use crate::report::problem_section::{Evidence, sections};
use crate::report::sanitize::sanitize;
use crate::report::scenario_record::{PlacedCheck, ScenarioRecord};
use crate::verify::Check;

/// Writes some of the problems of a scenario. If these are not all, the common causes of the others
/// follow its name.
pub(crate) fn write_problems(
    out: &mut TextOutput<'_>,
    record: &ScenarioRecord,
    problems: &[PlacedCheck<'_>],
) -> io::Result<()> {
    let (started, verdict) = (&record.started, record.ended.verdict);
    let name = &started.name;
    out.line(
        0,
        &format!("{} {}: {name}", mark(verdict), paint_verdict(verdict)),
    )?;
    out.line(2, &paint(DIM, record.location()))?;
    let causes = record.causes();
    if !causes.is_empty() && problems.iter().all(|problem| problem.reported_by.is_none()) {
        let line = format!("also affected by {}", cause_list(&causes));
        out.line(2, &paint(DIM, line))?;
    }
    for paragraph in started.about.iter().flat_map(|about| about.trim().lines()) {
        out.prose(2, 0, paragraph)?;
    }
    for section in sections(record, problems) {
        out.line(2, &section.title)?;
        for check in &section.checks {
            write_check(out, check)?;
        }
        match &section.evidence {
            Evidence::Exchange(attempt) if section.has_failure() => write_exchange(out, attempt)?,
            Evidence::Exchange(_) | Evidence::Nothing => {}
            Evidence::Readings(readings) => {
                let mut readings = readings.iter();
                readings.try_for_each(|reading| out.line(4, &paint(DIM, reading)))?;
            }
            Evidence::Difference(difference) => write_lines(out, difference)?,
        }
    }
    Ok(())
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
