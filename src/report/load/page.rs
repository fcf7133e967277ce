//! The HTML report of a load: a self-contained page without scripts.

use std::io::{self, Write};
use std::time::Duration;

use askama::Template;
use hdrhistogram::Histogram;

use super::checks::{LoadCheck, checks};
use super::mix_rows::{MixRow, rows};
use super::summary::{rate, reproduce_options};
use super::time_plot::{TimePlot, plots};
use super::time_rows;
use crate::load::{LoadReport, time_text};
use crate::report::counts::counted;
use crate::report::html::latency::{Plot, plot};
use crate::report::html::page::policy;
use crate::verify::Verdict;

const STYLE: &str = concat!(
    include_str!("../html/assets/colors.css"),
    include_str!("../html/assets/style.css"),
    include_str!("../html/assets/load.css"),
);

#[derive(Template)]
#[template(path = "load.html", config = "src/report/html/askama.toml")]
struct LoadPage<'load> {
    policy: String,
    style: &'static str,
    verdict: Verdict,
    headline: String,
    report: &'load LoadReport,
    took: String,
    reproduce_options: String,
    checks: Vec<LoadCheck>,
    plot: Option<Plot>,
    plots: Vec<TimePlot>,
    /// The end of the time axis.
    ends: String,
    times: Vec<(&'static str, [String; 6])>,
    mix: Vec<MixRow>,
    counts: Vec<(String, u64)>,
}

pub(crate) fn write_load_page(report: &LoadReport, out: &mut dyn Write) -> io::Result<()> {
    page(report).write_into(out)
}

fn page(report: &LoadReport) -> LoadPage<'_> {
    let events = report.measurements.counts.events;
    let last = report.over_time.last();
    let ends = last.map_or(0, |point| point.from_s.saturating_add(point.seconds));
    LoadPage {
        policy: policy(None, STYLE),
        style: STYLE,
        verdict: report.verdict(),
        headline: format!("{events} events, {}", rate(report)),
        report,
        took: time_text(Duration::from_micros(report.measurements.span_us)),
        reproduce_options: reproduce_options(report),
        checks: checks(report),
        plot: histogram(&report.measurements.latencies.latency),
        plots: plots(&report.over_time),
        ends: format!("{ends} s"),
        times: time_rows::rows(report),
        mix: rows(report),
        counts: counts(report),
    }
}

/// The histogram of latencies, drawn like that of a run; `None` if nothing was measured.
fn histogram(latency: &Histogram<u64>) -> Option<Plot> {
    let seconds = |nanoseconds: u64| Duration::from_nanos(nanoseconds).as_secs_f64();
    let times = latency.iter_recorded();
    let times: Vec<(f64, u64)> = times
        .map(|value| (seconds(value.value_iterated_to()), value.count_at_value()))
        .collect();
    let quantiles = [("p50", 0.5), ("p90", 0.9), ("p99", 0.99), ("slowest", 1.0)]
        .map(|(name, part)| (name, seconds(latency.value_at_quantile(part))));
    let count = usize::try_from(latency.len()).unwrap_or(usize::MAX);
    plot(&times, &quantiles, counted(count, "response"))
}

fn counts(report: &LoadReport) -> Vec<(String, u64)> {
    let counts = &report.measurements.counts;
    let named = [
        ("events", counts.events),
        ("events that never left", counts.unsent),
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
