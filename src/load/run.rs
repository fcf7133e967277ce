//! Runs a load: starts the workers and the pacer, and collects their results.

use std::io;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::channel;
use std::sync::{Arc, Barrier, OnceLock};
use std::thread;
use std::time::{Duration, Instant};

use jiff::Timestamp;
use tokio::sync::{Semaphore, watch};

use super::live_stats::LiveStats;
use super::measurements::Measurements;
use super::mix_report::MixCounts;
use super::pacer::pace;
use super::required_grants::Unacknowledged;
use super::second_recorder::gather;
use super::settings::LoadSettings;
use super::stalls::Stalls;
use super::timetable::Timetable;
use super::worker;
use super::worker_stats::WorkerStats;
use crate::delivery::Clock;
use crate::protocol::Signer;
use crate::transport::{Client, Target};

/// A load that is ready to run.
#[derive(Debug)]
pub struct LoadRun {
    /// The settings of the load.
    pub settings: LoadSettings,
    /// Opens connections.
    pub client: Client,
    /// The target of all deliveries.
    pub target: Target,
    /// Signs with the webhook's secret.
    pub signer: Signer,
    /// The clock for timestamps.
    pub clock: Clock,
    /// Receives live statistics, if wanted.
    pub live: Option<Arc<LiveStats>>,
}

/// The result of a load.
#[derive(Debug)]
pub struct LoadResult {
    /// All counters and histograms.
    pub measurements: Measurements,
    /// When the measured part began.
    pub began: Timestamp,
    /// How many events of this shard were started, including the warm-up. They are its first ones.
    pub started: u64,
    /// The events that were not acknowledged.
    pub unacknowledged: Unacknowledged,
    /// The numbers of accepted forgeries; if there are too many, the first of each worker.
    pub accepted_forgeries: Vec<u64>,
    /// The counters of the mix.
    pub mix_counts: Vec<MixCounts>,
    /// Whether it was stopped early.
    pub interrupted: bool,
}

/// Stops a load. Clones stop the same load.
#[derive(Debug, Clone)]
pub struct StopHandle(watch::Sender<Stage>);

/// The stage of a load.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Stage {
    /// Connections are being opened.
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
    /// Starts no more attempts; those in flight may end.
    pub fn finish(&self) {
        self.advance(Stage::Finishing);
    }

    /// Abandons the attempts in flight.
    pub fn abort(&self) {
        self.advance(Stage::Aborted);
    }

    /// Whether it was stopped.
    pub fn is_stopped(&self) -> bool {
        *self.0.borrow() >= Stage::Finishing
    }

    pub(super) fn may_start(&self) -> bool {
        !self.is_stopped()
    }

    pub(super) fn watch(&self) -> watch::Receiver<Stage> {
        self.0.subscribe()
    }

    /// Advances to a stage; never goes back.
    fn advance(&self, stage: Stage) {
        self.0.send_if_modified(|present| {
            let advances = stage > *present;
            if advances {
                *present = stage;
            }
            advances
        });
    }
}

/// The state shared by all workers. Events are handed out by counters, so the threads need no queue.
#[derive(Debug)]
pub(super) struct SharedState {
    pub(super) run: LoadRun,
    pub(super) timetable: Timetable,
    pub(super) stop: StopHandle,
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
}

/// An event that a connection may start.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Claim {
    /// The index in this shard.
    pub(super) index: u64,
    pub(super) measured: bool,
}

impl SharedState {
    /// Releases events that are due.
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

    /// Waits for the next due event; `None` if no event follows.
    pub(super) async fn claim_due(&self) -> Option<Claim> {
        let permit = self.released.acquire().await.ok()?;
        permit.forget();
        let index = self.next.fetch_add(1, Ordering::SeqCst);
        if index >= self.total.load(Ordering::SeqCst) {
            return self.no_more();
        }
        let measured = !self.timetable.is_warmup(self.timetable.number(index));
        Some(Claim { index, measured })
    }

