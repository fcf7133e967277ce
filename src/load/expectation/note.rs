//! What speaks against taking a verdict as one on the receiver: too few samples, answers that are not
//! in a figure, or the sender's own doing.

use super::{Counted, Figures, Kind, Metric, Statistic, Times, as_float};

/// From which stall on an answer can be missed because of it, in microseconds.
const LONG_STALL_US: u64 = 1_000_000;

impl Metric {
    /// What is to be said beside the verdict, if anything is.
    pub(super) fn note(&self, figures: &Figures, holds: Option<bool>) -> Option<String> {
        let failed = holds == Some(false);
        let mut said = Vec::new();
        match self.kind {
            _ if holds.is_none() => {}
            Kind::Time(times, statistic) => {
                said.extend(few_samples(figures, times, statistic));
                if times != Times::Lateness {
                    said.extend(unanswered(figures));
                }
                if failed {
                    said.extend(machine(figures));
                }
            }
            Kind::PerSecond if failed => {
                said.extend(connections(figures));
                said.extend(machine(figures));
            }
            Kind::Count(counted) if failed => said.extend(of_count(counted, figures)),
            Kind::PerSecond | Kind::Count(_) => {}
        }
        (!said.is_empty()).then(|| said.join("; "))
    }
}

/// Of so few samples, a high percentile is no more than the longest of them.
fn few_samples(figures: &Figures, times: Times, statistic: Statistic) -> Option<String> {
    let Statistic::Quantile(quantile) = statistic else {
        return None;
    };
    let latencies = &figures.latencies;
    let (count, of) = match times {
        Times::Latency => (latencies.latency.len(), "answers"),
        Times::Service => (latencies.service.len(), "answers"),
        Times::Lateness => (latencies.lateness.len(), "attempts"),
    };
    // A little less than one, as quantiles are not exact.
    let beyond = as_float(count) * (1.0 - quantile);
    (beyond < 0.999).then(|| format!("of {count} {of}, this is the longest"))
}

/// Times are those of 2xx answers and of timeouts. Where many attempts had neither, they say little.
fn unanswered(figures: &Figures) -> Option<String> {
    let counts = &figures.counts;
    let left_out = counts.errors.saturating_sub(counts.timeouts);
    let many = left_out.saturating_mul(100) > counts.attempts;
    many.then(|| {
        format!(
            "{left_out} of {} attempts are not in it, as they had no 2xx answer",
            counts.attempts
        )
    })
}

fn machine(figures: &Figures) -> Option<String> {
    let stalls = figures.stalls;
    let late = figures.counts.late_for_machine;
    let mut said = Vec::new();
    if stalls.count > 0 {
        said.push(stalls.to_string());
    }
    if late > 0 {
        said.push(format!(
            "began {late} attempts 10 ms late or later, though a connection was free"
        ));
    }
    (!said.is_empty()).then(|| {
        let said = said.join(" and ");
        format!("this may be the sender's own doing: its machine {said}")
    })
}

fn connections(figures: &Figures) -> Option<String> {
    let late = figures.counts.late_for_connections;
    (late > 0).then(|| {
        format!(
            "{late} attempts waited for a connection: the receiver was slow, or `--connections` are \
             too few"
        )
    })
}

fn of_count(counted: Counted, figures: &Figures) -> Option<String> {
    let counts = &figures.counts;
    match counted {
        Counted::Undelivered | Counted::Unfinished if counts.unfinished > 0 => Some(format!(
            "{} were cut off by the end of `--drain`, by Ctrl-C, or because too many retries were \
             waiting",
            counts.unfinished
        )),
        Counted::Retries if counts.lost_acks > 0 => Some(format!(
            "{} answers were lost on purpose, which is followed by a retry",
            counts.lost_acks
        )),
        Counted::Errors | Counted::Timeouts | Counted::Exhausted | Counted::Undelivered
            if figures.stalls.longest_us >= LONG_STALL_US =>
        {
            machine(figures)
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Expectation, Verdict};
    use super::*;

    fn judged(text: &str, change: impl FnOnce(&mut Figures)) -> Verdict {
        let mut figures = Figures::default();
        let counts = &mut figures.counts;
        (counts.events, counts.deliveries, counts.attempts) = (1000, 1000, 1000);
        counts.acknowledged = 1000;
        figures.span_us = 1_000_000;
        for milliseconds in 1..=1000 {
            let latencies = &mut figures.latencies;
            latencies
                .latency
                .saturating_record(milliseconds * 1_000_000);
        }
        change(&mut figures);
        let expectation: Expectation = text.parse().expect(text);
        expectation.judge(&figures)
    }

    fn note(text: &str, change: impl FnOnce(&mut Figures)) -> String {
        judged(text, change).note.unwrap_or_default()
    }

    #[test]
    fn what_is_plain_has_no_note() {
        for text in ["p99.9 < 2s", "p99 < 1ms", "rate > 1", "errors = 0"] {
            assert_eq!(note(text, |_| {}), "", "{text}");
        }
    }

    #[test]
    fn a_percentile_of_too_few_samples_says_so_whether_it_holds_or_not() {
        for text in ["p99.99 < 2s", "p99.99 < 1ms"] {
            assert_eq!(note(text, |_| {}), "of 1000 answers, this is the longest");
        }
    }

    #[test]
    fn times_that_leave_many_attempts_out_say_so() {
        let refused = |figures: &mut Figures| figures.counts.errors = 900;
        let expected = "900 of 1000 attempts are not in it, as they had no 2xx answer";
        assert_eq!(note("p50 < 2s", refused), expected);
        // A timeout is in it, for as long as it was waited for.
        let timed_out = |figures: &mut Figures| {
            (figures.counts.errors, figures.counts.timeouts) = (900, 900);
        };
        assert_eq!(note("p50 < 2s", timed_out), "");
    }

    #[test]
    fn what_the_sender_did_itself_is_told_only_of_what_failed() {
        let stalled = |figures: &mut Figures| {
            (figures.stalls.count, figures.stalls.longest_us) = (3, 1_200_000);
            figures.counts.late_for_machine = 7;
            figures.counts.errors = 1;
        };
        let told = note("p99 < 1ms", stalled);
        assert!(told.contains("the sender's own doing"), "{told}");
        assert!(
            told.contains("3 times") && told.contains("7 attempts"),
            "{told}"
        );
        assert!(note("rate > 5000", stalled).contains("own doing"));
        assert!(note("errors = 0", stalled).contains("own doing"));
        assert_eq!(note("p99 < 2s", stalled), "");
        let short = |figures: &mut Figures| {
            (figures.stalls.count, figures.stalls.longest_us) = (3, 12_000);
            figures.counts.errors = 1;
        };
        assert_eq!(note("errors = 0", short), "");
    }

    #[test]
    fn what_follows_from_the_load_itself_is_told() {
        let cut_off = |figures: &mut Figures| {
            (figures.counts.acknowledged, figures.counts.unfinished) = (990, 10);
        };
        assert!(note("undelivered = 0", cut_off).contains("10 were cut off"));
        let lost = |figures: &mut Figures| {
            (figures.counts.retries, figures.counts.lost_acks) = (5, 5);
        };
        assert!(note("retries = 0", lost).contains("lost on purpose"));
        let waited = |figures: &mut Figures| figures.counts.late_for_connections = 9;
        assert!(note("rate > 5000", waited).contains("--connections"));
    }
}
