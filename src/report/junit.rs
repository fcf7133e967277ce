//! JUnit XML for CI systems: a scenario is a test case in a suite named after its folder.
//!
//! The attributes and elements are those that Jenkins' `junit` step and GitLab read. GitLab shows only
//! the text of a failure, not its message, so the text has everything.

mod system_out;
pub(super) mod xml_text;

use std::collections::BTreeMap;
use std::io::{self, Write};
use std::path::{Component, Path};

use indexmap::IndexMap;
use jiff::Timestamp;
use quick_junit::{NonSuccessKind, Report as Document, TestCase, TestCaseStatus, TestSuite};

use super::Report;
use super::counts::counted;
use super::scenario_record::{RunningScenarios, ScenarioRecord, check_line};
use super::terminal::write_problems;
use crate::run::{RunEnded, RunEvent, ScenarioEnded};
use crate::verify::{Check, Verdict};
use system_out::system_out;
use xml_text::xml_text;

/// Collects the scenarios and writes them at the end of the run.
pub struct JunitReport<W> {
    out: W,
    running: RunningScenarios,
    /// The scenarios that have ended, by their numbers.
    ended: BTreeMap<usize, EndedScenario>,
}

struct EndedScenario {
    suite: String,
    began: Option<Timestamp>,
    case: TestCase,
}

impl<W: Write> JunitReport<W> {
    /// Writes to `out`.
    pub fn new(out: W) -> Self {
        Self {
            out,
            running: RunningScenarios::default(),
            ended: BTreeMap::new(),
        }
    }

    fn run_ended(&mut self, ended: &RunEnded) -> io::Result<()> {
        let mut document = Document::new("aghook");
        document.set_time(ended.took);
        let mut suites: IndexMap<String, Vec<EndedScenario>> = IndexMap::new();
        for scenario in std::mem::take(&mut self.ended).into_values() {
            let suite = suites.entry(scenario.suite.clone()).or_default();
            suite.push(scenario);
        }
        document.add_test_suites(suites.into_iter().map(|(name, cases)| suite(&name, cases)));
        if ended.not_run > 0 {
            document.add_test_suite(not_run(ended.not_run));
        }
        let text = document.to_string().map_err(io::Error::other)?;
        self.out.write_all(text.as_bytes())?;
        self.out.flush()
    }
}

impl<W: Write> Report for JunitReport<W> {
    fn observe(&mut self, event: &RunEvent) -> io::Result<()> {
        if let Some((record, ended)) = self.running.observe(event) {
            let scenario = EndedScenario {
                suite: folder(&record.started.file),
                began: record
                    .attempts
                    .iter()
                    .map(|attempt| attempt.started_at)
                    .min(),
                case: test_case(&record, ended)?,
            };
            self.ended.insert(ended.scenario, scenario);
        }
        match event {
            RunEvent::RunEnded(ended) => self.run_ended(ended),
            _ => Ok(()),
        }
    }
}

fn suite(name: &str, cases: Vec<EndedScenario>) -> TestSuite {
    let mut suite = TestSuite::new(xml_text(name));
    suite.set_time(cases.iter().filter_map(|scenario| scenario.case.time).sum());
    if let Some(began) = cases.iter().filter_map(|scenario| scenario.began).min() {
        suite
            .extra
            .insert("timestamp".into(), format!("{began:.3}").into());
    }
    suite.add_test_cases(cases.into_iter().map(|scenario| scenario.case));
    suite
}

fn test_case(record: &ScenarioRecord, ended: &ScenarioEnded) -> io::Result<TestCase> {
    let started = &record.started;
    let mut case = TestCase::new(xml_text(&started.name), status(record, ended)?);
    case.set_classname(xml_text(&class_name(&started.file)));
    case.set_assertions(ended.checks.decided());
    case.set_time(ended.took);
    let location = [
        ("file", xml_text(&started.file)),
        ("line", started.line.to_string()),
    ];
    for (attribute, value) in location {
        case.extra.insert(attribute.into(), value.into());
    }
    let mut output = system_out(record);
    if ended.verdict == Verdict::Warned {
        output = format!("{}\n{output}", problems(record, ended)?);
    }
    case.set_system_out(xml_text(&output));
    Ok(case)
}

