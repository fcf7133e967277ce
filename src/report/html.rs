//! The HTML report: a run on one self-contained page. It loads nothing from the network and shows the
//! verdict and the list of scenarios without JavaScript; the details of a scenario are built when it
//! is opened.
//!
//! `html/assets` has the templates, the style sheets and the script.

mod common_cause;
mod embedded;
pub(super) mod latency;
pub(super) mod page;
pub(super) mod row;
mod truncate;

use std::collections::BTreeMap;
use std::io::{self, Write};

use super::Report;
use super::failure_groups::FailureGroups;
use super::scenario_record::{RunningScenarios, ScenarioRecord};
use crate::run::{RunEnded, RunEvent, RunStarted, ScenarioEnded, SnapshotsEnded};
use latency::ResponseTimes;
use truncate::Limits;

/// Collects the run and writes the page at its end.
pub struct HtmlReport<W> {
    out: W,
    running: RunningScenarios,
    data: RunData,
}

/// The events of the run so far.
#[derive(Default)]
struct RunData {
    run: Option<RunStarted>,
    /// The scenarios that have ended, by their numbers.
    scenarios: BTreeMap<usize, FinishedScenario>,
    /// The reasons for checks that were not made, with their counts.
    not_checked: BTreeMap<String, usize>,
    failures: FailureGroups,
    response_times: ResponseTimes,
    /// The snapshot counts, if snapshots were compared.
    snapshots: Option<SnapshotsEnded>,
}

/// A scenario that has ended. Its long bodies are cut at once, since all scenarios stay in memory
/// until the end of the run.
struct FinishedScenario {
    record: ScenarioRecord,
    ended: ScenarioEnded,
    /// The number of all attempts; the record may have fewer.
    attempts: usize,
}

impl<W: Write> HtmlReport<W> {
    /// Writes to `out`.
    pub fn new(out: W) -> Self {
        Self {
            out,
            running: RunningScenarios::default(),
            data: RunData::default(),
        }
    }

    fn run_ended(&mut self, ended: &RunEnded) -> io::Result<()> {
        let data = std::mem::take(&mut self.data);
        page::write(&mut self.out, &data, ended)?;
        self.out.flush()
    }
}

impl RunData {
    fn scenario_ended(&mut self, mut record: ScenarioRecord, ended: &ScenarioEnded) {
        for check in record.not_checked() {
            let reason = match &check.hint {
                Some(hint) => format!("{} → {hint}", check.observed),
                None => check.observed.clone(),
            };
            *self.not_checked.entry(reason).or_default() += 1;
        }
        self.failures.observe(&record);
        self.response_times.add(&record.attempts);
        let attempts = record.attempts.len();
        record.attempts = truncate::attempts(&record.attempts, Limits::ROOMY);
        // Only snapshot reports need these.
        record.started.varying.clear();
        let finished = FinishedScenario {
            record,
            ended: ended.clone(),
            attempts,
        };
        self.scenarios.insert(ended.scenario, finished);
    }
}

impl<W: Write> Report for HtmlReport<W> {
    fn observe(&mut self, event: &RunEvent) -> io::Result<()> {
        if let Some((record, ended)) = self.running.observe(event) {
            self.data.scenario_ended(record, ended);
        }
        match event {
            RunEvent::RunStarted(started) => self.data.run = Some(started.clone()),
            RunEvent::SnapshotsEnded(ended) => self.data.snapshots = Some(ended.clone()),
            RunEvent::RunEnded(ended) => return self.run_ended(ended),
            _ => {}
        }
        Ok(())
    }
}
