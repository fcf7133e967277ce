//! The terminal report: one line per scenario as it ends, then the problems with requests, responses
//! and differences, then a summary. The text is always styled; the output stream removes unwanted
//! colors.

mod difference;
mod exchange;
mod failures;
mod layout;
mod overview;
mod problems;
mod repeated;
mod style;

use std::io::{self, Write};

use super::counts::{
    check_summary, counted, not_run_note, scenario_summary, snapshot_summary, unreferenced_label,
};
use super::coverage::coverage_lines;
use super::repetition::without_repetition;
use super::run_record::{RunRecord, receiver_note, reproduce_options};
use super::sanitize::sanitize;
use super::scenario_record::ScenarioRecord;
use crate::run::{RunEnded, RunStarted};
use crate::verify::Verdict;
pub(crate) use difference::write_difference;
pub(super) use exchange::{attempt_facts, attempt_name, write_exchange, write_retry};
use failures::write_failures;
pub(super) use layout::TextOutput;
pub(super) use problems::write_problems;
use style::paint_verdict;
pub(super) use style::{DIM, mark, paint, style_of};

/// How much the report shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Detail {
    /// Only problems and the summary.
    Quiet,
    /// Also a line for every scenario.
    Normal,
    /// Also every attempt.
    Verbose,
}

/// What a terminal report shows, and how.
#[derive(Debug, Clone, Copy)]
pub struct TerminalFormat {
    /// How much it shows.
    pub detail: Detail,
    /// The number of columns at which lines are broken, if they are.
    pub width: Option<usize>,
}

impl TerminalFormat {
    /// A line for every scenario, and no line is broken.
    pub const NORMAL: Self = Self {
        detail: Detail::Normal,
        width: None,
    };

    /// Writes the head of the report when the run starts.
    pub fn write_start(self, out: &mut dyn Write, started: &RunStarted) -> io::Result<()> {
        if self.detail == Detail::Quiet {
            return Ok(());
        }
        let mut out = TextOutput::new(out, self.width);
        let scenarios = counted(started.scenarios, "scenario");
        let (version, target) = (&started.aghook_version, &started.target);
        let receiver = receiver_note(started.built_in_receiver);
        out.line(
            0,
            &format!("aghook {version}: {scenarios} against {target}{receiver}"),
        )?;
        let reproduce = format!("reproduce with: {}", reproduce_options(started));
        out.line(0, &paint(DIM, reproduce))?;
        out.gap()
    }

    /// Whether a scenario has a line. The reasons why it was not checked, and how its repetitions ended,
    /// are written when the run has ended.
    fn shows(self, record: &ScenarioRecord) -> bool {
        match self.detail {
            Detail::Quiet => false,
            Detail::Normal => {
                let is_repetition = without_repetition(&record.started.name).1.is_some();
                record.ended.verdict != Verdict::NotChecked && !is_repetition
            }
            Detail::Verbose => true,
        }
    }

    /// Writes the line of a scenario when it ends.
    pub fn write_scenario(self, out: &mut dyn Write, record: &ScenarioRecord) -> io::Result<()> {
        let mut out = TextOutput::new(out, self.width);
        if self.shows(record) {
            let ended = &record.ended;
            let checks = counted(ended.checks.total(), "check");
            let skipped = match ended.checks.not_checked {
                0 => String::new(),
                count => format!(" ({count} not checked)"),
            };
            let facts = format!("{checks}{skipped}, {} ms", ended.took.as_millis());
            let (verdict, name) = (ended.verdict, &record.started.name);
            let line = format!("{} {}: {name}", mark(verdict), paint_verdict(verdict));
            out.line_with_facts(0, &line, &paint(DIM, facts))?;
        }
        if self.detail == Detail::Verbose {
            for attempt in &record.attempts {
                write_exchange(&mut out, attempt)?;
            }
        }
        out.flush()
    }

