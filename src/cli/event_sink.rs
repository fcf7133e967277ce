//! Passes the events of a run to the snapshot review, the journal and the reports.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError, mpsc};

use super::CommandError;
use crate::run::{CreateJournalError, JournalWriter, RunEnded, RunEvent, ScenarioResults};
use crate::snapshots::SnapshotReview;
use crate::verify::Verdict;

pub(super) struct Recording {
    folder: PathBuf,
    writer: JournalWriter<File>,
}

impl Recording {
    pub(super) fn create(folder: &Path) -> Result<Self, CommandError> {
        let writer = JournalWriter::create(folder).map_err(|error| {
            let help = match &error {
                CreateJournalError::Exists(_) => "record to another folder, or delete this one",
                CreateJournalError::Unwritable { .. } => "use a writable folder",
            };
            CommandError::usage(error.to_string()).with_help(help)
        })?;
        let folder = folder.to_owned();
        Ok(Self { folder, writer })
    }

    fn finish(self) -> Result<(), CommandError> {
        let Self { folder, writer } = self;
        writer.finish().map_err(|error| {
            let folder = folder.display();
            let message = format!("the recording in {folder} is incomplete: {error}");
            CommandError::not_completed(message)
        })
    }
}

/// Receives the events of a run.
///
/// The snapshot review sees an event first and can change it. The end of the run then gets what changed
/// since the baseline. The event is written to the journal before the run continues and before any
/// report sees it. A lock keeps the events in the same order in the journal and in the reports.
pub(super) struct EventSink<'run> {
    consumers: Mutex<Consumers>,
    stop_on_failure: Option<&'run AtomicBool>,
}

struct Consumers {
    review: Option<SnapshotReview>,
    /// The results of an earlier run.
    baseline: Option<ScenarioResults>,
    results: ScenarioResults,
    recording: Option<Recording>,
    reports: mpsc::Sender<RunEvent>,
    ended: Option<RunEnded>,
}

impl<'run> EventSink<'run> {
    /// A failed scenario sets `stop_on_failure`. That happens here because a snapshot difference can
    /// make a scenario fail.
    pub(super) fn new(
        review: Option<SnapshotReview>,
        baseline: Option<ScenarioResults>,
        stop_on_failure: Option<&'run AtomicBool>,
        recording: Option<Recording>,
        reports: mpsc::Sender<RunEvent>,
    ) -> Self {
        let consumers = Mutex::new(Consumers {
            review,
            baseline,
            results: ScenarioResults::default(),
            recording,
            reports,
            ended: None,
        });
        Self {
            consumers,
            stop_on_failure,
        }
    }

    pub(super) fn accept(&self, event: RunEvent) {
        let consumers = self.consumers.lock();
        let mut consumers = consumers.unwrap_or_else(PoisonError::into_inner);
        let consumers = &mut *consumers;
        let events = match &mut consumers.review {
            Some(review) => review.process(event),
            None => vec![event],
        };
        for mut event in events {
            consumers.results.observe(&event);
            if let (RunEvent::RunEnded(ended), Some(baseline)) = (&mut event, &consumers.baseline) {
                ended.since_baseline = Some(consumers.results.changes_since(baseline));
            }
            match (&event, self.stop_on_failure) {
                (RunEvent::ScenarioEnded(ended), Some(stop))
                    if ended.verdict == Verdict::Failed =>
                {
                    stop.store(true, Ordering::Relaxed);
                }
                (RunEvent::RunEnded(ended), _) => consumers.ended = Some(ended.clone()),
                _ => {}
            }
            if let Some(recording) = &mut consumers.recording {
                recording.writer.write(&event);
            }
            // The run continues to its verdict even if the report thread has ended.
            _ = consumers.reports.send(event);
        }
    }

    /// Closes the journal and the channel to the reports. Returns the last event of the run, if it was
    /// completed, and whether the journal was written completely.
    pub(super) fn finish(self) -> (Option<RunEnded>, Result<(), CommandError>) {
        let consumers = self.consumers.into_inner();
        let consumers = consumers.unwrap_or_else(PoisonError::into_inner);
        let recorded = consumers.recording.map_or(Ok(()), Recording::finish);
        (consumers.ended, recorded)
    }
}
