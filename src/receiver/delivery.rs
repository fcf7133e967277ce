//! Processes one delivery, step by step: reads the body, verifies the signature, parses the event,
//! decides what to grant, records that once, and responds.
//!
//! Each step runs with the chosen flaws and variants, and is sound without them.

use std::borrow::Cow;
use std::sync::Arc;

use bytes::Bytes;
use futures_util::FutureExt;
use http::{HeaderMap, HeaderValue, StatusCode};
use hyper::body::Incoming;
use serde_json::json;

use crate::protocol::{Event, EventKind, SIGNATURE_HEADER};

use super::authentication::Evidence;
use super::flaw::Flaw;
use super::game::Game;
use super::grants::{grants, skip_reason};
use super::imitation::{ConnectionMemory, Flaws, Variants};
use super::ledger::{
    Grants, LedgerAction, LedgerEntry, LedgerError, RecordOutcome, RedemptionPart, digest,
};
use super::outcome::{Decision, Failure, RequestOutcome};
use super::process::Process;
use super::refusal::{Refusal, Skipped};
use super::response::ReceiverResponse;
use super::scripts::Scripts;
use super::settings::{CreditedEvent, ReceiverSettings};

/// The state of one instance of the receiver.
pub(super) struct Backend {
    pub(super) game: Arc<Game>,
    pub(super) variants: Arc<Variants>,
    pub(super) scripts: Arc<Scripts>,
    /// With what the flaws keep in memory.
    pub(super) flaws: Flaws,
    pub(super) process: Process,
}

/// A delivery whose body was read.
struct IncomingDelivery {
    headers: HeaderMap,
    body: Bytes,
    connection: ConnectionMemory,
}

impl IncomingDelivery {
    /// The value of the signature header. A sound receiver does not use it after authentication.
    fn signature(&self) -> Cow<'_, str> {
        let value = self.headers.get(SIGNATURE_HEADER);
        String::from_utf8_lossy(value.map(HeaderValue::as_bytes).unwrap_or_default())
    }
}

pub(super) async fn process(
    backend: &Arc<Backend>,
    headers: HeaderMap,
    body: Incoming,
    connection: ConnectionMemory,
) -> RequestOutcome {
    let outcome = match backend.receive(headers, body, connection).await {
        Err(refusal) => RequestOutcome::failed(refusal),
        Ok(delivery) if backend.flaws.answer_early(delivery.body.len()) => {
            let backend = Arc::clone(backend);
            // The outcome is lost.
            tokio::spawn(async move {
                let work = backend.process_verified(&delivery);
                backend.process.run(work).await
            });
            RequestOutcome::ok(Decision::AnsweredEarly)
        }
        Ok(delivery) => backend.process_verified(&delivery).await,
    };
    let outcome = backend.flaws.alter_response(outcome).await;
    backend.variants.alter_response(outcome).await
}

impl Backend {
    async fn receive(
        &self,
        headers: HeaderMap,
        body: Incoming,
        connection: ConnectionMemory,
    ) -> Result<IncomingDelivery, Refusal> {
        let settings = &self.game.settings;
        self.variants.admit(&headers)?;
        self.flaws.admit(&headers)?;
        let (signed, body) = self.flaws.read(body, settings.body_timeout).await?;
        let now = self.game.now();
        let authenticated = self.flaws.authenticate(&Evidence {
            headers: &headers,
            body: &signed,
            signer: &self.game.signer,
            now,
            tolerance: settings.tolerance,
        });
        let authenticated = authenticated.and_then(|()| self.variants.refuse_ahead(&headers, now));
        let delivery = IncomingDelivery {
            headers,
            body,
            connection,
        };
        match authenticated {
            Err(refusal) if refusal.is_forgery() => self.use_forged_key(&delivery, refusal).await?,
            authenticated => authenticated?,
        }
        Ok(delivery)
    }

