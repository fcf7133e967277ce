//! The terminal summary of a load.

use std::io::{self, Write};
use std::time::Duration;

use anstyle::{AnsiColor, Style};

use super::checks::checks;
use super::mix_rows;
use crate::load::{LoadReport, Percentiles, time_text as time};
use crate::verify::Verdict;

const GOOD: Style = AnsiColor::Green.on_default();
const BAD: Style = AnsiColor::Red.on_default().bold();
const UNDECIDED: Style = AnsiColor::Magenta.on_default().bold();
const DIM: Style = Style::new().dimmed();

/// Writes the summary of a load.
pub fn write_load_summary(report: &LoadReport, out: &mut impl Write) -> io::Result<()> {
    let counts = &report.measurements.counts;
    writeln!(
        out,
        "events       {} in {}, {}",
        counts.events,
        time(Duration::from_micros(report.measurements.span_us)),
        rate(report)
    )?;
    for row in mix_rows::rows(report) {
        match row.weight {
            Some(weight) => writeln!(
                out,
                "mix          {} (weight {weight}): {}",
                row.name,
                row.in_words()
            )?,
            None => writeln!(out, "               {}: {}", row.name, row.in_words())?,
        }
    }
    writeln!(
        out,
        "deliveries   {}: {} acknowledged, {} refused, {} exhausted (no attempts left), {} unfinished",
        counts.deliveries, counts.acknowledged, counts.refused, counts.exhausted, counts.unfinished
    )?;
    if counts.allowed_refusals > 0 {
        writeln!(
            out,
            "             {} of the refusals are allowed, and do not count as undelivered",
            counts.allowed_refusals
        )?;
    }
    let statuses = counts.statuses.iter();
    let mut responses: Vec<String> = statuses
        .map(|(status, count)| format!("status {status}: {count}"))
        .collect();
    let failures = counts.failures.iter();
    responses.extend(failures.map(|(name, count)| format!("{name}: {count}")));
    if counts.lost_acks > 0 {
        responses.push(format!("response dropped: {}", counts.lost_acks));
    }
    writeln!(
        out,
        "attempts     {} ({}), {} retries, {} errors",
        counts.attempts,
        responses.join(", "),
        counts.retries,
        counts.errors
    )?;
    if counts.duplicates + counts.together > 0 {
        writeln!(
            out,
            "duplicates   {} later, {} simultaneous",
            counts.duplicates, counts.together
        )?;
    }
    if counts.forgeries > 0 {
        writeln!(
            out,
            "forgeries    {}: {} refused, {} accepted",
            counts.forgeries, counts.refused_forgeries, counts.accepted_forgeries
        )?;
    }
    let requested = report.mix.get("forgeries");
    if counts.forgeries == 0
        && counts.events > 0
        && requested.is_some_and(|percent| percent != "0%")
    {
        writeln!(
            out,
            "forgeries    none among so few events, so none was checked"
        )?;
    }
    if counts.dropped > 0 {
        writeln!(
            out,
            "{BAD}dropped{BAD:#}      {} retries and duplicates, because too many were waiting",
            counts.dropped
        )?;
    }
    write_times(report, out)?;
    write_sender(report, out)?;
    if report.measurements.warmup.events > 0 {
        let warmup = &report.measurements.warmup;
        writeln!(
            out,
            "{DIM}warm-up      {} events, {} errors, not included above{DIM:#}",
            warmup.events, warmup.errors
        )?;
    }
    writeln!(out)?;
    write_checks(report, out)
}

fn write_times(report: &LoadReport, out: &mut impl Write) -> io::Result<()> {
    let from = match report.latency_from.as_str() {
        "sent" => "since the event was sent, because no event is due at the rate `max`",
        _ => "since the event was due",
    };
    if report.latency.count == 0 {
        return writeln!(
            out,
            "latency      not measured, because no delivery got a 2xx response"
        );
    }
    writeln!(
        out,
        "latency      {}, {from}",
        percentiles_text(&report.latency)
    )?;
    if report.latency_from != "sent" {
        writeln!(
            out,
            "{DIM}service      {}, from when it was sent{DIM:#}",
            percentiles_text(&report.service)
        )?;
    }
    Ok(())
}

/// Writes how the sender itself affected the measurements.
fn write_sender(report: &LoadReport, out: &mut impl Write) -> io::Result<()> {
    let counts = &report.measurements.counts;
    if counts.late_for_connections > 0 {
        writeln!(
            out,
            "late         {} attempts started at least 10 ms late because all connections were busy; \
             try more `--connections` to see whether the receiver can do more",
            counts.late_for_connections
        )?;
    }
    if counts.late_for_machine > 0 {
        writeln!(
            out,
            "late         {} attempts started at least 10 ms late although a connection was free: this \
             machine is too busy; lower the rate, or stop other programs",
            counts.late_for_machine
        )?;
    }
    let stalls = report.measurements.stalls;
    if stalls.count > 0 {
        writeln!(
            out,
            "stalls       this machine {stalls}, which may explain the longest times"
        )?;
    }
    Ok(())
}

fn write_checks(report: &LoadReport, out: &mut impl Write) -> io::Result<()> {
    for check in checks(report) {
        let (style, mark) = match check.verdict {
            Verdict::Passed => (GOOD, '✓'),
            Verdict::Failed => (BAD, '✗'),
            _ => (UNDECIDED, '?'),
        };
        writeln!(out, "{style}{mark}{style:#} {}", check.check_line())?;
        for detail in check.details {
            writeln!(out, "    {detail}")?;
        }
    }
    Ok(())
}

/// The rate of events in words.
pub(super) fn rate(report: &LoadReport) -> String {
    match report.events_per_second {
        Some(rate) => format!("{rate:.1} per second"),
        None => "too few for a rate".to_owned(),
    }
}

/// Formats a time in microseconds; a dash if nothing was measured.
pub(super) fn time_or_dash(percentiles: &Percentiles, time_us: f64) -> String {
    match percentiles.count {
        0 => "–".to_owned(),
        _ => microseconds(time_us),
    }
}

/// The options that reproduce the load's events.
pub(super) fn reproduce_options(report: &LoadReport) -> String {
    let mix = mix_rows::mix_options(report);
    format!(
        "--seed {} --start-time {}{mix}",
        report.seed, report.start_time
    )
}

fn percentiles_text(percentiles: &Percentiles) -> String {
    format!(
        "p50 {}, p90 {}, p99 {}, p99.9 {}, max {}",
        microseconds(percentiles.p50_us),
        microseconds(percentiles.p90_us),
        microseconds(percentiles.p99_us),
        microseconds(percentiles.p999_us),
        microseconds(percentiles.max_us)
    )
}

fn microseconds(time_us: f64) -> String {
    time(Duration::from_secs_f64(time_us.max(0.0) / 1e6))
}
