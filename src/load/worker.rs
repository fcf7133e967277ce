//! A worker: one thread with its own runtime and connections.
//!
//! Each connection takes whatever is due next: a redelivery of this worker or the load's next event.
//! `attempts` makes the attempts.

mod attempts;
mod connection_slot;

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::sync::mpsc::Sender;
use std::sync::{Arc, Barrier};
use std::time::Instant;

use tokio::runtime::Runtime;
use tokio::sync::{Notify, watch};
use tokio::task::{LocalSet, spawn_local};

use super::event_source::EventSource;
use super::live_stats::PUBLISHED_EVERY;
use super::redeliveries::Redeliveries;
use super::request_builder::RequestBuilder;
use super::scheduled_attempt::ScheduledAttempt;
use super::second_recorder::{SecondRecorder, WorkerSecond};
use super::shared_state::{Claim, SharedState};
use super::stop_handle::Stage;
use super::worker_stats::WorkerStats;
use connection_slot::ConnectionSlot;

/// Runs a worker until the load is over, and returns its statistics.
pub(super) fn work(
    shared: Arc<SharedState>,
    runtime: &Runtime,
    connections: usize,
    ready: &Barrier,
    gatherer: Sender<WorkerSecond>,
) -> WorkerStats {
    let worker = Worker::new(shared, connections);
    let tasks = LocalSet::new();
    tasks.block_on(runtime, async {
        let mut opening = Vec::new();
        for index in 0..connections {
            let worker = Rc::clone(&worker);
            opening.push(spawn_local(async move { worker.open_slot(index).await }));
        }
        let mut slots = Vec::new();
        for slot in opening {
            slots.extend(slot.await);
        }
        // Blocks only this thread, which has nothing to do until all workers are ready.
        ready.wait();
        worker.run(slots, gatherer).await;
    });
    drop(tasks);
    worker.finish()
}

struct Worker {
    shared: Arc<SharedState>,
    builder: RefCell<RequestBuilder>,
    stats: RefCell<WorkerStats>,
    redeliveries: RefCell<Redeliveries>,
    /// Notified when a redelivery is due, and at the end of the load.
    woken: Notify,
    /// Notified when the next redelivery or the drain deadline changes.
    rescheduled: Notify,
    /// The event in flight on each connection, for an abort.
    in_flight: Vec<Cell<Option<u64>>>,
    busy: Cell<usize>,
    /// Whether this worker knows that no new event follows.
    exhausted: Cell<bool>,
    start: Cell<Option<Instant>>,
}

impl Worker {
    fn new(shared: Arc<SharedState>, connections: usize) -> Rc<Self> {
        let (run, settings) = (&shared.run, &shared.run.settings);
        let source = EventSource::of(settings);
        let builder = RequestBuilder::new(source, run.signer.clone(), &run.target, settings.seed)
            .with_extra(run.headers.clone());
        Rc::new(Self {
            builder: RefCell::new(builder),
            stats: RefCell::default(),
            redeliveries: RefCell::default(),
            woken: Notify::new(),
            rescheduled: Notify::new(),
            in_flight: vec![Cell::new(None); connections],
            busy: Cell::new(0),
            exhausted: Cell::new(false),
            start: Cell::new(None),
            shared,
        })
    }

    async fn run(self: &Rc<Self>, slots: Vec<ConnectionSlot>, gatherer: Sender<WorkerSecond>) {
        let mut stage = self.shared.stop.watch();
        let started = stage.wait_for(|stage| *stage > Stage::Connecting).await;
        let Ok(Stage::Running(start)) = started.map(|stage| *stage) else {
            // Stopped before the start.
            return;
        };
        self.start.set(Some(start));
        let measured_from = start + self.shared.timetable.warmup;
        self.stats.borrow_mut().recorder = Some(SecondRecorder::new(measured_from, gatherer));
        let mut serving = Vec::new();
        for slot in slots {
            let worker = Rc::clone(self);
            serving.push(spawn_local(async move { worker.serve(slot).await }));
        }
        let worker = Rc::clone(self);
        let waking = spawn_local(async move { worker.wake_when_due().await });
        let worker = Rc::clone(self);
        let publishing = spawn_local(async move { worker.publish().await });
        let all_served = async {
            for slot in serving {
                // A task that ended unexpectedly has already counted its attempts.
                let _ = slot.await;
            }
        };
        tokio::select! {
            () = all_served => {}
            _ = stage.wait_for(|stage| *stage == Stage::Aborted) => {}
        }
        waking.abort();
        publishing.abort();
    }

    /// Counts the attempts without an outcome, and returns the statistics.
    fn finish(&self) -> WorkerStats {
        self.abandon_redeliveries();
        let mut stats = self.stats.take();
        if let Some(recorder) = stats.recorder.take() {
            recorder.finish();
        }
        for number in self.in_flight.iter().filter_map(Cell::get) {
            stats.unacknowledged.add(number);
        }
        stats
    }

