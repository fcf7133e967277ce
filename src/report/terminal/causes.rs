//! What several scenarios fail of alike, said once: before the scenarios that fail of something else.

use std::collections::BTreeSet;
use std::io::{self, Write};

use super::exchange::write_exchange;
use super::layout::{Columns, Layout};
use super::style::{DIM, mark, paint};
use crate::report::causes::{Cause, SharedCauses, causes_in_words};
use crate::report::counts::{counted, troubles_in_words};

/// The most scenarios of a cause that are named, unless every detail is wanted.
const NAMED: usize = 5;

/// Writes the causes that scenarios share.
pub(super) fn write_causes(
    out: &mut impl Write,
    layout: Layout,
    shared: &SharedCauses,
    every_name: bool,
) -> io::Result<()> {
    if shared.causes.is_empty() {
        return Ok(());
    }
    writeln!(out, "\nwhat checks fail of alike, told once")?;
    let mut answers = BTreeSet::new();
    for cause in &shared.causes {
        writeln!(out)?;
        write_cause(out, layout, cause, every_name)?;
        if let Some(example) = cause.example_in_words() {
            let line = format!("for instance {example}");
            layout.line(out, Columns::at(2), &line)?;
        }
        if let Some(answers) = &cause.answers {
            layout.line(out, Columns::at(2), answers)?;
        }
        // Requests that were answered alike would look alike.
        match &cause.example.attempt {
            Some(attempt) if answers.insert(cause.answer()) => {
                write_exchange(out, layout, attempt)?;
            }
            _ => {}
        }
    }
    Ok(())
}

fn write_cause(
    out: &mut impl Write,
    layout: Layout,
    cause: &Cause,
    every_name: bool,
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
    let checks = troubles_in_words(&cause.checks);
    let scenarios = counted(cause.scenarios.len(), "scenario");
    layout.line(out, Columns::at(2), &format!("{checks}, in {scenarios}"))?;
    let all = cause.scenarios.len();
    // One more line would say that there is one more.
    let named = if every_name || all == NAMED + 1 {
        all
    } else {
        NAMED
    };
    for scenario in cause.scenarios.iter().take(named) {
        let place = paint(DIM, format!("{}:{}", scenario.file, scenario.line));
        layout.line_with_facts(out, Columns::at(4), &scenario.name, &place)?;
    }
    if let Some(more @ 1..) = all.checked_sub(named) {
        let more = paint(DIM, format!("and {more} more; --verbose names them all"));
        layout.line(out, Columns::at(4), &more)?;
    }
    Ok(())
}

/// Writes which causes a scenario shares that fails of something else as well.
pub(super) fn write_shared(
    out: &mut impl Write,
    layout: Layout,
    numbers: &[usize],
) -> io::Result<()> {
    if numbers.is_empty() {
        return Ok(());
    }
    let line = paint(DIM, format!("besides {}", causes_in_words(numbers)));
    layout.line(out, Columns::at(2), &line)
}
