//! The `JUnit` XML report of a load: a test case for each check.

use std::io::{self, Write};
use std::time::Duration;

use quick_junit::{TestCase, TestCaseStatus, TestSuite};

use super::checks::{LoadCheck, checks};
use super::summary::write_load_summary;
use crate::load::LoadReport;
use crate::report::junit::xml_text::xml_text;
use crate::report::junit::{problem_status, without_styles, write_document};
use crate::verify::Verdict;

const CLASS: &str = "aghook.load";

pub(crate) fn write_load_junit(report: &LoadReport, out: &mut dyn Write) -> io::Result<()> {
    let took = Duration::from_micros(report.measurements.span_us);
    let mut suite = TestSuite::new(xml_text(&format!("load of {}", report.target)));
    suite.set_time(took);
    let began = report.began.clone();
    suite.extra.insert("timestamp".into(), began.into());
    let summary = without_styles(|out| write_load_summary(report, out))?;
    let cases = checks(report).into_iter().map(|check| {
        let mut case = TestCase::new(xml_text(&check.name), status(&check));
        case.set_classname(CLASS);
        case
    });
    let mut cases: Vec<TestCase> = cases.collect();
    // The summary appears once, in the first test case.
    if let Some(first) = cases.first_mut() {
        first.set_system_out(xml_text(&summary));
    }
    suite.add_test_cases(cases);
    write_document(out, took, vec![suite])
}

fn status(check: &LoadCheck) -> TestCaseStatus {
    match check.verdict {
        Verdict::Passed | Verdict::Warned => TestCaseStatus::success(),
        Verdict::NotChecked => {
            let mut status = TestCaseStatus::skipped();
            status.set_message(xml_text(&check.observed));
            status
        }
        Verdict::Failed | Verdict::Broken => {
            let line = check.check_line();
            let text = [vec![line.clone()], check.details.clone()].concat();
            problem_status(check.verdict, &line, &text.join("\n"))
        }
    }
}