    async fn serve(&self, mut slot: ConnectionSlot) {
        let mut stage = self.shared.stop.watch();
        while let Some(scheduled) = self.next_attempt(&mut stage).await {
            self.busy.set(self.busy.get() + 1);
            self.perform(scheduled, &mut slot).await;
            self.busy.set(self.busy.get() - 1);
        }
        // Lets the other connections notice that nothing is left.
        self.woken.notify_waiters();
    }

    async fn next_attempt(&self, stage: &mut watch::Receiver<Stage>) -> Option<ScheduledAttempt> {
        loop {
            if self.shared.stop.is_stopped() {
                return None;
            }
            if let Some(scheduled) = self.take_redelivery() {
                return Some(scheduled);
            }
            if self.exhausted.get() {
                if self.busy.get() == 0 && self.redeliveries.borrow().is_empty() {
                    return None;
                }
                // An attempt in flight may still need a retry.
                tokio::select! {
                    () = self.woken.notified() => {}
                    _ = stage.changed() => {}
                }
                continue;
            }
            if self.shared.timetable.is_max() {
                let started = self.start.get().map(|start| start.elapsed());
                match self.shared.claim_at_once(started.unwrap_or_default()) {
                    Some(claim) => return Some(self.schedule(claim)),
                    None => self.exhaust(),
                }
                continue;
            }
            tokio::select! {
                biased;
                _ = stage.changed() => {}
                () = self.woken.notified() => {}
                claim = self.shared.claim_due(self.start.get()) => match claim {
                    Some(claim) => return Some(self.schedule(claim)),
                    None => self.exhaust(),
                },
            }
        }
    }

    fn exhaust(&self) {
        self.exhausted.set(true);
        // From now on, there is a drain deadline.
        self.rescheduled.notify_one();
    }

    /// The first attempt of an event: due as the timetable says, or now at the rate `max`.
    fn schedule(&self, Claim { index, measured }: Claim) -> ScheduledAttempt {
        let timetable = &self.shared.timetable;
        let due = timetable.due(index).zip(self.start.get());
        let due = due.and_then(|(due, start)| start.checked_add(due));
        let due = due.unwrap_or_else(Instant::now);
        ScheduledAttempt::new(timetable.shard.number(index), due, measured)
    }

    fn take_redelivery(&self) -> Option<ScheduledAttempt> {
        if self.redeliveries.borrow().is_empty() {
            return None;
        }
        let now = Instant::now();
        if self.shared.drain_deadline().is_some_and(|end| now >= end) {
            self.abandon_redeliveries();
            return None;
        }
        let mut redeliveries = self.redeliveries.borrow_mut();
        let scheduled = redeliveries.take_due(now)?;
        self.rescheduled.notify_one();
        if redeliveries.next_due().is_some_and(|due| due <= now) {
            // Wake another connection for the next redelivery.
            self.woken.notify_one();
        }
        Some(scheduled)
    }

    fn abandon_redeliveries(&self) {
        let mut stats = self.stats.borrow_mut();
        for scheduled in self.redeliveries.borrow_mut().abandon() {
            stats.not_acknowledged(&scheduled);
        }
        self.rescheduled.notify_one();
    }

    fn redeliver(&self, scheduled: ScheduledAttempt) {
        let mut redeliveries = self.redeliveries.borrow_mut();
        let next = redeliveries.next_due();
        match redeliveries.add(scheduled) {
            Ok(()) if next.is_none_or(|next| scheduled.due < next) => self.rescheduled.notify_one(),
            Ok(()) => {}
            Err(scheduled) => {
                let mut stats = self.stats.borrow_mut();
                stats.counts(&scheduled).dropped += 1;
                stats.not_acknowledged(&scheduled);
            }
        }
    }

    async fn wake_when_due(&self) {
        loop {
            let next = self.redeliveries.borrow().next_due();
            let until = match (next, self.shared.drain_deadline()) {
                (Some(next), Some(end)) => Some(next.min(end)),
                (next, _) => next,
            };
            let Some(until) = until else {
                self.rescheduled.notified().await;
                continue;
            };
            tokio::select! {
                () = self.rescheduled.notified() => {}
                () = tokio::time::sleep_until(until.into()) => {
                    self.woken.notify_one();
                    // The woken connection takes or abandons the redelivery, which reschedules.
                    self.rescheduled.notified().await;
                }
            }
        }
    }

    async fn publish(&self) {
        loop {
            tokio::time::sleep(PUBLISHED_EVERY).await;
            self.stats.borrow_mut().publish(&self.shared.run.live);
        }
    }
}
