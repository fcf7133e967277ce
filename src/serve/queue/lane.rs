//! The lane of one webhook: takes its due deliveries from the data file, and makes several attempts at the
//! same time, unless their order is kept.

use std::collections::{HashSet, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{Notify, watch};
use tokio::task::JoinSet;

use super::attempt::{SharedEndpoint, Transport};
use crate::serve::database::Database;
use crate::serve::error::HubError;
use crate::serve::random::HubRandom;
use crate::serve::store::queue::{QueuedDelivery, due, next_due, oldest, save_attempt};

/// How many attempts of a webhook are in flight at the same time. `[A]`
const IN_FLIGHT: usize = 64;
/// How many deliveries to read at once.
const READ_AHEAD: usize = 512;
/// How long to wait before reading again if the data file failed, or if nothing is due.
const FAILURE_PAUSE: Duration = Duration::from_secs(1);
const LONGEST_SLEEP: Duration = Duration::from_mins(1);

/// What a lane works with.
#[derive(Debug, Clone)]
pub(super) struct LaneTools {
    pub(super) database: Database,
    pub(super) transport: Arc<Transport>,
    pub(super) random: HubRandom,
}

/// The lane of a webhook, which runs until its endpoint's sender is dropped.
pub(super) struct Lane {
    pub(super) tools: LaneTools,
    pub(super) webhook_id: String,
    /// The present endpoint; `None` while nothing is to be sent.
    pub(super) endpoint: watch::Receiver<Option<SharedEndpoint>>,
    /// Notified if a delivery may have become due.
    pub(super) wake: Arc<Notify>,
}

/// The deliveries that a lane has in memory.
#[derive(Default)]
struct Work {
    /// Read, but not begun.
    ready: VecDeque<QueuedDelivery>,
    /// The IDs of those that are read or begun, and whose result is not committed. The data file still
    /// says that they are due.
    taken: HashSet<i64>,
    attempts: JoinSet<(i64, Result<(), HubError>)>,
    /// Whether the data file may have more that is due.
    may_have_more: bool,
    /// When to look at the data file again.
    sleep: Duration,
    /// Whether the data file failed, so that what was sent may not be recorded.
    has_failed: bool,
}

impl Lane {
    pub(super) async fn run(mut self) {
        let mut work = Work {
            may_have_more: true,
            ..Work::default()
        };
        loop {
            if std::mem::take(&mut work.has_failed) {
                // What is not recorded is still due. A full disk must not become a flood.
                tokio::time::sleep(FAILURE_PAUSE).await;
            }
            let endpoint = self.endpoint.borrow_and_update().clone();
            match &endpoint {
                Some(endpoint) => self.begin_due(endpoint, &mut work).await,
                // Nothing more begins. What is in flight ends.
                None => work.forget_ready(),
            }
            let is_active = endpoint.is_some();
            tokio::select! {
                Some(ended) = work.attempts.join_next() => work.end(ended),
                changed = self.endpoint.changed() => {
                    if changed.is_err() {
                        break;
                    }
                    // Its order, or its webhook, may be another one.
                    work.forget_ready();
                    work.may_have_more = true;
                }
                () = self.wake.notified() => work.may_have_more = true,
                () = tokio::time::sleep(work.sleep), if is_active => work.may_have_more = true,
            }
            while let Some(ended) = work.attempts.try_join_next() {
                work.end(ended);
            }
        }
        while work.attempts.join_next().await.is_some() {}
    }

    /// Begins as many due deliveries as can be in flight.
    async fn begin_due(&self, endpoint: &SharedEndpoint, work: &mut Work) {
        let ordered = endpoint.webhook.delivery.ordered;
        let most = if ordered { 1 } else { IN_FLIGHT };
        if work.ready.len() < IN_FLIGHT && work.may_have_more {
            let read = if ordered {
                self.read_oldest(work).await
            } else {
                self.read_due(work).await
            };
            work.has_failed |= read.is_err();
        }
        while work.attempts.len() < most
            && let Some(queued) = work.ready.pop_front()
        {
            let (tools, endpoint) = (self.tools.clone(), Arc::clone(endpoint));
            work.attempts.spawn(attempt(tools, endpoint, queued));
        }
    }

    async fn read_due(&self, work: &mut Work) -> Result<(), HubError> {
        let (id, now) = (self.webhook_id.clone(), self.tools.transport.clock.now());
        let limit = READ_AHEAD + work.taken.len();
        let read = self.tools.database.read_queue(move |connection| {
            let found = due(connection, &id, now, limit)?;
            Ok((next_due(connection, &id, now)?, found))
        });
        let (next, found) = read.await?;
        // With fewer than the limit, nothing else is due before `next`.
        work.may_have_more = found.len() >= limit;
        work.sleep = until(next, now);
        for queued in found {
            if work.taken.insert(queued.delivery.id) {
                work.ready.push_back(queued);
            }
        }
        Ok(())
    }

    /// Reads the oldest delivery, if it is due. The others wait for it.
    async fn read_oldest(&self, work: &mut Work) -> Result<(), HubError> {
        work.may_have_more = false;
        work.sleep = LONGEST_SLEEP;
        if !work.taken.is_empty() {
            return Ok(());
        }
        let id = self.webhook_id.clone();
        let read = self
            .tools
            .database
            .read_queue(move |connection| oldest(connection, &id));
        if let Some(queued) = read.await? {
            let now = self.tools.transport.clock.now();
            if queued.delivery.due_at <= now {
                work.taken.insert(queued.delivery.id);
                work.ready.push_back(queued);
            } else {
                work.sleep = until(Some(queued.delivery.due_at), now);
            }
        }
        Ok(())
    }
}

impl Work {
    fn forget_ready(&mut self) {
        for queued in self.ready.drain(..) {
            self.taken.remove(&queued.delivery.id);
        }
    }

    fn end(&mut self, ended: Result<(i64, Result<(), HubError>), tokio::task::JoinError>) {
        match ended {
            Ok((id, saved)) => {
                self.taken.remove(&id);
                self.has_failed |= saved.is_err();
            }
            Err(_) => self.has_failed = true,
        }
        // A retry may be due earlier than what the lane sleeps for, and an ordered lane continues.
        self.may_have_more = true;
    }
}

/// Makes an attempt, and returns once its result is committed.
async fn attempt(
    tools: LaneTools,
    endpoint: SharedEndpoint,
    queued: QueuedDelivery,
) -> (i64, Result<(), HubError>) {
    let id = queued.delivery.id;
    let mut random = tools.random.fork();
    let Some(effect) = endpoint
        .attempt(&tools.transport, queued, &mut random)
        .await
    else {
        return (id, Ok(()));
    };
    let saved = tools
        .database
        .write(move |connection| save_attempt(connection, &effect));
    (id, saved.await)
}

fn until(due: Option<i64>, now: i64) -> Duration {
    let wait = due.map(|due| u64::try_from(due.saturating_sub(now)).unwrap_or_default());
    // Timers are accurate to a millisecond.
    let wait = wait.map(|wait| Duration::from_millis(wait.saturating_add(1)));
    wait.unwrap_or(LONGEST_SLEEP).min(LONGEST_SLEEP)
}
