//! JUnit XML for CI systems: a scenario is a test case in a suite named after its folder.
//!
//! The attributes and elements are those that Jenkins' `junit` step and GitLab read. GitLab shows only
//! the text of a failure, not its message, so the text has everything.

mod system_out;
pub(super) mod xml_text;

use std::io::{self, Write};
use std::path::{Component, Path};
use std::time::Duration;

use indexmap::{IndexMap, IndexSet};
use quick_junit::{NonSuccessKind, Report as Document, TestCase, TestCaseStatus, TestSuite};

use super::counts::not_run_note;
use super::run_record::RunRecord;
use super::scenario_record::{ScenarioRecord, worst_line};
use super::terminal::{TextOutput, write_problems};
use crate::run::{LikelyCause, RunEnded};
use crate::verify::Verdict;
use system_out::system_out;
use xml_text::{xml_characters, xml_text};

pub(super) fn write_junit(out: &mut dyn Write, run: &RunRecord) -> io::Result<()> {
    let mut suites: IndexMap<String, Vec<&ScenarioRecord>> = IndexMap::new();
    for record in run.by_number() {
        let suite = suites.entry(folder(&record.started.file)).or_default();
        suite.push(record);
    }
    let causes = &run.ended.likely_causes;
    let suites = suites
        .iter()
        .map(|(name, records)| suite(name, records, causes));
    let mut suites = suites.collect::<io::Result<Vec<_>>>()?;
    suites.extend(not_run_note(&run.ended).map(|note| not_run(note, &run.ended)));
    write_document(out, run.ended.took, suites)
}

pub(super) fn write_document(
    out: &mut dyn Write,
    took: Duration,
    suites: Vec<TestSuite>,
) -> io::Result<()> {
    let mut document = Document::new("aghook");
    document.set_time(took);
    document.add_test_suites(suites);
    let text = document.to_string().map_err(io::Error::other)?;
    out.write_all(text.as_bytes())
}

fn suite(name: &str, records: &[&ScenarioRecord], likely: &[LikelyCause]) -> io::Result<TestSuite> {
    let mut suite = TestSuite::new(xml_text(name));
    let took = records.iter().map(|record| record.ended.took);
    suite.set_time(took.fold(Duration::ZERO, Duration::saturating_add));
    if let Some(began) = records.iter().filter_map(|record| record.began()).min() {
        let began = format!("{began:.3}");
        suite.extra.insert("timestamp".into(), began.into());
    }
    let cases = records.iter().map(|record| test_case(record, likely));
    suite.add_test_cases(cases.collect::<io::Result<Vec<_>>>()?);
    Ok(suite)
}

fn test_case(record: &ScenarioRecord, causes: &[LikelyCause]) -> io::Result<TestCase> {
    let (started, ended) = (&record.started, &record.ended);
    let mut case = TestCase::new(xml_characters(&started.name), status(record, causes)?);
    case.set_classname(xml_text(&class_name(&started.file)));
    case.set_assertions(ended.checks.decided());
    case.set_time(ended.took);
    let (file, line) = (xml_text(&started.file), started.line.to_string());
    case.extra.insert("file".into(), file.into());
    case.extra.insert("line".into(), line.into());
    let mut output = system_out(record);
    if ended.verdict == Verdict::Warned {
        output = format!("{}\n{output}", problems(record)?);
    }
    case.set_system_out(xml_text(&output));
    Ok(case)
}

/// The status that a CI system shows. A warning counts as passed, since it does not fail the job. A
/// broken scenario is an error, and one that was not checked is skipped.
fn status(record: &ScenarioRecord, causes: &[LikelyCause]) -> io::Result<TestCaseStatus> {
    let verdict = record.ended.verdict;
    match verdict {
        Verdict::Passed | Verdict::Warned => return Ok(TestCaseStatus::success()),
        Verdict::NotChecked => return Ok(skipped(record)),
        Verdict::Failed | Verdict::Broken => {}
    }
    let mut as_bad: Vec<_> = record.problems().collect();
    as_bad.retain(|placed| placed.check.verdict == verdict);
    let mut message = worst_line(&as_bad).unwrap_or_default();
    let number = record.started.scenario;
    let mut causes = causes.iter();
    if let Some(cause) = causes.find(|cause| cause.scenarios.contains(&number)) {
        let (label, about, remedy) = (cause.label(), &cause.bug.about, &cause.bug.remedy);
        message = format!("{message}; {label}: {about} → {remedy}");
    }
    Ok(problem_status(verdict, &message, &problems(record)?))
}

pub(super) fn problem_status(verdict: Verdict, message: &str, text: &str) -> TestCaseStatus {
    let mut status = TestCaseStatus::non_success(match verdict {
        Verdict::Broken => NonSuccessKind::Error,
        _ => NonSuccessKind::Failure,
    });
    if !message.is_empty() {
        status.set_message(xml_text(message));
    }
    status
        .set_type(verdict.to_string())
        .set_description(xml_text(text));
    status
}

fn skipped(record: &ScenarioRecord) -> TestCaseStatus {
    let reasons = record.not_checked().map(|check| {
        let hint = check.hint.as_ref().map(|hint| format!(" → {hint}"));
        format!("{}{}", check.observed, hint.unwrap_or_default())
    });
    let mut reasons: Vec<String> = reasons.collect::<IndexSet<_>>().into_iter().collect();
    if reasons.is_empty() {
        reasons.push("the scenario has nothing to check".to_owned());
    }
    let mut status = TestCaseStatus::skipped();
    status
        .set_message(xml_text(&reasons.join("; ")))
        .set_type("not checked")
        .set_description(xml_text(&reasons.join("\n")));
    status
}

/// A placeholder for the scenarios that were not run. Their names are unknown here, but without them
/// the report would look complete.
/// An error if nothing can be said about the receiver, so that no CI system shows that as a success.
fn not_run(message: String, ended: &RunEnded) -> TestSuite {
    let mut status = match ended.setup_problem {
        Some(_) => TestCaseStatus::non_success(NonSuccessKind::Error),
        None => TestCaseStatus::skipped(),
    };
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
fn problems(record: &ScenarioRecord) -> io::Result<String> {
    let problems: Vec<_> = record.problems().collect();
    without_styles(|out| write_problems(&mut TextOutput::new(out, None), record, &problems, false))
}

pub(super) fn without_styles(
    write: impl FnOnce(&mut dyn Write) -> io::Result<()>,
) -> io::Result<String> {
    let mut text = Vec::new();
    write(&mut text)?;
    let text = String::from_utf8_lossy(&text);
    Ok(anstream::adapter::strip_str(&text).to_string())
}

/// The folder of a scenario's file, `.` for the current one.
fn folder(file: &str) -> String {
    match Path::new(file).parent().and_then(Path::to_str) {
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
