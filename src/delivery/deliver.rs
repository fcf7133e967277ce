//! A delivery: attempts under a retry policy, on a timeline that can be virtual.

use std::time::{Duration, Instant};

use futures_util::future;
use jiff::Timestamp;
use rand::Rng;

use super::client::Client;
use super::clock::Clock;
use super::delivery_plan::DeliveryPlan;
use super::exchange::Exchange;
use super::failure::FailureClass;
use super::forge::SignedRequest;
use super::given_up::GivenUp;
use super::rate_limit::{RateLimit, Turns};
use super::retry_after::retry_after;
use super::schedule::{Schedule, span};
use super::send_options::{ConnectionUse, SendOptions};
use super::signed_seconds::SignedSeconds;
use super::signing::{Signing, outgoing};
use crate::protocol::Signer;
use crate::scenario::{Fault, Forgery, RetryOn, RetryPolicy, StatusClass};

/// What every delivery of a run has in common.
#[derive(Debug, Clone, Copy)]
pub struct Sender<'a> {
    /// Sends.
    pub client: &'a Client,
    /// Tells the time of the headers, and waits between attempts.
    pub clock: &'a Clock,
    /// Signs with the present secret.
    pub signer: &'a Signer,
    /// Signs with the secret before the present one, for `expired_secret`.
    pub expired: Option<&'a Signer>,
    /// As of which seconds bodies were signed already.
    pub signed_seconds: &'a SignedSeconds,
    /// Holds deliveries back, where the receiver takes only so many.
    pub rate_limit: Option<&'a RateLimit>,
}

/// A delivery and how it ended.
#[derive(Debug, Clone)]
pub struct Delivery {
    /// The attempts in their order; at least one.
    pub attempts: Vec<Attempt>,
    /// How it ended.
    pub outcome: Outcome,
}

/// How a delivery ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Outcome {
    /// The last answer was 2xx.
    Delivered,
    /// The last answer was neither 2xx nor one that is followed by another attempt.
    Refused,
    /// The attempts were used up, or the last one brought no answer and is not repeated either.
    Exhausted,
}

/// One attempt of a delivery.
#[derive(Debug, Clone)]
pub struct Attempt {
    /// From 1.
    pub number: u32,
    /// When it began, by the wall clock.
    pub started_at: Timestamp,
    /// When it began on the delivery's timeline: the real time since the delivery began and all
    /// waits that were skipped.
    pub virtual_offset: Duration,
    /// The policy's wait before it; none before the first.
    pub delay_before: Duration,
    /// The request and what came of it.
    pub exchange: Exchange,
    /// The timestamp that was signed, in Unix seconds.
    pub signed_timestamp: u64,
    /// How it was forged, if it was.
    pub forgery: Option<Forgery>,
    /// The fault that it has a part in, if any.
    pub fault: Option<Fault>,
    /// When it ended, in Unix seconds: from when a `Retry-After` counts.
    pub ended_at: u64,
}

/// Delivers: signs, sends, and tries again as the policy says.
///
/// `rng` gives the jitter and what is random in a forgery. `observe` sees each attempt as it ends,
/// in the order of their numbers: one that was given up, once its answer has been read.
pub async fn deliver<R: Rng>(
    sender: Sender<'_>,
    plan: DeliveryPlan<'_>,
    rng: &mut R,
    observe: impl FnMut(&Attempt),
) -> Delivery {
    let late_wait = match plan.fault {
        Some(Fault::LateRetry(_)) => span(plan.policy, rng),
        _ => None,
    };
    let skipped_wait = late_wait.filter(|_| sender.clock.is_compressed());
    let run = Run {
        sender,
        began: sender.clock.instant(),
        schedule: Schedule::new(plan.policy),
        late_wait,
        signing: Signing::new(skipped_wait.unwrap_or_default()),
        skipped: Duration::ZERO,
        delay_before: Duration::ZERO,
        begun: 0,
        attempts: Vec::new(),
        plan,
        rng,
        observe,
    };
    run.make().await
}

