//! What an attempt does: makes its request, sends it, and draws the consequences of the answer.

use std::future::poll_fn;
use std::task::Poll;
use std::time::{Duration, Instant};

use super::Worker;
use super::line::{Kept, Line};
use crate::delivery::{
    BulkConnection, BulkResponse, Failure, FailureClass, LastByteBarrier, ResponseHandling,
    SenderAbort, schedule,
};
use crate::generate::Generator;
use crate::load::duties::{Duty, Part};
use crate::load::mix::Treatment;
use crate::load::seconds::Ended;
use crate::load::tally::Late;
use crate::scenario::{EventIdOnRetry, Forgery, RetryOn, StatusClass};

/// What came of an attempt.
struct Attempted {
    sent: Instant,
    ended: Instant,
    result: Result<BulkResponse, Failure>,
}

/// What an attempt means for its delivery.
enum Consequence {
    Acknowledged,
    Refused,
    /// It is tried again, if any attempts are left; the receiver may have asked for a wait.
    Again(Option<Duration>),
    Exhausted,
}

/// Lets the other connections make what they have to send, too.
///
/// Requests then leave one right after the other. A receiver that is woken for the first finds the
/// next, where it would else have gone back to sleep. To wake it costs both sides.
async fn after_others() {
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
    /// A place whose connection is open, unless that failed: then its first attempt will say why.
    pub(super) async fn open_line(&self, place: usize) -> Line {
        let run = &self.shared.run;
        let connection = BulkConnection::open(&run.client, &run.target).await;
        Line::new(place, connection.ok())
    }

    /// Does what is to be done, to its end.
    pub(super) async fn perform(&self, duty: Duty, line: &mut Line) {
        if duty.part == Part::Own {
            self.under_way[line.place].set(Some(duty.number));
        }
        let treatment = if duty.is_new() {
            self.maker.borrow_mut().source().treatment(duty.number)
        } else {
            Treatment::Plain
        };
        match treatment {
            Treatment::Forged(forgery) => self.forge(&duty, forgery, line).await,
            Treatment::Together => self.deliver_together(duty, line).await,
            Treatment::LostAck => {
                self.deliver(duty, ResponseHandling::Discard, line).await;
            }
            Treatment::Plain => {
                self.deliver(duty, ResponseHandling::Read, line).await;
            }
            Treatment::Duplicate(after) => {
                let measured = duty.measured;
                let first = duty.clone();
                let signed = self.deliver(duty, ResponseHandling::Read, line).await;
                self.tally.borrow_mut().counts(measured).duplicates += 1;
                let due = line.free_since + after;
                self.redeliver(first.duplicate(due, signed));
            }
        }
        self.under_way[line.place].set(None);
    }

    async fn forge(&self, duty: &Duty, forgery: Forgery, line: &mut Line) {
        let timestamp = self.shared.run.clock.unix_seconds();
        self.maker
            .borrow_mut()
            .forged(duty.number, forgery, timestamp, &mut line.request);
        let begun = Instant::now();
        self.tally.borrow_mut().begun(duty.measured, begun);
        self.count_in_mix(duty, |counts| counts.events += 1);
        let attempted = self
            .attempt(
                begun,
                &mut line.own,
                &line.request,
                None,
                ResponseHandling::Read,
            )
            .await;
        line.free_since = attempted.ended;
        let mut tally = self.tally.borrow_mut();
        let status = attempted.result.map(|answer| answer.status);
        let accepted = matches!(status, Ok(200..300));
        let refused = matches!(status, Ok(400..500));
        let counts = tally.counts(duty.measured);
        counts.forgeries += 1;
        counts.refused_forgeries += u64::from(refused);
        counts.accepted_forgeries += u64::from(accepted);
        if accepted {
            tally.accepted_forgery(duty.number);
        }
        tally.ended(!refused);
    }

    /// Makes one attempt, and says as of when it was signed.
    async fn deliver(&self, duty: Duty, handling: ResponseHandling, line: &mut Line) -> u64 {
        let signed = self.make_request(&duty, &mut line.request);
        after_others().await;
        let begun = Instant::now();
        self.count_begun(&duty, line.free_since, begun);
        let attempted = self
            .attempt(begun, &mut line.own, &line.request, None, handling)
            .await;
        line.free_since = attempted.ended;
        self.conclude(&duty, signed, &attempted);
        signed
    }

    /// Sends two requests whose last bytes leave together.
    async fn deliver_together(&self, mut duty: Duty, line: &mut Line) {
        duty.together = true;
        let signed = self.make_request(&duty, &mut line.request);
        let twin = duty.duplicate(duty.due, signed);
        let twin_signed = self.make_request(&twin, &mut line.request_of_twin);
        let begun = Instant::now();
        self.count_begun(&duty, line.free_since, begun);
        self.count_begun(&twin, line.free_since, begun);
        self.tally.borrow_mut().counts(duty.measured).together += 1;
        let mut barriers = LastByteBarrier::for_participants(2).into_iter();
        let (one, other) = (barriers.next(), barriers.next());
        let (own, twins) = (&mut line.own, &mut line.twin);
        let (attempted, of_twin) = tokio::join!(
            self.attempt(begun, own, &line.request, one, ResponseHandling::Read),
            self.attempt(
                begun,
                twins,
                &line.request_of_twin,
                other,
                ResponseHandling::Read
            ),
        );
        line.free_since = attempted.ended.max(of_twin.ended);
        self.conclude(&duty, signed, &attempted);
        self.conclude(&twin, twin_signed, &of_twin);
    }

    /// Makes a genuine request, and says as of when it is signed.
    fn make_request(&self, duty: &Duty, request: &mut Vec<u8>) -> u64 {
        let policy = &self.shared.run.settings.retry;
        let now = self.shared.run.clock.unix_seconds();
        let timestamp = duty.second_to_sign(now, policy.resign);
        let is_retry = duty.attempt > 1;
        let fresh_id = is_retry && policy.event_id == EventIdOnRetry::Fresh;
        let event_id = fresh_id.then(|| self.fresh_event_id(duty));
        self.maker
            .borrow_mut()
            .genuine(duty.number, timestamp, event_id.as_deref(), request);
        timestamp
    }

    fn fresh_event_id(&self, duty: &Duty) -> String {
        let settings = &self.shared.run.settings;
        let purpose = format!("retry {} {}", duty.number, duty.attempt);
        let start = settings.generator.start();
        Generator::new(settings.seed.derive(&purpose), start).event_id()
    }

    fn count_begun(&self, duty: &Duty, free_since: Instant, begun: Instant) {
        let mut tally = self.tally.borrow_mut();
        if duty.is_new() {
            tally.begun(duty.measured, begun);
        }
        let counts = tally.counts(duty.measured);
        counts.attempts += 1;
        if duty.attempt == 1 {
            counts.deliveries += 1;
        } else {
            counts.retries += 1;
        }
        let is_due = !self.shared.timetable.is_max();
        let late = is_due.then(|| Late::new(duty.due, free_since, begun));
        tally.sent(duty.measured, begun, late);
        drop(tally);
        if duty.attempt == 1 {
            self.count_in_mix(duty, |counts| {
                counts.events += u64::from(duty.is_new());
                counts.deliveries += 1;
            });
        }
    }

    /// Sends a request over the kept connection, or over a new one, and keeps that.
    async fn attempt(
        &self,
        begun: Instant,
        kept: &mut Kept,
        request: &[u8],
        barrier: Option<LastByteBarrier>,
        handling: ResponseHandling,
    ) -> Attempted {
        let run = &self.shared.run;
        if let Some(live) = &run.live {
            live.began();
        }
        let mut sent = begun;
        let Kept {
            connection: idle,
            deadline,
        } = kept;
        let work = async {
            let mut connection = if let Some(connection) = idle.take(begun) {
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
        let result = match begun.checked_add(after) {
            Some(until) => deadline.bound(until, work).await,
            None => Some(work.await),
        };
        let ended = Instant::now();
        if let Some(live) = &run.live {
            live.ended();
        }
        let timed_out = Failure::Timeout {
            after,
            response_began: false,
        };
        let result = result.unwrap_or(Err(timed_out));
        Attempted {
            sent,
            ended,
            result: result.map(|(answer, connection)| {
                idle.keep(connection, ended);
                answer
            }),
        }
    }

    /// Counts an attempt, and draws its consequence.
    fn conclude(&self, duty: &Duty, signed: u64, attempted: &Attempted) {
        let consequence = self.count(duty, attempted);
        let lost = matches!(
            attempted.result,
            Err(Failure::Aborted(SenderAbort::ResponseLost))
        );
        self.count_in_mix(duty, |counts| match consequence {
            Consequence::Acknowledged => counts.acknowledged += 1,
            _ => counts.errors += u64::from(!lost),
        });
        match consequence {
            Consequence::Acknowledged => {
                self.tally.borrow_mut().counts(duty.measured).acknowledged += 1;
                return;
            }
            Consequence::Refused => {
                self.tally.borrow_mut().counts(duty.measured).refused += 1;
                if let Ok(answer) = &attempted.result
                    && self.count_refusal(duty, answer.status)
                {
                    if duty.part == Part::Own {
                        let unacknowledged = &mut self.tally.borrow_mut().unacknowledged;
                        unacknowledged.add_lawful(duty.number);
                    }
                    return;
                }
            }
            Consequence::Again(asked) => match self.wait_before_retry(duty) {
                Some(delay) => {
                    let policy = &self.shared.run.settings.retry;
                    let delay = policy.retry_after.wait(delay, asked);
                    if let Some(due) = attempted.ended.checked_add(delay) {
                        self.redeliver(duty.retry(due, signed));
                        return;
                    }
                }
                None => self.tally.borrow_mut().counts(duty.measured).exhausted += 1,
            },
            Consequence::Exhausted => {
                self.tally.borrow_mut().counts(duty.measured).exhausted += 1;
            }
        }
        if duty.part == Part::Own {
            self.tally.borrow_mut().unacknowledged.add(duty.number);
        }
    }

    /// Counts what came of an attempt, and says what it means.
    fn count(&self, duty: &Duty, attempted: &Attempted) -> Consequence {
        let policy = &self.shared.run.settings.retry;
        let retried = |on: RetryOn| {
            if policy.retry_on.contains(&on) {
                Consequence::Again(None)
            } else {
                Consequence::Exhausted
            }
        };
        let mut tally = self.tally.borrow_mut();
        let service = attempted.ended.saturating_duration_since(attempted.sent);
        let latency = if self.shared.timetable.is_max() {
            service
        } else {
            attempted.ended.saturating_duration_since(duty.due)
        };
        let (is_error, is_timed, consequence) = match &attempted.result {
            Ok(answer) => {
                let counts = tally.counts(duty.measured);
                *counts.statuses.entry(answer.status).or_default() += 1;
                if StatusClass::Success.matches(answer.status) {
                    (false, true, Consequence::Acknowledged)
                } else if policy.retries_status(answer.status) {
                    let now = || self.shared.run.clock.unix_seconds();
                    let asked = answer.retry_after.map(|asked| asked.from(now()));
                    (true, false, Consequence::Again(asked))
                } else {
                    (true, false, Consequence::Refused)
                }
            }
            Err(Failure::Aborted(SenderAbort::ResponseLost)) => {
                tally.counts(duty.measured).lost_acks += 1;
                (false, false, retried(RetryOn::Connection))
            }
            Err(failure) => {
                let counts = tally.counts(duty.measured);
                *counts.failures.entry(failure.name().into()).or_default() += 1;
                match failure.class() {
                    // Left out, an answer that never came would make the figures look better.
                    FailureClass::Timeout => {
                        counts.timeouts += 1;
                        (true, true, retried(RetryOn::Timeout))
                    }
                    FailureClass::Connection => (true, false, retried(RetryOn::Connection)),
                }
            }
        };
        if is_error {
            tally.counts(duty.measured).errors += 1;
        }
        let ended = Ended {
            at: attempted.ended,
            is_answered: attempted.result.is_ok(),
            is_error,
            times: is_timed.then_some((latency, service)),
        };
        tally.came_back(duty.measured, ended);
        consequence
    }

    /// How long the policy waits before the attempt after this one, if there is one.
    fn wait_before_retry(&self, duty: &Duty) -> Option<Duration> {
        let settings = &self.shared.run.settings;
        let mut random = settings.seed.derive("jitter").random();
        random.set_stream(duty.number);
        let before = usize::try_from(duty.attempt.saturating_sub(1)).unwrap_or(usize::MAX);
        schedule(&settings.retry, &mut random).nth(before)
    }
}
