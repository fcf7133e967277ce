//! Snapshots that wait for review: found, accepted or rejected.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use walkdir::WalkDir;

use super::difference::Difference;
use super::snapshot_file::{SnapshotFile, reviewed_path, waiting_path};

/// A snapshot that waits for review.
#[derive(Debug, Clone)]
pub struct Pending {
    /// The file that waits.
    pub waiting: PathBuf,
    /// The file that it would become.
    pub reviewed: PathBuf,
    /// What it is.
    pub kind: Kind,
    /// What it would change.
    pub difference: Difference,
}

/// What waits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// The first one of its scenario.
    New,
    /// Another one than was reviewed.
    Changed,
}

/// The snapshots that wait below a folder, or the one that belongs to a file, in the order of their
/// paths.
pub fn pending_below(path: &Path) -> io::Result<Vec<Pending>> {
    if path.is_dir() {
        let mut found = Vec::new();
        for entry in WalkDir::new(path).sort_by_file_name() {
            let entry = entry?;
            if entry.file_type().is_file()
                && let Some(reviewed) = reviewed_path(entry.path())
            {
                found.push(Pending::new(entry.into_path(), reviewed)?);
            }
        }
        return Ok(found);
    }
    let (waiting, reviewed) = match reviewed_path(path) {
        Some(reviewed) => (path.to_owned(), reviewed),
        None => (waiting_path(path), path.to_owned()),
    };
    if waiting.is_file() {
        return Ok(vec![Pending::new(waiting, reviewed)?]);
    }
    if reviewed.is_file() {
        return Ok(Vec::new());
    }
    Err(io::Error::new(io::ErrorKind::NotFound, "there is nothing"))
}

impl Pending {
    fn new(waiting: PathBuf, reviewed: PathBuf) -> io::Result<Self> {
        let found = SnapshotFile::read(&waiting)?.unwrap_or_default();
        let before = SnapshotFile::read(&reviewed)?;
        let kind = match before {
            Some(_) => Kind::Changed,
            None => Kind::New,
        };
        let difference = Difference::between(
            &reviewed.display().to_string(),
            &lines(before.map(|before| before.contents).unwrap_or_default()),
            &lines(found.contents),
        );
        Ok(Self {
            waiting,
            reviewed,
            kind,
            difference,
        })
    }

    /// Puts it in the reviewed one's place.
    pub fn accept(&self) -> io::Result<()> {
        let Some(mut file) = SnapshotFile::read(&self.waiting)? else {
            return Ok(());
        };
        file.assertion_line = None;
        file.write(&self.reviewed)?;
        fs::remove_file(&self.waiting)
    }

    /// Deletes it.
    pub fn reject(&self) -> io::Result<()> {
        fs::remove_file(&self.waiting)
    }
}

/// Contents as lines, each with its end; nothing stays nothing.
pub(super) fn lines(contents: String) -> String {
    match contents.as_str() {
        "" => contents,
        _ => contents + "\n",
    }
}
