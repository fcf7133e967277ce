//! What scenarios would do, for a person at a terminal.

use std::io::{self, Write};

use super::counts::counted;
use super::printable::printable;
use super::terminal::{DIM, mark, paint};
use crate::harness::{DryRun, DryRunItem, Verdict};

/// Writes what scenarios would do, and sums up what of it would not be checked.
pub fn write_outlines(out: &mut impl Write, outlines: &[DryRun]) -> io::Result<()> {
    for outline in outlines {
        let place = format!("{}:{}", outline.file, outline.line);
        writeln!(out, "{}  {}", printable(&outline.name), paint(DIM, place))?;
        if !outline.events.is_empty() {
            writeln!(out, "  events")?;
        }
        for (name, text) in &outline.events {
            writeln!(out, "    {}", printable(&format!("{name}: {text}")))?;
        }
        writeln!(out, "  steps")?;
        write_parts(out, &outline.steps)?;
        if !outline.effects.is_empty() {
            writeln!(out, "  effects")?;
        }
        write_parts(out, &outline.effects)?;
        writeln!(out)?;
    }
    let parts = |outline: &DryRun| {
        let parts = outline.steps.iter().chain(&outline.effects);
        parts.filter(|part| part.not_checked.is_some()).count()
    };
    let not_checked: usize = outlines.iter().map(parts).sum();
    let scenarios = counted(outlines.len(), "scenario");
    writeln!(
        out,
        "{scenarios}; steps and effects that would not be checked: {not_checked}"
    )?;
    out.flush()
}

fn write_parts(out: &mut impl Write, parts: &[DryRunItem]) -> io::Result<()> {
    for (index, part) in parts.iter().enumerate() {
        writeln!(out, "    {}. {}", index + 1, printable(&part.text))?;
        for expectation in &part.expectations {
            writeln!(out, "       expects {}", printable(expectation))?;
        }
        if let Some((reason, hint)) = &part.not_checked {
            let mark = mark(Verdict::NotChecked);
            writeln!(out, "       {mark} not checked: {}", printable(reason))?;
            writeln!(out, "         → {}", printable(hint))?;
        }
    }
    Ok(())
}
