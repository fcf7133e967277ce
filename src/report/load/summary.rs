//! A load as people read it, in a terminal or a log.

use std::io::{self, Write};
use std::time::Duration;

use anstyle::{AnsiColor, Style};

use super::checks::checks;
use super::mix;
use crate::harness::Verdict;
use crate::load::{LoadReport, Percentiles, time_text as time};

const GOOD: Style = AnsiColor::Green.on_default();
const BAD: Style = AnsiColor::Red.on_default().bold();
const OPEN: Style = AnsiColor::Magenta.on_default().bold();
const DIM: Style = Style::new().dimmed();

/// Writes the summary of a load.
pub fn write_load_summary(report: &LoadReport, out: &mut impl Write) -> io::Result<()> {
    let counts = &report.figures.counts;
    writeln!(
        out,
        "events       {} in {}, {}",
        counts.events,
        time(Duration::from_micros(report.figures.span_us)),
        rate(report)
    )?;
    for row in mix::rows(report) {
        match row.weight {
            Some(weight) => writeln!(
                out,
                "of the mix   {} (weight {weight}): {}",
                row.name,
                row.in_words()
            )?,
            None => writeln!(out, "               {}: {}", row.name, row.in_words())?,
        }
    }
    writeln!(
        out,
        "deliveries   {}: {} acknowledged, {} refused, {} exhausted, {} unfinished",
        counts.deliveries, counts.acknowledged, counts.refused, counts.exhausted, counts.unfinished
    )?;
    if counts.allowed_refusals > 0 {
        writeln!(
            out,
            "             {} of the refused may be, as sandbox events or as their scenarios say",
            counts.allowed_refusals
        )?;
    }
    let statuses = counts.statuses.iter();
    let mut answers: Vec<String> = statuses
        .map(|(status, count)| format!("{count} × {status}"))
        .collect();
    let failures = counts.failures.iter();
    answers.extend(failures.map(|(name, count)| format!("{count} × {name}")));
    if counts.lost_acks > 0 {
        answers.push(format!("{} lost on purpose", counts.lost_acks));
    }
    writeln!(
        out,
        "attempts     {}, {} retries, {} errors: {}",
        counts.attempts,
        counts.retries,
        counts.errors,
        answers.join(", ")
    )?;
    if counts.duplicates + counts.together > 0 {
        writeln!(
            out,
            "duplicates   {} later, {} at the same moment",
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
    let asked = report.mix.get("forgeries");
    if counts.forgeries == 0 && counts.events > 0 && asked.is_some_and(|share| share != "0%") {
        writeln!(
            out,
            "forgeries    none was drawn among so few events, so nothing was checked of them"
        )?;
    }
    if counts.dropped > 0 {
        writeln!(
            out,
            "{BAD}dropped{BAD:#}      {} retries and duplicates, as too many were waiting",
            counts.dropped
        )?;
    }
    write_times(report, out)?;
    write_sender(report, out)?;
    if report.figures.warmup.events > 0 {
        let warmup = &report.figures.warmup;
        writeln!(
            out,
            "{DIM}before, in the warm-up: {} events, {} errors{DIM:#}",
            warmup.events, warmup.errors
        )?;
    }
    writeln!(out)?;
    write_verdicts(report, out)
}

fn write_times(report: &LoadReport, out: &mut impl Write) -> io::Result<()> {
    let from = match report.latency_from.as_str() {
        "sent" => "from when it was sent, since nothing is due at the rate `max`",
        _ => "from when it was due",
    };
    if report.latency.count == 0 {
        return writeln!(
            out,
            "latency      nothing was measured, as no delivery was answered 2xx"
        );
    }
    writeln!(out, "latency      {}, {from}", percentiles(&report.latency))?;
    if report.latency_from != "sent" {
        writeln!(
            out,
            "{DIM}service      {}, from when it was sent{DIM:#}",
            percentiles(&report.service)
        )?;
    }
    Ok(())
}

/// What the sender itself did to the figures.
fn write_sender(report: &LoadReport, out: &mut impl Write) -> io::Result<()> {
    let counts = &report.figures.counts;
    if counts.late_for_connections > 0 {
        writeln!(
            out,
            "late         {} attempts began 10 ms or more after they were due, as all connections \
             were busy: more of them (`--connections`) show whether the receiver could do more",
            counts.late_for_connections
        )?;
    }
    if counts.late_for_machine > 0 {
        writeln!(
            out,
            "late         {} attempts began 10 ms or more after they were due, though a connection \
             was free: this machine did not get to them; send fewer from it, or run nothing else",
            counts.late_for_machine
        )?;
    }
    let stalls = report.figures.stalls;
    if stalls.count > 0 {
        writeln!(
            out,
            "stalls       this machine {stalls}: the longest times may be its own"
        )?;
    }
    Ok(())
}

fn write_verdicts(report: &LoadReport, out: &mut impl Write) -> io::Result<()> {
    for check in checks(report) {
        let (style, mark) = match check.verdict {
            Verdict::Passed => (GOOD, '✓'),
            Verdict::Failed => (BAD, '✗'),
            _ => (OPEN, '?'),
        };
        writeln!(out, "{style}{mark}{style:#} {}", check.check_line())?;
        for detail in check.details {
            writeln!(out, "    {detail}")?;
        }
    }
    Ok(())
}

/// How many events a second there were.
pub(super) fn rate(report: &LoadReport) -> String {
    match report.events_per_second {
        Some(rate) => format!("{rate:.1} a second"),
        None => "too few for a rate".to_owned(),
    }
}

/// A time of so many microseconds; a dash where there was none to measure.
pub(super) fn time_or_dash(figures: &Percentiles, time_us: f64) -> String {
    match figures.count {
        0 => "–".to_owned(),
        _ => microseconds(time_us),
    }
}

/// What sends the same events again.
pub(super) fn again(report: &LoadReport) -> String {
    let mix = mix::options(report);
    format!(
        "--seed {} --start-time {}{mix}",
        report.seed, report.start_time
    )
}

fn percentiles(figures: &Percentiles) -> String {
    format!(
        "p50 {}, p90 {}, p99 {}, p99.9 {}, max {}",
        microseconds(figures.p50_us),
        microseconds(figures.p90_us),
        microseconds(figures.p99_us),
        microseconds(figures.p999_us),
        microseconds(figures.max_us)
    )
}

fn microseconds(time_us: f64) -> String {
    time(Duration::from_secs_f64(time_us.max(0.0) / 1e6))
}