    /// Uses the idempotency key of a forgery if a flaw does so, and refuses the forgery otherwise.
    async fn use_forged_key(
        &self,
        delivery: &IncomingDelivery,
        refusal: Refusal,
    ) -> Result<(), Refusal> {
        let records = self.flaws.has(Flaw::KeyBeforeVerification);
        if (records || self.flaws.has(Flaw::KnownKeyNotVerified))
            && let Ok(event) = self.parse_event(delivery)
            && let Ok((_, mut entry)) = self.entry(&event, delivery)
        {
            if records {
                entry.grants.clear();
                // If the ledger fails, the key stays unused.
                let _ = self.record(entry, &event).await;
            } else {
                let (key, body) = (entry.idempotency_key, entry.body);
                if let Ok(Some(_)) = self.flaws.recall(&self.game, key, body).await {
                    return Ok(());
                }
            }
        }
        Err(refusal)
    }

    /// Processes an authenticated delivery. A scripted failure has priority over any error in the
    /// body; the body only determines the player whose script applies.
    async fn process_verified(&self, delivery: &IncomingDelivery) -> RequestOutcome {
        if let Err(error) = self.flaws.continue_work(&self.game).await {
            return RequestOutcome::failed(error);
        }
        let event = self.parse_event(delivery);
        let player_id = event
            .as_ref()
            .ok()
            .map(|event| event.event_data.player_id.to_string());
        if let Some(remembered) = self.remembered_refusal(event.as_ref().ok(), delivery) {
            return remembered.for_player(player_id);
        }
        let refusal_key = event.as_ref().ok().and_then(|event| {
            let (_, key) = self.identify(event, delivery);
            self.flaws.refusal_key(event, &key)
        });
        let scripted = self.scripts.next(player_id.as_deref());
        let outcome = match (scripted, event) {
            (Some(status), event) if !status.is_success() => {
                self.respond_with_failure(event.ok().as_ref(), delivery, status)
                    .await
            }
            (_, Err(refusal)) => Err(refusal.into()),
            (_, Ok(event)) => {
                let (_, key) = self.identify(&event, delivery);
                let work = self
                    .record_event(&event, delivery, scripted)
                    .map(|recorded| recorded.unwrap_or_else(RequestOutcome::failed))
                    .boxed();
                let player = &event.event_data.player_id;
                let work = self.flaws.process(&key, player, work);
                let processed = self.variants.process(&key, delivery.signature(), work);
                processed.await.map_err(Failure::from)
            }
        };
        let outcome = outcome.unwrap_or_else(RequestOutcome::failed);
        if let Some(key) = refusal_key {
            self.flaws
                .remember_refusal(key, player_id.clone(), &outcome);
        }
        outcome.for_player(player_id)
    }

    /// The response to an earlier attempt that was refused, if a flaw remembers it.
    fn remembered_refusal(
        &self,
        event: Option<&Event>,
        delivery: &IncomingDelivery,
    ) -> Option<RequestOutcome> {
        let (name, key) = self.identify(event?, delivery);
        let key = self.flaws.refusal_key(event?, &key)?;
        let response = self.flaws.remembered_refusal(&key)?;
        let decision = Decision::Redelivery {
            key: name,
            same_body: true,
        };
        Some(RequestOutcome::new(response, decision))
    }

    /// The name and the value of the key by which deliveries of the event are recognized.
    fn identify(&self, event: &Event, delivery: &IncomingDelivery) -> (&'static str, String) {
        let now = self.game.now();
        self.flaws.identify(event, &delivery.signature(), now)
    }

    /// The event as the receiver understands it.
    fn parse_event(&self, delivery: &IncomingDelivery) -> Result<Event, Refusal> {
        let mut event = self.flaws.parse_event(&delivery.body)?;
        self.flaws.keep_player(&delivery.connection, &mut event);
        self.flaws.keep_environment(&mut event);
        self.variants.refuse_event(&event)?;
        self.variants
            .refuse_large_values(&event, delivery.body.len())?;
        let settings = self.settings_for(&event);
        self.flaws.alter_event(&mut event, &settings);
        self.variants.alter_event(&mut event);
        Ok(event)
    }

