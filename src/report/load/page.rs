//! The HTML report of a load: a self-contained page without scripts.

use std::io::{self, Write};
use std::time::Duration;

use askama::Template;

use super::checks::{LoadCheck, checks, verdict};
use super::histogram::histogram;
use super::mix_rows::{MixRow, rows};
use super::summary::{rate, reproduce_options, time_or_dash};
use super::time_plot::{TimePlot, plots};
use crate::load::{LoadReport, Percentiles, time_text};
use crate::report::html::latency::Plot;
use crate::report::html::page::policy;
use crate::report::html::verdict_label::VerdictLabel;

const STYLE: &str = concat!(
    include_str!("../html/assets/style.css"),
    include_str!("../html/assets/load.css"),
);

#[derive(Template)]
#[template(path = "load.html", config = "src/report/html/askama.toml")]
struct LoadPage<'load> {
    policy: String,
    style: &'static str,
    verdict: VerdictLabel,
    headline: String,
    report: &'load LoadReport,
    took: String,
    reproduce_options: String,
    checks: Vec<(VerdictLabel, LoadCheck)>,
    plot: Option<Plot>,
    plots: Vec<TimePlot>,
    /// The end of the time axis.
    ends: String,
    times: Vec<(&'static str, [String; 6])>,
    mix: Vec<MixRow>,
    counts: Vec<(String, u64)>,
}

/// Writes the page.
pub fn write_load_page(report: &LoadReport, out: &mut impl Write) -> io::Result<()> {
    let page = page(report);
    page.write_into(out)
}

fn page(report: &LoadReport) -> LoadPage<'_> {
    let checks = checks(report);
    let last = report.over_time.last();
    let ends = last.map_or(0, |point| point.from_s.saturating_add(point.seconds));
    LoadPage {
        policy: policy(None, STYLE),
        style: STYLE,
        verdict: VerdictLabel::new(verdict(report)),
        headline: headline(report),
        report,
        took: time_text(Duration::from_micros(report.measurements.span_us)),
        reproduce_options: reproduce_options(report),
        checks: checks
            .into_iter()
            .map(|check| (VerdictLabel::new(check.verdict), check))
            .collect(),
        plot: histogram(&report.measurements.latencies.latency),
        plots: plots(&report.over_time),
        ends: format!("{ends} s"),
        times: times(report),
        mix: rows(report),
        counts: counts(report),
    }
}

fn headline(report: &LoadReport) -> String {
    let events = report.measurements.counts.events;
    format!("{events} events, {}", rate(report))
}

fn times(report: &LoadReport) -> Vec<(&'static str, [String; 6])> {
    let mut times = vec![("latency", quantiles(&report.latency))];
    if report.latency_from == "due" {
        times.push(("service", quantiles(&report.service)));
        times.push(("lateness", quantiles(&report.lateness)));
    }
    times
}

fn quantiles(percentiles: &Percentiles) -> [String; 6] {
    [
        percentiles.mean_us,
        percentiles.p50_us,
        percentiles.p90_us,
        percentiles.p99_us,
        percentiles.p999_us,
        percentiles.max_us,
    ]
    .map(|time_us| time_or_dash(percentiles, time_us))
}

/// All counters that are not 0.
fn counts(report: &LoadReport) -> Vec<(String, u64)> {
    let counts = &report.measurements.counts;
    let named = [
        ("events", counts.events),
        ("deliveries", counts.deliveries),
        ("acknowledged", counts.acknowledged),
        ("refused", counts.refused),
        ("refused as allowed", counts.allowed_refusals),
        ("exhausted", counts.exhausted),
        ("unfinished", counts.unfinished),
        ("attempts", counts.attempts),
        ("retries", counts.retries),
        ("errors", counts.errors),
        ("timeouts", counts.timeouts),
        ("responses lost on purpose", counts.lost_acks),
        ("delivered again later", counts.duplicates),
        ("delivered twice simultaneously", counts.together),
        ("forgeries", counts.forgeries),
        ("forgeries refused", counts.refused_forgeries),
        ("forgeries accepted", counts.accepted_forgeries),
        ("retries dropped", counts.dropped),
        (
            "late because every connection was busy",
            counts.late_for_connections,
        ),
        (
            "late because this machine was busy",
            counts.late_for_machine,
        ),
        ("stalls of this machine", report.measurements.stalls.count),
    ];
    let named = named.map(|(name, count)| (name.to_owned(), count));
    let statuses = counts.statuses.iter();
    let statuses = statuses.map(|(status, count)| (format!("status {status}"), *count));
    let failures = counts.failures.iter();
    let failures = failures.map(|(name, count)| (format!("no response: {name}"), *count));
    let all = named.into_iter().chain(statuses).chain(failures);
    all.filter(|(_, count)| *count > 0).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_style_does_not_end_its_element() {
        assert!(!STYLE.to_ascii_lowercase().contains("</s"));
        let policy = policy(None, STYLE);
        assert!(!policy.contains(['"', '<', '&']) && !policy.contains("script-src"));
    }
}
