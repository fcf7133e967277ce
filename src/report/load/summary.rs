//! The terminal summary of a load.

use std::io::{self, Write};
use std::time::Duration;

use super::checks::checks;
use super::mix_rows;
use super::time_rows::{is_from_due, texts};
use crate::load::{LoadReport, Percentiles, time_text as time};
use crate::report::sanitize::sanitize;
use crate::report::terminal::{DIM, TextOutput, mark, paint, style_of};
use crate::verify::Verdict;

const LABEL: usize = 13;

pub(crate) fn write_load_summary(report: &LoadReport, out: &mut dyn Write) -> io::Result<()> {
    let mut out = TextOutput::new(out, None);
    let out = &mut out;
    if let Some(problem) = &report.setup_problem {
        let mark = paint(style_of(Verdict::Broken), '?');
        out.line(
            0,
            &format!(
                "{mark} the set-up does not work: {}",
                sanitize(&problem.reason)
            ),
        )?;
        out.line(4, &sanitize(&problem.help))?;
        out.gap()?;
    }
    let counts = &report.measurements.counts;
    let took = time(Duration::from_micros(report.measurements.span_us));
    let line = format!("{} in {took}, {}", counts.events, rate(report));
    fact(out, "events", &line)?;
    if counts.unsent > 0 {
        let label = paint(style_of(Verdict::Failed), "unsent");
        let count = counts.unsent;
        let line = format!("{count} events that were due, because all connections were busy");
        out.labelled(0, LABEL, &format!("{label}       {line}"))?;
    }
    if let Some((handled, asked)) = report.measurements.fewer_than_asked()
        && counts.late_for_connections.saturating_add(counts.unsent) > counts.late_for_machine
    {
        let connections = report.connections;
        let line = format!(
            "the receiver handled only {handled:.1}/s of the {asked:.1}/s that were asked for, over \
             {connections} connections"
        );
        fact(out, "", &line)?;
    }
    for row in mix_rows::rows(report) {
        let (name, counts) = (&row.name, row.in_words());
        match row.weight {
            Some(weight) => fact(out, "mix", &format!("{name} (weight {weight}): {counts}"))?,
            None => fact(out, "", &format!("  {name}: {counts}"))?,
        }
    }
    write_deliveries(report, out)?;
    write_forgeries(report, out)?;
    if counts.dropped > 0 {
        let label = paint(style_of(Verdict::Failed), "dropped");
        let count = counts.dropped;
        let line = format!("{count} retries and duplicates, because too many were waiting");
        out.labelled(0, LABEL, &format!("{label}      {line}"))?;
    }
    write_times(report, out)?;
    write_sender(report, out)?;
    let warmup = &report.measurements.warmup;
    if warmup.events > 0 {
        let (events, errors) = (warmup.events, warmup.errors);
        let line = format!("{events} events, {errors} errors, not included above");
        dim_fact(out, "warm-up", &line)?;
    }
    out.gap()?;
    write_checks(report, out)
}

fn fact(out: &mut TextOutput<'_>, label: &str, text: &str) -> io::Result<()> {
    out.labelled(0, LABEL, &format!("{label:LABEL$}{text}"))
}

fn dim_fact(out: &mut TextOutput<'_>, label: &str, text: &str) -> io::Result<()> {
    out.labelled(0, LABEL, &paint(DIM, format!("{label:LABEL$}{text}")))
}

fn write_deliveries(report: &LoadReport, out: &mut TextOutput<'_>) -> io::Result<()> {
    let counts = &report.measurements.counts;
    let line = format!(
        "{}: {} acknowledged, {} refused, {} exhausted (no attempts left), {} unfinished",
        counts.deliveries, counts.acknowledged, counts.refused, counts.exhausted, counts.unfinished
    );
    fact(out, "deliveries", &line)?;
    if counts.allowed_refusals > 0 {
        let count = counts.allowed_refusals;
        let line = format!("{count} of the refusals are allowed, and do not count as undelivered");
        fact(out, "", &line)?;
    }
    let statuses = counts.statuses.iter();
    let statuses = statuses.map(|(status, count)| format!("status {status}: {count}"));
    let failures = counts.failures.iter();
    let failures = failures.map(|(name, count)| format!("{name}: {count}"));
    let mut responses: Vec<String> = statuses.chain(failures).collect();
    if counts.lost_acks > 0 {
        responses.push(format!("response dropped: {}", counts.lost_acks));
    }
    let (attempts, responses) = (counts.attempts, responses.join(", "));
    let (retries, errors) = (counts.retries, counts.errors);
    let line = format!("{attempts} ({responses}), {retries} retries, {errors} errors");
    fact(out, "attempts", &line)?;
    if counts.duplicates + counts.together > 0 {
        let (later, together) = (counts.duplicates, counts.together);
        let line = format!("{later} later, {together} simultaneous");
        fact(out, "duplicates", &line)?;
    }
    Ok(())
}

