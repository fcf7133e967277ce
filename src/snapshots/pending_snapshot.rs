//! Finds, accepts and rejects snapshots that are pending review.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use walkdir::WalkDir;

use super::difference::Difference;
use super::snapshot_file::{SnapshotFile, pending_path, reviewed_path};

#[derive(Debug, Clone)]
pub(crate) struct PendingSnapshot {
    pub pending_path: PathBuf,
    /// The reviewed file that it would become.
    pub reviewed_path: PathBuf,
    /// Whether there is no reviewed snapshot yet.
    pub is_new: bool,
    pub difference: Difference,
}

/// Finds the pending snapshots below a folder, sorted by path, or the one of a file.
pub(crate) fn find_pending(path: &Path) -> io::Result<Vec<PendingSnapshot>> {
    if path.is_dir() {
        let mut found = Vec::new();
        for entry in WalkDir::new(path).sort_by_file_name() {
            let entry = entry?;
            if entry.file_type().is_file()
                && let Some(reviewed) = reviewed_path(entry.path())
            {
                found.push(PendingSnapshot::new(entry.into_path(), reviewed)?);
            }
        }
        return Ok(found);
    }
    let (pending, reviewed) = match reviewed_path(path) {
        Some(reviewed) => (path.to_owned(), reviewed),
        None => (pending_path(path), path.to_owned()),
    };
    if pending.is_file() {
        return Ok(vec![PendingSnapshot::new(pending, reviewed)?]);
    }
    if reviewed.is_file() {
        return Ok(Vec::new());
    }
    Err(io::Error::new(io::ErrorKind::NotFound, "no snapshot found"))
}

impl PendingSnapshot {
    fn new(pending_path: PathBuf, reviewed_path: PathBuf) -> io::Result<Self> {
        let found = SnapshotFile::read(&pending_path)?.unwrap_or_default();
        let before = SnapshotFile::read(&reviewed_path)?;
        let is_new = before.is_none();
        let difference = Difference::between(
            &reviewed_path.display().to_string(),
            &with_newline(before.map(|before| before.contents).unwrap_or_default()),
            &with_newline(found.contents),
        );
        Ok(Self {
            pending_path,
            reviewed_path,
            is_new,
            difference,
        })
    }

    pub(crate) fn accept(&self) -> io::Result<()> {
        let Some(mut file) = SnapshotFile::read(&self.pending_path)? else {
            return Ok(());
        };
        file.assertion_line = None;
        file.write(&self.reviewed_path)?;
        fs::remove_file(&self.pending_path)
    }

    pub(crate) fn reject(&self) -> io::Result<()> {
        fs::remove_file(&self.pending_path)
    }
}

/// Ends non-empty contents with a newline.
pub(super) fn with_newline(contents: String) -> String {
    match contents.as_str() {
        "" => contents,
        _ => contents + "\n",
    }
}
