//! The histogram of a load's latencies, drawn like that of a run.

use hdrhistogram::Histogram;

use super::super::html::latency::{Plot, plot};
use crate::report::counts::counted;

/// The histogram; `None` if nothing was measured.
pub(super) fn histogram(latency: &Histogram<u64>) -> Option<Plot> {
    let seconds = |nanoseconds: u64| std::time::Duration::from_nanos(nanoseconds).as_secs_f64();
    let times = latency.iter_recorded();
    let times: Vec<(f64, u64)> = times
        .map(|value| (seconds(value.value_iterated_to()), value.count_at_value()))
        .collect();
    let quantiles = [("p50", 0.5), ("p90", 0.9), ("p99", 0.99), ("slowest", 1.0)]
        .map(|(name, part)| (name, seconds(latency.value_at_quantile(part))));
    let basis = counted(
        usize::try_from(latency.len()).unwrap_or(usize::MAX),
        "response",
    );
    plot(&times, &quantiles, basis)
}
