//! The report for a person at a terminal: a line a scenario as it ends, then what went wrong with
//! the request, the answer and the difference, then a summary.

mod causes;
mod difference;
mod exchange;
mod layout;
mod snapshots;
mod style;
mod trouble;

use std::collections::BTreeMap;
use std::io::{self, Write};

use super::Report;
use super::causes::Causes;
use super::counts::{checks_in_words, counted, scenarios_in_words};
use super::gone_target::GoneTarget;
use super::printable::printable;
use super::scenario_story::{RunningScenarios, ScenarioStory};
use crate::harness::{RunEnded, RunEvent, RunStarted, ScenarioEnded, SnapshotsEnded, Verdict};
use causes::{write_causes, write_shared};
pub use difference::write_difference;
use exchange::write_exchange;
pub(super) use exchange::{write_answered, write_attempt};
use layout::{Columns, Layout};
use snapshots::write_snapshots;
use style::paint_verdict;
pub(super) use style::{DIM, mark, paint};
use trouble::write_laid_out;
pub(super) use trouble::write_trouble;

/// How much is told.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Detail {
    /// Only what went wrong, and the summary.
    Quiet,
    /// A line for every scenario too.
    #[default]
    Normal,
    /// Every attempt too.
    Verbose,
}

/// Writes for a person. Styled text is written always; the stream takes the colours out where they
/// are not wanted.
pub struct TerminalReport<W> {
    out: W,
    detail: Detail,
    layout: Layout,
    running: RunningScenarios,
    causes: Causes,
    /// The scenarios in which something went wrong, in the order in which they ended.
    troubles: Vec<(ScenarioStory, Verdict)>,
    snapshots: Option<SnapshotsEnded>,
    gone_target: GoneTarget,
    /// Why checks were not made and what to do about it, and how often.
    not_checked: BTreeMap<(String, String), usize>,
}

impl<W: Write> TerminalReport<W> {
    /// Writes to `out`, with lines as long as they are.
    pub fn new(out: W, detail: Detail) -> Self {
        Self {
            out,
            detail,
            layout: Layout::default(),
            running: RunningScenarios::default(),
            causes: Causes::default(),
            troubles: Vec::new(),
            not_checked: BTreeMap::new(),
            snapshots: None,
            gone_target: GoneTarget::default(),
        }
    }

    /// Breaks lines that are longer than a terminal of so many columns.
    #[must_use]
    pub fn with_width(mut self, columns: Option<usize>) -> Self {
        self.layout = columns.map_or_else(Layout::default, Layout::of_width);
        self
    }

    fn run_started(&mut self, started: &RunStarted) -> io::Result<()> {
        if self.detail == Detail::Quiet {
            return Ok(());
        }
        let receiver = if started.built_in_receiver {
            " (the built-in receiver)"
        } else {
            ""
        };
        let scenarios = counted(started.scenarios, "scenario");
        let title = format!(
            "aghook {}: {scenarios} against {}{receiver}",
            started.aghook_version, started.target
        );
        self.layout.line(&mut self.out, Columns::at(0), &title)?;
        let seed = started
            .seed
            .map_or(String::new(), |seed| format!(" --seed {seed}"));
        let again = format!(
            "the same bytes again: --start-time {}{seed}",
            started.start_time
        );
        let again = paint(DIM, again);
        self.layout.line(&mut self.out, Columns::at(0), &again)?;
        writeln!(self.out)
    }

    fn scenario_ended(&mut self, story: ScenarioStory, ended: &ScenarioEnded) -> io::Result<()> {
        self.causes.observe(&story);
        for check in story.not_checked() {
            let hint = check.hint.as_deref().unwrap_or_default();
            let reason = (printable(&check.observed), hint.to_owned());
            *self.not_checked.entry(reason).or_default() += 1;
        }
        if self.detail > Detail::Quiet {
            let checks = counted(ended.checks.total(), "check");
            let skipped = match (ended.verdict, ended.checks.not_checked) {
                (Verdict::NotChecked, _) | (_, 0) => String::new(),
                (_, count) => format!(", {count} not checked"),
            };
            let facts = format!("{checks}{skipped}, {} ms", ended.took.as_millis());
            let (verdict, name) = (ended.verdict, &story.started.name);
            let line = format!("{} {} {name}", mark(verdict), paint_verdict(verdict));
            let facts = paint(DIM, facts);
            self.layout
                .line_with_facts(&mut self.out, Columns::at(0), &line, &facts)?;
        }
        if self.detail == Detail::Verbose {
            for attempt in &story.attempts {
                write_exchange(&mut self.out, self.layout, attempt)?;
            }
        }
        if !ended.verdict.is_passed_or_not_checked() {
            self.troubles.push((story.of_troubles(), ended.verdict));
        }
        self.out.flush()
    }

    fn run_ended(&mut self, ended: &RunEnded) -> io::Result<()> {
        let shared = self.causes.shared();
        let every_name = self.detail == Detail::Verbose;
        write_causes(&mut self.out, self.layout, &shared, every_name)?;
        for (story, verdict) in std::mem::take(&mut self.troubles) {
            let (story, numbers) = shared.taken_from(story);
            if story.troubles().next().is_none() {
                continue;
            }
            writeln!(self.out)?;
            let besides = |out: &mut _| write_shared(out, self.layout, &numbers);
            write_laid_out(&mut self.out, self.layout, &story, verdict, besides)?;
        }
        if !self.not_checked.is_empty() {
            writeln!(self.out, "\n{}", paint_verdict(Verdict::NotChecked))?;
            for ((reason, hint), count) in &self.not_checked {
                let line = format!("{}: {reason}", counted(*count, "check"));
                self.layout.line(&mut self.out, Columns::at(2), &line)?;
                let hint = format!("→ {hint}");
                self.layout.line(&mut self.out, Columns::at(4), &hint)?;
            }
        }
        writeln!(self.out)?;
        for line in summary(ended).lines() {
            self.layout.line(&mut self.out, Columns::at(0), line)?;
        }
        let gone = self.gone_target.in_words();
        for line in [gone, shared.advice].into_iter().flatten() {
            self.layout.line(&mut self.out, Columns::at(0), &line)?;
        }
        if let Some(snapshots) = &self.snapshots {
            write_snapshots(&mut self.out, self.layout, snapshots)?;
        }
        self.out.flush()
    }
}

impl<W: Write> Report for TerminalReport<W> {
    fn observe(&mut self, event: &RunEvent) -> io::Result<()> {
        self.gone_target.observe(event);
        if let Some((story, ended)) = self.running.observe(event) {
            return self.scenario_ended(story, ended);
        }
        match event {
            RunEvent::RunStarted(started) => self.run_started(started),
            RunEvent::SnapshotsEnded(ended) => {
                self.snapshots = Some(ended.clone());
                Ok(())
            }
            RunEvent::RunEnded(ended) => self.run_ended(ended),
            _ => Ok(()),
        }
    }
}

fn summary(ended: &RunEnded) -> String {
    let held_back = match ended.held_back.as_secs_f64() {
        0.0 => String::new(),
        seconds => {
            format!("; deliveries waited {seconds:.0} s in all for the profile's `max_rate`")
        }
    };
    format!(
        "{}\n{}\ntook {:.2} s{held_back}",
        scenarios_in_words(ended, paint_verdict),
        checks_in_words(ended, paint_verdict),
        ended.took.as_secs_f64(),
    )
}
