//! The order of steps in which one delivery is taken. What each step does is in its own file.

use bytes::Bytes;
use http::{HeaderMap, StatusCode};
use hyper::body::Incoming;

use crate::protocol::Event;

use super::answer::Answer;
use super::authentication::authenticate;
use super::control::Handled;
use super::grants::{Grant, grants, withheld};
use super::interpretation::interpret;
use super::ledger::{Earlier, Entry, Recorded, digest};
use super::refusal::Refusal;
use super::request_body;
use super::request_record::Decision;
use super::server::Backend;

/// Reads, verifies, interprets, grants once, answers.
pub(super) async fn take(backend: &Backend, headers: &HeaderMap, body: Incoming) -> Handled {
    match verified_body(backend, headers, body).await {
        Ok(body) => take_verified(backend, &body).await,
        Err(refusal) => Handled::refused(refusal),
    }
}

/// The body, if it arrived whole and its signature is right and fresh.
async fn verified_body(
    backend: &Backend,
    headers: &HeaderMap,
    body: Incoming,
) -> Result<Bytes, Refusal> {
    let settings = &backend.settings;
    let body = request_body::read(body, settings.body_timeout).await?;
    let now = (settings.clock)();
    authenticate(headers, &body, &backend.signer, now, settings.tolerance)?;
    Ok(body)
}

/// A script comes before anything that the body might say, except for whose script it is.
async fn take_verified(backend: &Backend, body: &[u8]) -> Handled {
    let event = interpret(body);
    let player_id = event
        .as_ref()
        .ok()
        .map(|event| event.event_data.player_id.to_string());
    let scripted = backend.scripts.next(player_id.as_deref());
    let handled = match (scripted, event) {
        (Some(status), _) if !status.is_success() => Handled::new(
            Answer::error(status, "a script says so"),
            Decision::Scripted,
        ),
        (_, Ok(event)) => settle(backend, &event, body, scripted).await,
        (_, Err(refusal)) => Handled::refused(refusal),
    };
    Handled {
        player_id,
        ..handled
    }
}

/// Grants an event once. A redelivery is answered as the first delivery was, even if it would be
/// refused by now, and even if its body is another: the key says that the action happened. The
/// sender is in the wrong then, but a second grant would make it worse, and a refusal would only
/// make it send again.
async fn settle(
    backend: &Backend,
    event: &Event,
    body: &[u8],
    scripted: Option<StatusCode>,
) -> Handled {
    let (decision, grants) = match decide(backend, event) {
        Ok(decided) => decided,
        Err(refusal) => {
            return refuse_unless_recorded(backend, event, body, scripted, refusal).await;
        }
    };
    let answer = Answer::success(scripted.unwrap_or(StatusCode::OK));
    let entry = entry(event, body, &decision, answer.clone(), grants);
    match backend.ledger.record(entry).await {
        Ok(Recorded::First) => Handled::new(answer, decision),
        Ok(Recorded::Earlier(earlier)) => repeat(earlier, scripted),
        Err(error) => Handled::ledger_failed(error),
    }
}

/// What is to become of an event, were it the first of its key.
fn decide(backend: &Backend, event: &Event) -> Result<(Decision, Vec<Grant>), Refusal> {
    match withheld(event, &backend.settings) {
        Some(reason) => Ok((Decision::Withheld(reason), Vec::new())),
        None => Ok((Decision::Granted, grants(event, &backend.settings)?)),
    }
}

/// A refusal uses up no key, so that the event can still be granted once the game is able to.
async fn refuse_unless_recorded(
    backend: &Backend,
    event: &Event,
    body: &[u8],
    scripted: Option<StatusCode>,
    refusal: Refusal,
) -> Handled {
    let key = event.idempotency_key.to_string();
    match backend.ledger.recall(key, digest(body)).await {
        Ok(Some(earlier)) => repeat(earlier, scripted),
        Ok(None) => Handled::refused(refusal),
        Err(error) => Handled::ledger_failed(error),
    }
}

/// The first delivery's answer again, or the script's.
fn repeat(earlier: Earlier, scripted: Option<StatusCode>) -> Handled {
    let answer = scripted.map_or(earlier.answer, Answer::success);
    let decision = Decision::Redelivery {
        same_body: earlier.same_body,
    };
    Handled::new(answer, decision)
}

fn entry(
    event: &Event,
    body: &[u8],
    decision: &Decision,
    answer: Answer,
    grants: Vec<Grant>,
) -> Entry {
    let decision = match decision {
        Decision::Withheld(reason) => reason.to_string(),
        other => other.to_string(),
    };
    Entry {
        idempotency_key: event.idempotency_key.to_string(),
        event_id: event.event_id.to_string(),
        player_id: event.event_data.player_id.to_string(),
        decision,
        body: digest(body),
        answer,
        grants,
    }
}
