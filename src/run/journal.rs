//! Recorded runs: writing a run's events to a file, reading them back, and sending the run again.
//!
//! A journal holds the run events of one run, one JSON line each, and nothing else, so anything
//! that reads run events can read a journal. Nothing here writes reports or prints.

mod reader;
mod run_tally;
mod writer;

pub(crate) use reader::{Journal, JournalError, TruncatedLine};
pub(crate) use run_tally::RunTally;
pub(crate) use writer::{CreateJournalError, JournalWriter};

pub(crate) const JOURNAL_FILE_NAME: &str = "run.jsonl";
