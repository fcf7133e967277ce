//! A load from its first connection to its last answer: workers, the pacer, and the end.

use std::io;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::channel;
use std::sync::{Arc, Barrier, OnceLock};
use std::thread;
use std::time::{Duration, Instant};

use jiff::Timestamp;
use tokio::sync::{Semaphore, watch};

use super::demand::Unacknowledged;
use super::figures::Figures;
use super::live::Live;
use super::mix_report::MixCounts;
use super::pacer::pace;
use super::seconds::gather;
use super::settings::LoadSettings;
use super::stalls::Stalls;
use super::tally::Tally;
use super::timetable::Timetable;
use super::worker;
use crate::delivery::{Client, Clock, Target};
use crate::protocol::Signer;

/// A load that is ready to run.
#[derive(Debug)]
pub struct LoadRun {
    /// What it is asked to be.
    pub settings: LoadSettings,
    /// How connections are opened.
    pub client: Client,
    /// Where deliveries go.
    pub target: Target,
    /// Signs with the webhook's secret.
    pub signer: Signer,
    /// Tells the time of headers.
    pub clock: Clock,
    /// Where someone looks on, if anyone does.
    pub live: Option<Arc<Live>>,
}

/// What came of a load.
#[derive(Debug)]
pub struct LoadResult {
    /// The figures.
    pub figures: Figures,
    /// When figures began to be taken.
    pub began: Timestamp,
    /// How many events of this sender's share were begun, the warm-up among them: its first ones.
    pub begun: u64,
    /// The events that were not acknowledged.
    pub unacknowledged: Unacknowledged,
    /// The numbers of forgeries that were accepted; of very many, the first of each worker.
    pub accepted_forgeries: Vec<u64>,
    /// What was counted for each place of the mix.
    pub mixed: Vec<MixCounts>,
    /// Whether it was stopped before its time.
    pub interrupted: bool,
}

/// How far a load has got, and how it is stopped. Clones stop the same load.
#[derive(Debug, Clone)]
pub struct Stop(watch::Sender<Stage>);

/// How far a load has got.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Stage {
    /// Connections are opened.
    Connecting,
    /// Events leave, from this moment on.
    Running(Instant),
    /// Nothing is begun any more; what is under way ends.
    Finishing,
    /// Nothing is waited for.
    Aborted,
}

impl Default for Stop {
    fn default() -> Self {
        Self(watch::Sender::new(Stage::Connecting))
    }
}

impl Stop {
    /// Begins nothing more, and lets end what is under way.
    pub fn finish(&self) {
        self.advance(Stage::Finishing);
    }

    /// Waits for nothing.
    pub fn abort(&self) {
        self.advance(Stage::Aborted);
    }

    /// Whether it was stopped.
    pub fn is_stopped(&self) -> bool {
        *self.0.borrow() >= Stage::Finishing
    }

    pub(super) fn lets_begin(&self) -> bool {
        !self.is_stopped()
    }

    pub(super) fn watch(&self) -> watch::Receiver<Stage> {
        self.0.subscribe()
    }

    /// Goes on to a stage, never back.
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

/// What all workers share. Events are handed out by two numbers that go up: no queue is between
/// the threads.
#[derive(Debug)]
pub(super) struct Shared {
    pub(super) run: LoadRun,
    pub(super) timetable: Timetable,
    pub(super) stop: Stop,
    /// The index of the next event in this share.
    next: AtomicU64,
    /// How many measured events were claimed, where events leave as fast as they can.
    measured: AtomicU64,
    /// A permit for each event that is due.
    released: Semaphore,
    /// How many events there are in all, once that is known.
    total: AtomicU64,
    /// When it was first seen that no new event follows.
    exhausted: OnceLock<Instant>,
}

/// What a connection may begin.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Claim {
    /// The index in this share.
    pub(super) index: u64,
    pub(super) measured: bool,
}

impl Shared {
    /// Lets so many events go that are due now.
    pub(super) fn release(&self, count: usize) {
        self.released.add_permits(count);
    }

