//! Reports, snapshot reports and recorded runs: each format for a fixed run and for real runs.

mod baseline;
#[path = "../support/browser.rs"]
mod browser;
mod earlier_files;
mod formats;
mod html_report;
mod junit_structure;
mod program;
mod record_and_replay;
mod report_text;
mod sample_run;
mod schemas;
mod snapshot_reports;
#[path = "../support/mod.rs"]
mod support;
