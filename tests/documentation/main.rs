//! Whether the documents are true: what they say of the program is held against the program.
//!
//! `AGHOOK_UPDATE_DOCS=1 cargo test --test documentation` writes anew what is made by the program:
//! the transcripts of the README and of docs/ci.md, and the schemas of the JSON reports.

mod commands;
mod dependencies;
mod links;
mod load_report;
mod markdown;
mod profiles;
mod program;
mod proof;
mod report_json;
mod scenarios;
mod transcripts;
mod walk;
