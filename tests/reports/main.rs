//! Reports, snapshot reports and recordings: each format from a fixed run, and from runs of the program.

mod formats;
mod html_report;
mod junit_structure;
mod program;
mod record_and_replay;
mod sample_run;
mod schemas;
mod snapshot_reports;
#[path = "../support/mod.rs"]
mod support;
