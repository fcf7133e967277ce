//! Stops a load, and tells its workers the stage that it is in.

use std::time::Instant;

use tokio::sync::watch;

/// Stops a load. Clones stop the same load.
#[derive(Debug, Clone)]
pub(crate) struct StopHandle(watch::Sender<Stage>);

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Stage {
    Connecting,
    /// Events are sent, starting at this time.
    Running(Instant),
    /// No attempt starts any more; those in flight may end.
    Finishing,
    /// Attempts in flight are abandoned.
    Aborted,
}

impl Default for StopHandle {
    fn default() -> Self {
        Self(watch::Sender::new(Stage::Connecting))
    }
}

impl StopHandle {
    pub(crate) fn finish(&self) {
        self.advance(Stage::Finishing);
    }

    pub(crate) fn abort(&self) {
        self.advance(Stage::Aborted);
    }

    pub(crate) fn is_stopped(&self) -> bool {
        *self.0.borrow() >= Stage::Finishing
    }

    pub(super) fn watch(&self) -> watch::Receiver<Stage> {
        self.0.subscribe()
    }

    /// Advances to a stage; never goes back.
    pub(super) fn advance(&self, stage: Stage) {
        self.0.send_if_modified(|present| {
            let advances = stage > *present;
            if advances {
                *present = stage;
            }
            advances
        });
    }
}
