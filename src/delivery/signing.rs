//! The request of each attempt: which bytes, and as of when they are signed.

use std::time::Duration;

use bytes::Bytes;
use http::Method;
use rand::Rng;

use super::deliver::Sender;
use super::delivery_plan::DeliveryPlan;
use super::forge::{ForgeInput, SignedRequest, forge, sign};
use super::fresh_event_id::with_event_id;
use super::request::OutgoingRequest;
use crate::scenario::{EventIdOnRetry, Fault, LateRetry, Lost};

/// Makes the requests of one delivery.
pub(super) struct Signing {
    /// How much older the signature of a late retry is than it would be: the time that was skipped.
    older_by: Duration,
    /// The first attempt's request, and the moment as of which it was made.
    first: Option<(SignedRequest, u64)>,
}

impl Signing {
    /// `skipped` is the part of a late retry's wait that takes no time.
    pub(super) fn new(skipped: Duration) -> Self {
        Self {
            older_by: skipped,
            first: None,
        }
    }

    /// The headers and the body of an attempt that begins now.
    pub(super) fn next<R: Rng>(
        &mut self,
        sender: &Sender<'_>,
        plan: &mut DeliveryPlan<'_>,
        rng: &mut R,
    ) -> SignedRequest {
        let late = match plan.fault {
            Some(Fault::LateRetry(LateRetry { lost })) => Some(lost),
            _ => None,
        };
        let now = sender.clock.unix_seconds();
        let older = |timestamp: u64| timestamp.saturating_sub(self.older_by.as_secs());
        let Some((first, signed_at)) = &self.first else {
            // A first request that nobody sees can be as old as the retry that repeats it.
            let signed_at = match late {
                Some(Lost::Request) => older(now),
                Some(Lost::Response) | None => free_second(sender, plan, &plan.body, now),
            };
            let request = sign_at(sender, plan, &plan.body, signed_at, rng);
            self.first = Some((request.clone(), signed_at));
            return request;
        };
        match late {
            Some(Lost::Request) => return first.clone(),
            // As the first would be by now, had it really been sent so long ago.
            Some(Lost::Response) => {
                return sign_at(sender, plan, &plan.body, older(*signed_at), rng);
            }
            None => {}
        }
        let fresh_id = match (plan.policy.event_id, &mut plan.event_ids) {
            (EventIdOnRetry::Fresh, Some(ids)) => Some(ids.event_id()),
            _ => None,
        };
        let body = match fresh_id {
            Some(id) => with_event_id(&plan.body, &id),
            None if plan.policy.resign => plan.body.clone(),
            None => return first.clone(),
        };
        let signed_at = if plan.policy.resign {
            free_second(sender, plan, &body, now)
        } else {
            *signed_at
        };
        sign_at(sender, plan, &body, signed_at, rng)
    }
}

/// As of when a body is signed that goes out now. What is forged is no delivery of the sender's.
fn free_second(sender: &Sender<'_>, plan: &DeliveryPlan<'_>, body: &Bytes, now: u64) -> u64 {
    match plan.forgery {
        Some(_) => now,
        None => sender.signed_seconds.take(body, now),
    }
}

/// A request, genuine or forged, as of a moment.
fn sign_at<R: Rng>(
    sender: &Sender<'_>,
    plan: &DeliveryPlan<'_>,
    body: &Bytes,
    timestamp: u64,
    rng: &mut R,
) -> SignedRequest {
    let input = ForgeInput {
        host: plan.target.authority(),
        body,
        timestamp,
        signer: sender.signer,
        expired: sender.expired,
    };
    match plan.forgery {
        Some(forgery) => forge(forgery, &input, rng),
        None => sign(&input),
    }
}

/// The request as the client sends it.
pub(super) fn outgoing(signed: &SignedRequest) -> OutgoingRequest {
    let request = OutgoingRequest::new(Method::POST).body(signed.body.clone());
    let mut headers = signed.headers.iter();
    match headers.try_fold(request, |request, (name, value)| {
        request.header(name, value)
    }) {
        Ok(request) => request,
        Err(_) => unreachable!("a checked authority, digits and letters are header values"),
    }
}
