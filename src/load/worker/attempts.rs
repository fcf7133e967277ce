//! What an attempt does: makes its request, sends it, and draws the consequences of the answer.

use std::time::{Duration, Instant};

use super::Worker;
use crate::delivery::{
    BreakOff, BulkAnswer, BulkConnection, Failure, FailureClass, Gate, Hearing, schedule,
};
use crate::generate::Generator;
use crate::load::duties::{Duty, Part};
use crate::load::mix::Treatment;
use crate::load::seconds::Ended;
use crate::load::tally::Late;
use crate::scenario::{EventIdOnRetry, Forgery, RetryOn, StatusClass};

/// An idle connection is looked at before it is used if it lay idle for so long: a receiver may
/// have closed it.
const LOOKED_AT_AFTER: Duration = Duration::from_millis(1);

/// A connection's place, with the buffer of its requests.
pub(super) struct Line {
    place: usize,
    own: Kept,
    /// A second connection, for simultaneous duplicates.
    twin: Kept,
    request: Vec<u8>,
    /// Since when it could take something to do.
    free_since: Instant,
}

impl Line {
    /// From now on it can take something to do.
    pub(super) fn is_free(&mut self) {
        self.free_since = Instant::now();
    }
}

/// A connection that is kept for the next request.
struct Kept {
    connection: Option<BulkConnection>,
    used: Instant,
}

/// What came of an attempt.
struct Attempted {
    sent: Instant,
    ended: Instant,
    result: Result<BulkAnswer, Failure>,
}

/// What an attempt means for its delivery.
enum Consequence {
    Acknowledged,
    Refused,
    /// It is tried again, if any attempts are left; the receiver may have asked for a wait.
    Again(Option<Duration>),
    Exhausted,
}

impl Kept {
    fn new(connection: Option<BulkConnection>) -> Self {
        Self {
            connection,
            used: Instant::now(),
        }
    }

    /// The connection, if it can still be used.
    fn take(&mut self) -> Option<BulkConnection> {
        let fresh = self.used.elapsed() < LOOKED_AT_AFTER;
        let mut connection = self.connection.take()?;
        let is_usable = if fresh {
            !connection.is_spent()
        } else {
            connection.is_open()
        };
        is_usable.then_some(connection)
    }
}

impl Worker {
    /// A place whose connection is open, unless that failed: then its first attempt will say why.
    pub(super) async fn open_line(&self, place: usize) -> Line {
        let run = &self.shared.run;
        let connection = BulkConnection::open(&run.client, &run.target).await;
        Line {
            place,
            own: Kept::new(connection.ok()),
            twin: Kept::new(None),
            request: Vec::with_capacity(4096),
            free_since: Instant::now(),
        }
    }

    /// Does what is to be done, to its end.
    pub(super) async fn perform(&self, duty: Duty, line: &mut Line) {
        if duty.part == Part::Own {
            self.under_way[line.place].set(Some(duty.number));
        }
        let treatment = if duty.is_new() {
            self.tally.borrow_mut().begun(duty.measured);
            self.count_in_mix(&duty, |counts| counts.events += 1);
            self.maker.borrow_mut().source().treatment(duty.number)
        } else {
            Treatment::Plain
        };
        match treatment {
            Treatment::Forged(forgery) => self.forge(&duty, forgery, line).await,
            Treatment::Together => self.deliver_together(duty, line).await,
            Treatment::LostAck => self.deliver(duty, Hearing::Lost, line).await,
            Treatment::Plain => self.deliver(duty, Hearing::Whole, line).await,
            Treatment::Duplicate(after) => {
                let measured = duty.measured;
                let duplicate = duty.clone();
                self.deliver(duty, Hearing::Whole, line).await;
                self.tally.borrow_mut().counts(measured).duplicates += 1;
                let due = Instant::now() + after;
                self.redeliver(duplicate.duplicate(due));
            }
        }
        self.under_way[line.place].set(None);
    }

