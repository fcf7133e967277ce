//! The `JUnit` XML report of a load: a test case for each check.

use std::io::{self, Write};
use std::time::Duration;

use quick_junit::{NonSuccessKind, Report as Document, TestCase, TestCaseStatus, TestSuite};

use super::checks::{LoadCheck, checks};
use super::summary::write_load_summary;
use crate::load::LoadReport;
use crate::report::junit::xml_text::xml_text;
use crate::verify::Verdict;

/// The class name of the test cases.
const CLASS: &str = "aghook.load";

/// Writes the document.
pub fn write_load_junit(report: &LoadReport, out: &mut impl Write) -> io::Result<()> {
    let took = Duration::from_micros(report.measurements.span_us);
    let mut suite = TestSuite::new(xml_text(&format!("load of {}", report.target)));
    suite.set_time(took);
    let began = report.began.clone();
    suite.extra.insert("timestamp".into(), began.into());
    let checks = checks(report);
    let mut summary = Vec::new();
    write_load_summary(report, &mut summary)?;
    let summary = String::from_utf8_lossy(&summary);
    let summary = anstream::adapter::strip_str(&summary).to_string();
    for (index, check) in checks.iter().enumerate() {
        let mut case = TestCase::new(xml_text(&check.name), status(check));
        case.set_classname(CLASS);
        // The summary appears once, in the first test case.
        if index == 0 {
            case.set_system_out(xml_text(&summary));
        }
        suite.add_test_case(case);
    }
    let mut document = Document::new("aghook");
    document.set_time(took);
    document.add_test_suite(suite);
    let text = document.to_string().map_err(io::Error::other)?;
    out.write_all(text.as_bytes())
}

fn status(check: &LoadCheck) -> TestCaseStatus {
    let mut status = match check.verdict {
        Verdict::Passed | Verdict::Warned => return TestCaseStatus::success(),
        Verdict::NotChecked => {
            let mut status = TestCaseStatus::skipped();
            status.set_message(xml_text(&check.observed));
            return status;
        }
        Verdict::Failed => TestCaseStatus::non_success(NonSuccessKind::Failure),
        Verdict::Broken => TestCaseStatus::non_success(NonSuccessKind::Error),
    };
    status.set_type(check.verdict.to_string());
    status.set_message(xml_text(&check.check_line()));
    let mut text = vec![check.check_line()];
    text.extend(check.details.iter().cloned());
    status.set_description(xml_text(&text.join("\n")));
    status
}
