//! The line that shows how a load goes: on a terminal only, and gone when it is over.

use std::sync::Arc;
use std::sync::mpsc::{Sender, channel};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::load::{Live, LiveFigures};

/// How often the line is drawn anew.
const EVERY: Duration = Duration::from_millis(500);

/// The line while it is there; it goes away when this is dropped.
pub(super) struct LiveLine {
    end: Option<Sender<()>>,
    drawing: Option<JoinHandle<()>>,
}

impl LiveLine {
    /// Whether standard error is a terminal, so that there is anyone to see it.
    pub(super) fn is_wanted() -> bool {
        !ProgressDrawTarget::stderr().is_hidden()
    }

    /// Draws what `live` says, again and again.
    pub(super) fn draw(live: Arc<Live>) -> Self {
        let (end, ended) = channel::<()>();
        let drawing = std::thread::spawn(move || {
            let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr());
            if let Ok(style) = ProgressStyle::with_template("{elapsed} {msg}") {
                bar.set_style(style);
            }
            let mut before = Instant::now();
            // Ends when nobody holds the other end any more.
            while ended.recv_timeout(EVERY) == Err(std::sync::mpsc::RecvTimeoutError::Timeout) {
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
            // A line that can't be drawn is no loss.
            let _ = drawing.join();
        }
    }
}

#[expect(clippy::cast_precision_loss, reason = "far below 2^53")]
fn text(figures: &LiveFigures, over: Duration) -> String {
    let rate = figures.attempts as f64 / over.as_secs_f64().max(0.001);
    let milliseconds = |time: Option<Duration>| match time {
        Some(time) => format!("{:.2} ms", time.as_secs_f64() * 1e3),
        None => "–".to_owned(),
    };
    format!(
        "{rate:.0}/s  p50 {}  p99 {}  {} errors  {} in flight",
        milliseconds(figures.p50),
        milliseconds(figures.p99),
        figures.errors,
        figures.in_flight
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_line_says_what_happened_since_the_last_one() {
        let figures = LiveFigures {
            attempts: 1000,
            errors: 2,
            p50: Some(Duration::from_micros(1500)),
            p99: Some(Duration::from_millis(12)),
            in_flight: 7,
        };
        assert_eq!(
            text(&figures, Duration::from_millis(500)),
            "2000/s  p50 1.50 ms  p99 12.00 ms  2 errors  7 in flight"
        );
        let without = LiveFigures {
            p50: None,
            p99: None,
            ..figures
        };
        assert_eq!(
            text(&without, Duration::from_millis(500)),
            "2000/s  p50 –  p99 –  2 errors  7 in flight"
        );
    }
}
