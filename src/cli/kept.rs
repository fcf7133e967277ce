//! Where the events of a run go: past the reviewed snapshots, if they are compared, into its journal,
//! if it is kept, and to the reports.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError, mpsc};

use super::command_error::CommandError;
use crate::harness::{RunEnded, RunEvent, Verdict};
use crate::journal::{CreateJournalError, JournalWriter};
use crate::snapshots::SnapshotReview;

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

    fn end(self) -> Result<(), CommandError> {
        let Self { folder, writer } = self;
        writer.finish().map_err(|error| {
            let folder = folder.display();
            let message = format!("the run could not be recorded to its end in {folder}: {error}");
            CommandError::not_completed(message, None)
        })
    }
}

/// Takes the events of a run.
///
/// An event is in the journal before the run goes on, and before any report sees it. One lock goes
/// around both, so that the journal and the reports have the events in the same order. Where
/// snapshots are compared, that comes first: the journal and the reports get what is made of them.
pub(super) struct Told<'run> {
    takers: Mutex<Takers>,
    stop_on_failure: Option<&'run AtomicBool>,
}

/// What is known once the run is over.
pub(super) struct Kept {
    /// What came of the run, if it came to its end.
    pub(super) ended: Option<RunEnded>,
    /// Whether the journal could be written, if there is one.
    pub(super) recorded: Result<(), CommandError>,
}

struct Takers {
    review: Option<SnapshotReview>,
    recording: Option<Recording>,
    reports: mpsc::Sender<RunEvent>,
    ended: Option<RunEnded>,
}

impl<'run> Told<'run> {
    /// A failed scenario sets `stop_on_failure`: what a snapshot shows is known here first.
    pub(super) fn new(
        review: Option<SnapshotReview>,
        stop_on_failure: Option<&'run AtomicBool>,
        recording: Option<Recording>,
        reports: mpsc::Sender<RunEvent>,
    ) -> Self {
        let takers = Mutex::new(Takers {
            review,
            recording,
            reports,
            ended: None,
        });
        Self {
            takers,
            stop_on_failure,
        }
    }

    /// Takes one event.
    pub(super) fn tell(&self, event: RunEvent) {
        let mut takers = self.takers.lock().unwrap_or_else(PoisonError::into_inner);
        let events = match &mut takers.review {
            Some(review) => review.process(event),
            None => vec![event],
        };
        for event in events {
            match (&event, self.stop_on_failure) {
                (RunEvent::ScenarioEnded(ended), Some(stop))
                    if ended.verdict == Verdict::Failed =>
                {
                    stop.store(true, Ordering::Relaxed);
                }
                (RunEvent::RunEnded(ended), _) => takers.ended = Some(ended.clone()),
                _ => {}
            }
            takers.take(event);
        }
    }

    /// The run is over: the reports get no more, and the journal is closed.
    pub(super) fn end(self) -> Kept {
        let takers = self.takers.into_inner();
        let takers = takers.unwrap_or_else(PoisonError::into_inner);
        Kept {
            ended: takers.ended,
            recorded: takers.recording.map_or(Ok(()), Recording::end),
        }
    }
}

impl Takers {
    /// Where nobody reads the events any more, the run still comes to its verdict.
    fn take(&mut self, event: RunEvent) {
        if let Some(recording) = &mut self.recording {
            recording.writer.write(&event);
        }
        _ = self.reports.send(event);
    }
}
