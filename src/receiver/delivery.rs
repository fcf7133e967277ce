//! The order of steps in which one delivery is taken. What each step does is in its own file.

use std::sync::Arc;

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, StatusCode};
use hyper::body::Incoming;

use crate::protocol::{Event, SIGNATURE_HEADER};

use super::answer::Answer;
use super::authentication::Evidence;
use super::control::Handled;
use super::flaws::{Overlooked, without_grants};
use super::grants::{Grant, grants, withheld};
use super::ledger::{Earlier, Entry, Recorded, digest};
use super::refusal::Refusal;
use super::request_record::Decision;
use super::server::Backend;

/// A delivery that was let in.
struct Delivered {
    body: Bytes,
    /// The signature that came with it, which a sound receiver has no more use for.
    signature: String,
}

/// Reads, verifies, interprets, grants once, answers.
pub(super) async fn take(backend: &Arc<Backend>, headers: &HeaderMap, body: Incoming) -> Handled {
    let handled = match verified_body(backend, headers, body).await {
        Ok(delivered) if backend.steps.answers_early() => take_later(backend, delivered),
        Ok(delivered) => take_verified(backend, &delivered).await,
        Err(refusal) => Handled::refused(refusal),
    };
    backend.steps.answer(handled).await
}

/// Answers now, and tells nobody what becomes of it.
fn take_later(backend: &Arc<Backend>, delivered: Delivered) -> Handled {
    let backend = Arc::clone(backend);
    tokio::spawn(async move { take_verified(&backend, &delivered).await });
    Handled::new(Answer::ok(), Decision::AnsweredEarly)
}

/// The delivery, if it arrived whole and its signature is right and fresh.
async fn verified_body(
    backend: &Backend,
    headers: &HeaderMap,
    body: Incoming,
) -> Result<Delivered, Refusal> {
    let (steps, settings) = (&backend.steps, &backend.settings);
    steps.refuse_unread(headers)?;
    let body = steps.read(body, settings.body_timeout).await?;
    let authentic = steps.authenticate(&Evidence {
        headers,
        body: &body,
        signer: &backend.signer,
        now: (settings.clock)(),
        tolerance: settings.tolerance,
    });
    let signature = headers.get(SIGNATURE_HEADER).map(HeaderValue::as_bytes);
    let delivered = Delivered {
        body,
        signature: String::from_utf8_lossy(signature.unwrap_or_default()).into_owned(),
    };
    match authentic {
        Err(refusal) if !overlooks(backend, &delivered, &refusal).await => Err(refusal),
        _ => Ok(delivered),
    }
}

/// Whether what is refused is taken all the same, which a sound receiver never does.
async fn overlooks(backend: &Backend, delivered: &Delivered, refusal: &Refusal) -> bool {
    let (steps, ledger) = (&backend.steps, &backend.ledger);
    let Some(overlooked) = steps.overlooks().filter(|_| refusal.is_forgery()) else {
        return false;
    };
    let Ok(event) = steps.interpret(&delivered.body) else {
        return false;
    };
    let Ok((decision, grants)) = decide(backend, &event) else {
        return false;
    };
    let entry = entry(backend, &event, delivered, &decision, Answer::ok(), grants);
    match overlooked {
        Overlooked::KnownKeyPasses => {
            let known = steps.recall(ledger, entry.idempotency_key, entry.body);
            matches!(known.await, Ok(Some(_)))
        }
        Overlooked::KeyIsUsedUp => {
            // Where the ledger fails, the key is as it was.
            let _ = steps.record(ledger, without_grants(entry)).await;
            false
        }
    }
}

/// A script comes before anything that the body might say, except for whose script it is.
async fn take_verified(backend: &Backend, delivered: &Delivered) -> Handled {
    let event = backend.steps.interpret(&delivered.body);
    let player_id = event
        .as_ref()
        .ok()
        .map(|event| event.event_data.player_id.to_string());
    let scripted = backend.scripts.next(player_id.as_deref());
    let handled = match (scripted, event) {
        (Some(status), event) if !status.is_success() => {
            fail(backend, event.ok().as_ref(), delivered, status).await
        }
        (_, Ok(event)) => work(backend, &event, delivered, scripted).await,
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
    delivered: &Delivered,
    status: StatusCode,
) -> Handled {
    if backend.steps.leaves_half_done()
        && let Some(event) = event
        && let Ok((decision, grants)) = decide(backend, event)
    {
        let entry = entry(backend, event, delivered, &decision, Answer::ok(), grants);
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
    delivered: &Delivered,
    scripted: Option<StatusCode>,
) -> Handled {
    match backend.steps.begin(event, &delivered.signature) {
        Ok(under_way) => {
            let handled = settle(backend, event, delivered, scripted).await;
            backend.steps.keep_in_mind(&handled, &delivered.signature);
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
    delivered: &Delivered,
    scripted: Option<StatusCode>,
) -> Handled {
    let (decision, grants) = match decide(backend, event) {
        Ok(decided) => decided,
        Err(refusal) => {
            return refuse_unless_recorded(backend, event, delivered, scripted, refusal).await;
        }
    };
    let answer = Answer::success(scripted.unwrap_or(StatusCode::OK));
    let entry = entry(backend, event, delivered, &decision, answer.clone(), grants);
    let _turn = match backend.steps.take_turn(&entry.idempotency_key).await {
        Ok(turn) => turn,
        Err(refusal) => return Handled::refused(refusal),
    };
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
    delivered: &Delivered,
    scripted: Option<StatusCode>,
    refusal: Refusal,
) -> Handled {
    let key = backend.steps.identify(event, &delivered.signature);
    let recalled = backend
        .steps
        .recall(&backend.ledger, key, digest(&delivered.body));
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
    delivered: &Delivered,
    decision: &Decision,
    answer: Answer,
    grants: Vec<Grant>,
) -> Entry {
    let decision = match decision {
        Decision::Withheld(reason) => reason.to_string(),
        other => other.to_string(),
    };
    Entry {
        idempotency_key: backend.steps.identify(event, &delivered.signature),
        event_id: event.event_id.to_string(),
        player_id: event.event_data.player_id.to_string(),
        decision,
        body: digest(&delivered.body),
        answer,
        grants,
    }
}
