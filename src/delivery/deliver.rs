//! Makes a delivery: attempts under a retry policy, on a timeline that may be virtual.

use std::time::{Duration, Instant};

use futures_util::future;
use jiff::Timestamp;
use rand::Rng;

use super::delivery_plan::{DeliveryPlan, Sender};
use super::forge::SignedRequest;
use super::interruption::{Interrupt, Interruption};
use super::retry_decision::{AttemptEnd, RetryDecision};
use super::signing::{Signing, to_outgoing};
use crate::policy::{ConnectionChoice, Fault, Forgery, Outcome, Schedule, WireForm, total_wait};
use crate::transport::{
    AbandonedAttempt, Exchange, Failure, FailureClass, OutgoingRequest, RateLimitPermits,
    SendOptions, SenderAbort, retry_after,
};

#[derive(Debug, Clone)]
pub(crate) struct Delivery {
    /// The attempts in order; at least one.
    pub attempts: Vec<Attempt>,
    pub outcome: Outcome,
}

#[derive(Debug, Clone)]
pub(crate) struct Attempt {
    /// Counted from 1.
    pub number: u32,
    /// When it started, by the wall clock.
    pub started_at: Timestamp,
    /// When it started on the delivery's timeline: the real time since the delivery started, plus
    /// all skipped waits.
    pub virtual_offset: Duration,
    /// The policy's wait before it; zero before the first attempt.
    pub delay_before: Duration,
    pub exchange: Exchange,
    /// The timestamp that was signed, in Unix seconds.
    pub signed_timestamp: u64,
    pub forgery: Option<Forgery>,
    pub fault: Option<Fault>,
    /// When it ended, in Unix seconds. A `Retry-After` counts from then.
    pub ended_at: u64,
}

/// Makes a delivery: signs and sends the request, and retries it according to the policy.
///
/// `rng` provides the jitter and the random parts of a forgery. `observe` is called with each
/// attempt as it ends, in the order of their numbers. An abandoned attempt ends once its response
/// has been read.
pub(crate) async fn deliver<R: Rng>(
    sender: Sender<'_>,
    plan: DeliveryPlan<'_>,
    rng: &mut R,
    observe: impl FnMut(&Attempt),
) -> Delivery {
    let late_wait = match plan.fault {
        Some(Fault::LateRetry(_)) => total_wait(plan.policy, rng),
        _ => None,
    };
    let skipped_wait = late_wait.filter(|_| sender.clock.is_compressed());
    let delivery = ActiveDelivery {
        sender,
        started: sender.clock.instant(),
        schedule: Schedule::new(plan.policy),
        late_wait,
        signing: Signing::new(skipped_wait.unwrap_or_default()),
        skipped: Duration::ZERO,
        delay_before: Duration::ZERO,
        attempts_started: 0,
        attempts: Vec::new(),
        relayed: None,
        plan,
        rng,
        observe,
    };
    delivery.run().await
}

/// How far a delivery came that continues later, perhaps in another process.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct MadeAttempts {
    /// How many attempts were made.
    pub total: u32,
    /// How many of the policy's waits were used.
    pub waits: u32,
    /// The timestamp of the first attempt.
    pub first_timestamp: Option<u64>,
}

/// Makes only the next attempt of a delivery, and decides what follows: for a queue, which waits for
/// retries by itself. The plan's fault affects the first attempt; it must not need two attempts at once.
pub(crate) async fn deliver_next<R: Rng>(
    sender: Sender<'_>,
    plan: DeliveryPlan<'_>,
    made: MadeAttempts,
    rng: &mut R,
) -> Option<(Attempt, RetryDecision)> {
    let mut delivery = ActiveDelivery {
        sender,
        started: sender.clock.instant(),
        schedule: Schedule::resumed(plan.policy, made.waits),
        late_wait: None,
        signing: match made.first_timestamp {
            Some(timestamp) => Signing::resumed(timestamp),
            None => Signing::new(Duration::ZERO),
        },
        skipped: Duration::ZERO,
        delay_before: Duration::ZERO,
        attempts_started: made.total,
        attempts: Vec::new(),
        relayed: None,
        plan,
        rng,
        observe: |_: &Attempt| {},
    };
    delivery.attempt().await;
    let attempt = delivery.attempts.pop()?;
    let decision = delivery.decide(attempt.end());
    Some((attempt, decision))
}

