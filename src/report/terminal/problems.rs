//! The problems of a scenario: each check with what was expected and observed, and the request and
//! response if it failed.

use std::io::{self, Write};

use super::difference::write_difference;
use super::exchange::write_exchange;
use super::layout::{Columns, TextLayout};
use super::style::{DIM, mark, paint, paint_verdict};
use crate::report::sanitize::sanitize;
use crate::report::scenario_record::{ScenarioRecord, is_problem};
use crate::run::{DeliveryEnded, StepEnded};
use crate::verify::{Check, Verdict};

/// Writes the problems of a scenario without breaking lines.
pub(in crate::report) fn write_problems(
    out: &mut Vec<u8>,
    record: &ScenarioRecord,
    verdict: Verdict,
) -> io::Result<()> {
    write_scenario(out, TextLayout::default(), record, verdict, |_| Ok(()))
}

/// Writes the problems of a scenario with lines that fit the layout. `more` adds lines to its head.
pub(super) fn write_scenario<W: Write>(
    out: &mut W,
    layout: TextLayout,
    record: &ScenarioRecord,
    verdict: Verdict,
    more: impl FnOnce(&mut W) -> io::Result<()>,
) -> io::Result<()> {
    let started = &record.started;
    let title = format!(
        "{} {}: {}",
        mark(verdict),
        paint_verdict(verdict),
        started.name
    );
    layout.line(out, Columns::at(0), &title)?;
    let location = format!("{}:{}", started.file, started.line);
    layout.line(out, Columns::at(2), &paint(DIM, location))?;
    more(out)?;
    if let Some(about) = &started.about {
        for paragraph in about.trim().lines() {
            layout.prose(out, Columns::even(2), paragraph)?;
        }
    }
    for step in &record.steps {
        for delivery in &step.deliveries {
            write_delivery(out, layout, record, step, delivery)?;
        }
        if let Some(check) = step.not_made.as_ref().filter(|check| is_problem(check)) {
            let line = format!("step {}: {}", step.step, step.description);
            layout.line(out, Columns::at(2), &line)?;
            write_check(out, layout, check)?;
        }
    }
    let effects = record.effects.iter().flat_map(|effects| &effects.checks);
    let problems: Vec<&Check> = effects.filter(|check| is_problem(check)).collect();
    if !problems.is_empty() {
        writeln!(out, "  effects")?;
        problems
            .into_iter()
            .try_for_each(|check| write_check(out, layout, check))?;
        for reading in record.problem_readings() {
            let reading = paint(DIM, reading);
            layout.line(out, Columns::at(4), &reading)?;
        }
    }
    if let Some(check) = record.snapshot_problem() {
        writeln!(out, "  snapshot")?;
        write_check(out, layout, check)?;
        let difference = record
            .snapshot
            .iter()
            .flat_map(|snapshot| &snapshot.difference);
        difference
            .into_iter()
            .try_for_each(|difference| write_difference(out, difference))?;
    }
    Ok(())
}

fn write_delivery(
    out: &mut impl Write,
    layout: TextLayout,
    record: &ScenarioRecord,
    step: &StepEnded,
    delivery: &DeliveryEnded,
) -> io::Result<()> {
    let problems: Vec<&Check> = delivery
        .checks
        .iter()
        .filter(|check| is_problem(check))
        .collect();
    if problems.is_empty() {
        return Ok(());
    }
    let which = match step.deliveries.len() {
        1 => String::new(),
        count => format!(", delivery {} of {count}", delivery.delivery),
    };
    let line = format!("step {}: {}{which}", step.step, step.description);
    layout.line(out, Columns::at(2), &line)?;
    problems
        .into_iter()
        .try_for_each(|check| write_check(out, layout, check))?;
    // For a warning alone, the exchange would be too much detail.
    let failed = delivery
        .checks
        .iter()
        .any(|check| check.verdict > Verdict::Warned);
    match record.last_attempt(step.step, delivery.delivery) {
        Some(attempt) if failed => write_exchange(out, layout, attempt),
        _ => Ok(()),
    }
}

fn write_check(out: &mut impl Write, layout: TextLayout, check: &Check) -> io::Result<()> {
    let title = format!("{} {}", mark(check.verdict), check.subject);
    layout.line(out, Columns::at(4), &title)?;
    let value = Columns::labelled(8, 10);
    let expected = format!("expected  {}", sanitize(&check.expected));
    layout.line(out, value, &expected)?;
    let observed = format!("observed  {}", sanitize(&check.observed));
    layout.line(out, value, &observed)?;
    if let Some(source) = &check.source {
        let source = paint(DIM, format!("source    {source}"));
        layout.prose(out, value, &source)?;
    }
    match &check.hint {
        Some(hint) => layout.line(out, value, &format!("help      {hint}")),
        None => Ok(()),
    }
}
