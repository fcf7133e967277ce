//! The HTML report: its structure, and its behaviour in a real browser if one is installed.

mod awkward_run;
mod in_browser;
mod structure;

use aghook::internals::report::ReportKind;
use aghook::internals::run::RunEvent;

use crate::report_text::report_text;

/// The HTML report of a run.
fn page(events: impl IntoIterator<Item = RunEvent>) -> String {
    report_text(ReportKind::Html, events)
}
