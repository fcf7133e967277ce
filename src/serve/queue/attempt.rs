//! One attempt of a queued delivery, and what follows from it.

use std::sync::Arc;

use bytes::Bytes;
use rand_chacha::ChaCha20Rng;

use crate::delivery::{
    Attempt, DeliveryPlan, MadeAttempts, RetryDecision, Sender, TimestampAllocator, deliver_next,
};
use crate::policy::{Fault, Percent, RetryPolicy};
use crate::probe::Redaction;
use crate::protocol::Signer;
use crate::serve::clock::HubClock;
use crate::serve::model::{AttemptRecord, DeliveryState, KeptResponse, Webhook};
use crate::serve::store::queue::{AttemptEffect, QueuedDelivery};
use crate::transport::{Client, ExtraHeaders, RateLimit, Target};

/// What all attempts of the hub share.
#[derive(Debug)]
pub(super) struct Transport {
    pub(super) client: Client,
    pub(super) clock: HubClock,
    pub(super) timestamps: TimestampAllocator,
    pub(super) headers: ExtraHeaders,
}

/// A webhook, ready to be delivered to.
#[derive(Debug)]
pub(super) struct Endpoint {
    pub(super) webhook: Webhook,
    target: Target,
    signer: Signer,
    previous: Option<Signer>,
    /// One attempt: forgeries are not retried.
    once: RetryPolicy,
    redaction: Redaction,
}

impl Endpoint {
    pub(super) fn new(webhook: Webhook, target: Target) -> Self {
        let previous = webhook.previous.as_ref();
        let secrets = previous.map(|previous| previous.secret.clone());
        Self {
            target,
            signer: Signer::new(&webhook.secret),
            previous: previous.map(|previous| Signer::new(&previous.secret)),
            once: RetryPolicy {
                attempts: 1,
                ..webhook.delivery.retry.policy().clone()
            },
            redaction: Redaction::new([webhook.secret.clone()].into_iter().chain(secrets)),
            webhook,
        }
    }

    /// Makes the next attempt. `None` if it was not made.
    pub(super) async fn attempt(
        &self,
        transport: &Transport,
        queued: QueuedDelivery,
        random: &mut ChaCha20Rng,
    ) -> Option<AttemptEffect> {
        let (delivery, clock) = (queued.delivery, &transport.clock);
        let started_at = clock.now();
        let is_previous = self
            .webhook
            .signing_secret(delivery.created_at, started_at)
            .expose_bytes()
            != self.webhook.secret.expose_bytes();
        let signer = self.previous.as_ref().filter(|_| is_previous);
        let sender = Sender {
            client: &transport.client,
            clock: &clock.clock,
            signer: signer.unwrap_or(&self.signer),
            expired: self.previous.as_ref(),
            timestamps: &transport.timestamps,
            headers: &transport.headers,
            rate_limit: None::<&RateLimit>,
        };
        let policy = match delivery.forgery {
            Some(_) => &self.once,
            None => self.webhook.delivery.retry.policy(),
        };
        let plan = DeliveryPlan {
            forgery: delivery.forgery,
            fault: delivery.loses_response.then_some(Fault::LostAck),
            ..DeliveryPlan::new(&self.target, Bytes::from(queued.body), policy)
        };
        let made = MadeAttempts {
            total: delivery.attempts,
            waits: delivery.attempts.saturating_sub(delivery.earlier),
            first_timestamp: delivery.first_timestamp,
        };
        let (attempt, decision) = deliver_next(sender, plan, made, random).await?;
        let (state, next_at) = match decision {
            RetryDecision::End(outcome) => (outcome.into(), None),
            RetryDecision::RetryAfter(delay) => (DeliveryState::Pending, Some(clock.after(delay))),
        };
        let first_timestamp = delivery.first_timestamp.unwrap_or(attempt.signed_timestamp);
        Some(AttemptEffect {
            delivery_id: delivery.id,
            webhook_id: delivery.webhook_id,
            state,
            ended_at: clock.now(),
            first_timestamp,
            releases_held: self.webhook.delivery.faults.reordered != Percent::ZERO
                && !delivery.held,
            attempt: self.record(&attempt, started_at, next_at),
        })
    }

    /// What is kept of an attempt. Receivers may send secrets back, which are not stored again.
    fn record(&self, attempt: &Attempt, started_at: i64, next_at: Option<i64>) -> AttemptRecord {
        let total = attempt.exchange.timings.total.as_micros();
        let (status, failure, response) = match &attempt.exchange.result {
            Ok(response) => {
                let kept = self.webhook.settings.enabled_logs.then(|| {
                    KeptResponse::of(response, |bytes| self.redaction.bytes(bytes).into_owned())
                });
                (Some(response.status), None, kept)
            }
            Err(failure) => (
                None,
                Some(self.redaction.text(&failure.to_string()).into_owned()),
                None,
            ),
        };
        AttemptRecord {
            number: attempt.number,
            started_at,
            signed_timestamp: attempt.signed_timestamp,
            duration_us: u64::try_from(total).unwrap_or(u64::MAX),
            status,
            failure,
            response,
            next_at,
        }
    }
}

/// An endpoint, shared by the attempts that began before it changed.
pub(super) type SharedEndpoint = Arc<Endpoint>;
