//! The Markdown report of a load, for the summary page of a CI job.

use std::io::{self, Write};

use super::checks::{checks, verdict};
use super::mix_rows::rows;
use super::summary::{rate, reproduce_options, time_or_dash};
use crate::load::{LoadReport, Percentiles};
use crate::report::markdown::escape::{code, text};
use crate::report::markdown::mark;

/// Writes the tables of checks, times and counts.
pub fn write_load_markdown(report: &LoadReport, out: &mut impl Write) -> io::Result<()> {
    let whole = verdict(report);
    writeln!(out, "## {} aghook load: {whole}\n", mark(whole))?;
    let receiver = if report.built_in_receiver {
        " (the built-in receiver)"
    } else {
        ""
    };
    let (rate, length) = (text(&report.rate), text(&report.length));
    writeln!(
        out,
        "- {length} at the rate {rate}, over {} connections, to {}{receiver}",
        report.connections,
        code(&report.target)
    )?;
    if !report.partitions.is_empty() {
        let shards = report.partitions.join(", ");
        writeln!(out, "- shards {}", text(&shards))?;
    }
    writeln!(
        out,
        "- reproduce with: {}\n",
        code(&reproduce_options(report))
    )?;
    writeln!(out, "| verdict | check | result |")?;
    writeln!(out, "| --- | --- | --- |")?;
    let checks = checks(report);
    for check in &checks {
        let (name, observed) = (code(&check.name), text(&check.observed));
        let verdict = check.verdict;
        writeln!(out, "| {} {verdict} | {name} | {observed} |", mark(verdict))?;
    }
    for detail in checks.iter().flat_map(|check| &check.details) {
        // Markdown needs an empty line between a table and a list.
        writeln!(out, "\n- {}", text(detail))?;
    }
    write_times(report, out)?;
    write_mix(report, out)?;
    write_counts(report, out)
}

fn write_mix(report: &LoadReport, out: &mut impl Write) -> io::Result<()> {
    if report.event_mix.is_empty() {
        return Ok(());
    }
    writeln!(
        out,
        "\n| source | weight | events | deliveries | acknowledged | errors |"
    )?;
    writeln!(out, "| --- | ---: | ---: | ---: | ---: | ---: |")?;
    for row in rows(report) {
        let weight = row.weight.map(|weight| weight.to_string());
        let counts = row.counts;
        writeln!(
            out,
            "| {} | {} | {} | {} | {} | {} |",
            code(&row.name),
            weight.unwrap_or_default(),
            counts.events,
            counts.deliveries,
            counts.acknowledged,
            counts.errors
        )?;
    }
    Ok(())
}

fn write_times(report: &LoadReport, out: &mut impl Write) -> io::Result<()> {
    writeln!(out, "\n| time | p50 | p90 | p99 | p99.9 | max |")?;
    writeln!(out, "| --- | ---: | ---: | ---: | ---: | ---: |")?;
    let from_due = report.latency_from == "due";
    for (name, percentiles) in [
        ("latency", &report.latency),
        ("service", &report.service),
        ("lateness", &report.lateness),
    ] {
        if from_due || name == "latency" {
            writeln!(out, "| {name} | {} |", quantiles(percentiles).join(" | "))?;
        }
    }
    Ok(())
}

fn quantiles(percentiles: &Percentiles) -> [String; 5] {
    let Percentiles {
        p50_us,
        p90_us,
        p99_us,
        p999_us,
        max_us,
        ..
    } = *percentiles;
    [p50_us, p90_us, p99_us, p999_us, max_us].map(|time_us| time_or_dash(percentiles, time_us))
}

fn write_counts(report: &LoadReport, out: &mut impl Write) -> io::Result<()> {
    let counts = &report.measurements.counts;
    writeln!(
        out,
        "\n{} events ({}), {} deliveries, {} acknowledged; {} attempts, {} retries, \
         {} errors; {} forgeries, {} refused.",
        counts.events,
        rate(report),
        counts.deliveries,
        counts.acknowledged,
        counts.attempts,
        counts.retries,
        counts.errors,
        counts.forgeries,
        counts.refused_forgeries
    )
}
