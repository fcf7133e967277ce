//! A worker: one thread with a runtime of its own, and connections that no other thread touches.
//!
//! Each connection takes what is due next: a redelivery of this worker, or the next event of the
//! load. What an attempt does is in `attempts`.

mod attempts;
mod line;
mod mixed;

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::sync::mpsc::Sender;
use std::sync::{Arc, Barrier};
use std::time::{Duration, Instant};

use tokio::runtime::Runtime;
use tokio::sync::{Notify, watch};
use tokio::task::{LocalSet, spawn_local};

use super::duties::{Duty, Part};
use super::event_source::EventSource;
use super::live::PUBLISHED_EVERY;
use super::redeliveries::Redeliveries;
use super::request_maker::RequestMaker;
use super::run::{Shared, Stage};
use super::seconds::{Recorder, Second};
use super::tally::Tally;
use line::Line;

/// Works until the load is over, with so many connections, and returns what was seen.
pub(super) fn work(
    shared: Arc<Shared>,
    runtime: &Runtime,
    connections: usize,
    ready: &Barrier,
    gatherer: Sender<Second>,
) -> Tally {
    let worker = Worker::new(shared, connections);
    let tasks = LocalSet::new();
    tasks.block_on(runtime, async {
        let mut opening = Vec::new();
        for place in 0..connections {
            let worker = Rc::clone(&worker);
            opening.push(spawn_local(async move { worker.open_line(place).await }));
        }
        let mut lines = Vec::new();
        for line in opening {
            lines.extend(line.await);
        }
        // Blocks this thread alone; nothing is to be done before all workers are ready.
        ready.wait();
        worker.run(lines, gatherer).await;
    });
    drop(tasks);
    worker.end()
}

struct Worker {
    shared: Arc<Shared>,
    maker: RefCell<RequestMaker>,
    tally: RefCell<Tally>,
    redeliveries: RefCell<Redeliveries>,
    /// Told when a redelivery is due, and when all is over.
    woken: Notify,
    /// Told when another redelivery is the next.
    rescheduled: Notify,
    /// Which event is under way on which connection, for when nothing is waited for.
    under_way: Vec<Cell<Option<u64>>>,
    busy: Cell<usize>,
    /// Whether this worker has learnt that no new event follows.
    exhausted: Cell<bool>,
    start: Cell<Option<Instant>>,
}

impl Worker {
    fn new(shared: Arc<Shared>, connections: usize) -> Rc<Self> {
        let (run, settings) = (&shared.run, &shared.run.settings);
        let source = EventSource::new(settings.generator.clone(), settings.mix, settings.seed);
        let source = source.drawn_from(settings.event_mix.clone(), settings.policy);
        let maker = RequestMaker::new(source, run.signer.clone(), &run.target, settings.seed);
        let tally = match run.live {
            Some(_) => Tally::default().watched(),
            None => Tally::default(),
        };
        Rc::new(Self {
            maker: RefCell::new(maker),
            tally: RefCell::new(tally),
            redeliveries: RefCell::default(),
            woken: Notify::new(),
            rescheduled: Notify::new(),
            under_way: vec![Cell::new(None); connections],
            busy: Cell::new(0),
            exhausted: Cell::new(false),
            start: Cell::new(None),
            shared,
        })
    }

    async fn run(self: &Rc<Self>, lines: Vec<Line>, gatherer: Sender<Second>) {
        let mut stage = self.shared.stop.watch();
        let begun = stage.wait_for(|stage| *stage > Stage::Connecting).await;
        let Ok(Stage::Running(start)) = begun.map(|stage| *stage) else {
            // It was stopped before it began.
            return;
        };
        self.start.set(Some(start));
        let measured_from = start + self.shared.timetable.warmup();
        self.tally.borrow_mut().recorder = Some(Recorder::new(measured_from, gatherer));
        let mut serving = Vec::new();
        for line in lines {
            let worker = Rc::clone(self);
            serving.push(spawn_local(async move { worker.serve(line).await }));
        }
        let worker = Rc::clone(self);
        let waking = spawn_local(async move { worker.wake_when_due().await });
        let worker = Rc::clone(self);
        let publishing = spawn_local(async move { worker.publish().await });
        let all_served = async {
            for line in serving {
                // A line that ended unexpectedly has counted what it did.
                let _ = line.await;
            }
        };
        tokio::select! {
            () = all_served => {}
            _ = stage.wait_for(|stage| *stage == Stage::Aborted) => {}
        }
        waking.abort();
        publishing.abort();
    }

    /// Counts what came to no end, and gives the tally away.
    fn end(&self) -> Tally {
        let mut tally = self.tally.borrow_mut();
        if let Some(recorder) = tally.recorder.take() {
            recorder.end();
        }
        let mut redeliveries = self.redeliveries.borrow_mut();
        let own = redeliveries.abandon();
        let own = own.filter(|duty| duty.part == Part::Own);
        let under_way = self.under_way.iter().filter_map(Cell::get);
        let unacknowledged: Vec<u64> = own.map(|duty| duty.number).chain(under_way).collect();
        for number in unacknowledged {
            tally.unacknowledged.add(number);
        }
        std::mem::take(&mut *tally)
    }