fn write_forgeries(report: &LoadReport, out: &mut TextOutput<'_>) -> io::Result<()> {
    let counts = &report.measurements.counts;
    let requested = report.mix.get("forgeries");
    let requested = requested.is_some_and(|percent| percent != "0%");
    let line = match counts.forgeries {
        0 if counts.events > 0 && requested => {
            "none among so few events, so none was checked".to_owned()
        }
        0 => return Ok(()),
        all => format!(
            "{all}: {} refused, {} accepted",
            counts.refused_forgeries, counts.accepted_forgeries
        ),
    };
    fact(out, "forgeries", &line)
}

fn write_times(report: &LoadReport, out: &mut TextOutput<'_>) -> io::Result<()> {
    if report.latency.count == 0 {
        let line = "not measured, because no delivery got a 2xx response";
        return fact(out, "latency", line);
    }
    let latency = percentiles_text(&report.latency);
    if !is_from_due(report) {
        let from = "since the event was sent, because no event is due at the rate `max`";
        return fact(out, "latency", &format!("{latency}, {from}"));
    }
    let line = format!("{latency}, since the event was due");
    fact(out, "latency", &line)?;
    let service = percentiles_text(&report.service);
    dim_fact(out, "service", &format!("{service}, from when it was sent"))
}

/// Writes how the sender itself affected the measurements.
fn write_sender(report: &LoadReport, out: &mut TextOutput<'_>) -> io::Result<()> {
    let counts = &report.measurements.counts;
    let reasons = [
        (
            counts.late_for_connections,
            "because all connections were busy; try more `--connections` to see whether the \
             receiver can do more",
        ),
        (
            counts.late_for_machine,
            "although a connection was free: this machine is too busy; lower the rate, or stop \
             other programs",
        ),
    ];
    for (count, reason) in reasons.into_iter().filter(|(count, _)| *count > 0) {
        let line = format!("{count} attempts started at least 10 ms late {reason}");
        fact(out, "late", &line)?;
    }
    let stalls = report.measurements.stalls;
    if stalls.count > 0 {
        let line = format!("this machine {stalls}, which may explain the longest times");
        fact(out, "stalls", &line)?;
    }
    Ok(())
}

fn write_checks(report: &LoadReport, out: &mut TextOutput<'_>) -> io::Result<()> {
    for check in checks(report) {
        let mark = match check.verdict {
            Verdict::Passed | Verdict::Warned | Verdict::Failed => mark(check.verdict),
            _ => paint(style_of(Verdict::Broken), '?'),
        };
        out.line(0, &format!("{mark} {}", check.check_line()))?;
        for detail in check.details {
            out.line(4, &detail)?;
        }
    }
    Ok(())
}

pub(super) fn rate(report: &LoadReport) -> String {
    match report.events_per_second {
        Some(rate) => format!("{rate:.1} per second"),
        None => "too few for a rate".to_owned(),
    }
}

/// The options that reproduce the load's events.
pub(super) fn reproduce_options(report: &LoadReport) -> String {
    let (seed, start) = (report.seed, &report.start_time);
    let mix = mix_rows::mix_options(report);
    format!("--seed {seed} --start-time {start}{mix}")
}

fn percentiles_text(percentiles: &Percentiles) -> String {
    let [_mean, p50, p90, p99, p999, max] = texts(percentiles);
    format!("p50 {p50}, p90 {p90}, p99 {p99}, p99.9 {p999}, max {max}")
}