/// The status that a CI system shows. A warning counts as passed, since it does not fail the job. A
/// broken scenario is an error, and one that was not checked is skipped.
fn status(record: &ScenarioRecord, ended: &ScenarioEnded) -> io::Result<TestCaseStatus> {
    let kind = match ended.verdict {
        Verdict::Passed | Verdict::Warned => return Ok(TestCaseStatus::success()),
        Verdict::NotChecked => return Ok(skipped(record)),
        Verdict::Failed => NonSuccessKind::Failure,
        Verdict::Broken => NonSuccessKind::Error,
    };
    let mut status = TestCaseStatus::non_success(kind);
    let worst: Vec<&Check> = record
        .problems()
        .filter(|check| check.verdict == ended.verdict)
        .collect();
    if let Some(first) = worst.first() {
        let more = match worst.len() {
            1 => String::new(),
            count => format!(" (and {} more)", count - 1),
        };
        status.set_message(xml_text(&format!("{}{more}", check_line(first))));
    }
    status.set_type(ended.verdict.to_string());
    status.set_description(xml_text(&problems(record, ended)?));
    Ok(status)
}

fn skipped(record: &ScenarioRecord) -> TestCaseStatus {
    let mut reasons: Vec<String> = Vec::new();
    for check in record.not_checked() {
        let reason = match &check.hint {
            Some(hint) => format!("{} → {hint}", check.observed),
            None => check.observed.clone(),
        };
        if !reasons.contains(&reason) {
            reasons.push(reason);
        }
    }
    if reasons.is_empty() {
        reasons.push("the scenario has nothing to check".to_owned());
    }
    let mut status = TestCaseStatus::skipped();
    status.set_message(xml_text(&reasons.join("; ")));
    status.set_type("not checked");
    status.set_description(xml_text(&reasons.join("\n")));
    status
}

/// A placeholder for the scenarios that were not run. Their names are unknown here, but without them
/// the report would look complete.
fn not_run(count: usize) -> TestSuite {
    let mut status = TestCaseStatus::skipped();
    let message = format!(
        "{} not run, because of --fail-fast or an interruption",
        counted(count, "scenario")
    );
    status
        .set_message(message.as_str())
        .set_description(message);
    let mut case = TestCase::new("scenarios that were not run", status);
    case.set_classname("aghook");
    let mut suite = TestSuite::new("not run");
    suite.add_test_case(case);
    suite
}

/// The problems as the terminal report shows them, without colors.
fn problems(record: &ScenarioRecord, ended: &ScenarioEnded) -> io::Result<String> {
    let mut text = Vec::new();
    write_problems(&mut text, record, ended.verdict)?;
    let text = String::from_utf8_lossy(&text);
    Ok(anstream::adapter::strip_str(&text).to_string())
}

/// The folder of a scenario's file, `.` for the current one.
fn folder(file: &str) -> String {
    let folder = Path::new(file).parent().and_then(Path::to_str);
    match folder {
        None | Some("") => ".".to_owned(),
        Some(folder) => folder.replace('\\', "/"),
    }
}

/// A file's path as a class name. Jenkins groups test cases by the part before the last dot.
fn class_name(file: &str) -> String {
    let parts = Path::new(file).with_extension("");
    let parts = parts.components().filter_map(|part| match part {
        Component::Normal(name) => Some(name.to_string_lossy().replace('.', "_")),
        _ => None,
    });
    parts.collect::<Vec<_>>().join(".")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_become_suites_and_classes() {
        assert_eq!(
            folder("scenarios/signature/forged.yaml"),
            "scenarios/signature"
        );
        assert_eq!(folder("one.yaml"), ".");
        let class = class_name("../scenarios/v1.2/a.b.yaml");
        assert_eq!(class, "scenarios.v1_2.a_b");
    }
}
