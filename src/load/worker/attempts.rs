//! Makes attempts: builds and sends the request, and handles the response.

use std::future::poll_fn;
use std::sync::Arc;
use std::task::Poll;
use std::time::{Duration, Instant};

use super::Worker;
use super::connection_slot::{ConnectionSlot, SlotConnection};
use crate::delivery::{AttemptEnd, Outcome, RetryDecision};
use crate::generate::Generator;
use crate::load::scheduled_attempt::{BuiltAttempt, DeliveryKind, ScheduledAttempt};
use crate::load::second_recorder::EndedAttempt;
use crate::load::setup_watch::SetupWatch;
use crate::load::treatment_mix::Treatment;
use crate::policy::{EventIdOnRetry, Forgery, StatusClass, schedule};
use crate::transport::{
    BulkConnection, BulkRequest, BulkResponse, Failure, FailureClass, LastByteBarrier,
    ResponseExcerpt, ResponseHandling, SenderAbort,
};

struct AttemptResult {
    sent: Instant,
    ended: Instant,
    result: Result<BulkResponse, Failure>,
    /// What is kept of the response while the set-up is watched.
    excerpt: Option<ResponseExcerpt>,
}

impl AttemptResult {
    /// Whether its response was lost on purpose.
    fn is_lost(&self) -> bool {
        let lost = Failure::Aborted(SenderAbort::ResponseLost);
        self.result.as_ref().is_err_and(|failure| *failure == lost)
    }
}

