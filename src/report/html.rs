//! HTML: a run on one page that stands for itself. It takes nothing from the network, shows the
//! verdict and the list without a script, and the details of a scenario where it is opened.
//!
//! `html/assets` holds what the browser gets: the template, the style and the script.

mod cause;
mod embedded;
pub(super) mod latency;
pub(super) mod page;
pub(super) mod row;
mod shortened;

use std::collections::BTreeMap;
use std::io::{self, Write};

use super::Report;
use super::causes::Causes;
use super::scenario_story::{RunningScenarios, ScenarioStory};
use crate::harness::{RunEnded, RunEvent, RunStarted, ScenarioEnded, SnapshotsEnded};
use latency::Latencies;
use shortened::Limits;

/// Gathers the run, and writes the page when it is over.
pub struct HtmlReport<W> {
    out: W,
    running: RunningScenarios,
    gathered: Gathered,
}

/// What is known of the run.
#[derive(Default)]
struct Gathered {
    run: Option<RunStarted>,
    /// The scenarios that are over, by their numbers.
    scenarios: BTreeMap<usize, Finished>,
    /// Why checks were not made, and how often.
    not_checked: BTreeMap<String, usize>,
    causes: Causes,
    latencies: Latencies,
    /// What came of the snapshots, if they were compared.
    snapshots: Option<SnapshotsEnded>,
}

/// A scenario that is over. Its long bodies are cut at once, since all scenarios are kept until the
/// end of the run.
struct Finished {
    story: ScenarioStory,
    ended: ScenarioEnded,
    /// How many attempts were made; those in the story may be fewer.
    attempts: usize,
}

impl<W: Write> HtmlReport<W> {
    /// Writes to `out`.
    pub fn new(out: W) -> Self {
        Self {
            out,
            running: RunningScenarios::default(),
            gathered: Gathered::default(),
        }
    }

    fn run_ended(&mut self, ended: &RunEnded) -> io::Result<()> {
        let gathered = std::mem::take(&mut self.gathered);
        page::write(&mut self.out, &gathered, ended)?;
        self.out.flush()
    }
}

impl Gathered {
    fn scenario_ended(&mut self, mut story: ScenarioStory, ended: &ScenarioEnded) {
        for check in story.not_checked() {
            let reason = match &check.hint {
                Some(hint) => format!("{} → {hint}", check.observed),
                None => check.observed.clone(),
            };
            *self.not_checked.entry(reason).or_default() += 1;
        }
        self.causes.observe(&story);
        self.latencies.add(&story.attempts);
        let attempts = story.attempts.len();
        story.attempts = shortened::attempts(&story.attempts, Limits::ROOMY);
        // Only the snapshot reports need these.
        story.started.varying.clear();
        let finished = Finished {
            story,
            ended: ended.clone(),
            attempts,
        };
        self.scenarios.insert(ended.scenario, finished);
    }
}

impl<W: Write> Report for HtmlReport<W> {
    fn observe(&mut self, event: &RunEvent) -> io::Result<()> {
        if let Some((story, ended)) = self.running.observe(event) {
            self.gathered.scenario_ended(story, ended);
        }
        match event {
            RunEvent::RunStarted(started) => self.gathered.run = Some(started.clone()),
            RunEvent::SnapshotsEnded(ended) => self.gathered.snapshots = Some(ended.clone()),
            RunEvent::RunEnded(ended) => return self.run_ended(ended),
            _ => {}
        }
        Ok(())
    }
}
