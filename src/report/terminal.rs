//! The report for a person at a terminal: a line a scenario as it ends, then what went wrong with
//! the request, the answer and the difference, then a summary.

mod exchange;
mod printable;
mod style;

use std::collections::BTreeMap;
use std::io::{self, Write};

use super::Report;
use crate::harness::{
    AttemptEnded, Check, Counts, DeliveryEnded, EffectsEnded, RunEnded, RunEvent, RunStarted,
    ScenarioEnded, ScenarioStarted, StepEnded, Verdict,
};
pub use exchange::write_attempt;
use printable::printable;
use style::{DIM, mark, paint, paint_verdict};

/// How wide running text is set.
const TEXT_WIDTH: usize = 96;

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
    running: BTreeMap<usize, ScenarioStory>,
    /// What went wrong, rendered, in the order in which the scenarios ended.
    troubles: Vec<String>,
    /// Why checks were not made, and how often.
    not_checked: BTreeMap<String, usize>,
}

/// What is known of a scenario while it runs.
struct ScenarioStory {
    started: ScenarioStarted,
    attempts: Vec<AttemptEnded>,
    steps: Vec<StepEnded>,
    effects: Option<EffectsEnded>,
}

impl<W: Write> TerminalReport<W> {
    /// Writes to `out`.
    pub fn new(out: W, detail: Detail) -> Self {
        let (running, troubles, not_checked) = (BTreeMap::new(), Vec::new(), BTreeMap::new());
        Self {
            out,
            detail,
            running,
            troubles,
            not_checked,
        }
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
        writeln!(
            self.out,
            "aghook {}: {scenarios} against {}{receiver}",
            started.aghook_version, started.target
        )?;
        let seed = started
            .seed
            .map_or(String::new(), |seed| format!(" --seed {seed}"));
        let again = format!(
            "the same bytes again: --start-time {}{seed}",
            started.start_time
        );
        writeln!(self.out, "{}\n", paint(DIM, again))
    }

    fn scenario_ended(&mut self, ended: &ScenarioEnded) -> io::Result<()> {
        let Some(story) = self.running.remove(&ended.scenario) else {
            return Ok(());
        };
        for check in story
            .checks()
            .filter(|check| check.verdict == Verdict::NotChecked)
        {
            let hint = check.hint.as_deref().unwrap_or_default();
            let reason = format!("{}\n    → {hint}", check.observed);
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
            writeln!(self.out, "{line}  {}", paint(DIM, facts))?;
        }
        if self.detail == Detail::Verbose {
            for attempt in &story.attempts {
                write_attempt(&mut self.out, attempt)?;
            }
        }
        if !ended.verdict.is_passed_or_not_checked() {
            let mut trouble = Vec::new();
            write_trouble(&mut trouble, &story, ended.verdict)?;
            self.troubles
                .push(String::from_utf8_lossy(&trouble).into_owned());
        }
        self.out.flush()
    }

    fn run_ended(&mut self, ended: &RunEnded) -> io::Result<()> {
        for trouble in &self.troubles {
            write!(self.out, "\n{trouble}")?;
        }
        if !self.not_checked.is_empty() {
            writeln!(self.out, "\n{}", paint_verdict(Verdict::NotChecked))?;
            for (reason, count) in &self.not_checked {
                writeln!(self.out, "  {}: {reason}", counted(*count, "check"))?;
            }
        }
        writeln!(self.out, "\n{}", summary(ended))?;
        self.out.flush()
    }
}

impl<W: Write> Report for TerminalReport<W> {
    fn observe(&mut self, event: &RunEvent) -> io::Result<()> {
        match event {
            RunEvent::RunStarted(started) => return self.run_started(started),
            RunEvent::ScenarioStarted(started) => {
                self.running
                    .insert(started.scenario, ScenarioStory::new(started.clone()));
            }
            RunEvent::AttemptEnded(attempt) => {
                if let Some(story) = self.running.get_mut(&attempt.scenario) {
                    story.attempts.push(attempt.clone());
                }
            }
            RunEvent::StepEnded(step) => {
                if let Some(story) = self.running.get_mut(&step.scenario) {
                    story.steps.push(step.clone());
                }
            }
            RunEvent::EffectsEnded(effects) => {
                if let Some(story) = self.running.get_mut(&effects.scenario) {
                    story.effects = Some(effects.clone());
                }
            }
            RunEvent::ScenarioEnded(ended) => return self.scenario_ended(ended),
            RunEvent::RunEnded(ended) => return self.run_ended(ended),
        }
        Ok(())
    }
}

impl ScenarioStory {
    fn new(started: ScenarioStarted) -> Self {
        Self {
            started,
            attempts: Vec::new(),
            steps: Vec::new(),
            effects: None,
        }
    }

    fn checks(&self) -> impl Iterator<Item = &Check> {
        let of_steps = self.steps.iter().flat_map(|step| {
            let deliveries = step.deliveries.iter().flat_map(|delivery| &delivery.checks);
            deliveries.chain(&step.not_made)
        });
        of_steps.chain(self.effects.iter().flat_map(|effects| &effects.checks))
    }

