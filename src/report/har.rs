//! HAR 1.2: every attempt of a run, in the format of a browser's developer tools. A scenario is a
//! page.
//!
//! Custom fields have names that begin with `_`, as the format requires.

mod archive;
mod entry;

use std::collections::BTreeMap;
use std::io::{self, Write};

use super::Report;
use super::scenario_record::{RunningScenarios, ScenarioRecord};
use crate::run::{RunEvent, RunStarted, ScenarioEnded};
use archive::{HarArchive, HarCreator, HarEntry, HarLog, HarPage, HarPageTimings};
use entry::{entry, har_time};

/// Collects the attempts and writes them at the end of the run.
pub struct HarReport<W> {
    out: W,
    running: RunningScenarios,
    run: Option<RunStarted>,
    /// The scenarios that have ended, by their numbers.
    ended: BTreeMap<usize, (HarPage, Vec<HarEntry>)>,
}

impl<W: Write> HarReport<W> {
    /// Writes to `out`.
    pub fn new(out: W) -> Self {
        Self {
            out,
            running: RunningScenarios::default(),
            run: None,
            ended: BTreeMap::new(),
        }
    }

    fn scenario_ended(&mut self, record: &ScenarioRecord, ended: &ScenarioEnded) {
        // A scenario that sent nothing has no start time.
        let Some(began) = record
            .attempts
            .iter()
            .map(|attempt| attempt.started_at)
            .min()
        else {
            return;
        };
        let started = &record.started;
        let page = HarPage {
            started_date_time: har_time(began),
            id: page_id(ended.scenario),
            title: started.name.clone(),
            timings: HarPageTimings {},
            verdict: ended.verdict,
            file: started.file.clone(),
            line: started.line,
        };
        let entries = record.attempts.iter();
        let entries = entries.map(|attempt| entry(attempt, page_id(ended.scenario)));
        self.ended.insert(ended.scenario, (page, entries.collect()));
    }

    fn run_ended(&mut self) -> io::Result<()> {
        let (pages, entries): (Vec<_>, Vec<_>) =
            std::mem::take(&mut self.ended).into_values().unzip();
        let mut entries: Vec<HarEntry> = entries.into_iter().flatten().collect();
        // The format requires entries in order of their start.
        entries.sort_by_key(|entry| entry.started_at);
        let archive = HarArchive {
            log: HarLog {
                version: "1.2",
                creator: HarCreator {
                    name: "aghook",
                    version: self
                        .run
                        .as_ref()
                        .map_or("".into(), |run| run.aghook_version.clone()),
                },
                pages,
                entries,
            },
        };
        serde_json::to_writer_pretty(&mut self.out, &archive)?;
        self.out.write_all(b"\n")?;
        self.out.flush()
    }
}

impl<W: Write> Report for HarReport<W> {
    fn observe(&mut self, event: &RunEvent) -> io::Result<()> {
        if let Some((record, ended)) = self.running.observe(event) {
            self.scenario_ended(&record, ended);
        }
        match event {
            RunEvent::RunStarted(started) => self.run = Some(started.clone()),
            RunEvent::RunEnded(_) => return self.run_ended(),
            _ => {}
        }
        Ok(())
    }
}

fn page_id(scenario: usize) -> String {
    format!("scenario_{scenario}")
}
