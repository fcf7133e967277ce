//! Runs a load: starts the workers and the pacer, and collects their results.

use std::io;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::channel;
use std::sync::{Arc, Barrier};
use std::thread;
use std::time::{Duration, Instant};

use jiff::Timestamp;
use tokio::runtime::{Builder, Runtime};

use super::counts::MixCounts;
use super::measurements::Measurements;
use super::receiver_stop::ReceiverStop;
use super::second_recorder::gather;
use super::shared_state::{LoadRun, SharedState};
use super::stalls::Stalls;
use super::stop_handle::{Stage, StopHandle};
use super::unacknowledged::Unacknowledged;
use super::worker;
use super::worker_stats::WorkerStats;
use crate::run::SetupProblem;

#[derive(Debug)]
pub(crate) struct LoadResult {
    pub measurements: Measurements,
    pub began: Timestamp,
    /// How many events of this shard were started, including the warm-up. They are its first ones.
    pub started: u64,
    pub unacknowledged: Unacknowledged,
    /// The numbers of accepted forgeries; if there are too many, the first of each worker.
    pub accepted_forgeries: Vec<u64>,
    pub mix_counts: Vec<MixCounts>,
    pub interrupted: bool,
    /// When the receiver stopped.
    pub receiver_stops: Vec<ReceiverStop>,
    /// The problem of the set-up, if one was found.
    pub setup_problem: Option<SetupProblem>,
}

/// The longest sleep, so that a request to stop is noticed.
const LONGEST_SLEEP: Duration = Duration::from_millis(20);
const BATCH: usize = 4096;

impl LoadRun {
    /// Runs until the end or until stopped. Blocks; the workers have their own threads.
    pub(crate) fn run(self, stop: &StopHandle) -> io::Result<LoadResult> {
        let settings = &self.settings;
        let connections = settings.connections.get();
        let workers = settings.workers.get().min(connections);
        let runtime = || Builder::new_current_thread().enable_all().build();
        let runtimes: Vec<Runtime> = (0..workers).map(|_| runtime()).collect::<Result<_, _>>()?;
        let shared = Arc::new(SharedState::new(self, stop.clone()));
        let timetable = shared.timetable;
        let ready = Barrier::new(workers + 1);
        let over = AtomicBool::new(false);
        let (shared, ready, over) = (&shared, &ready, &over);
        thread::scope(|scope| {
            let (sender, seconds) = channel();
            let gathering = scope.spawn(move || gather(&seconds));
            let mut working = Vec::new();
            for (place, runtime) in runtimes.into_iter().enumerate() {
                let own = connections / workers + usize::from(place < connections % workers);
                let (shared, sender) = (Arc::clone(shared), sender.clone());
                working
                    .push(scope.spawn(move || worker::work(shared, &runtime, own, ready, sender)));
            }
            // Gathering ends when the last worker drops its sender.
            drop(sender);
            ready.wait();
            let watching = scope.spawn(|| Stalls::watch(over));
            let (start, began) = (Instant::now(), Timestamp::now());
            let began = began.saturating_add(timetable.warmup).unwrap_or(began);
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
            let (over_time, latencies) = gathering
                .join()
                .map_err(|_| io::Error::other("the statistics thread ended unexpectedly"))?;
            let measurements = Measurements {
                latencies,
                over_time,
                stalls,
                ..Measurements::default()
            };
            Ok(result(shared, all_stats, start, began, measurements))
        })
    }
}

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
        stats.add_mix_counts_to(&mut mix_counts);
        accepted_forgeries.extend(stats.accepted_forgeries);
        unacknowledged.push(stats.unacknowledged);
        last_started = last_started.max(stats.last_started);
    }
    measurements.counts.count_unfinished();
    measurements.warmup.count_unfinished();
    accepted_forgeries.sort_unstable();
    let interrupted = shared.stop.is_stopped();
    let measured_from = start + shared.timetable.warmup;
    let actual = last_started.map_or(Duration::ZERO, |last| {
        last.saturating_duration_since(measured_from)
    });
    let planned = shared.timetable.planned_span().filter(|_| !interrupted);
    let planned = planned.unwrap_or_default();
    let microseconds = |time: Duration| u64::try_from(time.as_micros()).unwrap_or(u64::MAX);
    measurements.span_us = microseconds(planned.max(actual));
    measurements.planned_us = microseconds(planned);
    if !interrupted {
        let (warmup, measured) = shared.unsent();
        (measurements.warmup.unsent, measurements.counts.unsent) = (warmup, measured);
    }
    LoadResult {
        measurements,
        began,
        started: shared.started(),
        unacknowledged: Unacknowledged::join(unacknowledged),
        accepted_forgeries,
        mix_counts,
        interrupted,
        receiver_stops: shared.receiver_stops.finish(),
        setup_problem: None,
    }
}

/// Releases all events when they are due, then announces that no more follow. Runs on its own thread,
/// whose sleep is accurate to the microsecond, unlike the runtime's timers.
fn pace(shared: &SharedState, start: Instant) {
    let timetable = &shared.timetable;
    let total = timetable.own_events().unwrap_or_default();
    let mut index = 0;
    let due = |index: u64| {
        let due = timetable.due(index).filter(|_| index < total)?;
        start.checked_add(due)
    };
    while let Some(next) = due(index) {
        if shared.stop.is_stopped() {
            break;
        }
        let now = Instant::now();
        if next > now {
            std::thread::sleep((next - now).min(LONGEST_SLEEP));
            continue;
        }
        let mut ready = 0;
        while ready < BATCH && due(index).is_some_and(|due| due <= now) {
            ready += 1;
            index += 1;
        }
        shared.release(ready);
    }
    shared.release_no_more(index);
}
