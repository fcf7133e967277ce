//! Why a journal can't be read.

use std::path::PathBuf;

use super::JOURNAL_FILE_NAME;
use crate::run::run_event::FORMAT_VERSION;

#[derive(Debug, thiserror::Error)]
pub(crate) enum JournalError {
    #[error("no recorded run at {}", .0.display())]
    Missing(PathBuf),
    #[error("the folder {} has no recorded run: {JOURNAL_FILE_NAME} is missing", .0.display())]
    NotInFolder(PathBuf),
    #[error("failed to read {}: {reason}", path.display())]
    Unreadable {
        path: PathBuf,
        reason: std::io::Error,
    },
    #[error("{} has no complete line: the run was stopped before it started", .0.display())]
    Empty(PathBuf),
    #[error("{}:1: not a recorded run: the first line is not `run_started`", .0.display())]
    NotAJournal(PathBuf),
    #[error(
        "{} was recorded by aghook {recorded_by} in format version {version}, but this aghook reads \
         version {FORMAT_VERSION}",
        path.display()
    )]
    OtherVersion {
        path: PathBuf,
        version: u32,
        recorded_by: String,
    },
    #[error("{}:{line}: invalid line: {reason}", path.display())]
    Corrupt {
        path: PathBuf,
        /// The line, from 1.
        line: usize,
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
