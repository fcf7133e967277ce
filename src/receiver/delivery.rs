//! Processes one delivery, step by step. Each step is in its own file.

use std::sync::Arc;

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, StatusCode};
use hyper::body::Incoming;

use crate::protocol::{Event, SIGNATURE_HEADER};

use super::authentication::Evidence;
use super::control::RequestOutcome;
use super::flaws::{UnverifiedKeyUse, without_grants};
use super::grants::{ItemGrant, grants, skip_reason};
use super::ledger::{FirstDelivery, LedgerEntry, RecordOutcome, digest};
use super::received_request::Decision;
use super::refusal::Refusal;
use super::response::ReceiverResponse;
use super::server::Backend;

/// A delivery whose body was read.
struct IncomingDelivery {
    body: Bytes,
    /// The value of the signature header. Only some flaws and variants use it after
    /// authentication.
    signature: String,
}

/// Reads, authenticates, parses and grants a delivery, and builds its response.
pub(super) async fn process(
    backend: &Arc<Backend>,
    headers: &HeaderMap,
    body: Incoming,
) -> RequestOutcome {
    let outcome = match receive(backend, headers, body).await {
        Ok(delivery) if backend.steps.responds_early() => process_in_background(backend, delivery),
        Ok(delivery) => process_verified(backend, &delivery).await,
        Err(refusal) => RequestOutcome::refused(refusal),
    };
    backend.steps.alter_response(outcome).await
}

/// Responds at once and processes the delivery afterwards. Its outcome is lost.
fn process_in_background(backend: &Arc<Backend>, delivery: IncomingDelivery) -> RequestOutcome {
    let backend = Arc::clone(backend);
    tokio::spawn(async move { process_verified(&backend, &delivery).await });
    RequestOutcome::new(ReceiverResponse::ok(), Decision::AnsweredEarly)
}

/// Reads and authenticates a delivery.
async fn receive(
    backend: &Backend,
    headers: &HeaderMap,
    body: Incoming,
) -> Result<IncomingDelivery, Refusal> {
    let (steps, settings) = (&backend.steps, &backend.settings);
    steps.refuse_unread(headers)?;
    let body = steps.read(body, settings.body_timeout).await?;
    let authenticated = steps.authenticate(&Evidence {
        headers,
        body: &body,
        signer: &backend.signer,
        now: (settings.clock)(),
        tolerance: settings.tolerance,
    });
    let signature = headers.get(SIGNATURE_HEADER).map(HeaderValue::as_bytes);
    let delivery = IncomingDelivery {
        body,
        signature: String::from_utf8_lossy(signature.unwrap_or_default()).into_owned(),
    };
    match authenticated {
        Err(refusal) if !accepted_by_flaw(backend, &delivery, &refusal).await => Err(refusal),
        _ => Ok(delivery),
    }
}

/// Whether a flaw accepts the delivery although authentication refused it.
async fn accepted_by_flaw(
    backend: &Backend,
    delivery: &IncomingDelivery,
    refusal: &Refusal,
) -> bool {
    let (steps, ledger) = (&backend.steps, &backend.ledger);
    let Some(key_use) = steps.unverified_key_use().filter(|_| refusal.is_forgery()) else {
        return false;
    };
    let Ok(event) = steps.parse_event(&delivery.body) else {
        return false;
    };
    let Ok((decision, grants)) = decide(backend, &event) else {
        return false;
    };
    let entry = ledger_entry(
        backend,
        &event,
        delivery,
        &decision,
        ReceiverResponse::ok(),
        grants,
    );
    match key_use {
        UnverifiedKeyUse::AcceptsKnownKey => {
            let known = steps.recall(ledger, entry.idempotency_key, entry.body);
            matches!(known.await, Ok(Some(_)))
        }
        UnverifiedKeyUse::RecordsKey => {
            // If the ledger fails, the key stays unused.
            let _ = steps.record(ledger, without_grants(entry)).await;
            false
        }
    }
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
        (_, Ok(event)) => process_event(backend, &event, delivery, scripted).await,
        (_, Err(refusal)) => RequestOutcome::refused(refusal),
    };
    RequestOutcome {
        player_id,
        ..outcome
    }
}

/// Responds with a scripted failure. Records nothing, except in receivers with a flaw that records
/// a delivery in two transactions.
async fn respond_with_failure(
    backend: &Backend,
    event: Option<&Event>,
    delivery: &IncomingDelivery,
    status: StatusCode,
) -> RequestOutcome {
    if backend.steps.has_two_transactions()
        && let Some(event) = event
        && let Ok((decision, grants)) = decide(backend, event)
    {
        let entry = ledger_entry(
            backend,
            event,
            delivery,
            &decision,
            ReceiverResponse::ok(),
            grants,
        );
        if let Err(error) = backend
            .steps
            .record_first_half(&backend.ledger, entry)
            .await
        {
            return RequestOutcome::ledger_failed(error);
        }
    }
    RequestOutcome::new(
        ReceiverResponse::error(status, "scripted failure"),
        Decision::Scripted,
    )
}

