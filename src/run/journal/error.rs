//! Why a journal can't be read.

use std::path::PathBuf;

use super::JOURNAL_FILE_NAME;
use crate::run::run_event::FORMAT_VERSION;

/// Why a journal can't be read. [`JournalError::help`] says what to do.
#[derive(Debug, thiserror::Error)]
pub(crate) enum JournalError {
    /// There is no such folder and no such file.
    #[error("no recorded run at {}", .0.display())]
    Missing(PathBuf),
    /// The folder exists but has no journal.
    #[error("the folder {} has no recorded run: {JOURNAL_FILE_NAME} is missing", .0.display())]
    NotInFolder(PathBuf),
    /// The file can't be opened or read.
    #[error("failed to read {}: {reason}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// The system's error.
        reason: std::io::Error,
    },
    /// It has no complete line.
    #[error("{} has no complete line: the run was stopped before it started", .0.display())]
    Empty(PathBuf),
    /// Its first line is not the start of a run.
    #[error("{}:1: not a recorded run: the first line is not `run_started`", .0.display())]
    NotAJournal(PathBuf),
    /// It has another format version.
    #[error(
        "{} was recorded by aghook {recorded_by} in format version {version}, but this aghook reads \
         version {FORMAT_VERSION}",
        path.display()
    )]
    OtherVersion {
        /// The file.
        path: PathBuf,
        /// The format version.
        version: u32,
        /// The version of the aghook that recorded it.
        recorded_by: String,
    },
    /// A complete line is not a run event, or is not allowed in its place.
    #[error("{}:{line}: invalid line: {reason}", path.display())]
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
    /// Whether the path is not a journal at all: it does not exist, or its first line is not one of
    /// a journal.
    pub(crate) fn is_not_a_journal(&self) -> bool {
        matches!(
            self,
            Self::Missing(_) | Self::NotAJournal(_) | Self::Empty(_)
        )
    }

    /// What to do about it.
    pub(crate) fn help(&self) -> &'static str {
        match self {
            Self::Missing(_) | Self::NotInFolder(_) => {
                "pass a folder recorded with `aghook run --record DIR`, or a file of the JSON report"
            }
            Self::Unreadable { .. } => "check the file and its permissions",
            Self::Empty(_) => "record the run again with `aghook run --record DIR`",
            Self::NotAJournal(_) => {
                "pass a run recorded with `aghook run --record DIR`; join reports of `aghook load` \
                 with `aghook merge`"
            }
            Self::OtherVersion { .. } => "use the version of aghook that recorded it",
            Self::Corrupt { .. } => {
                "the file was changed or damaged after it was recorded: use an intact copy, or record \
                 the run again"
            }
        }
    }
}
