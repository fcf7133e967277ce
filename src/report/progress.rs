//! The progress line of a run: on terminals only, and removed at the end of the run.

use std::collections::BTreeMap;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::run::RunEvent;
use crate::verify::Verdict;

pub(crate) struct ProgressLine {
    bar: ProgressBar,
    running: BTreeMap<usize, String>,
    failed: usize,
}

impl Default for ProgressLine {
    /// Draws nothing if standard error is not a terminal.
    fn default() -> Self {
        Self {
            bar: ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr()),
            running: BTreeMap::new(),
            failed: 0,
        }
    }
}

impl ProgressLine {
    /// Shows the number of failures so far, and the scenario that has been running longest.
    pub(crate) fn observe(&mut self, event: &RunEvent) {
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
        let longest = self.running.values().next().map_or("", String::as_str);
        self.bar.set_message(match self.failed {
            0 => longest.to_owned(),
            failed => format!("{failed} failed · {longest}"),
        });
    }

    /// Hides the line while `write` writes to the same terminal.
    pub(crate) fn suspend<T>(&self, write: impl FnOnce() -> T) -> T {
        self.bar.suspend(write)
    }
}
