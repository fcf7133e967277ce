//! Processes one delivery, step by step: reads the body, verifies the signature, parses the event,
//! decides what to grant, records that once, and responds.

use std::sync::Arc;

use futures_util::FutureExt;
use http::{HeaderMap, StatusCode};
use hyper::body::Incoming;

use crate::protocol::Event;

use super::ledger::{RecordOutcome, digest};
use super::outcome::{Failure, RequestOutcome};
use super::received_request::Decision;
use super::refusal::Refusal;
use super::response::ReceiverResponse;
use super::scripts::Scripts;
use super::steps::{IncomingDelivery, Steps};

/// The state that all requests share.
pub(super) struct Backend {
    pub(super) steps: Box<dyn Steps>,
    pub(super) scripts: Scripts,
}

/// Processes a delivery and builds its response.
pub(super) async fn process(
    backend: &Arc<Backend>,
    headers: HeaderMap,
    body: Incoming,
) -> RequestOutcome {
    let outcome = match receive(backend, headers, body).await {
        Err(refusal) => RequestOutcome::failed(refusal),
        Ok(delivery) if backend.steps.responds_early() => {
            let backend = Arc::clone(backend);
            // The outcome is lost.
            tokio::spawn(async move { process_verified(&backend, &delivery).await });
            RequestOutcome::new(ReceiverResponse::ok(), Decision::AnsweredEarly)
        }
        Ok(delivery) => process_verified(backend, &delivery).await,
    };
    backend.steps.alter_response(outcome).await
}

/// Reads and authenticates a delivery.
async fn receive(
    backend: &Backend,
    headers: HeaderMap,
    body: Incoming,
) -> Result<IncomingDelivery, Refusal> {
    let body = backend.steps.read(&headers, body).await?;
    let delivery = IncomingDelivery { headers, body };
    backend.steps.authenticate(&delivery).await?;
    Ok(delivery)
}

/// Processes an authenticated delivery. A scripted failure has priority over any error in the body;
/// the body only determines the player whose script applies.
async fn process_verified(backend: &Backend, delivery: &IncomingDelivery) -> RequestOutcome {
    let event = backend.steps.parse_event(&delivery.body);
    let player_id = event
        .as_ref()
        .ok()
        .map(|event| event.event_data.player_id.to_string());
    let scripted = backend.scripts.next(player_id.as_deref());
    let outcome = match (scripted, event) {
        (Some(status), event) if !status.is_success() => {
            respond_with_failure(backend, event.ok().as_ref(), delivery, status).await
        }
        (_, Err(refusal)) => Err(refusal.into()),
        (_, Ok(event)) => {
            let key = backend.steps.identify(&event, delivery);
            let work = record_event(backend, &event, delivery, scripted)
                .map(|recorded| recorded.unwrap_or_else(RequestOutcome::failed));
            Ok(backend.steps.process(key, delivery, work.boxed()).await)
        }
    };
    outcome
        .unwrap_or_else(RequestOutcome::failed)
        .for_player(player_id)
}

/// Responds with a scripted failure.
async fn respond_with_failure(
    backend: &Backend,
    event: Option<&Event>,
    delivery: &IncomingDelivery,
    status: StatusCode,
) -> Result<RequestOutcome, Failure> {
    if let Some(event) = event
        && let Ok((_, entry)) = backend.steps.entry(event, delivery)
    {
        backend.steps.record_half(entry).await?;
    }
    let response = ReceiverResponse::error(status, "scripted failure");
    Ok(RequestOutcome::new(response, Decision::Scripted))
}

/// Grants an event once. A redelivery gets the first delivery's response, even if the event would
/// be refused by now or the body is different: the key says that the action has happened. A
/// different body is the sender's mistake, but a second grant would be worse, and a refusal would
/// only cause another retry.
///
/// A refusal does not record the key, so the event can be granted later, when the game is able to.
async fn record_event(
    Backend { steps, .. }: &Backend,
    event: &Event,
    delivery: &IncomingDelivery,
    scripted: Option<StatusCode>,
) -> Result<RequestOutcome, Failure> {
    let first = match steps.entry(event, delivery) {
        Ok((decision, mut entry)) => {
            let response = ReceiverResponse::success(scripted.unwrap_or(StatusCode::OK));
            entry.response = response.clone();
            match steps.record(entry).await? {
                RecordOutcome::First => return Ok(RequestOutcome::new(response, decision)),
                RecordOutcome::Redelivery(first) => first,
            }
        }
        Err(refusal) => {
            let key = steps.identify(event, delivery);
            let recalled = steps.recall(key, digest(&delivery.body)).await?;
            recalled.ok_or(refusal)?
        }
    };
    let response = scripted.map_or(first.response, ReceiverResponse::success);
    let same_body = first.same_body;
    Ok(RequestOutcome::new(
        response,
        Decision::Redelivery { same_body },
    ))
}
