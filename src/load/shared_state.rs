//! What the workers and the pacer of a load share.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use tokio::sync::Semaphore;

use super::live_stats::LiveStats;
use super::receiver_stop::StopWatch;
use super::settings::LoadSettings;
use super::setup_watch::SetupWatch;
use super::stop_handle::StopHandle;
use super::timetable::Timetable;
use crate::delivery::Clock;
use crate::protocol::Signer;
use crate::transport::{Client, ExtraHeaders, Target};

#[derive(Debug)]
pub(crate) struct LoadRun {
    pub settings: LoadSettings,
    pub client: Client,
    pub target: Target,
    /// Headers to add to every delivery.
    pub headers: ExtraHeaders,
    pub signer: Signer,
    pub clock: Clock,
    pub live: Arc<LiveStats>,
    /// Watches the first responses; `None` if the set-up is not checked.
    pub setup: Option<Arc<SetupWatch>>,
}

/// The state shared by all workers. Events are handed out by counters, so the threads need no queue.
#[derive(Debug)]
pub(super) struct SharedState {
    pub(super) run: LoadRun,
    pub(super) timetable: Timetable,
    pub(super) stop: StopHandle,
    pub(super) receiver_stops: StopWatch,
    /// The index of the next event in this shard.
    next: AtomicU64,
    /// How many measured events were claimed at the rate `max`.
    measured: AtomicU64,
    /// A permit for each event that is due.
    released: Semaphore,
    /// The total number of events, once known.
    total: AtomicU64,
    /// When a worker first found that no new event follows.
    exhausted: OnceLock<Instant>,
    /// When no new event may start any more, after the start.
    cutoff: Option<Duration>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Claim {
    pub(super) index: u64,
    pub(super) measured: bool,
}

impl SharedState {
    pub(super) fn new(run: LoadRun, stop: StopHandle) -> Self {
        let timetable = Timetable::new(&run.settings);
        // A hung attempt keeps its connection busy for a timeout, which says little about the rate.
        let grace = run.settings.drain.max(run.settings.retry.timeout.0);
        Self {
            timetable,
            cutoff: timetable.cutoff(grace),
            stop,
            receiver_stops: StopWatch::default(),
            next: AtomicU64::new(0),
            measured: AtomicU64::new(0),
            released: Semaphore::new(0),
            total: AtomicU64::new(u64::MAX),
            exhausted: OnceLock::new(),
            run,
        }
    }

    pub(super) fn release(&self, count: usize) {
        self.released.add_permits(count);
    }

    /// Announces the total number of events, all of which were released.
    pub(super) fn release_no_more(&self, total: u64) {
        self.total.store(total, Ordering::SeqCst);
        // One permit per connection, so that each learns that no event follows.
        self.released
            .add_permits(self.run.settings.connections.get());
    }

    /// Waits for the next due event; `None` if no event follows, or if it is too late for one.
    pub(super) async fn claim_due(&self, start: Option<Instant>) -> Option<Claim> {
        let permit = self.released.acquire().await.ok()?;
        permit.forget();
        let since_start = start.map(|start| start.elapsed());
        if since_start
            .zip(self.cutoff)
            .is_some_and(|(now, cutoff)| now >= cutoff)
        {
            return self.no_more();
        }
        let index = self.next.fetch_add(1, Ordering::SeqCst);
        if index >= self.total.load(Ordering::SeqCst) {
            return self.no_more();
        }
        let number = self.timetable.shard.number(index);
        let measured = number >= self.timetable.warmup_events;
        Some(Claim { index, measured })
    }

    /// The next event at the rate `max`; `None` if no event follows.
    pub(super) fn claim_at_once(&self, since_start: Duration) -> Option<Claim> {
        let timetable = &self.timetable;
        let measured = since_start >= timetable.warmup;
        let last = timetable.last_start();
        if last.is_some_and(|last| since_start >= last) {
            return self.no_more();
        }
        if let (true, Some(most)) = (measured, timetable.most_measured())
            && self.measured.fetch_add(1, Ordering::SeqCst) >= most
        {
            return self.no_more();
        }
        let index = self.next.fetch_add(1, Ordering::SeqCst);
        Some(Claim { index, measured })
    }

    fn no_more(&self) -> Option<Claim> {
        self.exhausted.get_or_init(Instant::now);
        None
    }

    /// The time limit for retries and duplicates, once no new event follows.
    pub(super) fn drain_deadline(&self) -> Option<Instant> {
        let exhausted = self.exhausted.get()?;
        exhausted.checked_add(self.run.settings.drain)
    }

    /// How many events of the warm-up and after it were due and not claimed.
    pub(super) fn unsent(&self) -> (u64, u64) {
        let (started, warmup) = (self.started(), self.timetable.own_warmup_events());
        let all = self.timetable.own_events().unwrap_or_default();
        let of_warmup = warmup.saturating_sub(started);
        (of_warmup, all.saturating_sub(started.max(warmup)))
    }

    /// How many events were claimed, limited to the total.
    pub(super) fn started(&self) -> u64 {
        let next = self.next.load(Ordering::SeqCst);
        next.min(self.total.load(Ordering::SeqCst))
    }
}
