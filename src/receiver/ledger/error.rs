//! Errors of the ledger, with help on how to fix them.

use std::path::PathBuf;
use std::sync::Arc;

/// Why the ledger could not be opened or written.
#[derive(Debug, Clone, thiserror::Error)]
pub enum LedgerError {
    /// The file exists but is not a ledger.
    #[error("{} is not an aghook ledger", .0.display())]
    NotALedger(PathBuf),
    /// This program does not support the file's version.
    #[error("unsupported version {version} of the ledger {}", path.display())]
    Version {
        /// The file.
        path: PathBuf,
        /// Its version.
        version: i64,
    },
    /// The file is read-only.
    #[error("can't write to the ledger {}", .0.display())]
    NotWritable(PathBuf),
    /// The file could not be opened.
    #[error("can't open the ledger {}: {source}", path.display())]
    Open {
        /// The file.
        path: PathBuf,
        /// The error of `SQLite`.
        source: Arc<rusqlite::Error>,
    },
    /// A transaction failed and was rolled back.
    #[error("the ledger failed: {0}")]
    Failed(Arc<rusqlite::Error>),
    /// The ledger is closed.
    #[error("the ledger is closed")]
    Closed,
}

impl LedgerError {
    /// How to fix it, if known.
    pub(crate) fn help(&self) -> Option<String> {
        let help = match self {
            Self::NotALedger(_) => "use an existing ledger or the path of a new file",
            Self::Version { .. } => "use the aghook version that created it, or a new file",
            Self::NotWritable(_) => "check the permissions of the file and its folder",
            Self::Open { .. } => "check that its folder exists and is writable",
            Self::Failed(_) => {
                "check that the disk is not full and that no other program locks the file"
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