    async fn respond_with_failure(
        &self,
        event: Option<&Event>,
        delivery: &IncomingDelivery,
        status: StatusCode,
    ) -> Result<RequestOutcome, Failure> {
        if let Some(event) = event
            && let Ok((_, entry)) = self.entry(event, delivery)
        {
            self.flaws.fail_late(&entry.idempotency_key).await;
            self.flaws.record_half(&self.game, entry).await?;
        }
        let response = ReceiverResponse::error(status, "scripted failure");
        Ok(RequestOutcome::new(response, Decision::Scripted))
    }

    /// Grants an event once. A redelivery gets the first delivery's response, even if the event
    /// would be refused by now or the body is different: the key says that the action has happened.
    /// A different body is the sender's mistake, but a second grant would be worse, and a refusal
    /// would only cause another retry.
    ///
    /// A refusal does not record the key, so the event can be granted later, when the game is able
    /// to.
    async fn record_event(
        &self,
        event: &Event,
        delivery: &IncomingDelivery,
        scripted: Option<StatusCode>,
    ) -> Result<RequestOutcome, Failure> {
        let (key_name, key) = self.identify(event, delivery);
        let first = match self.entry(event, delivery) {
            Ok((decision, mut entry)) => {
                let response = match self.flaws.declining_response(event) {
                    Some(declined) => declined,
                    None => ReceiverResponse::success(scripted.unwrap_or(StatusCode::OK)),
                };
                entry.response = response.clone();
                match self.record(entry, event).await? {
                    RecordOutcome::First => {
                        self.flaws.forget_keys(event);
                        return Ok(RequestOutcome::new(response, decision));
                    }
                    RecordOutcome::OtherGranted => {
                        let decision = Decision::Skipped(Skipped::OtherGranted);
                        return Ok(RequestOutcome::new(response, decision));
                    }
                    RecordOutcome::Redelivery(first) => first,
                }
            }
            Err(refusal) => {
                let granted = self
                    .flaws
                    .part_before_refusal(event, &self.settings_for(event));
                if let Some(grants) = granted {
                    let entry = self.entry_of(&Decision::Granted, grants, event, delivery);
                    self.flaws.record_part(&self.game, entry).await?;
                }
                if self.flaws.has(Flaw::RefusedRetriedByBoth)
                    && let Ok(grants) = grants(event, &self.game.settings)
                {
                    let entry = self.entry_of(&Decision::Granted, grants, event, delivery);
                    self.flaws.retry_later(entry);
                }
                if self.flaws.has(Flaw::CapacityCheckedFirst) {
                    return Err(refusal.into());
                }
                let body = digest(&delivery.body);
                let recalled = self.flaws.recall(&self.game, key, body).await?;
                let Some(first) = recalled else {
                    if self.flaws.has(Flaw::KeyOfRefusalKept) {
                        let none = Grants::default();
                        let entry = self.entry_of(&Decision::Granted, none, event, delivery);
                        self.record(entry, event).await?;
                    }
                    return Err(refusal.into());
                };
                first
            }
        };
        let response = scripted.map_or(first.response, ReceiverResponse::success);
        let decision = Decision::Redelivery {
            key: key_name,
            same_body: first.same_body,
        };
        Ok(RequestOutcome::new(response, decision))
    }

    /// The decision about an event, if it is the first with its key, and the entry that records it.
    fn entry(
        &self,
        event: &Event,
        delivery: &IncomingDelivery,
    ) -> Result<(Decision, LedgerEntry), Refusal> {
        let (decision, grants) = self.decide(event)?;
        let entry = self.entry_of(&decision, grants, event, delivery);
        Ok((decision, entry))
    }

