//! Annotations of GitHub workflows: a line for each cause that scenarios share, and for each scenario
//! that failed or warned of something else. GitHub shows them on the run's page and beside the
//! scenario's file in a pull request.

use std::collections::BTreeMap;
use std::io::{self, Write};

use super::Report;
use super::causes::{Cause, Causes, SharedCauses, causes_in_words};
use super::counts::{counted, troubles_in_words};
use super::scenario_story::{RunningScenarios, ScenarioStory, in_one_line};
use crate::harness::{RunEvent, Verdict};

/// The most checks that an annotation tells of.
const CHECK_LIMIT: usize = 5;

/// The most scenarios of a cause that are named.
const NAMED: usize = 5;

/// Gathers what went wrong, and writes it when the run is over.
pub struct Annotations<W> {
    out: W,
    running: RunningScenarios,
    causes: Causes,
    /// The scenarios in which something went wrong, by their numbers.
    troubles: BTreeMap<usize, (ScenarioStory, Verdict)>,
}

impl<W: Write> Annotations<W> {
    /// Writes to `out`, which has to be read by GitHub: standard output or standard error.
    pub fn new(out: W) -> Self {
        Self {
            out,
            running: RunningScenarios::default(),
            causes: Causes::default(),
            troubles: BTreeMap::new(),
        }
    }

    fn run_ended(&mut self) -> io::Result<()> {
        let shared = self.causes.shared();
        for cause in &shared.causes {
            let line = of_cause(cause, &shared);
            writeln!(self.out, "{line}")?;
        }
        for (story, verdict) in std::mem::take(&mut self.troubles).into_values() {
            let (story, numbers) = shared.taken_from(story);
            if let Some(line) = annotation(&story, verdict, &numbers) {
                writeln!(self.out, "{line}")?;
            }
        }
        self.out.flush()
    }
}

impl<W: Write> Report for Annotations<W> {
    fn observe(&mut self, event: &RunEvent) -> io::Result<()> {
        if let Some((story, ended)) = self.running.observe(event) {
            self.causes.observe(&story);
            if !ended.verdict.is_passed_or_not_checked() {
                let trouble = (story.of_troubles(), ended.verdict);
                self.troubles.insert(ended.scenario, trouble);
            }
        }
        match event {
            RunEvent::RunEnded(_) => self.run_ended(),
            _ => Ok(()),
        }
    }
}

/// The annotation of what a scenario fails of for itself, if there is such a thing.
fn annotation(story: &ScenarioStory, verdict: Verdict, shared: &[usize]) -> Option<String> {
    let mut checks: Vec<_> = story.troubles().collect();
    checks.sort_by_key(|check| std::cmp::Reverse(check.verdict));
    let mut message: Vec<String> = checks
        .iter()
        .take(CHECK_LIMIT)
        .map(|check| in_one_line(check))
        .collect();
    if message.is_empty() {
        return None;
    }
    if let Some(more @ 1..) = checks.len().checked_sub(CHECK_LIMIT) {
        message.push(format!("and {more} more"));
    }
    if !shared.is_empty() {
        message.push(format!("besides {}", causes_in_words(shared)));
    }
    let started = &story.started;
    let title = format!("{verdict}: {}", started.name);
    let annotation = line(verdict, &started.file, started.line, &title, &message);
    Some(annotation)
}

/// The annotation of a cause, beside the file of the scenario that is its example.
fn of_cause(cause: &Cause, shared: &SharedCauses) -> String {
    let mut message = vec![cause.title.clone()];
    message.extend(cause.example.check.hint.clone());
    let (checks, count) = (troubles_in_words(&cause.checks), cause.scenarios.len());
    message.push(format!("{checks}, in {}:", counted(count, "scenario")));
    let names = cause.scenarios.iter().take(NAMED);
    message.extend(names.map(|scenario| scenario.name.clone()));
    if let Some(more @ 1..) = count.checked_sub(NAMED) {
        message.push(format!("and {more} more"));
    }
    if cause.number == 1 {
        message.extend(shared.advice.clone());
    }
    let place = &cause.example.scenario;
    let scenarios = counted(count, "scenario");
    let title = format!("{}: cause {}, {scenarios}", cause.verdict, cause.number);
    line(cause.verdict, &place.file, place.line, &title, &message)
}

/// What could not be decided is an error too: it fails the job.
fn line(verdict: Verdict, file: &str, line: usize, title: &str, message: &[String]) -> String {
    let command = match verdict {
        Verdict::Failed | Verdict::Broken => "error",
        Verdict::Warned | Verdict::Passed | Verdict::NotChecked => "warning",
    };
    format!(
        "::{command} file={},line={line},title={}::{}",
        property(file),
        property(title),
        data(&message.join("\n"))
    )
}

/// Text after the second `::`.
pub(super) fn data(text: &str) -> String {
    text.replace('%', "%25")
        .replace('\r', "%0D")
        .replace('\n', "%0A")
}

/// Text between the command and the second `::`.
pub(super) fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_means_something_to_github_is_escaped() {
        assert_eq!(property("100%: a, b\r\n"), "100%25%3A a%2C b%0D%0A");
        assert_eq!(data("100%: a, b\n::error::"), "100%25: a, b%0A::error::");
    }

    proptest! {
        #[test]
        fn a_property_ends_nowhere_too_soon(text: String) {
            let escaped = property(&text);
            prop_assert!(!escaped.contains([':', ',', '\r', '\n']));
            let back = escaped.replace("%0D", "\r").replace("%0A", "\n");
            let back = back.replace("%3A", ":").replace("%2C", ",").replace("%25", "%");
            prop_assert_eq!(back, text);
        }
    }
}