    /// Writes the problems and the summary when the run has ended.
    pub fn write_end(self, out: &mut dyn Write, run: &RunRecord) -> io::Result<()> {
        let mut out = TextOutput::new(out, self.width);
        let list_all = self.detail == Detail::Verbose;
        if self.detail > Detail::Quiet {
            write_repeated(&mut out, run)?;
        }
        write_failures(&mut out, run, list_all)?;
        let counts = &run.ended.scenarios;
        let is_first = self.detail == Detail::Normal
            && counts.total() == counts.not_checked
            && run.repeated.is_empty();
        write_not_checked(&mut out, run, is_first, list_all)?;
        out.gap()?;
        for line in summary(&run.ended) {
            out.line(0, &line)?;
        }
        let ended = &run.ended;
        write_changes(&mut out, ended, list_all)?;
        for line in ended.explored.iter().flat_map(coverage_lines) {
            out.line(0, &line)?;
        }
        let is_set_up = ended.setup_problem.is_some() || ended.refused_items.is_some();
        let stopped = (is_set_up || ended.receiver_stopped)
            .then(|| not_run_note(ended))
            .flatten();
        // The common problem has said the rest.
        let advice = run.common.advice.as_ref();
        let advice = advice.filter(|_| !is_set_up);
        let fix = ended.likely_causes.first().map(|cause| {
            let flaw = sanitize(&cause.bug.flaw);
            format!("`aghook explain {flaw}` shows the fix of the first cause as code")
        });
        let notes = [
            run.lost_target.as_ref(),
            stopped.as_ref(),
            advice,
            fix.as_ref(),
        ];
        for note in notes.into_iter().flatten() {
            out.line(0, note)?;
        }
        write_snapshots(&mut out, run)?;
        out.flush()
    }
}

/// Writes one line for each scenario that was repeated.
fn write_repeated(out: &mut TextOutput<'_>, run: &RunRecord) -> io::Result<()> {
    for scenario in &run.repeated {
        let (verdict, name) = (scenario.verdict, sanitize(&scenario.name));
        let line = format!("{} {}: {name}", mark(verdict), paint_verdict(verdict));
        out.line_with_facts(0, &line, &paint(DIM, scenario.text()))?;
    }
    Ok(())
}

/// Writes each reason for what was not checked. `is_first` if nothing was written of the scenarios.
fn write_not_checked(
    out: &mut TextOutput<'_>,
    run: &RunRecord,
    is_first: bool,
    list_all: bool,
) -> io::Result<()> {
    if run.not_checked.is_empty() {
        return Ok(());
    }
    if !is_first {
        out.gap()?;
    }
    out.line(0, &paint_verdict(Verdict::NotChecked))?;
    for ((reason, hint), count) in &run.not_checked {
        let reason = sanitize(reason);
        out.line(2, &format!("{}: {reason}", count.text()))?;
        out.line(4, &format!("→ {}", hint.as_deref().unwrap_or_default()))?;
    }
    if list_all {
        return Ok(());
    }
    out.line(2, &paint(DIM, "--verbose names the scenarios"))
}

/// Writes what changed since the baseline. Unless `list_all`, names some scenarios of each list.
fn write_changes(out: &mut TextOutput<'_>, ended: &RunEnded, list_all: bool) -> io::Result<()> {
    const LISTED: usize = 10;
    let Some(changes) = &ended.since_baseline else {
        return Ok(());
    };
    out.line(0, &changes.summary())?;
    for (label, names) in changes.lists() {
        let listed = if list_all { names.len() } else { LISTED };
        for name in names.iter().take(listed) {
            out.line(2, &format!("{label}: {}", sanitize(name)))?;
        }
        if let Some(more @ 1..) = names.len().checked_sub(listed) {
            let more = format!("{label}: {more} more; --verbose lists them all");
            out.line(2, &paint(DIM, more))?;
        }
    }
    Ok(())
}

fn write_snapshots(out: &mut TextOutput<'_>, run: &RunRecord) -> io::Result<()> {
    let Some(ended) = &run.snapshots else {
        return Ok(());
    };
    out.line(0, &snapshot_summary(ended))?;
    if !ended.unreferenced.is_empty() {
        out.line(0, &format!("{}:", unreferenced_label(ended)))?;
    }
    let mut files = ended.unreferenced.iter();
    files.try_for_each(|file| out.whole_line(2, &sanitize(file)))
}

fn summary(ended: &RunEnded) -> [String; 3] {
    let held_back = if ended.held_back.is_zero() {
        ""
    } else {
        ", slowed down by the profile's `max_rate`"
    };
    [
        scenario_summary(ended, paint_verdict),
        check_summary(ended, paint_verdict),
        format!(
            "took {:.2} s of wall time{held_back}",
            ended.took.as_secs_f64()
        ),
    ]
}
