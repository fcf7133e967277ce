//! A run that is kept: the file of its events, written while it runs and read later, and the run
//! sent again.
//!
//! A journal is the run events of one run, a line of JSON each, and nothing else, so whatever reads
//! run events reads a journal. Nothing here makes reports or prints.

mod comparison;
mod error;
mod reading;
mod replay;
mod resending;
mod tally;
mod writing;

pub use comparison::{CompareBy, Comparison, recorded_answer};
pub use error::JournalError;
pub use reading::{Journal, Torn};
pub use replay::{Replay, ReplayEnded, ReplayResult, Replayed};
pub use resending::{LeftOut, Signatures};
pub use tally::{RunTally, UnderWay};
pub use writing::{CreateJournalError, JournalWriter};

/// The journal's name in the folder of a recorded run.
pub const JOURNAL_FILE_NAME: &str = "run.jsonl";
