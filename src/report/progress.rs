//! The progress line of a run: on terminals only, and removed at the end of the run.

use std::collections::BTreeMap;
use std::io;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::Report;
use crate::run::RunEvent;
use crate::verify::Verdict;

/// Draws a progress line on standard error below another report's output.
pub struct ProgressReport<R> {
    report: R,
    bar: ProgressBar,
    running: BTreeMap<usize, String>,
    failed: usize,
}

impl<R: Report> ProgressReport<R> {
    /// Wraps `report`. Draws nothing if standard error is not a terminal.
    pub fn around(report: R) -> Self {
        let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr());
        Self {
            report,
            bar,
            running: BTreeMap::new(),
            failed: 0,
        }
    }
}

impl<R> ProgressReport<R> {
    /// The number of failures so far, and the scenario that has been running longest.
    fn message(&self) -> String {
        let longest = self.running.values().next().map_or("", String::as_str);
        match self.failed {
            0 => longest.to_owned(),
            failed => format!("{failed} failed · {longest}"),
        }
    }
}

impl<R: Report> Report for ProgressReport<R> {
    fn observe(&mut self, event: &RunEvent) -> io::Result<()> {
        match event {
            RunEvent::RunStarted(started) => {
                self.bar.set_length(started.scenarios as u64);
                if let Ok(style) = ProgressStyle::with_template("{bar:24} {pos}/{len} {msg}") {
                    self.bar.set_style(style);
                }
            }
            RunEvent::ScenarioStarted(started) => {
                self.running.insert(started.scenario, started.name.clone());
            }
            RunEvent::ScenarioEnded(ended) => {
                self.running.remove(&ended.scenario);
                self.failed += usize::from(ended.verdict == Verdict::Failed);
                self.bar.inc(1);
            }
            RunEvent::RunEnded(_) => self.bar.finish_and_clear(),
            _ => {}
        }
        self.bar.set_message(self.message());
        self.bar.suspend(|| self.report.observe(event))
    }
}
