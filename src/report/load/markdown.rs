//! The Markdown report of a load, for the summary page of a CI job.

use std::io::{self, Write};

use super::checks::checks;
use super::mix_rows;
use super::summary::{rate, reproduce_options};
use super::time_rows;
use crate::load::{LoadReport, LoadShard};
use crate::report::markdown::escape::{code, text};
use crate::report::markdown::{mark, write_row, write_table_head};
use crate::report::run_record::receiver_note;

pub(crate) fn write_load_markdown(report: &LoadReport, out: &mut dyn Write) -> io::Result<()> {
    let whole = report.verdict();
    writeln!(out, "## {} aghook load: {whole}\n", mark(whole))?;
    let receiver = receiver_note(report.built_in_receiver);
    let (rate, length) = (text(&report.rate), text(&report.length));
    let (connections, target) = (report.connections, code(&report.target));
    write!(
        out,
        "- {length} at the rate {rate}, over {connections} connections, "
    )?;
    writeln!(out, "to {target}{receiver}")?;
    if !report.partitions.is_empty() {
        let shards: Vec<String> = report.partitions.iter().map(LoadShard::to_string).collect();
        writeln!(out, "- shards {}", text(&shards.join(", ")))?;
    }
    let options = code(&reproduce_options(report));
    writeln!(out, "- reproduce with: {options}")?;
    write_table_head(out, &["verdict", "check", "result"], &[])?;
    let checks = checks(report);
    for check in &checks {
        let verdict = format!("{} {}", mark(check.verdict), check.verdict);
        write_row(out, &[verdict, code(&check.name), text(&check.observed)])?;
    }
    for detail in checks.iter().flat_map(|check| &check.details) {
        // Markdown needs an empty line between a table and a list.
        writeln!(out, "\n- {}", text(detail))?;
    }
    write_table_head(out, &["time"], &["p50", "p90", "p99", "p99.9", "max"])?;
    for (name, [_mean, times @ ..]) in time_rows::rows(report) {
        writeln!(out, "| {name} | {} |", times.join(" | "))?;
    }
    write_mix(report, out)?;
    write_counts(report, out)
}

fn write_mix(report: &LoadReport, out: &mut dyn Write) -> io::Result<()> {
    if report.event_mix.is_empty() {
        return Ok(());
    }
    let numbers = ["weight", "events", "deliveries", "acknowledged", "errors"];
    write_table_head(out, &["source"], &numbers)?;
    for row in mix_rows::rows(report) {
        let weight = row.weight.map(|weight| weight.to_string());
        let counts = row.counts;
        let numbers = [
            counts.events,
            counts.deliveries,
            counts.acknowledged,
            counts.errors,
        ];
        let mut cells = vec![code(&row.name), weight.unwrap_or_default()];
        cells.extend(numbers.map(|count| count.to_string()));
        write_row(out, &cells)?;
    }
    Ok(())
}

fn write_counts(report: &LoadReport, out: &mut dyn Write) -> io::Result<()> {
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
