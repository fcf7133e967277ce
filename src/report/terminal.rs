//! The terminal report: one line per scenario as it ends, then the problems with requests, responses
//! and differences, then a summary.

mod common_causes;
mod difference;
mod exchange;
mod layout;
mod problems;
mod snapshots;
mod style;

use std::collections::BTreeMap;
use std::io::{self, Write};

use super::Report;
use super::counts::{check_summary, counted, scenario_summary};
use super::failure_groups::FailureGroups;
use super::lost_target::LostTarget;
use super::sanitize::sanitize;
use super::scenario_record::{RunningScenarios, ScenarioRecord};
use crate::run::{RunEnded, RunEvent, RunStarted, ScenarioEnded, SnapshotsEnded};
use crate::verify::Verdict;
use common_causes::{write_cause_references, write_common_causes};
pub use difference::write_difference;
use exchange::write_exchange;
pub(super) use exchange::{write_attempt, write_retry};
use layout::{Columns, TextLayout};
pub(super) use problems::write_problems;
use problems::write_scenario;
use snapshots::write_snapshots;
use style::paint_verdict;
pub(super) use style::{DIM, mark, paint};

/// How much the report shows.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Detail {
    /// Only problems and the summary.
    Quiet,
    /// Also a line for every scenario.
    #[default]
    Normal,
    /// Also every attempt.
    Verbose,
}

/// Writes a run for people. The text is always styled; the output stream removes unwanted colors.
pub struct TerminalReport<W> {
    out: W,
    detail: Detail,
    layout: TextLayout,
    running: RunningScenarios,
    failures: FailureGroups,
    /// The scenarios with problems, in the order in which they ended.
    problems: Vec<(ScenarioRecord, Verdict)>,
    snapshots: Option<SnapshotsEnded>,
    lost_target: LostTarget,
    /// The reasons for checks that were not made, and hints, with their counts.
    not_checked: BTreeMap<(String, String), usize>,
}

impl<W: Write> TerminalReport<W> {
    /// Writes to `out` without breaking lines.
    pub fn new(out: W, detail: Detail) -> Self {
        Self {
            out,
            detail,
            layout: TextLayout::default(),
            running: RunningScenarios::default(),
            failures: FailureGroups::default(),
            problems: Vec::new(),
            not_checked: BTreeMap::new(),
            snapshots: None,
            lost_target: LostTarget::default(),
        }
    }

    /// Breaks lines that are wider than this many columns.
    #[must_use]
    pub fn with_width(mut self, columns: Option<usize>) -> Self {
        self.layout = columns.map_or_else(TextLayout::default, TextLayout::of_width);
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
        let reproduce = format!("reproduce with: --start-time {}{seed}", started.start_time);
        let reproduce = paint(DIM, reproduce);
        self.layout
            .line(&mut self.out, Columns::at(0), &reproduce)?;
        writeln!(self.out)
    }

    fn scenario_ended(&mut self, record: ScenarioRecord, ended: &ScenarioEnded) -> io::Result<()> {
        self.failures.observe(&record);
        for check in record.not_checked() {
            let hint = check.hint.as_deref().unwrap_or_default();
            let reason = (sanitize(&check.observed), hint.to_owned());
            *self.not_checked.entry(reason).or_default() += 1;
        }
        if self.detail > Detail::Quiet {
            let checks = counted(ended.checks.total(), "check");
            let skipped = match ended.checks.not_checked {
                0 => String::new(),
                count => format!(" ({count} not checked)"),
            };
            let facts = format!("{checks}{skipped}, {} ms", ended.took.as_millis());
            let (verdict, name) = (ended.verdict, &record.started.name);
            let line = format!("{} {}: {name}", mark(verdict), paint_verdict(verdict));
            let facts = paint(DIM, facts);
            self.layout
                .line_with_facts(&mut self.out, Columns::at(0), &line, &facts)?;
        }
        if self.detail == Detail::Verbose {
            for attempt in &record.attempts {
                write_exchange(&mut self.out, self.layout, attempt)?;
            }
        }
        if !ended.verdict.is_passed_or_not_checked() {
            self.problems.push((record.only_problems(), ended.verdict));
        }
        self.out.flush()
    }

    fn run_ended(&mut self, ended: &RunEnded) -> io::Result<()> {
        let common = self.failures.common_causes();
        let list_all = self.detail == Detail::Verbose;
        write_common_causes(&mut self.out, self.layout, &common, list_all)?;
        for (record, verdict) in std::mem::take(&mut self.problems) {
            let (record, numbers) = common.without_common_causes(record);
            if record.problems().next().is_none() {
                continue;
            }
            writeln!(self.out)?;
            let references = |out: &mut _| write_cause_references(out, self.layout, &numbers);
            write_scenario(&mut self.out, self.layout, &record, verdict, references)?;
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
        let lost = self.lost_target.note();
        for line in [lost, common.advice].into_iter().flatten() {
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
        self.lost_target.observe(event);
        if let Some((record, ended)) = self.running.observe(event) {
            return self.scenario_ended(record, ended);
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
            format!("; deliveries waited {seconds:.0} s in total for the profile's `max_rate`")
        }
    };
    format!(
        "{}\n{}\ntook {:.2} s{held_back}",
        scenario_summary(ended, paint_verdict),
        check_summary(ended, paint_verdict),
        ended.took.as_secs_f64(),
    )
}
