//! The HTML report: its structure, and how it behaves in a real browser where one is installed.

#[path = "html_report/awkward_run.rs"]
mod awkward_run;
#[path = "html_report/browser.rs"]
mod browser;
#[path = "html_report/in_browser.rs"]
mod in_browser;
#[path = "reports/sample_run.rs"]
mod sample_run;
#[path = "html_report/structure.rs"]
mod structure;

use aghook::harness::RunEvent;
use aghook::report::{HtmlReport, Report as _};

/// The page of a run.
fn page(events: impl IntoIterator<Item = RunEvent>) -> String {
    let mut out = Vec::new();
    let mut report = HtmlReport::new(&mut out);
    for event in events {
        report.observe(&event).expect("memory can be written to");
    }
    String::from_utf8(out).expect("UTF-8")
}
