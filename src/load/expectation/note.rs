//! Notes on results that may say little about the receiver: too few samples, attempts missing from
//! the statistic, or a slow sender.

use super::{Measurements, Metric, MetricKind, Statistic, TimeMetric, as_float};

/// The shortest stall that can make the sender miss a response, in microseconds.
const LONG_STALL_US: u64 = 1_000_000;

impl Metric {
    pub(super) fn note(&self, measurements: &Measurements, passed: Option<bool>) -> Option<String> {
        let failed = !passed?;
        let mut notes = Vec::new();
        match self.kind {
            MetricKind::Time(times, statistic) => {
                notes.extend(few_samples(measurements, times, statistic));
                if times != TimeMetric::Lateness {
                    notes.extend(missing_attempts(measurements));
                }
                if failed && times != TimeMetric::Service {
                    notes.extend(slow_side(measurements));
                } else if failed {
                    notes.extend(slow_machine(measurements));
                }
            }
            MetricKind::PerSecond if failed => notes.extend(slow_side(measurements)),
            MetricKind::Count(..) if failed => notes.extend(count_note(self.name, measurements)),
            MetricKind::PerSecond | MetricKind::Count(..) => {}
        }
        (!notes.is_empty()).then(|| notes.join("; "))
    }
}

/// With too few samples, a high percentile is just the longest of them.
fn few_samples(
    measurements: &Measurements,
    times: TimeMetric,
    statistic: Statistic,
) -> Option<String> {
    let Statistic::Quantile(quantile) = statistic else {
        return None;
    };
    let count = times.histogram(&measurements.latencies).len();
    let of = match times {
        TimeMetric::Latency | TimeMetric::Service => "responses",
        TimeMetric::Lateness => "attempts",
    };
    // Slightly below 1, because floating-point quantiles are not exact.
    let beyond = as_float(count) * (1.0 - quantile);
    (beyond < 0.999).then(|| format!("only {count} {of}, so this is the longest one"))
}

/// Times cover 2xx responses and timeouts only, so they say little if many attempts had neither.
fn missing_attempts(measurements: &Measurements) -> Option<String> {
    let counts = &measurements.counts;
    let left_out = counts.errors.saturating_sub(counts.timeouts);
    let attempts = counts.attempts;
    let many = left_out.saturating_mul(100) > attempts;
    many.then(|| format!("excludes {left_out} of {attempts} attempts, which had no 2xx response"))
}

/// What limited the rate: the connections, because the receiver was slow, or this machine.
fn slow_side(measurements: &Measurements) -> Option<String> {
    let counts = &measurements.counts;
    let busy = counts.late_for_connections.saturating_add(counts.unsent);
    if busy > counts.late_for_machine {
        busy_connections(measurements)
    } else {
        slow_machine(measurements)
    }
}

fn slow_machine(measurements: &Measurements) -> Option<String> {
    let stalls = measurements.stalls;
    let late = measurements.counts.late_for_machine;
    let mut problems = Vec::new();
    if stalls.count > 0 {
        problems.push(stalls.to_string());
    }
    if late > 0 {
        problems.push(format!(
            "started {late} attempts at least 10 ms late although a connection was free"
        ));
    }
    (!problems.is_empty()).then(|| {
        let problems = problems.join(", and ");
        format!("the sender may be the cause: this machine {problems}")
    })
}

fn busy_connections(measurements: &Measurements) -> Option<String> {
    if let Some((handled, asked)) = measurements.fewer_than_asked() {
        return Some(format!(
            "the receiver handled only {handled:.1}/s of the {asked:.1}/s that were asked for, with \
             the connections that it had; more `--connections` show whether it can do more"
        ));
    }
    let late = measurements.counts.late_for_connections;
    (late > 0).then(|| {
        format!(
            "{late} attempts waited for a connection: the receiver was slow, or `--connections` is \
             too low"
        )
    })
}

/// If most failed attempts got the status of a rate limit.
fn limited_rate(counted: &str, measurements: &Measurements) -> Option<String> {
    let counts = &measurements.counts;
    let of = |status| counts.statuses.get(&status).copied().unwrap_or(0);
    let (too_many, unavailable) = (of(429), of(503));
    let limited = too_many.saturating_add(unavailable);
    let is_most = limited > 0 && limited.saturating_mul(2) > counts.errors;
    let is_counted = matches!(
        counted,
        "undelivered" | "unfinished" | "errors" | "exhausted"
    );
    (is_counted && is_most).then(|| {
        let statuses = match (too_many, unavailable) {
            (_, 0) => "429",
            (0, _) => "503",
            _ => "429 or 503",
        };
        format!(
            "the receiver, or a proxy before it, seems to limit the request rate: {limited} attempts got \
             {statuses}. Lower `--rate`; in `run`, `max_rate` in the profile keeps below the limit"
        )
    })
}

fn count_note(counted: &str, measurements: &Measurements) -> Option<String> {
    let limit = limited_rate(counted, measurements);
    let other = other_count_note(counted, measurements);
    let notes: Vec<String> = limit.into_iter().chain(other).collect();
    (!notes.is_empty()).then(|| notes.join("; "))
}

