//! The common causes, before the scenarios with other problems.

use std::collections::BTreeSet;
use std::io::{self, Write};

use super::exchange::write_exchange;
use super::layout::{Columns, TextLayout};
use super::style::{DIM, mark, paint};
use crate::report::counts::{counted, problem_summary};
use crate::report::failure_groups::{CommonCause, CommonCauses, cause_list};

/// The most scenarios that are listed for a cause, unless the output is verbose.
const LISTED: usize = 5;

/// Writes the common causes.
pub(super) fn write_common_causes(
    out: &mut impl Write,
    layout: TextLayout,
    common: &CommonCauses,
    list_all: bool,
) -> io::Result<()> {
    if common.causes.is_empty() {
        return Ok(());
    }
    writeln!(out, "\ncommon causes")?;
    let mut shown_responses = BTreeSet::new();
    for cause in &common.causes {
        writeln!(out)?;
        write_cause(out, layout, cause, list_all)?;
        if let Some(example) = cause.example_line() {
            let line = format!("example: {example}");
            layout.line(out, Columns::at(2), &line)?;
        }
        if let Some(responses) = &cause.responses {
            layout.line(out, Columns::at(2), responses)?;
        }
        // An exchange with the same response would add nothing.
        match &cause.example.attempt {
            Some(attempt) if shown_responses.insert(cause.response()) => {
                write_exchange(out, layout, attempt)?;
            }
            _ => {}
        }
    }
    Ok(())
}

fn write_cause(
    out: &mut impl Write,
    layout: TextLayout,
    cause: &CommonCause,
    list_all: bool,
) -> io::Result<()> {
    let title = format!(
        "{} cause {}: {}",
        mark(cause.verdict),
        cause.number,
        cause.title
    );
    layout.line(out, Columns::at(0), &title)?;
    if let Some(hint) = &cause.example.check.hint {
        layout.line(out, Columns::at(4), &format!("→ {hint}"))?;
    }
    let checks = problem_summary(&cause.checks);
    let scenarios = counted(cause.scenarios.len(), "scenario");
    layout.line(out, Columns::at(2), &format!("{checks}, in {scenarios}"))?;
    let all = cause.scenarios.len();
    // Listing the last scenario takes no more room than the line “and 1 more”.
    let listed = if list_all || all == LISTED + 1 {
        all
    } else {
        LISTED
    };
    for scenario in cause.scenarios.iter().take(listed) {
        let location = paint(DIM, format!("{}:{}", scenario.file, scenario.line));
        layout.line_with_facts(out, Columns::at(4), &scenario.name, &location)?;
    }
    if let Some(more @ 1..) = all.checked_sub(listed) {
        let more = paint(DIM, format!("and {more} more; --verbose lists them all"));
        layout.line(out, Columns::at(4), &more)?;
    }
    Ok(())
}

/// Writes which common causes affect a scenario that has other problems too.
pub(super) fn write_cause_references(
    out: &mut impl Write,
    layout: TextLayout,
    numbers: &[usize],
) -> io::Result<()> {
    if numbers.is_empty() {
        return Ok(());
    }
    let line = paint(DIM, format!("also affected by {}", cause_list(numbers)));
    layout.line(out, Columns::at(2), &line)
}
