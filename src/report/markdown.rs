//! Markdown for the summary page of a CI job: the verdict, the causes that scenarios share, a table of
//! what else went wrong, the details folded, and why what was not checked was not.

mod causes;
mod details;
pub(super) mod escape;

use std::collections::BTreeMap;
use std::io::{self, Write};

use super::Report;
use super::causes::{Causes, causes_in_words};
use super::counts::{checks_in_words, counted, scenarios_in_words};
use super::gone_target::GoneTarget;
use super::scenario_story::{RunningScenarios, ScenarioStory};
use crate::harness::{RunEnded, RunEvent, RunStarted, ScenarioEnded, Verdict};
use causes::write_causes;
use details::{details, exchange};
use escape::{code, text};

/// The most that is written of the table's rows, in bytes. A page of GitHub takes 1 MiB in all, and
/// shows nothing of more.
const TABLE_LIMIT: usize = 200 * 1024;

/// The most that is written of details, in bytes.
const DETAILS_LIMIT: usize = 600 * 1024;

/// Gathers what went wrong, and writes it when the run is over.
pub struct MarkdownReport<W> {
    out: W,
    running: RunningScenarios,
    run: Option<RunStarted>,
    gone_target: GoneTarget,
    causes: Causes,
    /// The scenarios in which something went wrong, by their numbers.
    troubles: BTreeMap<usize, (ScenarioStory, Verdict)>,
    /// Why checks were not made, and how often.
    not_checked: BTreeMap<String, usize>,
}

struct Trouble {
    row: String,
    details: String,
}

impl<W: Write> MarkdownReport<W> {
    /// Writes to `out`.
    pub fn new(out: W) -> Self {
        Self {
            out,
            running: RunningScenarios::default(),
            run: None,
            gone_target: GoneTarget::default(),
            causes: Causes::default(),
            troubles: BTreeMap::new(),
            not_checked: BTreeMap::new(),
        }
    }

    fn scenario_ended(&mut self, story: ScenarioStory, ended: &ScenarioEnded) {
        self.causes.observe(&story);
        for check in story.not_checked() {
            let mut reason = text(&check.observed);
            if let Some(hint) = &check.hint {
                reason = format!("{reason} → {}", text(hint));
            }
            *self.not_checked.entry(reason).or_default() += 1;
        }
        if !ended.verdict.is_passed_or_not_checked() {
            let trouble = (story.of_troubles(), ended.verdict);
            self.troubles.insert(ended.scenario, trouble);
        }
    }

    fn run_ended(&mut self, ended: &RunEnded) -> io::Result<()> {
        let out = &mut self.out;
        let verdict = ended.scenarios.verdict();
        writeln!(out, "## {} aghook: {verdict}\n", mark(verdict))?;
        let bold = |verdict: Verdict| format!("**{verdict}**");
        writeln!(out, "- {}", scenarios_in_words(ended, bold))?;
        writeln!(out, "- {}", checks_in_words(ended, bold))?;
        writeln!(out, "- took {:.2} s", ended.took.as_secs_f64())?;
        let shared = self.causes.shared();
        let gone = self.gone_target.in_words();
        for line in [&gone, &shared.advice].into_iter().flatten() {
            writeln!(out, "- {}", text(line))?;
        }
        if let Some(run) = &self.run {
            write_run(out, run)?;
        }
        write_causes(out, &shared.causes)?;
        let mut troubles = Vec::new();
        for (story, verdict) in std::mem::take(&mut self.troubles).into_values() {
            let (story, numbers) = shared.taken_from(story);
            if story.troubles().next().is_some() {
                troubles.push(Trouble {
                    row: row(&story, verdict, &numbers),
                    details: details(&story, verdict),
                });
            }
        }
        if !troubles.is_empty() {
            write_table(out, &troubles)?;
            write_details(out, &troubles)?;
        }
        if !self.not_checked.is_empty() {
            writeln!(out, "\n### Not checked\n")?;
            for (reason, count) in &self.not_checked {
                writeln!(out, "- {}: {reason}", counted(*count, "check"))?;
            }
        }
        writeln!(out)?;
        out.flush()
    }
}

