//! Compares the documents with the program.
//!
//! `AGHOOK_UPDATE_DOCS=1 cargo test --test documentation` updates what the program generates: the
//! transcripts in the README and docs/ci.md, and the schemas of the JSON reports.

mod commands;
mod dependencies;
mod explained_code;
mod links;
mod load_report;
mod markdown;
mod profiles;
mod program;
mod proof;
mod report_json;
mod scenarios;
mod transcripts;
mod tutorial;
