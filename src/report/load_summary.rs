//! A load as people read it, in a terminal or a log.

use std::io::{self, Write};
use std::time::Duration;

use anstyle::{AnsiColor, Style};

use super::printable::printable;
use crate::load::{EffectsReport, LoadReport, Percentiles, Rate};

const GOOD: Style = AnsiColor::Green.on_default();
const BAD: Style = AnsiColor::Red.on_default().bold();
const OPEN: Style = AnsiColor::Magenta.on_default().bold();
const DIM: Style = Style::new().dimmed();

/// How many wrong events are listed.
const LISTED: usize = 10;

/// Writes the summary of a load.
pub fn write_load_summary(report: &LoadReport, out: &mut impl Write) -> io::Result<()> {
    let counts = &report.figures.counts;
    if report.interrupted {
        writeln!(out, "{BAD}stopped before its time{BAD:#}")?;
    }
    let rate = report.events_per_second.unwrap_or_default();
    writeln!(
        out,
        "events       {} in {}, {rate:.1} a second",
        counts.events,
        time(Duration::from_micros(report.figures.span_us))
    )?;
    writeln!(
        out,
        "deliveries   {}: {} acknowledged, {} refused, {} exhausted, {} unfinished",
        counts.deliveries, counts.acknowledged, counts.refused, counts.exhausted, counts.unfinished
    )?;
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
    /// Where attempts begin later than this, the sender had too few connections.
    const NOTEWORTHY_US: f64 = 10_000.0;
    if report.lateness.p99_us > NOTEWORTHY_US && report.rate != Rate::Max.to_string() {
        writeln!(
            out,
            "late         1% of the attempts began {} or more after they were due: all \
             connections were busy, or this machine was; with more of them (`--connections`) and \
             nothing else running, the rest is the receiver's",
            microseconds(report.lateness.p99_us)
        )?;
    }
    let stalls = report.figures.stalls;
    if stalls.count > 0 {
        writeln!(
            out,
            "stalls       this machine stood still {} times, for up to {}: the longest times may \
             be its own",
            stalls.count,
            time(Duration::from_micros(stalls.longest_us))
        )?;
    }
    Ok(())
}

fn write_verdicts(report: &LoadReport, out: &mut impl Write) -> io::Result<()> {
    for checked in &report.expectations {
        let (style, mark) = match checked.holds {
            Some(true) => (GOOD, '✓'),
            Some(false) => (BAD, '✗'),
            None => (OPEN, '?'),
        };
        writeln!(
            out,
            "{style}{mark}{style:#} {}: {}",
            checked.expected, checked.observed
        )?;
    }
    match &report.effects {
        Some(effects) => write_effects(effects, out),
        None => writeln!(
            out,
            "{OPEN}?{OPEN:#} granted once: not checked, without the probe `quantity` or with \
             `--check-effects none`"
        ),
    }
}

fn write_effects(effects: &EffectsReport, out: &mut impl Write) -> io::Result<()> {
    let wrong = effects.wrong();
    let (style, mark) = match (wrong, effects.undecided) {
        (0, 0) => (GOOD, '✓'),
        (0, _) => (OPEN, '?'),
        _ => (BAD, '✗'),
    };
    writeln!(
        out,
        "{style}{mark}{style:#} granted as often as they should be: {} of {} events looked at",
        effects.right, effects.checked
    )?;
    for one in effects.wrong.iter().take(LISTED) {
        writeln!(
            out,
            "    event {} of player {} ({}): {}",
            one.number,
            printable(&one.player_id),
            one.treatment,
            printable(&one.problem)
        )?;
    }
    let listed = effects.wrong.len().min(LISTED) as u64;
    if wrong > listed {
        writeln!(out, "    and {} more", wrong - listed)?;
    }
    if let Some(reason) = &effects.undecided_because {
        writeln!(
            out,
            "    {} could not be told: {}",
            effects.undecided,
            printable(reason)
        )?;
    }
    Ok(())
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

/// A time to three digits or so.
fn time(time: Duration) -> String {
    let seconds = time.as_secs_f64();
    if seconds >= 1.0 {
        format!("{seconds:.2} s")
    } else if seconds >= 0.01 {
        format!("{:.1} ms", seconds * 1e3)
    } else if seconds >= 0.001 {
        format!("{:.2} ms", seconds * 1e3)
    } else {
        format!("{:.0} µs", seconds * 1e6)
    }
}
