//! What the receiver imitates: bugs of real receivers ([`Flaw`]) and harmless differences between
//! sound receivers ([`Variant`]). It replaces steps of a delivery; the sound steps do not know about
//! it.

mod event_items;
mod flaws;
mod keys_in_progress;
mod variants;

use std::collections::BTreeSet;
use std::sync::{Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use futures_util::FutureExt;
use futures_util::future::{BoxFuture, ready};
use http::{HeaderMap, Response, Version};
use hyper::body::Incoming;

use crate::protocol::Event;

use super::error::ReceiverError;
use super::flaw::Flaw;
use super::game::Game;
use super::ledger::{
    BodyDigest, FirstDelivery, Inventory, LedgerEntry, LedgerError, RecordOutcome,
};
use super::outcome::RequestOutcome;
use super::refusal::Refusal;
use super::response::{Body, ReceiverResponse};
use super::settings::ReceiverSettings;
use super::steps::{Decided, IncomingDelivery, SoundSteps, Step, Steps};
use super::variant::Variant;

use flaws::Flaws;
use variants::Variants;

/// The chosen flaws and variants.
pub(super) struct Imitated {
    flaws: Flaws,
    variants: Variants,
}

impl Imitated {
    /// What these settings choose. Changes the settings if a flaw or a variant is only another
    /// setting.
    pub(super) fn new(settings: &mut ReceiverSettings) -> Result<Self, ReceiverError> {
        Ok(Self {
            flaws: Flaws::new(settings)?,
            variants: Variants::new(settings)?,
        })
    }

    /// The steps of the receiver.
    pub(super) fn steps(self, game: Game) -> Box<dyn Steps> {
        if game.settings.flaws.is_empty() && game.settings.variants.is_empty() {
            return Box::new(SoundSteps(game));
        }
        Box::new(ImitatedSteps {
            sound: SoundSteps(game),
            flaws: self.flaws,
            variants: self.variants,
        })
    }
}

/// The steps with the chosen flaws and variants. Without flaws all of them are sound.
struct ImitatedSteps {
    sound: SoundSteps,
    flaws: Flaws,
    variants: Variants,
}

impl Steps for ImitatedSteps {
    fn game(&self) -> &Game {
        self.sound.game()
    }

    fn read<'a>(&'a self, headers: &'a HeaderMap, body: Incoming) -> Step<'a, Bytes, Refusal> {
        match self.variants.admit(headers) {
            Ok(()) => self
                .flaws
                .read(body, self.game().settings.body_timeout)
                .boxed(),
            Err(refusal) => ready(Err(refusal)).boxed(),
        }
    }

    fn authenticate<'a>(&'a self, delivery: &'a IncomingDelivery) -> Step<'a, (), Refusal> {
        match self.flaws.authenticate(&self.evidence(delivery)) {
            Err(refusal) if refusal.is_forgery() => self.use_forged_key(delivery, refusal).boxed(),
            authenticated => ready(authenticated).boxed(),
        }
    }

    fn responds_early(&self) -> bool {
        self.flaws.has(Flaw::EarlyAnswer)
    }

    fn parse_event(&self, body: &[u8]) -> Result<Event, Refusal> {
        let event = self.flaws.parse_event(body)?;
        self.variants.refuse_ids(&event)?;
        Ok(event)
    }

    fn identify(&self, event: &Event, delivery: &IncomingDelivery) -> String {
        self.flaws.identify(event, &delivery.signature())
    }

    fn decide(&self, event: &Event) -> Result<Decided, Refusal> {
        let mut event = event.clone();
        self.flaws.alter_event(&mut event, &self.game().settings);
        self.variants.alter_event(&mut event);
        self.variants.deny(self.sound.decide(&event)?)
    }

    fn process<'a>(
        &'a self,
        key: String,
        delivery: &'a IncomingDelivery,
        work: BoxFuture<'a, RequestOutcome>,
    ) -> BoxFuture<'a, RequestOutcome> {
        async move {
            let work = self.flaws.process(key.clone(), work).boxed();
            let processed = self.variants.process(key, delivery.signature(), work);
            processed.await.unwrap_or_else(RequestOutcome::failed)
        }
        .boxed()
    }

    fn record(&self, entry: LedgerEntry) -> Step<'_, RecordOutcome, LedgerError> {
        async move {
            let hiding = self.variants.hide_grants(&entry).await;
            let recorded = self.flaws.record(self.game(), entry).await?;
            if let Some(hiding) = hiding.filter(|_| recorded == RecordOutcome::First) {
                hiding.begin();
            }
            Ok(recorded)
        }
        .boxed()
    }

    fn record_half(&self, entry: LedgerEntry) -> Step<'_, (), LedgerError> {
        self.flaws.record_half(self.game(), entry).boxed()
    }

    fn recall(
        &self,
        key: String,
        body: BodyDigest,
    ) -> Step<'_, Option<FirstDelivery>, LedgerError> {
        self.flaws.recall(self.game(), key, body).boxed()
    }

    fn alter_response(&self, outcome: RequestOutcome) -> BoxFuture<'_, RequestOutcome> {
        let altered = self.flaws.alter_response(outcome);
        altered
            .then(|outcome| self.variants.alter_response(outcome))
            .boxed()
    }

    fn http_response(&self, response: ReceiverResponse, to: Version) -> Response<Body> {
        self.variants.http_response(response, to)
    }

    fn inventory(&self, player: String, sku: Option<String>) -> Step<'_, Inventory, LedgerError> {
        let ledger = &self.game().ledger;
        self.variants.inventory(ledger, player, sku).boxed()
    }

    fn clear_memory(&self) -> BoxFuture<'_, ()> {
        self.flaws.clear_memory().boxed()
    }

    fn title_case_headers(&self) -> bool {
        self.variants.has(Variant::TitleCaseHeaders)
    }

    fn stops_at_hangup(&self) -> bool {
        self.flaws.has(Flaw::StoppedByHangup)
    }
}

impl ImitatedSteps {
    /// Uses the idempotency key of a forgery if a flaw does so, and refuses the forgery otherwise.
    async fn use_forged_key(
        &self,
        delivery: &IncomingDelivery,
        refusal: Refusal,
    ) -> Result<(), Refusal> {
        let records = self.flaws.has(Flaw::KeyBeforeVerification);
        if (records || self.flaws.has(Flaw::KnownKeyNotVerified))
            && let Ok(event) = self.parse_event(&delivery.body)
            && let Ok((_, mut entry)) = self.entry(&event, delivery)
        {
            if records {
                entry.grants.clear();
                // If the ledger fails, the key stays unused.
                let _ = self.record(entry).await;
            } else {
                let known = self.recall(entry.idempotency_key, entry.body);
                if let Ok(Some(_)) = known.await {
                    return Ok(());
                }
            }
        }
        Err(refusal)
    }
}

/// The first two chosen ones of a list of which at most one can be chosen.
fn conflict<T: Ord + Copy>(chosen: &BTreeSet<T>, conflicts: &[&[T]]) -> Option<(T, T)> {
    conflicts.iter().find_map(|conflicting| {
        let mut both = conflicting.iter().filter(|one| chosen.contains(one));
        Some((*both.next()?, *both.next()?))
    })
}

/// Locks even if another thread panicked while holding the lock: every state of these values is
/// valid.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
