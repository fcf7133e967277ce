//! Why a journal can't be read, in words for people.

use std::path::PathBuf;

use super::JOURNAL_FILE_NAME;
use crate::harness::FORMAT_VERSION;

/// Why a journal can't be read. [`JournalError::help`] says what to do.
#[derive(Debug, thiserror::Error)]
pub enum JournalError {
    /// There is no such folder and no such file.
    #[error("there is no recorded run at {}", path.display())]
    Missing {
        /// What was asked for.
        path: PathBuf,
    },
    /// The folder is there, but no journal in it.
    #[error("the folder {} holds no recorded run: it has no {JOURNAL_FILE_NAME}", folder.display())]
    NotInFolder {
        /// The folder.
        folder: PathBuf,
    },
    /// The file can't be opened or read.
    #[error("{} can't be read: {reason}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What the system says.
        reason: std::io::Error,
    },
    /// There is not one whole line in it.
    #[error("{} has no whole line: the run was ended before it began", path.display())]
    Empty {
        /// The file.
        path: PathBuf,
    },
    /// Its first line is not that of a run.
    #[error("{}:1: this is no recorded run: the first line is not `run_started`", path.display())]
    NoJournal {
        /// The file.
        path: PathBuf,
    },
    /// It is of another format version.
    #[error(
        "{} was recorded by aghook {recorded_by} in format version {version}, and this aghook reads \
         version {FORMAT_VERSION}",
        path.display()
    )]
    OtherVersion {
        /// The file.
        path: PathBuf,
        /// The version of the format.
        version: u32,
        /// The version of aghook that wrote it.
        recorded_by: String,
    },
    /// A line that is whole, and no run event or not one that can stand there.
    #[error("{}:{line}: this line of the journal can't be read: {reason}", path.display())]
    Corrupt {
        /// The file.
        path: PathBuf,
        /// The line, from 1.
        line: usize,
        /// What is wrong with it.
        reason: String,
    },
}

impl JournalError {
    /// Whether there is no journal at all: no file, or one that is none from its first line on.
    pub fn is_no_journal(&self) -> bool {
        matches!(
            self,
            Self::Missing { .. } | Self::NoJournal { .. } | Self::Empty { .. }
        )
    }

    /// What the user can do.
    pub fn help(&self) -> &'static str {
        match self {
            Self::Missing { .. } | Self::NotInFolder { .. } => {
                "name the folder that `aghook run --record DIR` wrote, or a file of the JSON report"
            }
            Self::Unreadable { .. } => "check the file and its permissions",
            Self::Empty { .. } | Self::NoJournal { .. } => {
                "record the run again with `aghook run --record DIR`"
            }
            Self::OtherVersion { .. } => "read it with the aghook that recorded it",
            Self::Corrupt { .. } => {
                "the file was changed or damaged after it was written: take an unharmed copy, or \
                 record the run again"
            }
        }
    }
}
