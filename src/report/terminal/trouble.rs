//! What went wrong in a scenario: the checks, each with what was expected and observed, and the
//! request and the answer of those that failed.

use std::io::{self, Write};

use super::difference::write_difference;
use super::exchange::write_exchange;
use super::layout::{Columns, Layout};
use super::style::{DIM, mark, paint, paint_verdict};
use crate::harness::{Check, DeliveryEnded, StepEnded, Verdict};
use crate::report::printable::printable;
use crate::report::scenario_story::{ScenarioStory, is_trouble};

/// Writes what went wrong in a scenario, with lines as long as they are.
pub(in crate::report) fn write_trouble(
    out: &mut Vec<u8>,
    story: &ScenarioStory,
    verdict: Verdict,
) -> io::Result<()> {
    write_laid_out(out, Layout::default(), story, verdict, |_| Ok(()))
}

/// The same, with lines that fit a layout, and with what `more` writes of the scenario.
pub(super) fn write_laid_out<W: Write>(
    out: &mut W,
    layout: Layout,
    story: &ScenarioStory,
    verdict: Verdict,
    more: impl FnOnce(&mut W) -> io::Result<()>,
) -> io::Result<()> {
    let started = &story.started;
    let title = format!(
        "{} {} {}",
        mark(verdict),
        paint_verdict(verdict),
        started.name
    );
    layout.line(out, Columns::at(0), &title)?;
    let place = format!("{}:{}", started.file, started.line);
    layout.line(out, Columns::at(2), &paint(DIM, place))?;
    more(out)?;
    if let Some(about) = &started.about {
        for paragraph in about.trim().lines() {
            layout.prose(out, Columns::even(2), paragraph)?;
        }
    }
    for step in &story.steps {
        for delivery in &step.deliveries {
            write_delivery(out, layout, story, step, delivery)?;
        }
        if let Some(check) = step.not_made.as_ref().filter(|check| is_trouble(check)) {
            let line = format!("step {}: {}", step.step, step.description);
            layout.line(out, Columns::at(2), &line)?;
            write_check(out, layout, check)?;
        }
    }
    let effects = story.effects.iter().flat_map(|effects| &effects.checks);
    let wrong: Vec<&Check> = effects.filter(|check| is_trouble(check)).collect();
    if !wrong.is_empty() {
        writeln!(out, "  effects")?;
        wrong
            .into_iter()
            .try_for_each(|check| write_check(out, layout, check))?;
        for reading in story.readings_in_trouble() {
            let reading = paint(DIM, reading);
            layout.line(out, Columns::at(4), &reading)?;
        }
    }
    if let Some(check) = story.of_snapshot() {
        writeln!(out, "  snapshot")?;
        write_check(out, layout, check)?;
        let difference = story.snapshot.iter().flat_map(|one| &one.difference);
        difference
            .into_iter()
            .try_for_each(|difference| write_difference(out, difference))?;
    }
    Ok(())
}

fn write_delivery(
    out: &mut impl Write,
    layout: Layout,
    story: &ScenarioStory,
    step: &StepEnded,
    delivery: &DeliveryEnded,
) -> io::Result<()> {
    let wrong: Vec<&Check> = delivery
        .checks
        .iter()
        .filter(|check| is_trouble(check))
        .collect();
    if wrong.is_empty() {
        return Ok(());
    }
    let which = match step.deliveries.len() {
        1 => String::new(),
        count => format!(", delivery {} of {count}", delivery.delivery),
    };
    let line = format!("step {}: {}{which}", step.step, step.description);
    layout.line(out, Columns::at(2), &line)?;
    wrong
        .into_iter()
        .try_for_each(|check| write_check(out, layout, check))?;
    // A warning is read in passing; what failed is looked into.
    let failed = delivery
        .checks
        .iter()
        .any(|check| check.verdict > Verdict::Warned);
    match story.last_attempt(step.step, delivery.delivery) {
        Some(attempt) if failed => write_exchange(out, layout, attempt),
        _ => Ok(()),
    }
}

fn write_check(out: &mut impl Write, layout: Layout, check: &Check) -> io::Result<()> {
    let title = format!("{} {}", mark(check.verdict), check.subject);
    layout.line(out, Columns::at(4), &title)?;
    let value = Columns::labelled(8, 10);
    let expected = format!("expected  {}", printable(&check.expected));
    layout.line(out, value, &expected)?;
    let observed = format!("observed  {}", printable(&check.observed));
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