/// A delivery on its way.
struct Run<'a, R, O> {
    sender: Sender<'a>,
    plan: DeliveryPlan<'a>,
    rng: &'a mut R,
    observe: O,
    began: Instant,
    schedule: Schedule<'a>,
    /// The wait before a late retry.
    late_wait: Option<Duration>,
    signing: Signing,
    /// How much of the waits took no time.
    skipped: Duration,
    delay_before: Duration,
    /// How many attempts were begun.
    begun: u32,
    attempts: Vec<Attempt>,
}

/// An attempt before it is known what came of it.
struct Begun {
    number: u32,
    started_at: Timestamp,
    virtual_offset: Duration,
    delay_before: Duration,
    request: SignedRequest,
}

impl<R: Rng, O: FnMut(&Attempt)> Run<'_, R, O> {
    async fn make(mut self) -> Delivery {
        match self.plan.fault {
            Some(Fault::TimeoutOverlap(overlap)) => Box::pin(self.overlap(overlap.after.0)).await,
            _ => self.attempt().await,
        }
        let outcome = loop {
            match self.verdict() {
                Verdict::Ends(outcome) => break outcome,
                Verdict::Again => match self.next_delay() {
                    Some(delay) => {
                        self.wait(delay).await;
                        self.attempt().await;
                    }
                    None => break Outcome::Exhausted,
                },
            }
        };
        let attempts = self.attempts;
        Delivery { attempts, outcome }
    }

    /// One attempt, and the interlude after it, if there is one.
    async fn attempt(&mut self) {
        let turn = self.turn().await;
        let begun = self.begin();
        let options = self.options(&begun);
        let outgoing = outgoing(&begun.request);
        let client = self.sender.client;
        let exchange = client.send(self.plan.target, &outgoing, options).await;
        self.end(&begun, exchange);
        // Before anything else wants one: it would wait for this.
        drop(turn);
        if let Some(interlude) = self.plan.interlude.take() {
            interlude.pass().await;
        }
    }

    /// The first attempt, given up `after` the request has left, and the second, which comes while
    /// the receiver is still at work on the first.
    async fn overlap(&mut self, after: Duration) {
        let (timeout, clock) = (self.plan.policy.timeout.0, self.sender.clock);
        let turn = self.turn().await;
        let first = self.begin();
        let options = SendOptions {
            // Its answer can still come when the sender has long turned to the second.
            timeout: timeout.saturating_mul(2).saturating_add(after),
            ..self.options(&first)
        };
        let (client, target) = (self.sender.client, self.plan.target);
        let request = outgoing(&first.request);
        let mut given_up = match GivenUp::send(client, target, request, options, after).await {
            Ok(given_up) => given_up,
            Err(failed) => return self.end(&first, *failed),
        };
        // The request has left, and the second must not wait for the first.
        drop(turn);
        let skipped = given_up.meanwhile(clock.pause(timeout)).await;
        self.skipped = self.skipped.saturating_add(skipped);
        let is_retried = self.plan.policy.retry_on.contains(&RetryOn::Timeout);
        let delay = if is_retried { self.next_delay() } else { None };
        let Some(delay) = delay else {
            let exchange = given_up.end(timeout).await;
            return self.end(&first, exchange);
        };
        given_up.meanwhile(self.wait(delay)).await;
        let _turn = given_up.meanwhile(self.turn()).await;
        let second = self.begin();
        let options = SendOptions {
            connection: ConnectionUse::New,
            ..self.options(&second)
        };
        let request = outgoing(&second.request);
        let retry = client.send(target, &request, options);
        let (exchange, unheard) = future::join(retry, given_up.end(timeout)).await;
        self.end(&first, unheard);
        self.end(&second, exchange);
    }

    /// Waits until the receiver takes one more. Those that are made at the same moment have waited
    /// together.
    async fn turn(&self) -> Option<Turns> {
        match self.sender.rate_limit {
            Some(limit) if self.plan.gate.is_none() => Some(limit.turns(1).await),
            _ => None,
        }
    }

    /// An attempt that begins now.
    fn begin(&mut self) -> Begun {
        let request = self.signing.next(&self.sender, &mut self.plan, self.rng);
        let real = self.sender.clock.instant();
        let real = real.saturating_duration_since(self.began);
        // Counted by those that were begun: one that was given up is not among the attempts yet.
        self.begun = self.begun.saturating_add(1);
        Begun {
            number: self.begun,
            started_at: self.sender.clock.now(),
            virtual_offset: real.saturating_add(self.skipped),
            delay_before: self.delay_before,
            request,
        }
    }

    fn options(&mut self, begun: &Begun) -> SendOptions {
        let is_first = begun.number == 1;
        SendOptions {
            timeout: self.plan.policy.timeout.0,
            connection: if is_first {
                self.plan.connection
            } else {
                self.plan.policy.connection.into()
            },
            gate: self.plan.gate.take(),
            fault: self.plan.wire_fault(begun.number),
            sent: None,
        }
    }

    /// What came of an attempt is known.
    fn end(&mut self, begun: &Begun, exchange: Exchange) {
        let attempt = Attempt {
            number: begun.number,
            started_at: begun.started_at,
            virtual_offset: begun.virtual_offset,
            delay_before: begun.delay_before,
            exchange,
            signed_timestamp: begun.request.signed_timestamp,
            forgery: self.plan.forgery,
            fault: self.plan.fault_of(begun.number),
            ended_at: self.sender.clock.unix_seconds(),
        };
        (self.observe)(&attempt);
        self.attempts.push(attempt);
    }

    /// The wait before the next attempt, if there is one.
    fn next_delay(&mut self) -> Option<Duration> {
        if matches!(self.plan.fault, Some(Fault::LateRetry(_))) {
            return self.late_wait.take();
        }
        let delay = self.schedule.next_delay(self.rng)?;
        let asked = self.attempts.last().and_then(Attempt::retry_after);
        Some(self.plan.policy.retry_after.wait(delay, asked))
    }

    async fn wait(&mut self, delay: Duration) {
        self.delay_before = delay;
        let skipped = self.sender.clock.pause(delay).await;
        self.skipped = self.skipped.saturating_add(skipped);
    }

    /// What the last attempt means for the delivery.
    fn verdict(&self) -> Verdict {
        match self.attempts.last() {
            Some(last) => last.verdict(self.plan.policy),
            None => Verdict::Again,
        }
    }
}