/// Processes an event, unless a variant refuses it.
async fn process_event(
    backend: &Backend,
    event: &Event,
    delivery: &IncomingDelivery,
    scripted: Option<StatusCode>,
) -> RequestOutcome {
    match backend.steps.begin(event, &delivery.signature) {
        Ok(in_progress) => {
            let outcome = record_event(backend, event, delivery, scripted).await;
            backend.steps.remember(&outcome, &delivery.signature);
            if let Some(in_progress) = in_progress {
                in_progress.finish(&outcome).await;
            }
            outcome
        }
        Err(refusal) => RequestOutcome::refused(refusal),
    }
}

/// Grants an event once. A redelivery gets the first delivery's response, even if the event would
/// be refused by now or the body is different: the key says that the action has happened. A
/// different body is the sender's mistake, but a second grant would be worse, and a refusal would
/// only cause another retry.
async fn record_event(
    backend: &Backend,
    event: &Event,
    delivery: &IncomingDelivery,
    scripted: Option<StatusCode>,
) -> RequestOutcome {
    let (decision, grants) = match decide(backend, event) {
        Ok(decided) => decided,
        Err(refusal) => {
            return refuse_unless_recorded(backend, event, delivery, scripted, refusal).await;
        }
    };
    let response = ReceiverResponse::success(scripted.unwrap_or(StatusCode::OK));
    let entry = ledger_entry(
        backend,
        event,
        delivery,
        &decision,
        response.clone(),
        grants,
    );
    let _busy_key = match backend.steps.mark_key_busy(&entry.idempotency_key).await {
        Ok(busy_key) => busy_key,
        Err(refusal) => return RequestOutcome::refused(refusal),
    };
    match backend.steps.record(&backend.ledger, entry).await {
        Ok(RecordOutcome::First) => RequestOutcome::new(response, decision),
        Ok(RecordOutcome::Redelivery(first)) => repeat_response(first, scripted),
        Err(error) => RequestOutcome::ledger_failed(error),
    }
}

/// What to do with an event, if it is the first with its key.
fn decide(backend: &Backend, event: &Event) -> Result<(Decision, Vec<ItemGrant>), Refusal> {
    let event = backend.steps.event_to_grant(event, &backend.settings);
    match skip_reason(&event, &backend.settings) {
        Some(reason) => match backend.steps.denial(reason) {
            Some(refusal) => Err(refusal),
            None => Ok((Decision::Skipped(reason), Vec::new())),
        },
        None => Ok((Decision::Granted, grants(&event, &backend.settings)?)),
    }
}

/// Refuses an event, unless its key is already recorded. A refusal does not record the key, so the
/// event can be granted later, when the game is able to.
async fn refuse_unless_recorded(
    backend: &Backend,
    event: &Event,
    delivery: &IncomingDelivery,
    scripted: Option<StatusCode>,
    refusal: Refusal,
) -> RequestOutcome {
    let key = backend.steps.identify(event, &delivery.signature);
    let recalled = backend
        .steps
        .recall(&backend.ledger, key, digest(&delivery.body));
    match recalled.await {
        Ok(Some(first)) => repeat_response(first, scripted),
        Ok(None) => RequestOutcome::refused(refusal),
        Err(error) => RequestOutcome::ledger_failed(error),
    }
}

/// Repeats the first delivery's response, unless a script overrides it.
fn repeat_response(first: FirstDelivery, scripted: Option<StatusCode>) -> RequestOutcome {
    let response = scripted.map_or(first.response, ReceiverResponse::success);
    let decision = Decision::Redelivery {
        same_body: first.same_body,
    };
    RequestOutcome::new(response, decision)
}

fn ledger_entry(
    backend: &Backend,
    event: &Event,
    delivery: &IncomingDelivery,
    decision: &Decision,
    response: ReceiverResponse,
    grants: Vec<ItemGrant>,
) -> LedgerEntry {
    let decision = match decision {
        Decision::Skipped(reason) => reason.to_string(),
        other => other.to_string(),
    };
    LedgerEntry {
        idempotency_key: backend.steps.identify(event, &delivery.signature),
        event_id: event.event_id.to_string(),
        player_id: event.event_data.player_id.to_string(),
        decision,
        body: digest(&delivery.body),
        response,
        grants,
    }
}
