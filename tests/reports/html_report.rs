//! The HTML report: its structure, and its behaviour in a real browser if one is installed.

mod awkward_run;
mod browser;
mod in_browser;
mod structure;

use aghook::report::{HtmlReport, Report as _};
use aghook::run::RunEvent;

/// The HTML report of a run.
fn page(events: impl IntoIterator<Item = RunEvent>) -> String {
    let mut out = Vec::new();
    let mut report = HtmlReport::new(&mut out);
    for event in events {
        report.observe(&event).expect("memory can be written to");
    }
    String::from_utf8(out).expect("UTF-8")
}
