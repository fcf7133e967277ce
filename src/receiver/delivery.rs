//! The order of steps in which one delivery is taken. What each step does is in its own file.

use std::sync::Arc;

use bytes::Bytes;
use http::{HeaderMap, StatusCode};
use hyper::body::Incoming;

use crate::protocol::Event;

use super::answer::Answer;
use super::authentication::Evidence;
use super::control::Handled;
use super::grants::{Grant, grants, withheld};
use super::ledger::{Earlier, Entry, Recorded, digest};
use super::refusal::Refusal;
use super::request_body;
use super::request_record::Decision;
use super::server::Backend;

/// Reads, verifies, interprets, grants once, answers.
pub(super) async fn take(backend: &Arc<Backend>, headers: &HeaderMap, body: Incoming) -> Handled {
    let handled = match verified_body(backend, headers, body).await {
        Ok(body) if backend.steps.answers_early() => take_later(backend, body),
        Ok(body) => take_verified(backend, &body).await,
        Err(refusal) => Handled::refused(refusal),
    };
    backend.steps.answer(handled).await
}

/// Answers now, and tells nobody what becomes of it.
fn take_later(backend: &Arc<Backend>, body: Bytes) -> Handled {
    let backend = Arc::clone(backend);
    tokio::spawn(async move { take_verified(&backend, &body).await });
    Handled::new(Answer::ok(), Decision::AnsweredEarly)
}

/// The body, if it arrived whole and its signature is right and fresh.
async fn verified_body(
    backend: &Backend,
    headers: &HeaderMap,
    body: Incoming,
) -> Result<Bytes, Refusal> {
    let settings = &backend.settings;
    backend.steps.refuse_unread(headers)?;
    let body = request_body::read(body, settings.body_timeout).await?;
    backend.steps.authenticate(&Evidence {
        headers,
        body: &body,
        signer: &backend.signer,
        now: (settings.clock)(),
        tolerance: settings.tolerance,
    })?;
    Ok(body)
}

/// A script comes before anything that the body might say, except for whose script it is.
async fn take_verified(backend: &Backend, body: &[u8]) -> Handled {
    let event = backend.steps.interpret(body);
    let player_id = event
        .as_ref()
        .ok()
        .map(|event| event.event_data.player_id.to_string());
    let scripted = backend.scripts.next(player_id.as_deref());
    let handled = match (scripted, event) {
        (Some(status), event) if !status.is_success() => {
            fail(backend, event.ok().as_ref(), body, status).await
        }
        (_, Ok(event)) => work(backend, &event, body, scripted).await,
        (_, Err(refusal)) => Handled::refused(refusal),
    };
    Handled {
        player_id,
        ..handled
    }
}

/// Fails as a script says, which leaves nothing behind but in a receiver with such a flaw.
async fn fail(
    backend: &Backend,
    event: Option<&Event>,
    body: &[u8],
    status: StatusCode,
) -> Handled {
    if backend.steps.leaves_half_done()
        && let Some(event) = event
        && let Ok((decision, grants)) = decide(backend, event)
    {
        let entry = entry(backend, event, body, &decision, Answer::ok(), grants);
        if let Err(error) = backend.steps.leave_half_done(&backend.ledger, entry).await {
            return Handled::ledger_failed(error);
        }
    }
    Handled::new(
        Answer::error(status, "a script says so"),
        Decision::Scripted,
    )
}

/// Works on an event, unless it is worked on already by a receiver that minds.
async fn work(
    backend: &Backend,
    event: &Event,
    body: &[u8],
    scripted: Option<StatusCode>,
) -> Handled {
    match backend.steps.begin(event) {
        Ok(under_way) => {
            let handled = settle(backend, event, body, scripted).await;
            if let Some(under_way) = under_way {
                under_way.end(&handled).await;
            }
            handled
        }
        Err(refusal) => Handled::refused(refusal),
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
    let entry = entry(backend, event, body, &decision, answer.clone(), grants);
    match backend.steps.record(&backend.ledger, entry).await {
        Ok(Recorded::First) => Handled::new(answer, decision),
        Ok(Recorded::Earlier(earlier)) => repeat(earlier, scripted),
        Err(error) => Handled::ledger_failed(error),
    }
}

/// What is to become of an event, were it the first of its key.
fn decide(backend: &Backend, event: &Event) -> Result<(Decision, Vec<Grant>), Refusal> {
    let event = backend.steps.understand(event, &backend.settings);
    match withheld(&event, &backend.settings) {
        Some(reason) => match backend.steps.denies(reason) {
            Some(refusal) => Err(refusal),
            None => Ok((Decision::Withheld(reason), Vec::new())),
        },
        None => Ok((Decision::Granted, grants(&event, &backend.settings)?)),
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
    let key = backend.steps.identify(event);
    let recalled = backend.steps.recall(&backend.ledger, key, digest(body));
    match recalled.await {
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
    backend: &Backend,
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
        idempotency_key: backend.steps.identify(event),
        event_id: event.event_id.to_string(),
        player_id: event.event_data.player_id.to_string(),
        decision,
        body: digest(body),
        answer,
        grants,
    }
}