struct ActiveDelivery<'a, R, O> {
    sender: Sender<'a>,
    plan: DeliveryPlan<'a>,
    rng: &'a mut R,
    observe: O,
    started: Instant,
    schedule: Schedule<'a>,
    late_wait: Option<Duration>,
    signing: Signing,
    skipped: Duration,
    delay_before: Duration,
    attempts_started: u32,
    attempts: Vec<Attempt>,
    /// The delivery of the local Aghanim that shows the attempts.
    relayed: Option<i64>,
}

/// An attempt whose result is not yet known.
struct StartedAttempt {
    number: u32,
    started_at: Timestamp,
    virtual_offset: Duration,
    delay_before: Duration,
    request: SignedRequest,
}

impl<R: Rng, O: FnMut(&Attempt)> ActiveDelivery<'_, R, O> {
    async fn run(mut self) -> Delivery {
        match (self.plan.fault, self.plan.interruption) {
            (Some(Fault::TimeoutOverlap(overlap)), _) => {
                Box::pin(self.overlap(overlap.after.0, None)).await;
            }
            (Some(Fault::RestartInFlight(_)), Some(Interruption { after, by })) => {
                Box::pin(self.overlap(after, Some(by))).await;
            }
            _ => self.attempt().await,
        }
        let outcome = loop {
            let Some(end) = self.attempts.last().map(Attempt::end) else {
                break Outcome::Exhausted;
            };
            match self.decide(end) {
                RetryDecision::End(outcome) => break outcome,
                RetryDecision::RetryAfter(delay) => {
                    self.wait(delay).await;
                    self.attempt().await;
                }
            }
        };
        let attempts = self.attempts;
        Delivery { attempts, outcome }
    }

    async fn attempt(&mut self) {
        let permit = self.rate_limit_permit().await;
        let started = self.start_attempt();
        let options = self.options(&started);
        let outgoing = self.outgoing(&started);
        let is_special = options.fault.is_some()
            || options.barrier.is_some()
            || self.plan.wire != WireForm::default();
        let client = self.sender.client;
        let target = self.plan.target_of(started.number);
        let exchange = match client.relay() {
            // Faults, forms on the wire and barriers need a connection of our own.
            Some(relay) if !is_special => {
                let forgery = self.plan.forgery.map(Forgery::name);
                let relayed = &mut self.relayed;
                client
                    .send_relayed(relay, target, &outgoing, options, forgery, relayed)
                    .await
            }
            _ => client.send(target, &outgoing, options).await,
        };
        self.end_attempt(&started, exchange);
        // The other deliveries at the barrier may need this permit.
        drop(permit);
        if let Some(barrier) = self.plan.retry_barrier.take() {
            barrier.wait().await;
        }
    }

    /// Abandons the first attempt once its request has been sent and `after` has passed, and makes
    /// the second while the receiver is still processing the first, or once it was interrupted.
    async fn overlap(&mut self, after: Duration, interruption: Option<&dyn Interrupt>) {
        let (timeout, clock) = (self.plan.policy.timeout.0, self.sender.clock);
        let permit = self.rate_limit_permit().await;
        let first = self.start_attempt();
        let options = SendOptions {
            // Its response may arrive long after the second attempt has started.
            timeout: timeout.saturating_mul(2).saturating_add(after),
            ..self.options(&first)
        };
        let (client, target) = (self.sender.client, self.plan.target_of(first.number));
        let request = self.outgoing(&first);
        let mut abandoned =
            match AbandonedAttempt::send(client, target, request, options, after).await {
                Ok(abandoned) => abandoned,
                Err(failed) => {
                    if let Some(interruption) = interruption {
                        interruption.interrupt().await;
                    }
                    return self.end_attempt(&first, *failed);
                }
            };
        // The second attempt must not wait for the first one's permit.
        drop(permit);
        let (failure, abort) = if let Some(interruption) = interruption {
            abandoned.run_while(interruption.interrupt()).await;
            (FailureClass::Connection, SenderAbort::ReceiverRestarted)
        } else {
            let skipped = abandoned.run_while(clock.pause(timeout)).await;
            self.skipped = self.skipped.saturating_add(skipped);
            let abort = SenderAbort::Abandoned { after: timeout };
            (FailureClass::Timeout, abort)
        };
        let end = AttemptEnd {
            result: Err(failure),
            slow_body: false,
            retry_after: None,
        };
        let RetryDecision::RetryAfter(delay) = self.decide(end) else {
            let exchange = abandoned.finish(abort).await;
            return self.end_attempt(&first, exchange);
        };
        abandoned.run_while(self.wait(delay)).await;
        let _permit = abandoned.run_while(self.rate_limit_permit()).await;
        let second = self.start_attempt();
        let options = SendOptions {
            connection: ConnectionChoice::New,
            ..self.options(&second)
        };
        let request = self.outgoing(&second);
        let retry = client.send(self.plan.target_of(second.number), &request, options);
        let (exchange, first_exchange) = future::join(retry, abandoned.finish(abort)).await;
        self.end_attempt(&first, first_exchange);
        self.end_attempt(&second, exchange);
    }

    /// Waits until the rate limit allows one more attempt. Nothing holds a permit while it waits for
    /// another, so that deliveries can't block each other.
    async fn rate_limit_permit(&mut self) -> Option<RateLimitPermits> {
        let limit = self.sender.rate_limit?;
        match self.plan.permit.take() {
            Some(permit) => Some(permit),
            None => Some(limit.acquire(1).await),
        }
    }

    /// Starts an attempt: signs its request now.
    fn start_attempt(&mut self) -> StartedAttempt {
        // `attempts` does not yet contain an abandoned attempt.
        self.attempts_started = self.attempts_started.saturating_add(1);
        let target = self.plan.target_of(self.attempts_started);
        let request = self
            .signing
            .next_request(&self.sender, &mut self.plan, target, self.rng);
        let elapsed = self.sender.clock.instant();
        let elapsed = elapsed.saturating_duration_since(self.started);
        StartedAttempt {
            number: self.attempts_started,
            started_at: self.sender.clock.now(),
            virtual_offset: elapsed.saturating_add(self.skipped),
            delay_before: self.delay_before,
            request,
        }
    }

    fn outgoing(&self, started: &StartedAttempt) -> OutgoingRequest {
        let outgoing = to_outgoing(&started.request, self.sender.headers);
        outgoing.with_wire(self.plan.wire.clone())
    }

    fn options(&mut self, started: &StartedAttempt) -> SendOptions {
        let is_first = started.number == 1;
        SendOptions {
            connection: if is_first {
                self.plan.connection
            } else {
                self.plan.policy.connection
            },
            barrier: self.plan.barrier.take(),
            fault: self.plan.wire_fault(started.number),
            ..SendOptions::within(self.plan.policy.timeout.0)
        }
    }

    fn end_attempt(&mut self, started: &StartedAttempt, exchange: Exchange) {
        let attempt = Attempt {
            number: started.number,
            started_at: started.started_at,
            virtual_offset: started.virtual_offset,
            delay_before: started.delay_before,
            exchange,
            signed_timestamp: started.request.signed_timestamp,
            forgery: self.plan.forgery,
            fault: self.plan.fault_of_attempt(started.number),
            ended_at: self.sender.clock.unix_seconds(),
        };
        (self.observe)(&attempt);
        self.attempts.push(attempt);
    }

    /// What follows from an attempt. Advances the schedule if that is a retry.
    fn decide(&mut self, mut end: AttemptEnd) -> RetryDecision {
        let policy = self.plan.policy;
        if matches!(self.plan.fault, Some(Fault::LateRetry(_))) {
            end.retry_after = None;
            return end.decide(policy, || self.late_wait.take());
        }
        end.decide(policy, || self.schedule.next_delay(self.rng))
    }

    async fn wait(&mut self, delay: Duration) {
        self.delay_before = delay;
        let skipped = self.sender.clock.pause(delay).await;
        self.skipped = self.skipped.saturating_add(skipped);
    }
}

impl Attempt {
    fn end(&self) -> AttemptEnd {
        let response = self.exchange.result.as_ref();
        AttemptEnd {
            result: response
                .map(|response| response.status)
                .map_err(Failure::class),
            slow_body: matches!(self.fault, Some(Fault::SlowBody(_))),
            retry_after: response
                .ok()
                .and_then(|response| retry_after(response, self.ended_at)),
        }
    }
}
