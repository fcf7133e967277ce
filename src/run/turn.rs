//! When the scenarios of a run go on: some at the same time, and those that wait for all others after them.

use std::collections::BTreeSet;

use tokio::sync::{Semaphore, SemaphorePermit, watch};

/// The turns of scenarios that run at the same time.
#[derive(Debug)]
pub(super) struct Turns {
    jobs: u32,
    free: Semaphore,
    left: watch::Sender<Left>,
}

/// The scenarios that have not ended.
#[derive(Debug)]
struct Left {
    /// How many wait for no others.
    others: usize,
    /// The places of those that wait for others. They go on one after another, in this order.
    waiting: BTreeSet<usize>,
}

/// The turn of one scenario, which ends when it is dropped.
#[derive(Debug, Default)]
pub(crate) struct Turn<'run> {
    /// Nothing for a scenario that runs without others.
    of: Option<(&'run Turns, SemaphorePermit<'run>)>,
    /// Among the scenarios that wait for the others. Nothing for one that does not wait.
    place: Option<usize>,
    /// Whether others can't run before it ends, because they use the same players.
    holds_others_up: bool,
}

/// That a scenario can't wait for the others, because they wait for its players.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct SharesPlayers;

impl Turns {
    /// Turns for scenarios of which at most `jobs` run at the same time: `waiting` that wait for the others,
    /// and `others` that do not. Each must be reported as [ended](Self::end).
    pub(super) fn new(jobs: usize, waiting: usize, others: usize) -> Self {
        let jobs = u32::try_from(jobs).unwrap_or(u32::MAX);
        let waiting = (0..waiting).collect();
        Self {
            jobs,
            free: Semaphore::new(jobs as usize),
            left: watch::Sender::new(Left { others, waiting }),
        }
    }

    /// Waits for a turn beside others. `place` is that of a scenario that waits for the others.
    pub(super) async fn begin(&self, place: Option<usize>, holds_others_up: bool) -> Turn<'_> {
        Turn {
            of: self.take(1).await,
            place,
            holds_others_up,
        }
    }

    async fn take(&self, permits: u32) -> Option<(&Self, SemaphorePermit<'_>)> {
        let permit = self.free.acquire_many(permits).await;
        permit.ok().map(|permit| (self, permit))
    }

    /// That a scenario has ended, or does not run.
    pub(super) fn end(&self, place: Option<usize>) {
        self.left.send_modify(|left| match place {
            Some(place) => _ = left.waiting.remove(&place),
            None => left.others -= 1,
        });
    }
}

impl Turn<'_> {
    /// Gives the turn to others until all have ended but those that wait behind this one. From then on, the
    /// scenario runs alone.
    pub(super) async fn after_others(&mut self) -> Result<(), SharesPlayers> {
        if self.holds_others_up {
            return Err(SharesPlayers);
        }
        if let Some((turns, permit)) = self.of.take() {
            drop(permit);
            let is_next =
                |left: &Left| left.others == 0 && left.waiting.first() == self.place.as_ref();
            // The sender lives as long as `turns`.
            let _ = turns.left.subscribe().wait_for(is_next).await;
            self.of = turns.take(turns.jobs).await;
        }
        Ok(())
    }
}
