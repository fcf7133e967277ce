//! Why the ledger could not be opened or written, and what to do about it.

use std::path::PathBuf;
use std::sync::Arc;

/// Why the ledger could not be opened or written.
#[derive(Debug, Clone, thiserror::Error)]
pub enum LedgerError {
    /// The file is there, but something else made it.
    #[error("{} is not a ledger of this program", .0.display())]
    NotALedger(PathBuf),
    /// The file is of a version that this program does not know.
    #[error("{} is a ledger of version {version}, which this program does not know", path.display())]
    Version {
        /// The file.
        path: PathBuf,
        /// Its version.
        version: i64,
    },
    /// The file can be read but not written.
    #[error("{} can't be written", .0.display())]
    NotWritable(PathBuf),
    /// The file could not be opened.
    #[error("the ledger {} can't be opened: {source}", path.display())]
    Open {
        /// The file.
        path: PathBuf,
        /// What `SQLite` says.
        source: Arc<rusqlite::Error>,
    },
    /// A transaction failed, and nothing of it was kept.
    #[error("the ledger failed: {0}")]
    Failed(Arc<rusqlite::Error>),
    /// The ledger is closed.
    #[error("the ledger is closed")]
    Closed,
}

impl LedgerError {
    /// What to do about it, where that can be said.
    pub(in crate::receiver) fn help(&self) -> Option<String> {
        let help = match self {
            Self::NotALedger(_) => "name a file that does not exist yet, or a ledger",
            Self::Version { .. } => "use the version of aghook that made it, or name a new file",
            Self::NotWritable(_) => "check the permissions of the file and its folder",
            Self::Open { .. } => "check that its folder exists and can be written",
            Self::Failed(_) => {
                "check that the disk is not full and that no other program holds \
                the file locked"
            }
            Self::Closed => return None,
        };
        Some(help.to_owned())
    }
}

impl From<rusqlite::Error> for LedgerError {
    fn from(error: rusqlite::Error) -> Self {
        Self::Failed(Arc::new(error))
    }
}