fn other_count_note(counted: &str, measurements: &Measurements) -> Option<String> {
    let counts = &measurements.counts;
    match counted {
        "undelivered" | "unfinished" if counts.unfinished > 0 => Some(format!(
            "{} were cut off by the end of `--drain`, by Ctrl-C, or because too many retries were \
             waiting",
            counts.unfinished
        )),
        "unsent" => busy_connections(measurements),
        "retries" if counts.lost_acks > 0 => Some(format!(
            "{} responses were lost on purpose, which causes retries",
            counts.lost_acks
        )),
        "errors" | "timeouts" | "exhausted" | "undelivered"
            if measurements.stalls.longest_us >= LONG_STALL_US =>
        {
            slow_machine(measurements)
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::super::{CheckedExpectation, LoadExpectation};
    use super::*;

    fn checked(text: &str, change: impl FnOnce(&mut Measurements)) -> CheckedExpectation {
        let mut measurements = Measurements::default();
        let counts = &mut measurements.counts;
        (counts.events, counts.deliveries, counts.attempts) = (1000, 1000, 1000);
        counts.acknowledged = 1000;
        measurements.span_us = 1_000_000;
        for milliseconds in 1..=1000 {
            let latencies = &mut measurements.latencies;
            latencies
                .latency
                .saturating_record(milliseconds * 1_000_000);
        }
        change(&mut measurements);
        let expectation: LoadExpectation = text.parse().expect(text);
        expectation.check(&measurements)
    }

    fn note(text: &str, change: impl FnOnce(&mut Measurements)) -> String {
        checked(text, change).note.unwrap_or_default()
    }

    #[test]
    fn a_limit_of_the_rate_is_named_if_most_errors_show_it() {
        let statuses = |limited: u64, errors: u64| {
            move |measurements: &mut Measurements| {
                let counts = &mut measurements.counts;
                counts.statuses.insert(429, limited);
                (counts.errors, counts.exhausted) = (errors, errors);
            }
        };
        let limited = note("errors = 0", statuses(60, 100));
        assert!(limited.contains("60 attempts got 429") && limited.contains("`max_rate`"));
        assert_eq!(note("errors = 0", statuses(40, 100)), "");
    }

    #[test]
    fn clear_results_have_no_note() {
        for text in ["p99.9 < 2s", "p99 < 1ms", "rate > 1", "errors = 0"] {
            assert_eq!(note(text, |_| {}), "", "{text}");
        }
    }

    #[test]
    fn a_percentile_of_too_few_samples_has_a_note_whether_it_passes_or_fails() {
        for text in ["p99.99 < 2s", "p99.99 < 1ms"] {
            assert_eq!(
                note(text, |_| {}),
                "only 1000 responses, so this is the longest one"
            );
        }
    }

    #[test]
    fn times_that_exclude_many_attempts_have_a_note() {
        let refused = |measurements: &mut Measurements| measurements.counts.errors = 900;
        let expected = "excludes 900 of 1000 attempts, which had no 2xx response";
        assert_eq!(note("p50 < 2s", refused), expected);
        // A timeout counts with the time waited for it.
        let timed_out = |measurements: &mut Measurements| {
            (measurements.counts.errors, measurements.counts.timeouts) = (900, 900);
        };
        assert_eq!(note("p50 < 2s", timed_out), "");
    }

    #[test]
    fn a_slow_sender_is_noted_only_on_failures() {
        let stalled = |measurements: &mut Measurements| {
            (measurements.stalls.count, measurements.stalls.longest_us) = (3, 1_200_000);
            measurements.counts.late_for_machine = 7;
            measurements.counts.errors = 1;
        };
        let text = note("p99 < 1ms", stalled);
        assert!(text.contains("the sender may be the cause"), "{text}");
        assert!(
            text.contains("3 times") && text.contains("7 attempts"),
            "{text}"
        );
        assert!(note("rate > 5000", stalled).contains("the sender may be the cause"));
        assert!(note("errors = 0", stalled).contains("the sender may be the cause"));
        assert_eq!(note("p99 < 2s", stalled), "");
        let short = |measurements: &mut Measurements| {
            (measurements.stalls.count, measurements.stalls.longest_us) = (3, 12_000);
            measurements.counts.errors = 1;
        };
        assert_eq!(note("errors = 0", short), "");
    }

    #[test]
    fn causes_within_the_load_itself_are_noted() {
        let cut_off = |measurements: &mut Measurements| {
            (
                measurements.counts.acknowledged,
                measurements.counts.unfinished,
            ) = (990, 10);
        };
        assert!(note("undelivered = 0", cut_off).contains("10 were cut off"));
        let lost = |measurements: &mut Measurements| {
            (measurements.counts.retries, measurements.counts.lost_acks) = (5, 5);
        };
        assert!(note("retries = 0", lost).contains("lost on purpose"));
        let waited = |measurements: &mut Measurements| measurements.counts.late_for_connections = 9;
        assert!(note("rate > 5000", waited).contains("--connections"));
        assert!(note("p99 < 1ms", waited).contains("--connections"));
    }

    #[test]
    fn a_receiver_that_is_slower_than_asked_is_named() {
        let slow = |measurements: &mut Measurements| {
            (measurements.counts.unsent, measurements.planned_us) = (500, 1_000_000);
            measurements.span_us = 10_000_000;
            (
                measurements.counts.late_for_connections,
                measurements.counts.late_for_machine,
            ) = (900, 7);
        };
        for text in ["unsent = 0", "rate > 5000", "p99 < 1ms"] {
            let note = note(text, slow);
            assert!(
                note.contains("handled only 100.0/s of the 1500.0/s"),
                "{text}: {note}"
            );
            assert!(!note.contains("this machine"), "{text}: {note}");
        }
    }
}
