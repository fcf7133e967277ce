//! Writes a journal during a run.
//!
//! Each line is passed to the operating system in one write before the run continues, so every
//! event is in the file even if the program is killed right after it. A power failure can still
//! lose lines that the system has not written to disk.

use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use super::JOURNAL_FILE_NAME;
use crate::run::run_event::RunEvent;

#[derive(Debug, thiserror::Error)]
pub(crate) enum CreateJournalError {
    #[error("{} already exists, and a recorded run is never overwritten", .0.display())]
    Exists(PathBuf),
    #[error("failed to record the run in {}: {reason}", folder.display())]
    Unwritable { folder: PathBuf, reason: io::Error },
}

#[derive(Debug)]
pub(crate) struct JournalWriter<W> {
    out: W,
    failed: Option<io::Error>,
}

impl JournalWriter<File> {
    /// Creates a journal in a folder, and the folder if it does not exist. On Unix, only the owner
    /// can read the file, because it contains player IDs and full responses.
    pub(crate) fn create(folder: &Path) -> Result<Self, CreateJournalError> {
        let path = folder.join(JOURNAL_FILE_NAME);
        let unwritable = |reason| CreateJournalError::Unwritable {
            folder: folder.to_owned(),
            reason,
        };
        std::fs::create_dir_all(folder).map_err(unwritable)?;
        match private().open(&path) {
            Ok(file) => Ok(Self::new(file)),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                Err(CreateJournalError::Exists(path))
            }
            Err(error) => Err(unwritable(error)),
        }
    }

    /// Syncs the journal to disk. Returns an error if a write failed.
    pub(crate) fn finish(self) -> io::Result<()> {
        match self.failed {
            Some(error) => Err(error),
            None => self.out.sync_all(),
        }
    }
}

impl<W: Write> JournalWriter<W> {
    /// Appends to `out`, which must not buffer.
    pub(crate) fn new(out: W) -> Self {
        Self { out, failed: None }
    }

    /// Appends one event. Writes nothing after a failure, so that the file stays readable. The run
    /// continues.
    pub(crate) fn write(&mut self, event: &RunEvent) {
        if self.failed.is_none() {
            self.failed = self.append(event).err();
        }
    }

    fn append(&mut self, event: &RunEvent) -> io::Result<()> {
        let mut line = serde_json::to_vec(event)?;
        line.push(b'\n');
        self.out.write_all(&line)?;
        self.out.flush()
    }
}

/// Options to create a new file that only its owner can access.
fn private() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::run::run_event::RunEnded;
    use crate::verify::VerdictCounts;

    /// Accepts a limited number of bytes, like a full disk.
    struct FullDisk {
        taken: Vec<u8>,
        room: usize,
    }

    impl Write for FullDisk {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            let taken = bytes.len().min(self.room);
            if taken == 0 {
                return Err(io::ErrorKind::StorageFull.into());
            }
            self.room -= taken;
            self.taken.extend_from_slice(&bytes[..taken]);
            Ok(taken)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn nothing_is_written_after_an_incomplete_line() {
        let event = RunEvent::RunEnded(RunEnded {
            scenarios: VerdictCounts::default(),
            checks: VerdictCounts::default(),
            not_run: 0,
            setup_problem: None,
            refused_items: None,
            receiver_stopped: false,
            likely_causes: Vec::new(),
            since_baseline: None,
            explored: None,
            took: Duration::ZERO,
            held_back: Duration::ZERO,
        });
        let line = serde_json::to_string(&event).expect("serialises");
        let mut disk = FullDisk {
            taken: Vec::new(),
            room: line.len() + 10,
        };
        let mut writer = JournalWriter::new(&mut disk);
        writer.write(&event);
        assert!(writer.failed.is_none());
        writer.write(&event);
        assert!(writer.failed.is_some());
        writer.out.room = 10_000;
        writer.write(&event);
        let expected = format!("{line}\n{}", &line[..9]);
        assert_eq!(String::from_utf8_lossy(&disk.taken), expected);
    }
}
