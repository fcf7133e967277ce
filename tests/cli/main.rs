//! The command line: options, mistakes in input, exit codes and output.

#[cfg(unix)]
mod action;
mod bad_input;
mod captures;
mod command_options;
mod dry_run;
mod exit_codes;
mod explain;
mod few_resources;
mod fire_verdict;
mod headers;
mod mistakes;
mod new_project;
mod repetition;
mod report_files;
mod secrecy;
mod sign_and_verify;
mod signed_text;
#[path = "../support/mod.rs"]
mod support;
mod terminal_output;
mod wait;
