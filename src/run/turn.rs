//! When the scenarios of a run go on: some at the same time, and those that wait for all others after them.

use tokio::sync::{Semaphore, SemaphorePermit, watch};

/// The turns of scenarios that run at the same time.
#[derive(Debug)]
pub(super) struct Turns {
    jobs: u32,
    free: Semaphore,
    /// How many scenarios that wait for no others have not ended.
    others: watch::Sender<usize>,
}

/// The turn of one scenario, which ends when it is dropped.
#[derive(Debug, Default)]
pub(crate) struct Turn<'run> {
    /// Nothing for a scenario that runs without others.
    of: Option<(&'run Turns, SemaphorePermit<'run>)>,
    /// Whether others can't run before it ends, because they use the same players.
    holds_others_up: bool,
}

/// That a scenario can't wait for the others, because they wait for its players.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct SharesPlayers;

impl Turns {
    /// Turns for scenarios of which at most `jobs` run at the same time. `others` of them wait for no
    /// others, and must be reported as [ended](Self::end).
    pub(super) fn new(jobs: usize, others: usize) -> Self {
        let jobs = u32::try_from(jobs).unwrap_or(u32::MAX);
        Self {
            jobs,
            free: Semaphore::new(jobs as usize),
            others: watch::Sender::new(others),
        }
    }

    /// Waits for a turn beside others.
    pub(super) async fn begin(&self, holds_others_up: bool) -> Turn<'_> {
        self.take(1, holds_others_up).await
    }

    async fn take(&self, permits: u32, holds_others_up: bool) -> Turn<'_> {
        let permit = self.free.acquire_many(permits).await;
        Turn {
            of: permit.ok().map(|permit| (self, permit)),
            holds_others_up,
        }
    }

    /// That a scenario that waits for no others has ended, or does not run.
    pub(super) fn end(&self) {
        self.others.send_modify(|others| *others -= 1);
    }
}

impl Turn<'_> {
    /// Gives the turn to others until all that wait for no others have ended. From then on, the scenario
    /// runs alone.
    pub(super) async fn after_others(&mut self) -> Result<(), SharesPlayers> {
        if self.holds_others_up {
            return Err(SharesPlayers);
        }
        if let Some((turns, permit)) = self.of.take() {
            drop(permit);
            // The sender lives as long as `turns`.
            let _ = turns
                .others
                .subscribe()
                .wait_for(|others| *others == 0)
                .await;
            *self = turns.take(turns.jobs, false).await;
        }
        Ok(())
    }
}