impl<W: Write> Report for MarkdownReport<W> {
    fn observe(&mut self, event: &RunEvent) -> io::Result<()> {
        self.gone_target.observe(event);
        if let Some((story, ended)) = self.running.observe(event) {
            self.scenario_ended(story, ended);
        }
        match event {
            RunEvent::RunStarted(started) => self.run = Some(started.clone()),
            RunEvent::RunEnded(ended) => return self.run_ended(ended),
            _ => {}
        }
        Ok(())
    }
}

/// A verdict's mark. They differ in shape as well as in colour.
pub(super) fn mark(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Passed => "✅",
        Verdict::NotChecked => "❔",
        Verdict::Warned => "⚠️",
        Verdict::Broken => "💥",
        Verdict::Failed => "❌",
    }
}

fn write_run(out: &mut impl Write, run: &RunStarted) -> io::Result<()> {
    let receiver = if run.built_in_receiver {
        " (the built-in receiver)"
    } else {
        ""
    };
    writeln!(out, "- against {}{receiver}", code(&run.target))?;
    let seed = run.seed.map(|seed| format!(" --seed {seed}"));
    let again = format!(
        "--start-time {}{}",
        run.start_time,
        seed.unwrap_or_default()
    );
    writeln!(out, "- the same bytes again: {}", code(&again))
}

fn row(story: &ScenarioStory, verdict: Verdict, shared: &[usize]) -> String {
    let started = &story.started;
    // The gravest of the scenario may be a part of a shared cause.
    let worst = story.troubles().map(|check| check.verdict).max();
    let mut gravest = story
        .troubles()
        .filter(|check| Some(check.verdict) == worst);
    let first = gravest.next().map_or(String::new(), |check| {
        let (expected, observed) = (code(&check.expected), code(&check.observed));
        let subject = text(&check.subject);
        format!("{subject}: expected {expected}, observed {observed}")
    });
    let mut more = match gravest.count() {
        0 => String::new(),
        count => format!(" (and {count} more)"),
    };
    if !shared.is_empty() {
        more = format!("{more}, besides {}", causes_in_words(shared));
    }
    let place = code(&format!("{}:{}", started.file, started.line));
    let name = text(&started.name);
    format!(
        "| {} {verdict} | {name} | {first}{more} | {place} |",
        mark(verdict)
    )
}

fn write_table(out: &mut impl Write, troubles: &[Trouble]) -> io::Result<()> {
    writeln!(out, "\n| verdict | scenario | what is wrong | where |")?;
    writeln!(out, "| --- | --- | --- | --- |")?;
    let rows = troubles.iter().map(|trouble| &trouble.row);
    let (rows, left_out) = within(TABLE_LIMIT, rows);
    for row in rows {
        writeln!(out, "{row}")?;
    }
    match left_out {
        0 => Ok(()),
        _ => writeln!(out, "\n… and {}", counted(left_out, "more scenario")),
    }
}

fn write_details(out: &mut impl Write, troubles: &[Trouble]) -> io::Result<()> {
    let details = troubles.iter().map(|trouble| &trouble.details);
    let (details, left_out) = within(DETAILS_LIMIT, details);
    for text in details {
        write!(out, "\n{text}")?;
    }
    match left_out {
        0 => Ok(()),
        _ => writeln!(
            out,
            "\nThe details of {} are left out, since a summary page is limited. The other reports \
             have them.",
            counted(left_out, "scenario")
        ),
    }
}

/// The texts that there is room for, in bytes, and how many there is none for.
fn within<'text>(
    mut room: usize,
    texts: impl Iterator<Item = &'text String>,
) -> (Vec<&'text str>, usize) {
    let mut taken = Vec::new();
    let mut left_out = 0;
    for text in texts {
        match room.checked_sub(text.len()) {
            Some(rest) => {
                room = rest;
                taken.push(text.as_str());
            }
            None => left_out += 1,
        }
    }
    (taken, left_out)
}
