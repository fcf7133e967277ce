//! Makes attempts: builds and sends the request, and handles the response.

use std::future::poll_fn;
use std::task::Poll;
use std::time::{Duration, Instant};

use super::Worker;
use super::connection_slot::{ConnectionSlot, SlotConnection};
use crate::generate::Generator;
use crate::load::scheduled_attempt::{DeliveryKind, ScheduledAttempt};
use crate::load::second_recorder::EndedAttempt;
use crate::load::treatment_mix::Treatment;
use crate::load::worker_stats::Lateness;
use crate::policy::schedule;
use crate::policy::{EventIdOnRetry, Forgery, RetryOn, StatusClass};
use crate::transport::{
    BulkConnection, BulkResponse, Failure, FailureClass, LastByteBarrier, ResponseHandling,
    SenderAbort,
};

/// The result of an attempt.
struct AttemptResult {
    sent: Instant,
    ended: Instant,
    result: Result<BulkResponse, Failure>,
}

/// What follows from an attempt for its delivery.
enum Consequence {
    Acknowledged,
    Refused,
    /// Retry if attempts are left, after the delay that the receiver asked for, if any.
    Retry(Option<Duration>),
    Exhausted,
}

/// Lets the other connections build their requests first.
///
/// The requests are then sent in quick succession. A receiver that wakes up for the first one finds
/// the next ones before it goes back to sleep, which saves both sides the cost of waking it again.
async fn yield_to_other_connections() {
    let mut waited = false;
    poll_fn(|context| {
        if std::mem::replace(&mut waited, true) {
            return Poll::Ready(());
        }
        context.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
}

impl Worker {
    /// Opens a slot's connection. If that fails, the first attempt will report the reason.
    pub(super) async fn open_slot(&self, index: usize) -> ConnectionSlot {
        let run = &self.shared.run;
        let connection = BulkConnection::open(&run.client, &run.target).await;
        ConnectionSlot::new(index, connection.ok())
    }

    /// Makes an attempt, with the treatment of its event.
    pub(super) async fn perform(&self, scheduled: ScheduledAttempt, slot: &mut ConnectionSlot) {
        if scheduled.delivery == DeliveryKind::Original {
            self.in_flight[slot.index].set(Some(scheduled.number));
        }
        let treatment = if scheduled.is_new() {
            self.builder
                .borrow_mut()
                .source()
                .treatment(scheduled.number)
        } else {
            Treatment::Plain
        };
        match treatment {
            Treatment::Forged(forgery) => self.forge(&scheduled, forgery, slot).await,
            Treatment::Together => self.deliver_together(scheduled, slot).await,
            Treatment::LostAck => {
                self.deliver(scheduled, ResponseHandling::Discard, slot)
                    .await;
            }
            Treatment::Plain => {
                self.deliver(scheduled, ResponseHandling::Read, slot).await;
            }
            Treatment::Duplicate(after) => {
                let measured = scheduled.measured;
                let first = scheduled.clone();
                let timestamp = self.deliver(scheduled, ResponseHandling::Read, slot).await;
                self.stats.borrow_mut().counts(measured).duplicates += 1;
                let due = slot.free_since + after;
                self.redeliver(first.duplicate(due, timestamp));
            }
        }
        self.in_flight[slot.index].set(None);
    }

    async fn forge(
        &self,
        scheduled: &ScheduledAttempt,
        forgery: Forgery,
        slot: &mut ConnectionSlot,
    ) {
        let timestamp = self.shared.run.clock.unix_seconds();
        self.builder
            .borrow_mut()
            .forged(scheduled.number, forgery, timestamp, &mut slot.request);
        let started = Instant::now();
        self.stats
            .borrow_mut()
            .event_started(scheduled.measured, started);
        self.count_in_mix(scheduled, |counts| counts.events += 1);
        let attempted = self
            .attempt(
                started,
                &mut slot.primary,
                &slot.request,
                None,
                ResponseHandling::Read,
            )
            .await;
        slot.free_since = attempted.ended;
        let mut stats = self.stats.borrow_mut();
        let response = attempted.result.map(|response| response.status);
        let accepted = matches!(response, Ok(200..300));
        let refused = matches!(response, Ok(400..500));
        let counts = stats.counts(scheduled.measured);
        counts.forgeries += 1;
        counts.refused_forgeries += u64::from(refused);
        counts.accepted_forgeries += u64::from(accepted);
        if accepted {
            stats.accepted_forgery(scheduled.number);
        }
        stats.attempt_ended(!refused);
    }

    /// Makes one attempt, and returns the timestamp it was signed with.
    async fn deliver(
        &self,
        scheduled: ScheduledAttempt,
        handling: ResponseHandling,
        slot: &mut ConnectionSlot,
    ) -> u64 {
        let timestamp = self.build_request(&scheduled, &mut slot.request);
        yield_to_other_connections().await;
        let started = Instant::now();
        self.count_start(&scheduled, slot.free_since, started);
        let attempted = self
            .attempt(started, &mut slot.primary, &slot.request, None, handling)
            .await;
        slot.free_since = attempted.ended;
        self.conclude(&scheduled, timestamp, &attempted);
        timestamp
    }

    /// Sends two requests whose last bytes leave simultaneously.
    async fn deliver_together(&self, mut scheduled: ScheduledAttempt, slot: &mut ConnectionSlot) {
        scheduled.together = true;
        let timestamp = self.build_request(&scheduled, &mut slot.request);
        let twin = scheduled.duplicate(scheduled.due, timestamp);
        let twin_timestamp = self.build_request(&twin, &mut slot.twin_request);
        let started = Instant::now();
        self.count_start(&scheduled, slot.free_since, started);
        self.count_start(&twin, slot.free_since, started);
        self.stats.borrow_mut().counts(scheduled.measured).together += 1;
        let mut barriers = LastByteBarrier::for_participants(2).into_iter();
        let (one, other) = (barriers.next(), barriers.next());
        let (primary, second) = (&mut slot.primary, &mut slot.twin);
        let (attempted, twin_attempted) = tokio::join!(
            self.attempt(started, primary, &slot.request, one, ResponseHandling::Read),
            self.attempt(
                started,
                second,
                &slot.twin_request,
                other,
                ResponseHandling::Read
            ),
        );
        slot.free_since = attempted.ended.max(twin_attempted.ended);
        self.conclude(&scheduled, timestamp, &attempted);
        self.conclude(&twin, twin_timestamp, &twin_attempted);
    }

    /// Builds a genuine request, and returns the timestamp it is signed with.
    fn build_request(&self, scheduled: &ScheduledAttempt, request: &mut Vec<u8>) -> u64 {
        let policy = &self.shared.run.settings.retry;
        let now = self.shared.run.clock.unix_seconds();
        let timestamp = scheduled.next_timestamp(now, policy.resign);
        let is_retry = scheduled.attempt > 1;
        let fresh_id = is_retry && policy.event_id == EventIdOnRetry::Fresh;
        let event_id = fresh_id.then(|| self.fresh_event_id(scheduled));
        self.builder.borrow_mut().genuine(
            scheduled.number,
            timestamp,
            event_id.as_deref(),
            request,
        );
        timestamp
    }

    fn fresh_event_id(&self, scheduled: &ScheduledAttempt) -> String {
        let settings = &self.shared.run.settings;
        let purpose = format!("retry {} {}", scheduled.number, scheduled.attempt);
        let start = settings.generator.start();
        Generator::new(settings.seed.derive(&purpose), start).event_id()
    }

    fn count_start(&self, scheduled: &ScheduledAttempt, free_since: Instant, started: Instant) {
        let mut stats = self.stats.borrow_mut();
        if scheduled.is_new() {
            stats.event_started(scheduled.measured, started);
        }
        let counts = stats.counts(scheduled.measured);
        counts.attempts += 1;
        if scheduled.attempt == 1 {
            counts.deliveries += 1;
        } else {
            counts.retries += 1;
        }
        let is_due = !self.shared.timetable.is_max();
        let lateness = is_due.then(|| Lateness::new(scheduled.due, free_since, started));
        stats.attempt_started(scheduled.measured, started, lateness);
        drop(stats);
        if scheduled.attempt == 1 {
            self.count_in_mix(scheduled, |counts| {
                counts.events += u64::from(scheduled.is_new());
                counts.deliveries += 1;
            });
        }
    }

    /// Sends a request over the slot's connection, or over a new one if that is unusable.
    async fn attempt(
        &self,
        started: Instant,
        reused: &mut SlotConnection,
        request: &[u8],
        barrier: Option<LastByteBarrier>,
        handling: ResponseHandling,
    ) -> AttemptResult {
        let run = &self.shared.run;
        if let Some(live) = &run.live {
            live.attempt_started();
        }
        let mut sent = started;
        let SlotConnection {
            connection: idle,
            deadline,
        } = reused;
        let work = async {
            let mut connection = if let Some(connection) = idle.take(started) {
                connection
            } else {
                let opened = BulkConnection::open(&run.client, &run.target).await?;
                sent = Instant::now();
                opened
            };
            let exchange = connection.exchange(&run.target, request, barrier, handling);
            Ok((exchange.await?, connection))
        };
        let after = run.settings.retry.timeout.0;
        let result = match started.checked_add(after) {
            Some(until) => deadline.limit(until, work).await,
            None => Some(work.await),
        };
        let ended = Instant::now();
        if let Some(live) = &run.live {
            live.attempt_ended();
        }
        let timed_out = Failure::Timeout {
            after,
            response_began: false,
        };
        let result = result.unwrap_or(Err(timed_out));
        AttemptResult {
            sent,
            ended,
            result: result.map(|(response, connection)| {
                idle.put_back(connection, ended);
                response
            }),
        }
    }

    /// Counts an attempt, and schedules a retry if one follows.
    fn conclude(&self, scheduled: &ScheduledAttempt, timestamp: u64, attempted: &AttemptResult) {
        let consequence = self.count(scheduled, attempted);
        let lost = matches!(
            attempted.result,
            Err(Failure::Aborted(SenderAbort::ResponseLost))
        );
        self.count_in_mix(scheduled, |counts| match consequence {
            Consequence::Acknowledged => counts.acknowledged += 1,
            _ => counts.errors += u64::from(!lost),
        });
        match consequence {
            Consequence::Acknowledged => {
                self.stats
                    .borrow_mut()
                    .counts(scheduled.measured)
                    .acknowledged += 1;
                return;
            }
            Consequence::Refused => {
                self.stats.borrow_mut().counts(scheduled.measured).refused += 1;
                if let Ok(response) = &attempted.result
                    && self.count_allowed_refusal(scheduled, response.status)
                {
                    if scheduled.delivery == DeliveryKind::Original {
                        let unacknowledged = &mut self.stats.borrow_mut().unacknowledged;
                        unacknowledged.add_allowed(scheduled.number);
                    }
                    return;
                }
            }
            Consequence::Retry(requested_delay) => match self.retry_delay(scheduled) {
                Some(delay) => {
                    let policy = &self.shared.run.settings.retry;
                    let delay = policy.retry_after.wait(delay, requested_delay);
                    if let Some(due) = attempted.ended.checked_add(delay) {
                        self.redeliver(scheduled.retry(due, timestamp));
                        return;
                    }
                }
                None => self.stats.borrow_mut().counts(scheduled.measured).exhausted += 1,
            },
            Consequence::Exhausted => {
                self.stats.borrow_mut().counts(scheduled.measured).exhausted += 1;
            }
        }
        if scheduled.delivery == DeliveryKind::Original {
            self.stats.borrow_mut().unacknowledged.add(scheduled.number);
        }
    }

    /// Counts the result of an attempt, and returns what follows from it.
    fn count(&self, scheduled: &ScheduledAttempt, attempted: &AttemptResult) -> Consequence {
        let policy = &self.shared.run.settings.retry;
        let retried = |on: RetryOn| {
            if policy.retry_on.contains(&on) {
                Consequence::Retry(None)
            } else {
                Consequence::Exhausted
            }
        };
        let mut stats = self.stats.borrow_mut();
        let service = attempted.ended.saturating_duration_since(attempted.sent);
        let latency = if self.shared.timetable.is_max() {
            service
        } else {
            attempted.ended.saturating_duration_since(scheduled.due)
        };
        let (is_error, is_timed, consequence) = match &attempted.result {
            Ok(response) => {
                let counts = stats.counts(scheduled.measured);
                *counts.statuses.entry(response.status).or_default() += 1;
                if StatusClass::Success.matches(response.status) {
                    (false, true, Consequence::Acknowledged)
                } else if policy.retries_status(response.status) {
                    let now = || self.shared.run.clock.unix_seconds();
                    let requested_delay = response.retry_after.map(|header| header.from(now()));
                    (true, false, Consequence::Retry(requested_delay))
                } else {
                    (true, false, Consequence::Refused)
                }
            }
            Err(Failure::Aborted(SenderAbort::ResponseLost)) => {
                stats.counts(scheduled.measured).lost_acks += 1;
                (false, false, retried(RetryOn::Connection))
            }
            Err(failure) => {
                let counts = stats.counts(scheduled.measured);
                *counts.failures.entry(failure.name().into()).or_default() += 1;
                match failure.class() {
                    // Without timeouts, the times would look better than they are.
                    FailureClass::Timeout => {
                        counts.timeouts += 1;
                        (true, true, retried(RetryOn::Timeout))
                    }
                    FailureClass::Connection => (true, false, retried(RetryOn::Connection)),
                }
            }
        };
        if is_error {
            stats.counts(scheduled.measured).errors += 1;
        }
        let ended = EndedAttempt {
            at: attempted.ended,
            has_response: attempted.result.is_ok(),
            is_error,
            times: is_timed.then_some((latency, service)),
        };
        stats.genuine_ended(scheduled.measured, ended);
        consequence
    }

    /// The policy's delay before the next attempt, if there is one.
    fn retry_delay(&self, scheduled: &ScheduledAttempt) -> Option<Duration> {
        let settings = &self.shared.run.settings;
        let mut random = settings.seed.derive("jitter").random();
        random.set_stream(scheduled.number);
        let before = usize::try_from(scheduled.attempt.saturating_sub(1)).unwrap_or(usize::MAX);
        schedule(&settings.retry, &mut random).nth(before)
    }
}
