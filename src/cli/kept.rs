//! Where the events of a run go: into its journal, if it is kept, and to the reports.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError, mpsc};

use super::command_error::CommandError;
use crate::harness::RunEvent;
use crate::journal::{CreateJournalError, JournalWriter};

/// A journal that is being written, and its folder.
pub(super) struct Recording {
    folder: PathBuf,
    writer: JournalWriter<File>,
}

impl Recording {
    /// Begins the journal of a run.
    pub(super) fn begin(folder: &Path) -> Result<Self, CommandError> {
        let writer = JournalWriter::create(folder).map_err(|error| {
            let help = match &error {
                CreateJournalError::Exists(_) => {
                    "record into another folder, or delete this one if it is not needed any more"
                }
                CreateJournalError::Unwritable { .. } => "name a folder that can be written to",
            };
            CommandError::usage(error.to_string(), help.to_owned())
        })?;
        let folder = folder.to_owned();
        Ok(Self { folder, writer })
    }
}

/// Takes the events of a run.
///
/// An event is in the journal before the run goes on, and before any report sees it. One lock goes
/// around both, so that the journal and the reports have the events in the same order.
pub(super) struct Told(Mutex<Takers>);

struct Takers {
    recording: Option<Recording>,
    reports: mpsc::Sender<RunEvent>,
}

impl Told {
    pub(super) fn new(recording: Option<Recording>, reports: mpsc::Sender<RunEvent>) -> Self {
        Self(Mutex::new(Takers { recording, reports }))
    }

    /// Takes one event. Where nobody reads the events any more, the run still comes to its verdict.
    pub(super) fn tell(&self, event: RunEvent) {
        let mut takers = self.takers();
        if let Some(recording) = &mut takers.recording {
            recording.writer.write(&event);
        }
        _ = takers.reports.send(event);
    }

    /// The run is over, and so are the reports: says whether the journal could be written.
    pub(super) fn end(self) -> Result<(), CommandError> {
        let takers = self.0.into_inner().unwrap_or_else(PoisonError::into_inner);
        let Some(Recording { folder, writer }) = takers.recording else {
            return Ok(());
        };
        writer.finish().map_err(|error| {
            let folder = folder.display();
            let message = format!("the run could not be recorded to its end in {folder}: {error}");
            CommandError::not_completed(message, None)
        })
    }

    fn takers(&self) -> MutexGuard<'_, Takers> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