    /// Takes one duty after the other, until there are no more.
    async fn serve(&self, mut line: Line) {
        let mut stage = self.shared.stop.watch();
        while let Some(duty) = self.next_duty(&mut stage).await {
            self.busy.set(self.busy.get() + 1);
            self.perform(duty, &mut line).await;
            self.busy.set(self.busy.get() - 1);
        }
        // The others may be waiting for nothing any more.
        self.woken.notify_waiters();
    }

    async fn next_duty(&self, stage: &mut watch::Receiver<Stage>) -> Option<Duty> {
        loop {
            if self.shared.stop.is_stopped() {
                return None;
            }
            if let Some(duty) = self.take_redelivery() {
                return Some(duty);
            }
            if self.exhausted.get() {
                if self.busy.get() == 0 && self.redeliveries.borrow().is_empty() {
                    return None;
                }
                // What is under way may have to be delivered again.
                tokio::select! {
                    () = self.woken.notified() => {}
                    _ = stage.changed() => {}
                }
                continue;
            }
            if self.shared.timetable.is_max() {
                if let Some(duty) = self.begin_at_once() {
                    return Some(duty);
                }
                continue;
            }
            tokio::select! {
                biased;
                _ = stage.changed() => {}
                () = self.woken.notified() => {}
                claim = self.shared.claim_due() => match claim {
                    Some(claim) => return Some(self.new_duty(claim.index, claim.measured)),
                    None => self.exhaust(),
                },
            }
        }
    }

    fn begin_at_once(&self) -> Option<Duty> {
        let now = Instant::now();
        let since_start = self
            .start
            .get()
            .map_or(Duration::ZERO, |start| now.saturating_duration_since(start));
        let claim = self.shared.claim_at_once(since_start);
        if claim.is_none() {
            self.exhaust();
        }
        claim.map(|claim| {
            Duty::new(
                self.shared.timetable.number(claim.index),
                now,
                claim.measured,
            )
        })
    }

    fn exhaust(&self) {
        self.exhausted.set(true);
        // From now on there is a time by which all must be over.
        self.rescheduled.notify_one();
    }

    fn new_duty(&self, index: u64, measured: bool) -> Duty {
        let timetable = &self.shared.timetable;
        let due = timetable.due(index).zip(self.start.get());
        let due = due.and_then(|(due, start)| start.checked_add(due));
        Duty::new(
            timetable.number(index),
            due.unwrap_or_else(Instant::now),
            measured,
        )
    }

    fn take_redelivery(&self) -> Option<Duty> {
        if self.redeliveries.borrow().is_empty() {
            return None;
        }
        let now = Instant::now();
        if self.shared.drained_by().is_some_and(|end| now >= end) {
            self.abandon_redeliveries();
            return None;
        }
        let mut redeliveries = self.redeliveries.borrow_mut();
        let duty = redeliveries.take_due(now)?;
        if redeliveries.next_due().is_some_and(|due| due <= now) {
            // One more connection for one more redelivery.
            self.woken.notify_one();
        }
        Some(duty)
    }

    fn abandon_redeliveries(&self) {
        let mut tally = self.tally.borrow_mut();
        for duty in self.redeliveries.borrow_mut().abandon() {
            if duty.part == Part::Own {
                tally.unacknowledged.add(duty.number);
            }
        }
    }

    /// Keeps a redelivery until it is due.
    fn redeliver(&self, duty: Duty) {
        let is_next = |duty: &Duty| {
            let next = self.redeliveries.borrow().next_due();
            next.is_none_or(|next| duty.due < next)
        };
        let reschedules = is_next(&duty);
        let refused = self.redeliveries.borrow_mut().add(duty).err();
        if let Some(duty) = refused {
            let mut tally = self.tally.borrow_mut();
            tally.counts(duty.measured).dropped += 1;
            if duty.part == Part::Own {
                tally.unacknowledged.add(duty.number);
            }
        } else if reschedules {
            self.rescheduled.notify_one();
        }
    }

    /// Wakes a connection whenever a redelivery is due, or the time for all of them is over.
    async fn wake_when_due(&self) {
        loop {
            let next = self.redeliveries.borrow().next_due();
            let until = match (next, self.shared.drained_by()) {
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
                    // The connection that wakes takes it out; then another one is the next.
                    tokio::time::sleep(Duration::from_millis(1)).await;
                }
            }
        }
    }

    /// Shows what is new to someone who looks on.
    async fn publish(&self) {
        let Some(live) = &self.shared.run.live else {
            return;
        };
        loop {
            tokio::time::sleep(PUBLISHED_EVERY).await;
            self.tally.borrow_mut().publish(live);
        }
    }
}
