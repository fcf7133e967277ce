//! Annotations for GitHub workflows: one line for each common cause and for each scenario with other
//! problems. GitHub shows them on the run's page and beside the scenario's file in a pull request.

use std::collections::BTreeMap;
use std::io::{self, Write};

use super::Report;
use super::counts::{counted, problem_summary};
use super::failure_groups::{CommonCause, CommonCauses, FailureGroups, cause_list};
use super::scenario_record::{RunningScenarios, ScenarioRecord, check_line};
use crate::run::RunEvent;
use crate::verify::Verdict;

/// The most checks that an annotation lists.
const CHECK_LIMIT: usize = 5;

/// The most scenarios that are listed for a cause.
const LISTED: usize = 5;

/// Collects the problems of a run and writes them at its end.
pub struct Annotations<W> {
    out: W,
    running: RunningScenarios,
    failures: FailureGroups,
    /// The scenarios with problems, by their numbers.
    problems: BTreeMap<usize, (ScenarioRecord, Verdict)>,
}

impl<W: Write> Annotations<W> {
    /// Writes to `out`, which GitHub must read: standard output or standard error.
    pub fn new(out: W) -> Self {
        Self {
            out,
            running: RunningScenarios::default(),
            failures: FailureGroups::default(),
            problems: BTreeMap::new(),
        }
    }

    fn run_ended(&mut self) -> io::Result<()> {
        let common = self.failures.common_causes();
        for cause in &common.causes {
            let line = cause_annotation(cause, &common);
            writeln!(self.out, "{line}")?;
        }
        for (record, verdict) in std::mem::take(&mut self.problems).into_values() {
            let (record, numbers) = common.without_common_causes(record);
            if let Some(line) = annotation(&record, verdict, &numbers) {
                writeln!(self.out, "{line}")?;
            }
        }
        self.out.flush()
    }
}

impl<W: Write> Report for Annotations<W> {
    fn observe(&mut self, event: &RunEvent) -> io::Result<()> {
        if let Some((record, ended)) = self.running.observe(event) {
            self.failures.observe(&record);
            if !ended.verdict.is_passed_or_not_checked() {
                let problem = (record.only_problems(), ended.verdict);
                self.problems.insert(ended.scenario, problem);
            }
        }
        match event {
            RunEvent::RunEnded(_) => self.run_ended(),
            _ => Ok(()),
        }
    }
}

/// The annotation for the problems of a scenario that no common cause explains.
fn annotation(record: &ScenarioRecord, verdict: Verdict, causes: &[usize]) -> Option<String> {
    let mut checks: Vec<_> = record.problems().collect();
    checks.sort_by_key(|check| std::cmp::Reverse(check.verdict));
    let mut message: Vec<String> = checks
        .iter()
        .take(CHECK_LIMIT)
        .map(|check| check_line(check))
        .collect();
    if message.is_empty() {
        return None;
    }
    if let Some(more @ 1..) = checks.len().checked_sub(CHECK_LIMIT) {
        message.push(format!("and {more} more"));
    }
    if !causes.is_empty() {
        message.push(format!("also affected by {}", cause_list(causes)));
    }
    let started = &record.started;
    let title = format!("{verdict}: {}", started.name);
    let annotation = line(verdict, &started.file, started.line, &title, &message);
    Some(annotation)
}

/// The annotation for a common cause, beside the file of its example.
fn cause_annotation(cause: &CommonCause, common: &CommonCauses) -> String {
    let mut message = vec![cause.title.clone()];
    message.extend(cause.example.check.hint.clone());
    let (checks, count) = (problem_summary(&cause.checks), cause.scenarios.len());
    message.push(format!("{checks}, in {}:", counted(count, "scenario")));
    let names = cause.scenarios.iter().take(LISTED);
    message.extend(names.map(|scenario| scenario.name.clone()));
    if let Some(more @ 1..) = count.checked_sub(LISTED) {
        message.push(format!("and {more} more"));
    }
    if cause.number == 1 {
        message.extend(common.advice.clone());
    }
    let place = &cause.example.scenario;
    let scenarios = counted(count, "scenario");
    let title = format!("{}: cause {}, {scenarios}", cause.verdict, cause.number);
    line(cause.verdict, &place.file, place.line, &title, &message)
}

/// A broken scenario is an error too, since it fails the job.
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

/// Escapes text after the second `::`.
pub(super) fn data(text: &str) -> String {
    text.replace('%', "%25")
        .replace('\r', "%0D")
        .replace('\n', "%0A")
}

/// Escapes text between the command and the second `::`.
pub(super) fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_syntax_of_workflow_commands_is_escaped() {
        assert_eq!(property("100%: a, b\r\n"), "100%25%3A a%2C b%0D%0A");
        assert_eq!(data("100%: a, b\n::error::"), "100%25: a, b%0A::error::");
    }

    proptest! {
        #[test]
        fn an_escaped_property_has_no_delimiters(text: String) {
            let escaped = property(&text);
            prop_assert!(!escaped.contains([':', ',', '\r', '\n']));
            let back = escaped.replace("%0D", "\r").replace("%0A", "\n");
            let back = back.replace("%3A", ":").replace("%2C", ",").replace("%25", "%");
            prop_assert_eq!(back, text);
        }
    }
}