    /// The next event at the rate `max`; `None` if no event follows.
    pub(super) fn claim_at_once(&self, since_start: Duration) -> Option<Claim> {
        let timetable = &self.timetable;
        let measured = since_start >= timetable.warmup();
        if timetable
            .last_start()
            .is_some_and(|last| since_start >= last)
        {
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

    /// How many events were claimed, limited to the total.
    fn started(&self) -> u64 {
        let next = self.next.load(Ordering::SeqCst);
        next.min(self.total.load(Ordering::SeqCst))
    }
}

impl LoadRun {
    /// Runs until the end or until stopped. Blocks; the workers have their own threads.
    pub fn run(self, stop: &StopHandle) -> io::Result<LoadResult> {
        let timetable = Timetable::new(&self.settings);
        let shared = SharedState {
            timetable,
            stop: stop.clone(),
            next: AtomicU64::new(0),
            measured: AtomicU64::new(0),
            released: Semaphore::new(0),
            total: AtomicU64::new(u64::MAX),
            exhausted: OnceLock::new(),
            run: self,
        };
        let settings = &shared.run.settings;
        let workers = settings.workers.min(settings.connections).get();
        let mut runtimes = Vec::new();
        for _ in 0..workers {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()?;
            runtimes.push(runtime);
        }
        let shared = Arc::new(shared);
        let ready = Barrier::new(workers + 1);
        let over = AtomicBool::new(false);
        let (shared, ready, over) = (&shared, &ready, &over);
        thread::scope(|scope| {
            let connections = shared.run.settings.connections.get();
            let (sender, seconds) = channel();
            let gathering = scope.spawn(move || gather(&seconds));
            let working: Vec<_> = runtimes
                .into_iter()
                .enumerate()
                .map(|(place, runtime)| {
                    let own = connections / workers + usize::from(place < connections % workers);
                    let sender = sender.clone();
                    scope.spawn(move || {
                        worker::work(Arc::clone(shared), &runtime, own, ready, sender)
                    })
                })
                .collect();
            // Gathering ends when the last worker drops its sender.
            drop(sender);
            ready.wait();
            let watching = scope.spawn(|| Stalls::watch(over));
            let (start, began) = (Instant::now(), Timestamp::now());
            let began = began.saturating_add(timetable.warmup()).unwrap_or(began);
            stop.advance(Stage::Running(start));
            let pacing = (!timetable.is_max()).then(|| scope.spawn(move || pace(shared, start)));
            let all_stats = working.into_iter().map(thread::ScopedJoinHandle::join);
            let all_stats: Result<Vec<WorkerStats>, _> = all_stats.collect();
            over.store(true, Ordering::Relaxed);
            let stalls = watching.join().unwrap_or_default();
            if let Some(pacing) = pacing {
                let _ = pacing.join();
            }
            let all_stats =
                all_stats.map_err(|_| io::Error::other("a worker ended unexpectedly"))?;
            let gathered = gathering.join();
            let over_time = gathered
                .map_err(|_| io::Error::other("the statistics thread ended unexpectedly"))?;
            let measurements = Measurements {
                over_time,
                stalls,
                ..Measurements::default()
            };
            Ok(result(shared, all_stats, start, began, measurements))
        })
    }
}

/// Adds up the statistics of all workers.
fn result(
    shared: &SharedState,
    all_stats: Vec<WorkerStats>,
    start: Instant,
    began: Timestamp,
    mut measurements: Measurements,
) -> LoadResult {
    let mut accepted_forgeries = Vec::new();
    let mut unacknowledged = Vec::new();
    let mut mix_counts = Vec::new();
    let mut last_started = None;
    for stats in all_stats {
        measurements.counts.add(&stats.measured);
        measurements.warmup.add(&stats.warmup);
        // All histograms of this process have the same bounds.
        let _ = measurements.latencies.add(&stats.latencies);
        stats.add_mix_counts_to(&mut mix_counts);
        accepted_forgeries.extend(stats.accepted_forgeries);
        unacknowledged.push(stats.unacknowledged);
        last_started = last_started.max(stats.last_started);
    }
    measurements.counts.count_unfinished();
    measurements.warmup.count_unfinished();
    accepted_forgeries.sort_unstable();
    let interrupted = shared.stop.is_stopped();
    let measured_from = start + shared.timetable.warmup();
    let actual = last_started.map_or(Duration::ZERO, |last| {
        last.saturating_duration_since(measured_from)
    });
    let planned = shared.timetable.planned_span().filter(|_| !interrupted);
    let span = planned.unwrap_or_default().max(actual);
    measurements.span_us = u64::try_from(span.as_micros()).unwrap_or(u64::MAX);
    LoadResult {
        measurements,
        began,
        started: shared.started(),
        unacknowledged: Unacknowledged::join(unacknowledged),
        accepted_forgeries,
        mix_counts,
        interrupted,
    }
}
