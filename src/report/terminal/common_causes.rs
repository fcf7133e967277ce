//! The common causes, before the scenarios with other problems.

use std::collections::BTreeSet;
use std::io;

use super::exchange::write_exchange;
use super::layout::TextOutput;
use super::style::{DIM, mark, paint};
use crate::report::failure_groups::CommonCause;

const LISTED: usize = 5;

pub(super) fn write_common_causes(
    out: &mut TextOutput<'_>,
    causes: &[CommonCause],
    list_all: bool,
) -> io::Result<()> {
    if causes.is_empty() {
        return Ok(());
    }
    out.gap()?;
    out.line(0, "common causes")?;
    let mut shown_responses = BTreeSet::new();
    for cause in causes {
        out.gap()?;
        write_cause(out, cause, list_all)?;
        if let Some(example) = cause.example_line() {
            out.line(2, &format!("example: {example}"))?;
        }
        if let Some(responses) = &cause.responses {
            out.line(2, responses)?;
        }
        // An exchange with the same response would add nothing.
        if let Some(attempt) = &cause.example.attempt
            && shown_responses.insert(cause.response())
        {
            write_exchange(out, attempt)?;
        }
    }
    Ok(())
}

fn write_cause(out: &mut TextOutput<'_>, cause: &CommonCause, list_all: bool) -> io::Result<()> {
    let (mark, number, title) = (mark(cause.verdict), cause.number, &cause.title);
    out.line(0, &format!("{mark} cause {number}: {title}"))?;
    if let Some(hint) = &cause.example.check.hint {
        out.line(4, &format!("→ {hint}"))?;
    }
    out.line(2, &cause.scope())?;
    // Listing the last scenario takes no more room than the line “and 1 more”.
    let limit = match cause.scenarios.len() {
        all if list_all || all == LISTED + 1 => all,
        _ => LISTED,
    };
    let (listed, more) = cause.listed(limit);
    for scenario in listed {
        out.line_with_facts(4, &scenario.name, &paint(DIM, scenario.location()))?;
    }
    match more {
        0 => Ok(()),
        more => {
            let more = format!("and {more} more; --verbose lists them all");
            out.line(4, &paint(DIM, more))
        }
    }
}
