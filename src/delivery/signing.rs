//! Builds the signed request of each attempt.

use std::time::Duration;

use bytes::Bytes;
use http::Method;
use rand::Rng;

use super::delivery_plan::{DeliveryPlan, Sender};
use super::forge::{ForgeInput, SignedRequest, forge, sign};
use super::fresh_event_id::with_event_id;
use crate::policy::{EventIdOnRetry, Fault, LateRetry, Lost};
use crate::transport::{ExtraHeaders, OutgoingRequest, Target};

/// Builds and signs the requests of one delivery.
pub(crate) struct Signing {
    /// The skipped wait, by which the signature of a late retry is made older.
    older_by: Duration,
    /// The first attempt's request and the timestamp it was built with.
    first: Option<(SignedRequest, u64)>,
    /// The first attempt's timestamp, if that attempt was made earlier.
    resumed_from: Option<u64>,
}

impl Signing {
    /// `skipped` is the part of a late retry's wait that is skipped.
    pub(crate) fn new(skipped: Duration) -> Self {
        Self {
            older_by: skipped,
            first: None,
            resumed_from: None,
        }
    }

    /// Continues after a first attempt that was signed with this timestamp.
    pub(crate) fn resumed(first_timestamp: u64) -> Self {
        Self {
            resumed_from: Some(first_timestamp),
            ..Self::new(Duration::ZERO)
        }
    }

    pub(crate) fn next_request<R: Rng>(
        &mut self,
        sender: &Sender<'_>,
        plan: &mut DeliveryPlan<'_>,
        target: &Target,
        rng: &mut R,
    ) -> SignedRequest {
        let late = match plan.fault {
            Some(Fault::LateRetry(LateRetry { lost })) => Some(lost),
            _ => None,
        };
        if let Some(signed_at) = self.resumed_from.take() {
            let request = sign_at(sender, plan, target, &plan.body, signed_at, rng);
            self.first = Some((request, signed_at));
        }
        let now = plan.signed_at.shown_at(sender.clock.unix_seconds());
        let older = |timestamp: u64| timestamp.saturating_sub(self.older_by.as_secs());
        let Some((first, signed_at)) = &self.first else {
            // The receiver never sees a lost first request, so it can be as old as its retry.
            let signed_at = match late {
                Some(Lost::Request) => older(now),
                Some(Lost::Response) | None => allocate_timestamp(sender, plan, &plan.body, now),
            };
            let request = sign_at(sender, plan, target, &plan.body, signed_at, rng);
            self.first = Some((request.clone(), signed_at));
            return request;
        };
        match late {
            Some(Lost::Request) => return sent_to(target, first),
            // Sign as if the first request had been sent before the skipped wait.
            Some(Lost::Response) => {
                return sign_at(sender, plan, target, &plan.body, older(*signed_at), rng);
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
            None => return sent_to(target, first),
        };
        let signed_at = if plan.policy.resign {
            allocate_timestamp(sender, plan, &body, now)
        } else {
            *signed_at
        };
        sign_at(sender, plan, target, &body, signed_at, rng)
    }
}

/// The same request, for another instance of the receiver. The host is not signed.
fn sent_to(target: &Target, request: &SignedRequest) -> SignedRequest {
    let mut request = request.clone();
    for (name, value) in &mut request.headers {
        if name.eq_ignore_ascii_case("host") {
            target.authority().clone_into(value);
        }
    }
    request
}

/// The timestamp to sign a body with. A forgery always uses the current time.
fn allocate_timestamp(sender: &Sender<'_>, plan: &DeliveryPlan<'_>, body: &Bytes, now: u64) -> u64 {
    match plan.forgery {
        Some(_) => now,
        None => sender.timestamps.allocate(body, now),
    }
}

fn sign_at<R: Rng>(
    sender: &Sender<'_>,
    plan: &DeliveryPlan<'_>,
    target: &Target,
    body: &Bytes,
    timestamp: u64,
    rng: &mut R,
) -> SignedRequest {
    let input = ForgeInput {
        host: target.authority(),
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

/// Converts the request for the client, and adds headers.
pub(crate) fn to_outgoing(signed: &SignedRequest, extra: &ExtraHeaders) -> OutgoingRequest {
    let request = OutgoingRequest::new(Method::POST).body(signed.body.clone());
    let mut headers = signed.headers.iter();
    match headers.try_fold(request, |request, (name, value)| {
        request.header(name, value)
    }) {
        Ok(request) => request.with_extra(extra),
        Err(_) => unreachable!("an authority, digits and letters are valid header values"),
    }
}
