//! Annotations for GitHub workflows: one line for each likely cause, for each common problem and for each
//! scenario with other problems. GitHub shows them on the run's page and beside the scenario's file in a pull request.

use std::io::{self, Write};

use super::counts::{counted, first_of};
use super::failure_groups::{CommonProblem, CommonProblems, problem_numbers};
use super::run_record::RunRecord;
use super::scenario_record::{ScenarioRecord, check_line};
use crate::run::LikelyCause;
use crate::verify::Verdict;

const CHECK_LIMIT: usize = 5;

const LISTED: usize = 5;

pub(super) fn write_annotations(out: &mut dyn Write, run: &RunRecord) -> io::Result<()> {
    for cause in &run.ended.likely_causes {
        writeln!(out, "{}", likely_cause(cause, run))?;
    }
    for problem in &run.common.problems {
        writeln!(out, "{}", problem_annotation(problem, &run.common))?;
    }
    let mut scenarios = run.with_own_problems().into_iter();
    scenarios.try_for_each(|record| writeln!(out, "{}", annotation(record)))
}

fn likely_cause(cause: &LikelyCause, run: &RunRecord) -> String {
    let message: Vec<String> = std::iter::once(cause.headline())
        .chain(cause.advice())
        .collect();
    let first = run
        .by_number()
        .into_iter()
        .find(|record| cause.scenarios.contains(&record.started.scenario));
    let place = first.map(|record| (record.started.file.as_str(), record.started.line));
    let verdict = run.ended.scenarios.verdict();
    annotation_line(verdict, place, cause.label(), &message)
}

fn annotation(record: &ScenarioRecord) -> String {
    let mut checks = record.own_problems();
    checks.sort_by_key(|placed| std::cmp::Reverse(placed.check.verdict));
    let checks = checks.iter().map(|placed| check_line(placed.check));
    let mut message: Vec<String> = first_of(checks, CHECK_LIMIT).collect();
    let problems = record.common_problems();
    if !problems.is_empty() {
        message.push(format!("also affected by {}", problem_numbers(&problems)));
    }
    let (started, verdict) = (&record.started, record.ended.verdict);
    let title = format!("{verdict}: {}", started.name);
    let place = Some((started.file.as_str(), started.line));
    annotation_line(verdict, place, &title, &message)
}

fn problem_annotation(problem: &CommonProblem, common: &CommonProblems) -> String {
    let mut message = vec![problem.title.clone()];
    message.extend(problem.help.clone());
    message.push(format!("{}:", problem.scope()));
    let names = problem
        .scenarios
        .iter()
        .map(|scenario| scenario.name.clone());
    message.extend(first_of(names, LISTED));
    if problem.number == 1 {
        message.extend(common.advice.clone());
    }
    let scenario = &problem.example.scenario;
    let scenarios = counted(problem.scenarios.len(), "scenario");
    let title = format!(
        "{}: problem {}, {scenarios}",
        problem.verdict, problem.number
    );
    let place = Some((scenario.file.as_str(), scenario.line));
    annotation_line(problem.verdict, place, &title, &message)
}

/// An annotation, beside a line of a file if there is one. A broken scenario is an error too, since it
/// fails the job.
pub(super) fn annotation_line(
    verdict: Verdict,
    place: Option<(&str, usize)>,
    title: &str,
    message: &[String],
) -> String {
    let command = match verdict {
        Verdict::Failed | Verdict::Broken => "error",
        Verdict::Warned | Verdict::Passed | Verdict::NotChecked => "warning",
    };
    let place = place.map(|(file, line)| format!("file={},line={line},", property(file)));
    format!(
        "::{command} {}title={}::{}",
        place.unwrap_or_default(),
        property(title),
        data(&message.join("\n"))
    )
}

/// Escapes text after the second `::`.
fn data(text: &str) -> String {
    text.replace('%', "%25")
        .replace('\r', "%0D")
        .replace('\n', "%0A")
}

/// Escapes text between the command and the second `::`.
fn property(text: &str) -> String {
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
