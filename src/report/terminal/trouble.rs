//! What went wrong in a scenario: the checks, each with what was expected and observed, and the
//! request and the answer of those that failed.

use std::io::{self, Write};

use super::difference::write_difference;
use super::exchange::write_attempt;
use super::style::{DIM, mark, paint, paint_verdict};
use crate::harness::{Check, DeliveryEnded, StepEnded, Verdict};
use crate::report::printable::printable;
use crate::report::scenario_story::{ScenarioStory, is_trouble};

/// How wide running text is set.
const TEXT_WIDTH: usize = 96;

/// Writes what went wrong in a scenario.
pub(in crate::report) fn write_trouble(
    out: &mut Vec<u8>,
    story: &ScenarioStory,
    verdict: Verdict,
) -> io::Result<()> {
    let started = &story.started;
    writeln!(
        out,
        "{} {} {}",
        mark(verdict),
        paint_verdict(verdict),
        started.name
    )?;
    writeln!(
        out,
        "  {}",
        paint(DIM, format!("{}:{}", started.file, started.line))
    )?;
    if let Some(about) = &started.about {
        for line in textwrap::wrap(about.trim(), TEXT_WIDTH) {
            writeln!(out, "  {line}")?;
        }
    }
    for step in &story.steps {
        for delivery in &step.deliveries {
            write_delivery(out, story, step, delivery)?;
        }
        if let Some(check) = step.not_made.as_ref().filter(|check| is_trouble(check)) {
            writeln!(out, "  step {}: {}", step.step, step.description)?;
            write_check(out, check)?;
        }
    }
    let effects = story.effects.iter().flat_map(|effects| &effects.checks);
    let wrong: Vec<&Check> = effects.filter(|check| is_trouble(check)).collect();
    if !wrong.is_empty() {
        writeln!(out, "  effects")?;
        wrong
            .into_iter()
            .try_for_each(|check| write_check(out, check))?;
        for reading in story.readings_in_trouble() {
            writeln!(out, "    {}", paint(DIM, reading))?;
        }
    }
    if let Some(check) = story.of_snapshot() {
        writeln!(out, "  snapshot")?;
        write_check(out, check)?;
        let difference = story.snapshot.iter().flat_map(|one| &one.difference);
        difference
            .into_iter()
            .try_for_each(|difference| write_difference(out, difference))?;
    }
    Ok(())
}

fn write_delivery(
    out: &mut Vec<u8>,
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
    writeln!(out, "  step {}: {}{which}", step.step, step.description)?;
    wrong
        .into_iter()
        .try_for_each(|check| write_check(out, check))?;
    // A warning is read in passing; what failed is looked into.
    let failed = delivery
        .checks
        .iter()
        .any(|check| check.verdict > Verdict::Warned);
    match story.last_attempt(step.step, delivery.delivery) {
        Some(attempt) if failed => write_attempt(out, attempt),
        _ => Ok(()),
    }
}

fn write_check(out: &mut Vec<u8>, check: &Check) -> io::Result<()> {
    writeln!(out, "    {} {}", mark(check.verdict), check.subject)?;
    writeln!(out, "        expected  {}", printable(&check.expected))?;
    writeln!(out, "        observed  {}", printable(&check.observed))?;
    if let Some(source) = &check.source {
        let indent = textwrap::Options::new(TEXT_WIDTH)
            .initial_indent("        source    ")
            .subsequent_indent("                  ");
        for line in textwrap::wrap(source, indent) {
            writeln!(out, "{}", paint(DIM, line))?;
        }
    }
    match &check.hint {
        Some(hint) => writeln!(out, "        help      {hint}"),
        None => Ok(()),
    }
}