/// What an attempt means for its delivery.
enum Verdict {
    /// It was the last one.
    Ends(Outcome),
    /// It is followed by another, unless the attempts are used up.
    Again,
}

impl Attempt {
    /// What the attempt means for its delivery under a policy.
    fn verdict(&self, policy: &RetryPolicy) -> Verdict {
        let retried_on = |on: RetryOn| {
            if policy.retry_on.contains(&on) {
                Verdict::Again
            } else {
                Verdict::Ends(Outcome::Exhausted)
            }
        };
        match &self.exchange.result {
            // Success is success, whatever a policy lists.
            Ok(response) if StatusClass::Success.matches(response.status) => {
                Verdict::Ends(Outcome::Delivered)
            }
            Ok(response) if policy.retries_status(response.status) => Verdict::Again,
            // It took the sender for too slow, which it was.
            Ok(response) if response.status == 408 && self.is_slow() => {
                retried_on(RetryOn::Timeout)
            }
            Ok(_) => Verdict::Ends(Outcome::Refused),
            Err(failure) => retried_on(match failure.class() {
                FailureClass::Timeout => RetryOn::Timeout,
                FailureClass::Connection => RetryOn::Connection,
            }),
        }
    }

    /// How long the answer asks to wait before the next attempt, if it does.
    pub fn retry_after(&self) -> Option<Duration> {
        let response = self.exchange.result.as_ref().ok()?;
        retry_after(response, self.ended_at)
    }

    fn is_slow(&self) -> bool {
        matches!(self.fault, Some(Fault::SlowBody(_)))
    }
}
