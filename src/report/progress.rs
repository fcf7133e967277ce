//! The line that shows how far a run is: on a terminal only, and gone when the run is over.

use std::io;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::Report;
use crate::harness::{RunEvent, Verdict};

/// Draws a progress line on standard error around another report's lines.
pub struct Progress<R> {
    report: R,
    bar: ProgressBar,
    failed: usize,
}

impl<R: Report> Progress<R> {
    /// Draws around the lines of `report`, if standard error is a terminal.
    pub fn around(report: R) -> Self {
        let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr());
        Self {
            report,
            bar,
            failed: 0,
        }
    }
}

impl<R: Report> Report for Progress<R> {
    fn observe(&mut self, event: &RunEvent) -> io::Result<()> {
        match event {
            RunEvent::RunStarted(started) => {
                self.bar.set_length(started.scenarios as u64);
                if let Ok(style) = ProgressStyle::with_template("{bar:24} {pos}/{len} {msg}") {
                    self.bar.set_style(style);
                }
            }
            RunEvent::ScenarioStarted(started) => self.bar.set_message(match self.failed {
                0 => started.name.clone(),
                failed => format!("{failed} failed · {}", started.name),
            }),
            RunEvent::ScenarioEnded(ended) => {
                self.failed += usize::from(ended.verdict == Verdict::Failed);
                self.bar.inc(1);
            }
            RunEvent::RunEnded(_) => self.bar.finish_and_clear(),
            _ => {}
        }
        self.bar.suspend(|| self.report.observe(event))
    }
}
