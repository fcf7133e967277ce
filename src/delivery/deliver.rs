//! A delivery: attempts under a retry policy, on a timeline that can be virtual.

use std::time::Duration;

use bytes::Bytes;
use http::Method;
use jiff::Timestamp;
use rand::Rng;

use super::client::{Client, ConnectionUse, SendOptions};
use super::clock::Clock;
use super::exchange::Exchange;
use super::failure::FailureClass;
use super::forge::{ForgeInput, SignedRequest, forge, sign};
use super::gate::Gate;
use super::request::OutgoingRequest;
use super::schedule::Schedule;
use super::target::Target;
use crate::protocol::Signer;
use crate::scenario::{Forgery, RetryOn, RetryPolicy, StatusClass};

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
}

/// What is delivered, where to, and how.
#[derive(Debug)]
pub struct DeliveryPlan<'a> {
    /// Where to.
    pub target: &'a Target,
    /// The exact bytes of the event.
    pub body: Bytes,
    /// When to try again.
    pub policy: &'a RetryPolicy,
    /// How the delivery is forged, if it is.
    pub forgery: Option<Forgery>,
    /// Whether idle connections may be used.
    pub connection: ConnectionUse,
    /// A place at a gate, for the first attempt.
    pub gate: Option<Gate>,
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
}

/// Delivers: signs, sends, and tries again as the policy says.
///
/// `rng` gives the jitter and what is random in a forgery. `observe` sees each attempt as it ends.
pub async fn deliver<R: Rng>(
    sender: Sender<'_>,
    plan: DeliveryPlan<'_>,
    rng: &mut R,
    mut observe: impl FnMut(&Attempt),
) -> Delivery {
    let policy = plan.policy;
    let began = sender.clock.instant();
    let mut schedule = Schedule::new(policy);
    let mut gate = plan.gate;
    let mut signed: Option<SignedRequest> = None;
    let mut skipped = Duration::ZERO;
    let mut delay_before = Duration::ZERO;
    let mut attempts: Vec<Attempt> = Vec::new();
    loop {
        let request = match signed.take() {
            Some(first) if !policy.resign => first,
            _ => sign_attempt(&sender, plan.target, &plan.body, plan.forgery, rng),
        };
        let started_at = sender.clock.now();
        let real = sender.clock.instant().saturating_duration_since(began);
        let options = SendOptions {
            timeout: policy.timeout.0,
            connection: plan.connection,
            gate: gate.take(),
        };
        let outgoing = outgoing(&request);
        let exchange = sender.client.send(plan.target, &outgoing, options).await;
        let attempt = Attempt {
            number: u32::try_from(attempts.len())
                .unwrap_or(u32::MAX)
                .saturating_add(1),
            started_at,
            virtual_offset: real.saturating_add(skipped),
            delay_before,
            exchange,
            signed_timestamp: request.signed_timestamp,
            forgery: plan.forgery,
        };
        observe(&attempt);
        let verdict = verdict(policy, &attempt.exchange);
        attempts.push(attempt);
        signed = Some(request);
        let outcome = match verdict {
            Verdict::Ends(outcome) => outcome,
            Verdict::Again => match schedule.next_delay(rng) {
                Some(delay) => {
                    delay_before = delay;
                    skipped = skipped.saturating_add(sender.clock.pause(delay).await);
                    continue;
                }
                None => Outcome::Exhausted,
            },
        };
        return Delivery { attempts, outcome };
    }
}

/// What an attempt means for the delivery.
enum Verdict {
    Ends(Outcome),
    Again,
}

fn verdict(policy: &RetryPolicy, exchange: &Exchange) -> Verdict {
    match &exchange.result {
        // Success is success, whatever a policy lists.
        Ok(response) if StatusClass::Success.matches(response.status) => {
            Verdict::Ends(Outcome::Delivered)
        }
        Ok(response) if policy.retries_status(response.status) => Verdict::Again,
        Ok(_) => Verdict::Ends(Outcome::Refused),
        Err(failure) => {
            let on = match failure.class() {
                FailureClass::Timeout => RetryOn::Timeout,
                FailureClass::Connection => RetryOn::Connection,
            };
            if policy.retry_on.contains(&on) {
                Verdict::Again
            } else {
                Verdict::Ends(Outcome::Exhausted)
            }
        }
    }
}

/// The headers and the body of an attempt that begins now.
fn sign_attempt<R: Rng>(
    sender: &Sender<'_>,
    target: &Target,
    body: &Bytes,
    forgery: Option<Forgery>,
    rng: &mut R,
) -> SignedRequest {
    let input = ForgeInput {
        host: target.authority(),
        body,
        timestamp: sender.clock.unix_seconds(),
        signer: sender.signer,
        expired: sender.expired,
    };
    match forgery {
        Some(forgery) => forge(forgery, &input, rng),
        None => sign(&input),
    }
}

fn outgoing(signed: &SignedRequest) -> OutgoingRequest {
    let request = OutgoingRequest::new(Method::POST).body(signed.body.clone());
    let mut headers = signed.headers.iter();
    match headers.try_fold(request, |request, (name, value)| {
        request.header(name, value)
    }) {
        Ok(request) => request,
        Err(_) => unreachable!("a checked authority, digits and letters are header values"),
    }
}