    /// The last attempt of a delivery: the one that its expectations are about.
    fn last_attempt(&self, step: usize, delivery: usize) -> Option<&AttemptEnded> {
        let of_delivery =
            |attempt: &&AttemptEnded| attempt.step == step && attempt.delivery == delivery;
        self.attempts.iter().rfind(of_delivery)
    }
}

fn write_trouble(out: &mut Vec<u8>, story: &ScenarioStory, verdict: Verdict) -> io::Result<()> {
    let started = &story.started;
    writeln!(
        out,
        "{} {} {}",
        mark(verdict),
        paint_verdict(verdict),
        started.name
    )?;
    writeln!(
        out,
        "  {}",
        paint(DIM, format!("{}:{}", started.file, started.line))
    )?;
    if let Some(about) = &started.about {
        for line in textwrap::wrap(about.trim(), TEXT_WIDTH) {
            writeln!(out, "  {line}")?;
        }
    }
    for step in &story.steps {
        for delivery in &step.deliveries {
            write_delivery(out, story, step, delivery)?;
        }
        if let Some(check) = step.not_made.as_ref().filter(|check| is_trouble(check)) {
            writeln!(out, "  step {}: {}", step.step, step.description)?;
            write_check(out, check)?;
        }
    }
    let effects = story.effects.iter().flat_map(|effects| &effects.checks);
    let wrong: Vec<&Check> = effects.filter(|check| is_trouble(check)).collect();
    if !wrong.is_empty() {
        writeln!(out, "  effects")?;
        wrong
            .into_iter()
            .try_for_each(|check| write_check(out, check))?;
    }
    Ok(())
}

fn write_delivery(
    out: &mut Vec<u8>,
    story: &ScenarioStory,
    step: &StepEnded,
    delivery: &DeliveryEnded,
) -> io::Result<()> {
    let wrong: Vec<&Check> = delivery
        .checks
        .iter()
        .filter(|check| is_trouble(check))
        .collect();
    if wrong.is_empty() {
        return Ok(());
    }
    let which = match step.deliveries.len() {
        1 => String::new(),
        count => format!(", delivery {} of {count}", delivery.delivery),
    };
    writeln!(out, "  step {}: {}{which}", step.step, step.description)?;
    wrong
        .into_iter()
        .try_for_each(|check| write_check(out, check))?;
    // A warning is read in passing; what failed is looked into.
    let failed = delivery
        .checks
        .iter()
        .any(|check| check.verdict > Verdict::Warned);
    match story.last_attempt(step.step, delivery.delivery) {
        Some(attempt) if failed => write_attempt(out, attempt),
        _ => Ok(()),
    }
}

fn is_trouble(check: &Check) -> bool {
    !check.verdict.is_passed_or_not_checked()
}

fn write_check(out: &mut Vec<u8>, check: &Check) -> io::Result<()> {
    writeln!(out, "    {} {}", mark(check.verdict), check.subject)?;
    writeln!(out, "        expected  {}", check.expected)?;
    writeln!(out, "        observed  {}", printable(&check.observed))?;
    if let Some(source) = &check.source {
        let indent = textwrap::Options::new(TEXT_WIDTH)
            .initial_indent("        source    ")
            .subsequent_indent("                  ");
        for line in textwrap::wrap(source, indent) {
            writeln!(out, "{}", paint(DIM, line))?;
        }
    }
    match &check.hint {
        Some(hint) => writeln!(out, "        help      {hint}"),
        None => Ok(()),
    }
}

fn summary(ended: &RunEnded) -> String {
    let counts = |counts: &Counts| {
        let parts = [
            (Verdict::Passed, counts.passed),
            (Verdict::Warned, counts.warned),
            (Verdict::Failed, counts.failed),
            (Verdict::Broken, counts.broken),
            (Verdict::NotChecked, counts.not_checked),
        ];
        let shown = parts.into_iter().filter(|(verdict, count)| {
            *count > 0 || *verdict == Verdict::Passed || *verdict == Verdict::Failed
        });
        let words: Vec<String> = shown
            .map(|(verdict, count)| match count {
                0 => format!("0 {verdict}"),
                _ => format!("{count} {}", paint_verdict(verdict)),
            })
            .collect();
        words.join(", ")
    };
    let not_run = match ended.not_run {
        0 => String::new(),
        count => format!(", {count} not run"),
    };
    let scenarios = ended.scenarios.total() + ended.not_run;
    format!(
        "{}: {}{not_run}\n{}: {}\ntook {:.2} s",
        counted(scenarios, "scenario"),
        counts(&ended.scenarios),
        counted(ended.checks.total(), "check"),
        counts(&ended.checks),
        ended.took.as_secs_f64(),
    )
}

fn counted(count: usize, noun: &str) -> String {
    match count {
        1 => format!("1 {noun}"),
        _ => format!("{count} {noun}s"),
    }
}
