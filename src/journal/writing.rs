//! Writes a journal while the run goes on.
//!
//! A line is handed to the operating system whole, in one piece, before the run goes on: what has
//! ended is in the file, even if the program is killed in the next moment. A loss of power can
//! still take what the system had not yet brought to the disk.

use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use super::JOURNAL_FILE_NAME;
use crate::harness::RunEvent;

/// Why there can be no journal in a folder.
#[derive(Debug, thiserror::Error)]
pub enum CreateJournalError {
    /// There is one already, which is never written over.
    #[error("{} is there already, and a recorded run is never written over", .0.display())]
    Exists(PathBuf),
    /// The folder or the file can't be made.
    #[error("the run can't be recorded in {}: {reason}", folder.display())]
    Unwritable {
        /// The folder.
        folder: PathBuf,
        /// What the system says.
        reason: io::Error,
    },
}

/// Appends run events to a journal.
#[derive(Debug)]
pub struct JournalWriter<W> {
    out: W,
    failed: Option<io::Error>,
}

impl JournalWriter<File> {
    /// Begins a journal in a folder, which is made if it is not there. On Unix the file can be read
    /// by its owner alone: it holds players' IDs and whole answers.
    pub fn create(folder: &Path) -> Result<Self, CreateJournalError> {
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

    /// Brings the journal to the disk, and says whether all of it could be written.
    pub fn finish(self) -> io::Result<()> {
        match self.failed {
            Some(error) => Err(error),
            None => self.out.sync_all(),
        }
    }
}

impl<W: Write> JournalWriter<W> {
    /// Appends to `out`, which must not hold lines back.
    pub fn new(out: W) -> Self {
        Self { out, failed: None }
    }

    /// Appends one event. After a failure nothing more is written, so that what is there stays
    /// readable; the run goes on all the same.
    pub fn write(&mut self, event: &RunEvent) {
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

/// A new file for its owner alone.
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
    use crate::harness::{Counts, RunEnded};

    /// Takes so many bytes and then no more, as a disk that is full.
    struct Full {
        taken: Vec<u8>,
        room: usize,
    }

    impl Write for Full {
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
    fn after_a_failure_nothing_follows_the_torn_line() {
        let event = RunEvent::RunEnded(RunEnded {
            scenarios: Counts::default(),
            checks: Counts::default(),
            not_run: 0,
            took: Duration::ZERO,
            held_back: Duration::ZERO,
        });
        let line = serde_json::to_string(&event).expect("serialises");
        let mut full = Full {
            taken: Vec::new(),
            room: line.len() + 10,
        };
        let mut writer = JournalWriter::new(&mut full);
        writer.write(&event);
        assert!(writer.failed.is_none());
        writer.write(&event);
        assert!(writer.failed.is_some());
        writer.out.room = 10_000;
        writer.write(&event);
        let expected = format!("{line}\n{}", &line[..9]);
        assert_eq!(String::from_utf8_lossy(&full.taken), expected);
    }
}