    fn entry_of(
        &self,
        decision: &Decision,
        grants: Grants,
        event: &Event,
        delivery: &IncomingDelivery,
    ) -> LedgerEntry {
        let (_, idempotency_key) = self.identify(event, delivery);
        let is_skipped = matches!(decision, Decision::Skipped(_));
        LedgerEntry {
            redemption: if is_skipped {
                None
            } else {
                self.redemption(event, &grants)
            },
            action: match event.kind() {
                Some(EventKind::ItemRemove) => self.flaws.removal(),
                Some(EventKind::CouponRedeemed | EventKind::ItemAdd) | None => LedgerAction::Grant,
            },
            idempotency_key,
            event_id: event.event_id.to_string(),
            player_id: self.stored_player(&event.event_data.player_id),
            decision: match decision {
                Decision::Skipped(reason) => reason.to_string(),
                other => other.to_string(),
            },
            body: digest(&delivery.body),
            response: ReceiverResponse::ok(),
            grants,
        }
    }

    /// A player ID as the game stores and compares it.
    pub(super) fn stored_player(&self, player_id: &str) -> String {
        let stored = self.flaws.stored_player(player_id);
        self.variants.stored_player(stored)
    }

    fn decide(&self, event: &Event) -> Result<(Decision, Grants), Refusal> {
        let settings = self.settings_for(event);
        if let Some(reason) = skip_reason(event, &settings) {
            self.variants.deny(event, reason)?;
            return Ok((Decision::Skipped(reason), Grants::new()));
        }
        let decision = match event.kind() {
            Some(EventKind::ItemRemove) => Decision::Removed,
            Some(EventKind::CouponRedeemed | EventKind::ItemAdd) | None => Decision::Granted,
        };
        let granted = grants(event, &settings);
        let granted = granted.or_else(|refusal| {
            let rest = self.flaws.rest_of_bundle(event, &settings);
            rest.ok_or(refusal)
        });
        match granted {
            Ok(mut grants) => {
                self.flaws.write_in_batches(&mut grants);
                self.variants.refuse_large_grants(&grants)?;
                Ok((decision, grants))
            }
            Err(refusal) if event.kind() == Some(EventKind::ItemAdd) => {
                Err(Refusal::Declined(refusal.to_string()))
            }
            Err(refusal) => Err(refusal),
        }
    }

    /// The redemption of an event, if either of its events can be granted. Several redemptions with
    /// the same transaction, player and items can't be told apart, and need not be.
    fn redemption(&self, event: &Event, grants: &Grants) -> Option<RedemptionPart> {
        let event_type = match event.kind()? {
            EventKind::ItemRemove => return None,
            kind => kind.name(),
        };
        let pairs = self.settings_for(event).credit_on == CreditedEvent::Either;
        if !pairs || self.flaws.has(Flaw::GrantedOnBoth) || self.flaws.has(Flaw::DeclinedButGranted)
        {
            return None;
        }
        let one_order = self.flaws.has(Flaw::PairedInOneOrder);
        let (transaction, player) = (&event.transaction_id, &event.event_data.player_id);
        Some(RedemptionPart {
            id: json!([transaction, player, grants]).to_string(),
            event_type,
            always_granted: one_order && event.event_type == Event::COUPON_REDEEMED,
        })
    }

    fn settings_for(&self, event: &Event) -> Cow<'_, ReceiverSettings> {
        self.game.settings_for(&event.event_data.player_id)
    }

    async fn record(
        &self,
        entry: LedgerEntry,
        event: &Event,
    ) -> Result<RecordOutcome, LedgerError> {
        let hiding = self.variants.hide_grants(&entry).await;
        let recorded = self.flaws.record(&self.game, entry, event).await?;
        if let Some(hiding) = hiding.filter(|_| recorded == RecordOutcome::First) {
            hiding.begin();
        }
        Ok(recorded)
    }
}