    async fn forge(&self, duty: &Duty, forgery: Forgery, line: &mut Line) {
        let timestamp = self.shared.run.clock.unix_seconds();
        self.maker
            .borrow_mut()
            .forged(duty.number, forgery, timestamp, &mut line.request);
        let attempted = self
            .attempt(&mut line.own, &line.request, None, Hearing::Whole)
            .await;
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

    async fn deliver(&self, duty: Duty, hearing: Hearing, line: &mut Line) {
        let signed = self.make_request(&duty, line);
        self.count_begun(&duty, line.free_since);
        let attempted = self
            .attempt(&mut line.own, &line.request, None, hearing)
            .await;
        self.conclude(&duty, signed, &attempted);
    }

    /// Sends two requests whose last bytes leave together.
    async fn deliver_together(&self, duty: Duty, line: &mut Line) {
        let signed = self.make_request(&duty, line);
        let twin = duty.duplicate(duty.due);
        self.count_begun(&duty, line.free_since);
        self.count_begun(&twin, line.free_since);
        self.tally.borrow_mut().counts(duty.measured).together += 1;
        let mut gates = Gate::for_participants(2).into_iter();
        let (one, other) = (gates.next(), gates.next());
        let (own, request) = (&mut line.own, line.request.as_slice());
        let (attempted, of_twin) = tokio::join!(
            self.attempt(own, request, one, Hearing::Whole),
            self.attempt(&mut line.twin, request, other, Hearing::Whole),
        );
        self.conclude(&duty, signed, &attempted);
        self.conclude(&twin, signed, &of_twin);
    }

    /// Makes a genuine request, and says as of when it is signed.
    fn make_request(&self, duty: &Duty, line: &mut Line) -> u64 {
        let policy = &self.shared.run.settings.retry;
        let timestamp = match duty.first_signed {
            Some(first) if !policy.resign => first,
            _ => self.shared.run.clock.unix_seconds(),
        };
        let is_retry = duty.attempt > 1;
        let fresh_id = is_retry && policy.event_id == EventIdOnRetry::Fresh;
        let event_id = fresh_id.then(|| self.fresh_event_id(duty));
        self.maker.borrow_mut().genuine(
            duty.number,
            timestamp,
            event_id.as_deref(),
            &mut line.request,
        );
        timestamp
    }

    fn fresh_event_id(&self, duty: &Duty) -> String {
        let settings = &self.shared.run.settings;
        let purpose = format!("retry {} {}", duty.number, duty.attempt);
        let start = settings.generator.start();
        Generator::new(settings.seed.derive(&purpose), start).event_id()
    }

    fn count_begun(&self, duty: &Duty, free_since: Instant) {
        let mut tally = self.tally.borrow_mut();
        let counts = tally.counts(duty.measured);
        counts.attempts += 1;
        if duty.attempt == 1 {
            counts.deliveries += 1;
        } else {
            counts.retries += 1;
        }
        let now = Instant::now();
        let is_due = !self.shared.timetable.is_max();
        let late = is_due.then(|| Late::new(duty.due, free_since, now));
        tally.sent(duty.measured, now, late);
        drop(tally);
        if duty.attempt == 1 {
            self.count_in_mix(duty, |counts| counts.deliveries += 1);
        }
    }

    /// Sends a request over the kept connection, or over a new one, and keeps that.
    async fn attempt(
        &self,
        kept: &mut Kept,
        request: &[u8],
        gate: Option<Gate>,
        hearing: Hearing,
    ) -> Attempted {
        let run = &self.shared.run;
        if let Some(live) = &run.live {
            live.began();
        }
        let after = run.settings.retry.timeout.0;
        let mut sent = Instant::now();
        let work = async {
            let mut connection = match kept.take() {
                Some(connection) => connection,
                None => BulkConnection::open(&run.client, &run.target).await?,
            };
            sent = Instant::now();
            let answer = connection
                .exchange(&run.target, request, gate, hearing)
                .await?;
            *kept = Kept::new(Some(connection));
            Ok(answer)
        };
        let result = tokio::time::timeout(after, work).await;
        let ended = Instant::now();
        if let Some(live) = &run.live {
            live.ended();
        }
        let timed_out = Failure::Timeout {
            after,
            answer_began: false,
        };
        Attempted {
            sent,
            ended,
            result: result.unwrap_or(Err(timed_out)),
        }
    }

    /// Counts an attempt, and draws its consequence.
    fn conclude(&self, duty: &Duty, signed: u64, attempted: &Attempted) {
        let consequence = self.count(duty, attempted);
        let lost = matches!(
            attempted.result,
            Err(Failure::BrokenOff(BreakOff::AnswerLost))
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
                if let Ok(answer) = &attempted.result {
                    self.count_refusal(duty, answer.status);
                }
            }
            Consequence::Again(asked) => match self.wait_before_retry(duty) {
                Some(delay) => {
                    let policy = &self.shared.run.settings.retry;
                    let delay = policy.retry_after.wait(delay, asked);
                    if let Some(due) = attempted.ended.checked_add(delay) {
                        self.redeliver(duty.retry(due, duty.first_signed.unwrap_or(signed)));
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
                    (true, false, Consequence::Again(answer.retry_after))
                } else {
                    (true, false, Consequence::Refused)
                }
            }
            Err(Failure::BrokenOff(BreakOff::AnswerLost)) => {
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