    /// Says that there are so many events, all of which were let go.
    pub(super) fn release_no_more(&self, total: u64) {
        self.total.store(total, Ordering::SeqCst);
        // One for each connection, to learn that there is nothing more.
        self.released
            .add_permits(self.run.settings.connections.get());
    }

    /// Waits for the next event that is due; none if there is no more.
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

    /// The next event where events leave as fast as they can; none if there is no more.
    pub(super) fn claim_at_once(&self, since_start: Duration) -> Option<Claim> {
        let timetable = &self.timetable;
        let measured = since_start >= timetable.warmup();
        if timetable
            .last_moment()
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

    /// Until when retries and duplicates may go on, once no new event follows.
    pub(super) fn drained_by(&self) -> Option<Instant> {
        let exhausted = self.exhausted.get()?;
        exhausted.checked_add(self.run.settings.drain)
    }

    /// How many events were claimed.
    fn begun(&self) -> u64 {
        let next = self.next.load(Ordering::SeqCst);
        next.min(self.total.load(Ordering::SeqCst))
    }
}

impl LoadRun {
    /// Runs to the end, or until it is stopped. Blocks; the workers are threads of its own.
    pub fn run(self, stop: &Stop) -> io::Result<LoadResult> {
        let timetable = Timetable::new(&self.settings);
        let shared = Shared {
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
            // It ends with the last worker.
            drop(sender);
            ready.wait();
            let watching = scope.spawn(|| Stalls::watch(over));
            let (start, began) = (Instant::now(), Timestamp::now());
            let began = began.saturating_add(timetable.warmup()).unwrap_or(began);
            stop.advance(Stage::Running(start));
            let pacing = (!timetable.is_max()).then(|| scope.spawn(move || pace(shared, start)));
            let tallies = working.into_iter().map(thread::ScopedJoinHandle::join);
            let tallies: Result<Vec<Tally>, _> = tallies.collect();
            over.store(true, Ordering::Relaxed);
            let stalls = watching.join().unwrap_or_default();
            if let Some(pacing) = pacing {
                let _ = pacing.join();
            }
            let tallies = tallies.map_err(|_| io::Error::other("a worker ended unexpectedly"))?;
            let gathered = gathering.join();
            let over_time =
                gathered.map_err(|_| io::Error::other("what happened over time is lost"))?;
            let figures = Figures {
                over_time,
                stalls,
                ..Figures::default()
            };
            Ok(result(shared, tallies, start, began, figures))
        })
    }
}

/// Adds up what all workers saw.
fn result(
    shared: &Shared,
    tallies: Vec<Tally>,
    start: Instant,
    began: Timestamp,
    mut figures: Figures,
) -> LoadResult {
    let mut accepted_forgeries = Vec::new();
    let mut remembered = Vec::new();
    let mut mixed = Vec::new();
    let mut last_begun = None;
    for tally in tallies {
        figures.counts.add(&tally.measured);
        figures.warmup.add(&tally.warmup);
        // All histograms of this process have the same bounds.
        let _ = figures.latencies.add(&tally.latencies);
        tally.add_mixed_to(&mut mixed);
        accepted_forgeries.extend(tally.accepted_forgeries);
        remembered.push(tally.unacknowledged);
        last_begun = last_begun.max(tally.last_begun);
    }
    figures.counts.count_unfinished();
    figures.warmup.count_unfinished();
    accepted_forgeries.sort_unstable();
    let interrupted = shared.stop.is_stopped();
    let measured_from = start + shared.timetable.warmup();
    let seen = last_begun.map_or(Duration::ZERO, |last| {
        last.saturating_duration_since(measured_from)
    });
    let planned = shared.timetable.planned_span().filter(|_| !interrupted);
    let span = planned.unwrap_or_default().max(seen);
    figures.span_us = u64::try_from(span.as_micros()).unwrap_or(u64::MAX);
    LoadResult {
        figures,
        began,
        begun: shared.begun(),
        unacknowledged: Unacknowledged::join(remembered),
        accepted_forgeries,
        mixed,
        interrupted,
    }
}
