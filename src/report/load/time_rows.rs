//! The rows for a load's times, shared by its tables.

use std::time::Duration;

use crate::load::{LatencyFrom, LoadReport, Percentiles, time_text};

/// The measured times with their mean, p50, p90, p99, p99.9 and maximum; dashes if nothing was
/// measured. Without due times, only the latency was.
pub(super) fn rows(report: &LoadReport) -> Vec<(&'static str, [String; 6])> {
    let mut times = vec![
        ("latency", &report.latency),
        ("service", &report.service),
        ("lateness", &report.lateness),
    ];
    if !is_from_due(report) {
        times.truncate(1);
    }
    let times = times.into_iter();
    times.map(|(name, times)| (name, texts(times))).collect()
}

/// Whether times count from when an event was due.
pub(super) fn is_from_due(report: &LoadReport) -> bool {
    report.latency_from == LatencyFrom::Due
}

pub(super) fn texts(percentiles: &Percentiles) -> [String; 6] {
    let Percentiles {
        count,
        mean_us,
        p50_us,
        p90_us,
        p99_us,
        p999_us,
        max_us,
        ..
    } = *percentiles;
    [mean_us, p50_us, p90_us, p99_us, p999_us, max_us].map(|time_us| match count {
        0 => "–".to_owned(),
        _ => time_text(Duration::from_secs_f64(time_us.max(0.0) / 1e6)),
    })
}