/// Lets the other connections build their requests first.
///
/// The requests are then sent in quick succession. A receiver that wakes up for the first one finds
/// the next ones before it goes back to sleep, which saves both sides the cost of waking it again.
/// Unlike the runtime's own yield, this does not poll for events in between.
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

    pub(super) async fn perform(&self, scheduled: ScheduledAttempt, slot: &mut ConnectionSlot) {
        if scheduled.delivery == DeliveryKind::Original {
            self.in_flight[slot.index].set(Some(scheduled.number));
        }
        let treatment = if scheduled.is_new() {
            self.builder.borrow_mut().treatment(scheduled.number)
        } else {
            Treatment::Plain
        };
        match treatment {
            Treatment::Forged(forgery) => self.forge(scheduled, forgery, slot).await,
            Treatment::Together => self.deliver_together(scheduled, slot).await,
            Treatment::LostAck => {
                self.deliver(scheduled, ResponseHandling::Discard, slot)
                    .await;
            }
            Treatment::Plain => {
                self.deliver(scheduled, ResponseHandling::Read, slot).await;
            }
            Treatment::Duplicate(after) => {
                let sent = self.deliver(scheduled, ResponseHandling::Read, slot).await;
                self.stats.borrow_mut().counts(&scheduled).duplicates += 1;
                self.redeliver(sent.duplicate(slot.free_since + after));
            }
        }
        self.in_flight[slot.index].set(None);
    }

    async fn forge(
        &self,
        scheduled: ScheduledAttempt,
        forgery: Forgery,
        slot: &mut ConnectionSlot,
    ) {
        let (number, timestamp) = (scheduled.number, self.shared.run.clock.unix_seconds());
        let (builder, request) = (&self.builder, &mut slot.request);
        let facts = builder
            .borrow_mut()
            .forged(number, forgery, timestamp, request);
        let built = BuiltAttempt { scheduled, facts };
        let started = Instant::now();
        self.stats.borrow_mut().event_started(&built, started);
        let (connection, request) = (&mut slot.primary, &slot.request);
        let attempt = self.attempt(started, connection, request, None, ResponseHandling::Read);
        let attempted = attempt.await;
        slot.free_since = attempted.ended;
        let response = attempted.result.as_ref();
        let is = |class: StatusClass| response.is_ok_and(|response| class.matches(response.status));
        let (accepted, refused) = (is(StatusClass::Success), is(StatusClass::ClientError));
        let mut stats = self.stats.borrow_mut();
        let counts = stats.counts(&scheduled);
        counts.forgeries += 1;
        counts.refused_forgeries += u64::from(refused);
        counts.accepted_forgeries += u64::from(accepted);
        if accepted {
            stats.accepted_forgery(number);
        }
        stats.attempt_ended(!refused);
    }

    /// Makes one attempt, and returns it with the timestamp that it was signed with.
    async fn deliver(
        &self,
        scheduled: ScheduledAttempt,
        handling: ResponseHandling,
        slot: &mut ConnectionSlot,
    ) -> ScheduledAttempt {
        let built = self.build_request(scheduled, &mut slot.request);
        yield_to_other_connections().await;
        let started = Instant::now();
        self.count_start(&built, slot.free_since, started);
        let (connection, request) = (&mut slot.primary, &slot.request);
        let attempt = self.attempt(started, connection, request, None, handling);
        let attempted = attempt.await;
        slot.free_since = attempted.ended;
        self.conclude(&built, &attempted);
        built.scheduled
    }

    /// Sends two requests whose last bytes leave simultaneously.
    async fn deliver_together(&self, mut scheduled: ScheduledAttempt, slot: &mut ConnectionSlot) {
        scheduled.together = true;
        let first = self.build_request(scheduled, &mut slot.request);
        let twin = first.scheduled.duplicate(scheduled.due);
        let twin = self.build_request(twin, &mut slot.twin_request);
        let started = Instant::now();
        self.count_start(&first, slot.free_since, started);
        self.count_start(&twin, slot.free_since, started);
        self.stats.borrow_mut().counts(&scheduled).together += 1;
        let mut barriers = LastByteBarrier::for_participants(2).into_iter();
        let (one, other) = (barriers.next(), barriers.next());
        let (primary, second) = (&mut slot.primary, &mut slot.twin);
        let handling = ResponseHandling::Read;
        let (attempted, twin_attempted) = tokio::join!(
            self.attempt(started, primary, &slot.request, one, handling),
            self.attempt(started, second, &slot.twin_request, other, handling),
        );
        slot.free_since = attempted.ended.max(twin_attempted.ended);
        self.conclude(&first, &attempted);
        self.conclude(&twin, &twin_attempted);
    }

    /// Builds a genuine request, signed with the attempt's timestamp.
    fn build_request(
        &self,
        mut scheduled: ScheduledAttempt,
        request: &mut BulkRequest,
    ) -> BuiltAttempt {
        let policy = &self.shared.run.settings.retry;
        let now = self.shared.run.clock.unix_seconds();
        let timestamp = scheduled.take_timestamp(now, policy.resign);
        let fresh_id = scheduled.attempt > 1 && policy.event_id == EventIdOnRetry::Fresh;
        let event_id = fresh_id.then(|| self.fresh_event_id(&scheduled));
        let mut builder = self.builder.borrow_mut();
        let facts = builder.genuine(scheduled.number, timestamp, event_id.as_deref(), request);
        BuiltAttempt { scheduled, facts }
    }

    fn fresh_event_id(&self, scheduled: &ScheduledAttempt) -> String {
        let settings = &self.shared.run.settings;
        let purpose = format!("retry {} {}", scheduled.number, scheduled.attempt);
        let start = settings.generator.start();
        Generator::new(settings.seed.derive(&purpose), start).event_id()
    }

    fn count_start(&self, attempt: &BuiltAttempt, free_since: Instant, started: Instant) {
        let free_since = Some(free_since).filter(|_| !self.shared.timetable.is_max());
        let mut stats = self.stats.borrow_mut();
        stats.attempt_started(attempt, started, free_since);
    }

    /// Sends a request over the slot's connection, or over a new one if that is unusable.
    async fn attempt(
        &self,
        started: Instant,
        reused: &mut SlotConnection,
        request: &BulkRequest,
        barrier: Option<LastByteBarrier>,
        handling: ResponseHandling,
    ) -> AttemptResult {
        let run = &self.shared.run;
        run.live.attempt_started();
        let mut sent = started;
        let SlotConnection {
            connection: idle,
            deadline,
        } = reused;
        let is_watched =
            |setup: &&Arc<SetupWatch>| handling == ResponseHandling::Read && setup.is_open();
        let watched = run.setup.as_ref().filter(is_watched);
        let mut excerpt = watched.map(|_| ResponseExcerpt::default());
        let kept = excerpt.as_mut();
        let work = async {
            let mut connection = if let Some(connection) = idle.take(started) {
                connection
            } else {
                let opened = BulkConnection::open(&run.client, &run.target).await?;
                sent = Instant::now();
                opened
            };
            let exchange = connection.exchange(&run.target, request, barrier, handling, kept);
            Ok((exchange.await?, connection))
        };
        let after = run.settings.retry.timeout.0;
        let result = match started.checked_add(after) {
            Some(until) => deadline.limit(until, work).await,
            None => Some(work.await),
        };
        let ended = Instant::now();
        run.live.attempt_ended();
        let timed_out = Failure::Timeout {
            after,
            response_began: false,
        };
        let result = result.unwrap_or(Err(timed_out));
        self.shared.receiver_stops.observe(&result, ended);
        AttemptResult {
            sent,
            ended,
            excerpt,
            result: result.map(|(response, connection)| {
                idle.put_back(connection, ended);
                response
            }),
        }
    }

    fn conclude(&self, attempt: &BuiltAttempt, attempted: &AttemptResult) {
        let scheduled = &attempt.scheduled;
        let run = &self.shared.run;
        let result = attempted.result.as_ref();
        let asked = result.ok().and_then(|response| response.retry_after);
        let end = AttemptEnd {
            result: result
                .map(|response| response.status)
                .map_err(Failure::class),
            slow_body: false,
            retry_after: asked.map(|header| header.from(run.clock.unix_seconds())),
        };
        let decision = end.decide(&run.settings.retry, || self.retry_delay(scheduled));
        let is_delivered = decision == RetryDecision::End(Outcome::Delivered);
        let is_error = !is_delivered && !attempted.is_lost();
        let is_timeout = end.result == Err(FailureClass::Timeout);
        let service = attempted.ended.saturating_duration_since(attempted.sent);
        let latency = if self.shared.timetable.is_max() {
            service
        } else {
            attempted.ended.saturating_duration_since(scheduled.due)
        };
        // Without timeouts, the times would look better than they are.
        let is_timed = is_timeout || result.is_ok() && !is_error;
        // One of two simultaneous deliveries may find the other one in progress.
        let is_allowed = end.result.is_ok_and(|status| {
            let refusals = attempt.facts.refusals.as_ref();
            scheduled.together && status == 409
                || refusals.is_some_and(|refusals| refusals.allow(status))
        });
        if let (Some(setup), Some(excerpt), false) = (&run.setup, &attempted.excerpt, is_allowed) {
            setup.observe(result.map(|response| response.status), excerpt);
        }
        let mut stats = self.stats.borrow_mut();
        let ended = EndedAttempt {
            at: attempted.ended,
            has_response: result.is_ok(),
            is_error,
            times: is_timed.then_some((latency, service)),
        };
        stats.genuine_ended(scheduled, ended);
        let mix_counts = stats.mix_counts(attempt);
        mix_counts.acknowledged += u64::from(is_delivered);
        mix_counts.errors += u64::from(is_error);
        let counts = stats.counts(scheduled);
        counts.errors += u64::from(is_error);
        counts.timeouts += u64::from(is_timeout);
        match result {
            Ok(response) => *counts.statuses.entry(response.status).or_default() += 1,
            Err(_) if attempted.is_lost() => counts.lost_acks += 1,
            Err(failure) => *counts.failures.entry(failure.name().into()).or_default() += 1,
        }
        match decision {
            RetryDecision::End(Outcome::Delivered) => {
                counts.acknowledged += 1;
                return;
            }
            RetryDecision::End(Outcome::Refused) => {
                counts.refused += 1;
                if is_allowed {
                    counts.allowed_refusals += 1;
                    stats.mix_counts(attempt).allowed_refusals += 1;
                    if scheduled.delivery == DeliveryKind::Original {
                        stats.unacknowledged.add_allowed(scheduled.number);
                    }
                    return;
                }
            }
            RetryDecision::End(Outcome::Exhausted) => counts.exhausted += 1,
            RetryDecision::RetryAfter(delay) => {
                if let Some(due) = attempted.ended.checked_add(delay) {
                    drop(stats);
                    return self.redeliver(scheduled.retry(due));
                }
            }
        }
        stats.not_acknowledged(scheduled);
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
