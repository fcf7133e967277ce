//! Writes a file as a whole: an earlier file of that name stays until the new one is complete.

use std::fs::{self, File, OpenOptions};
use std::io;
use std::path::{Path, PathBuf};

/// Who can read a new file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Readers {
    /// The system's default.
    Usual,
    /// Only its owner, because it holds what was sent and received.
    Owner,
}

/// A file that replaces another once it is complete. Dropping it leaves the other unchanged.
#[derive(Debug)]
pub(crate) struct Replacement {
    /// The unfinished file and its final path; `None` if the file is written in place.
    unfinished: Option<(PathBuf, PathBuf)>,
}

impl Replacement {
    /// Begins a file at `path`. A pipe or a device is written in place, and so is a file whose folder
    /// can't hold another.
    pub(crate) fn begin(path: &Path, readers: Readers) -> io::Result<(File, Self)> {
        let in_place = || {
            let file = create(path, readers)?;
            Ok((file, Self { unfinished: None }))
        };
        // Such as `/dev/stdout`, which can be a file to which others write, too.
        if is_of_system(path) {
            return in_place();
        }
        // A link stays a link.
        let path = fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
        if fs::metadata(&path).is_ok_and(|metadata| !metadata.is_file()) {
            return in_place();
        }
        let Some(name) = path.file_name() else {
            return in_place();
        };
        let name = format!(".{}.{}.part", name.to_string_lossy(), std::process::id());
        let part = path.with_file_name(name);
        let _ = fs::remove_file(&part);
        match create(&part, readers) {
            Ok(file) => {
                let unfinished = Some((part, path));
                Ok((file, Self { unfinished }))
            }
            Err(_) => in_place(),
        }
    }

    /// Puts the complete file in its place.
    pub(crate) fn commit(mut self) -> io::Result<()> {
        let Some((part, path)) = &self.unfinished else {
            return Ok(());
        };
        if fs::rename(part, path).is_err() {
            // Such as a single file that is mounted into a container.
            fs::copy(part, path)?;
            fs::remove_file(part)?;
        }
        self.unfinished = None;
        Ok(())
    }
}

impl Drop for Replacement {
    fn drop(&mut self) {
        if let Some((part, _)) = &self.unfinished {
            let _ = fs::remove_file(part);
        }
    }
}

/// Creates a file, or empties it. A file that only its owner may read is never readable by others, not
/// even if it existed.
pub(crate) fn create(path: &Path, readers: Readers) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    if readers == Readers::Owner {
        use std::os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _};
        let file = options.mode(0o600).open(path)?;
        if file.metadata()?.is_file() {
            file.set_permissions(fs::Permissions::from_mode(0o600))?;
        }
        return Ok(file);
    }
    options.open(path)
}

/// Whether a path names an open file or a device.
pub(crate) fn is_of_system(path: &Path) -> bool {
    path.starts_with("/dev") || path.starts_with("/proc")
}

/// Whether two paths lead to the same file, which need not exist yet.
pub(crate) fn is_same_file(one: &Path, other: &Path) -> bool {
    if let (Ok(one), Ok(other)) = (fs::metadata(one), fs::metadata(other)) {
        #[cfg(unix)]
        {
            use std::os::unix::fs::MetadataExt as _;
            return one.is_file() && (one.dev(), one.ino()) == (other.dev(), other.ino());
        }
        #[cfg(not(unix))]
        if !one.is_file() || !other.is_file() {
            return false;
        }
    }
    absolute(one) == absolute(other)
}

/// The path without links in its folder and without `.` and `..`.
fn absolute(path: &Path) -> Option<PathBuf> {
    let folder = match path.parent() {
        Some(folder) if folder != Path::new("") => folder,
        _ => Path::new("."),
    };
    let whole = std::path::absolute(path).ok()?;
    let canonical = fs::canonicalize(folder);
    Some(canonical.map_or(whole.clone(), |folder| {
        whole
            .file_name()
            .map_or(whole.clone(), |name| folder.join(name))
    }))
}
