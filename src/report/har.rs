//! HAR 1.2: every attempt of a run, as a browser's developer tools read it. A scenario is a page.
//!
//! What the format has no word for stands in fields whose names begin with `_`, as it asks for.

mod archive;
mod entry;

use std::collections::BTreeMap;
use std::io::{self, Write};

use super::Report;
use super::scenario_story::{RunningScenarios, ScenarioStory};
use crate::harness::{RunEvent, RunStarted, ScenarioEnded};
use archive::{Archive, Creator, Entry, Log, Page, PageTimings};
use entry::{entry, moment};

/// Gathers the attempts, and writes them when the run is over.
pub struct HarReport<W> {
    out: W,
    running: RunningScenarios,
    run: Option<RunStarted>,
    /// The scenarios that are over, by their numbers.
    ended: BTreeMap<usize, (Page, Vec<Entry>)>,
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

    fn scenario_ended(&mut self, story: &ScenarioStory, ended: &ScenarioEnded) {
        // A scenario that sent nothing has no place on the time line.
        let Some(began) = story
            .attempts
            .iter()
            .map(|attempt| attempt.started_at)
            .min()
        else {
            return;
        };
        let started = &story.started;
        let page = Page {
            started_date_time: moment(began),
            id: page_id(ended.scenario),
            title: started.name.clone(),
            timings: PageTimings {},
            verdict: ended.verdict,
            file: started.file.clone(),
            line: started.line,
        };
        let entries = story.attempts.iter();
        let entries = entries.map(|attempt| entry(attempt, page_id(ended.scenario)));
        self.ended.insert(ended.scenario, (page, entries.collect()));
    }

    fn run_ended(&mut self) -> io::Result<()> {
        let (pages, entries): (Vec<_>, Vec<_>) =
            std::mem::take(&mut self.ended).into_values().unzip();
        let mut entries: Vec<Entry> = entries.into_iter().flatten().collect();
        // The format asks for the order in which they began; those of one moment keep theirs.
        entries.sort_by_key(|entry| entry.started_at);
        let archive = Archive {
            log: Log {
                version: "1.2",
                creator: Creator {
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
        if let Some((story, ended)) = self.running.observe(event) {
            self.scenario_ended(&story, ended);
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
