//! The report of `run --dry-run`: what scenarios would do.

use std::io::{self, Write};

use super::counts::counted;
use super::sanitize::sanitize;
use super::terminal::{DIM, mark, paint};
use crate::run::{DryRun, DryRunItem};
use crate::verify::Verdict;

pub(crate) fn write_dry_run(out: &mut impl Write, outlines: &[DryRun]) -> io::Result<()> {
    for outline in outlines {
        let place = sanitize(&format!("{}:{}", outline.file, outline.line));
        writeln!(out, "{}  {}", sanitize(&outline.name), paint(DIM, place))?;
        if !outline.events.is_empty() {
            writeln!(out, "  events")?;
        }
        for (name, text) in &outline.events {
            writeln!(out, "    {}", sanitize(&format!("{name}: {text}")))?;
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
        writeln!(out, "    {}. {}", index + 1, sanitize(&part.text))?;
        for expectation in &part.expectations {
            writeln!(out, "       expects {}", sanitize(expectation))?;
        }
        if let Some((reason, hint)) = &part.not_checked {
            let mark = mark(Verdict::NotChecked);
            writeln!(out, "       {mark} not checked: {}", sanitize(reason))?;
            writeln!(out, "         → {}", sanitize(hint))?;
        }
    }
    Ok(())
}
