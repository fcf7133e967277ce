//! The progress line of a running load, on terminals only.

use std::sync::Arc;
use std::sync::mpsc::{Sender, channel};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::load::{LiveSnapshot, LiveStats};

const REDRAW_EVERY: Duration = Duration::from_millis(500);

/// The progress line; dropping it removes the line.
pub(super) struct LiveLine {
    end: Option<Sender<()>>,
    drawing: Option<JoinHandle<()>>,
}

impl LiveLine {
    pub(super) fn is_wanted() -> bool {
        !ProgressDrawTarget::stderr().is_hidden()
    }

    pub(super) fn draw(live: Arc<LiveStats>) -> Self {
        let (end, ended) = channel::<()>();
        let drawing = std::thread::spawn(move || {
            let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr());
            if let Ok(style) = ProgressStyle::with_template("{elapsed} {msg}") {
                bar.set_style(style);
            }
            let mut before = Instant::now();
            // Ends when the sender is dropped.
            while ended.recv_timeout(REDRAW_EVERY)
                == Err(std::sync::mpsc::RecvTimeoutError::Timeout)
            {
                let now = Instant::now();
                bar.set_message(text(&live.take(), now.duration_since(before)));
                bar.tick();
                before = now;
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

#[cfg(test)]
mod tests {
    use super::*;

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
