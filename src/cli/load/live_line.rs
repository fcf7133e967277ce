//! The progress of a running load and of the check after it: a line that changes on a terminal, and
//! a new line now and then elsewhere.

use std::io::Write as _;
use std::sync::Arc;
use std::sync::mpsc::{Sender, channel};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::load::{CheckProgress, LiveSnapshot, LiveStats};

const REDRAW_EVERY: Duration = Duration::from_millis(500);
/// How often a line is written if standard error is no terminal.
const WRITE_EVERY: Duration = Duration::from_secs(10);

/// The progress line; dropping it removes the line.
pub(super) struct LiveLine {
    end: Option<Sender<()>>,
    drawing: Option<JoinHandle<()>>,
}

impl LiveLine {
    /// The rates and times of a running load.
    pub(super) fn of_load(live: Arc<LiveStats>) -> Self {
        let mut before = Instant::now();
        Self::draw(move |now| {
            let over = now.duration_since(before);
            before = now;
            text(&live.take(), over)
        })
    }

    /// How far the probes have been read.
    pub(super) fn of_check(progress: Arc<CheckProgress>) -> Self {
        let started = Instant::now();
        Self::draw(move |now| check_text(progress.get(), now.duration_since(started)))
    }

    fn draw(mut text: impl FnMut(Instant) -> String + Send + 'static) -> Self {
        let (end, ended) = channel::<()>();
        let drawing = std::thread::spawn(move || {
            if ProgressDrawTarget::stderr().is_hidden() {
                let started = Instant::now();
                while ended.recv_timeout(WRITE_EVERY)
                    == Err(std::sync::mpsc::RecvTimeoutError::Timeout)
                {
                    let now = Instant::now();
                    let seconds = now.duration_since(started).as_secs();
                    // If standard error is closed, nobody reads it.
                    let _ = writeln!(std::io::stderr(), "{seconds} s: {}", text(now));
                }
                return;
            }
            let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr());
            if let Ok(style) = ProgressStyle::with_template("{elapsed} {msg}") {
                bar.set_style(style);
            }
            // Ends when the sender is dropped.
            while ended.recv_timeout(REDRAW_EVERY)
                == Err(std::sync::mpsc::RecvTimeoutError::Timeout)
            {
                bar.set_message(text(Instant::now()));
                bar.tick();
            }
            bar.finish_and_clear();
        });
        Self {
            end: Some(end),
            drawing: Some(drawing),
        }
    }
}

impl Drop for LiveLine {
    fn drop(&mut self) {
        self.end.take();
        if let Some(drawing) = self.drawing.take() {
            // Failing to draw the line does not matter.
            let _ = drawing.join();
        }
    }
}

#[expect(clippy::cast_precision_loss, reason = "far below 2^53")]
fn text(snapshot: &LiveSnapshot, over: Duration) -> String {
    let rate = snapshot.attempts as f64 / over.as_secs_f64().max(0.001);
    let milliseconds = |time: Option<Duration>| match time {
        Some(time) => format!("{:.2} ms", time.as_secs_f64() * 1e3),
        None => "–".to_owned(),
    };
    format!(
        "{rate:.0}/s  p50 {}  p99 {}  {} errors  {} in flight",
        milliseconds(snapshot.p50),
        milliseconds(snapshot.p99),
        snapshot.errors,
        snapshot.in_flight
    )
}

/// How many events have been checked after `elapsed`, and an estimate for the rest.
fn check_text((checked, all): (u64, u64), elapsed: Duration) -> String {
    let done = format!("reading probes: {checked} of {all} events");
    let left = all.saturating_sub(checked);
    if checked == 0 {
        return done;
    }
    if left == 0 {
        return format!("{done}, and unexpected ones again");
    }
    let seconds = elapsed.as_millis().saturating_mul(left.into()) / u128::from(checked);
    format!("{done}, about {} s left", seconds.div_ceil(1000))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_line_estimates_the_rest_of_a_check() {
        for (progress, seconds, expected) in [
            ((0, 1000), 3, "reading probes: 0 of 1000 events"),
            (
                (250, 1000),
                4,
                "reading probes: 250 of 1000 events, about 12 s left",
            ),
            (
                (999, 1000),
                4,
                "reading probes: 999 of 1000 events, about 1 s left",
            ),
            (
                (5, 5),
                4,
                "reading probes: 5 of 5 events, and unexpected ones again",
            ),
        ] {
            assert_eq!(check_text(progress, Duration::from_secs(seconds)), expected);
        }
    }

    #[test]
    fn the_line_shows_what_happened_since_the_last_one() {
        let snapshot = LiveSnapshot {
            attempts: 1000,
            errors: 2,
            p50: Some(Duration::from_micros(1500)),
            p99: Some(Duration::from_millis(12)),
            in_flight: 7,
        };
        assert_eq!(
            text(&snapshot, Duration::from_millis(500)),
            "2000/s  p50 1.50 ms  p99 12.00 ms  2 errors  7 in flight"
        );
        let without = LiveSnapshot {
            p50: None,
            p99: None,
            ..snapshot
        };
        assert_eq!(
            text(&without, Duration::from_millis(500)),
            "2000/s  p50 –  p99 –  2 errors  7 in flight"
        );
    }
}
