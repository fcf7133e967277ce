//! Runs a load: starts the workers and the pacer, and collects their results.

use std::io;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::channel;
use std::sync::{Arc, Barrier};
use std::thread;
use std::time::{Duration, Instant};

use jiff::Timestamp;

use super::counts::MixCounts;
use super::measurements::Measurements;
use super::pacer::pace;
use super::second_recorder::gather;
use super::shared_state::{LoadRun, SharedState};
use super::stalls::Stalls;
use super::stop_handle::{Stage, StopHandle};
use super::unacknowledged::Unacknowledged;
use super::worker;
use super::worker_stats::WorkerStats;

/// The result of a load.
#[derive(Debug)]
pub(crate) struct LoadResult {
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

impl LoadRun {
    /// Runs until the end or until stopped. Blocks; the workers have their own threads.
    pub(crate) fn run(self, stop: &StopHandle) -> io::Result<LoadResult> {
        let settings = &self.settings;
        let connections = settings.connections.get();
        let workers = settings.workers.get().min(connections);
        let mut runtimes = Vec::new();
        for _ in 0..workers {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()?;
            runtimes.push(runtime);
        }
        let shared = Arc::new(SharedState::new(self, stop.clone()));
        let timetable = shared.timetable;
        let ready = Barrier::new(workers + 1);
        let over = AtomicBool::new(false);
        let (shared, ready, over) = (&shared, &ready, &over);
        thread::scope(|scope| {
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
            let (over_time, latencies) = gathered
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
