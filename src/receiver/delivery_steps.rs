//! Selects the implementation of each step of a delivery: the sound one, or that of a flaw or a
//! variant.

use std::borrow::Cow;
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, Response, Version};
use hyper::body::Incoming;

use crate::protocol::Event;

use super::authentication::{Evidence, authenticate};
use super::control::RequestOutcome;
use super::crash_point::CrashPoint;
use super::error::ReceiverError;
use super::flaws::{self, BusyKey, Flaws, HangupGuard, RecordingStrategy, UnverifiedKeyUse};
use super::grants::Skipped;
use super::ledger::{
    BodyDigest, FirstDelivery, Inventory, Ledger, LedgerEntry, LedgerError, RecordOutcome,
};
use super::parsing::parse_event;
use super::refusal::Refusal;
use super::request_body;
use super::response::ReceiverResponse;
use super::settings::ReceiverSettings;
use super::variants::{
    self, InventoryView, KeyInProgress, KeysInProgress, RateLimiter, UsedSignatures, Variants,
};

/// The steps of a delivery and their state.
pub(super) struct DeliverySteps {
    flaws: Option<Flaws>,
    recording: RecordingStrategy,
    crash_point: CrashPoint,
    variants: Variants,
    inventory: InventoryView,
    in_progress: KeysInProgress,
    used_signatures: UsedSignatures,
    rate_limiter: RateLimiter,
}

impl DeliverySteps {
    pub(super) fn new(settings: &ReceiverSettings) -> Result<Self, ReceiverError> {
        let flaws = Flaws::from_settings(settings)?;
        let variants = Variants::from_settings(settings)?;
        Ok(Self {
            recording: RecordingStrategy::new(flaws.as_ref()),
            flaws,
            crash_point: CrashPoint::new(settings.crash_after),
            inventory: InventoryView::new(&variants),
            in_progress: KeysInProgress::new(&variants),
            used_signatures: UsedSignatures::new(&variants),
            rate_limiter: RateLimiter::new(&variants),
            variants,
        })
    }

    /// Refuses a delivery before its body is read.
    pub(super) fn refuse_unread(&self, headers: &HeaderMap) -> Result<(), Refusal> {
        self.rate_limiter.accept()?;
        self.variants.refuse_unread(headers)
    }

    /// Reads the whole body.
    pub(super) async fn read(&self, body: Incoming, timeout: Duration) -> Result<Bytes, Refusal> {
        match &self.flaws {
            None => request_body::read(body, timeout).await,
            Some(flaws) => flaws::read(flaws, body, timeout).await,
        }
    }

    /// How a flaw uses the idempotency key of a forgery. A sound receiver does not use it.
    pub(super) fn unverified_key_use(&self) -> Option<UnverifiedKeyUse> {
        self.flaws.as_ref().and_then(Flaws::unverified_key_use)
    }

    /// Tells the processing of a request that its sender has hung up, if a flaw reacts to that. A
    /// sound receiver continues.
    pub(super) fn hangup_guard(&self) -> Option<HangupGuard> {
        self.flaws.as_ref().and_then(Flaws::hangup_guard)
    }

    /// Marks a key as being processed, if a flaw needs that. In a sound receiver the ledger decides
    /// which delivery is first.
    pub(super) async fn mark_key_busy(&self, key: &str) -> Result<Option<BusyKey<'_>>, Refusal> {
        match &self.flaws {
            None => Ok(None),
            Some(flaws) => flaws.mark_key_busy(key).await,
        }
    }

    /// Verifies the signature and the timestamp's freshness.
    pub(super) fn authenticate(&self, evidence: &Evidence<'_>) -> Result<(), Refusal> {
        match &self.flaws {
            None => authenticate(evidence),
            Some(flaws) => flaws::authenticate(flaws, evidence),
        }
    }

    /// Whether the response is sent before the following steps.
    pub(super) fn responds_early(&self) -> bool {
        self.flaws.as_ref().is_some_and(flaws::responds_early)
    }

    /// Parses a body as an event.
    pub(super) fn parse_event(&self, body: &[u8]) -> Result<Event, Refusal> {
        let event = match &self.flaws {
            None => parse_event(body),
            Some(flaws) => flaws::parse_event(flaws, body),
        }?;
        self.variants.refuse_ids(&event)?;
        Ok(event)
    }

    /// The event as the receiver understands it, which determines the grants.
    pub(super) fn event_to_grant<'a>(
        &self,
        event: &'a Event,
        settings: &ReceiverSettings,
    ) -> Cow<'a, Event> {
        self.variants.event_to_grant(match &self.flaws {
            None => Cow::Borrowed(event),
            Some(flaws) => Cow::Owned(flaws::alter_event(flaws, event, settings)),
        })
    }

    /// The key by which deliveries of the same event are recognized.
    pub(super) fn identify(&self, event: &Event, signature: &str) -> String {
        match &self.flaws {
            None => event.idempotency_key.to_string(),
            Some(flaws) => flaws::identify(flaws, event, signature),
        }
    }

    /// Begins to process an event. Refuses it if a variant does not accept its signature twice or
    /// if another delivery of it is already being processed.
    pub(super) fn begin(
        &self,
        event: &Event,
        signature: &str,
    ) -> Result<Option<KeyInProgress>, Refusal> {
        self.used_signatures.refuse(signature)?;
        self.in_progress.begin(|| self.identify(event, signature))
    }

    /// Remembers a processed delivery.
    pub(super) fn remember(&self, outcome: &RequestOutcome, signature: &str) {
        self.used_signatures.remember(outcome, signature);
    }

    /// The refusal of an event that is not granted, if the receiver denies such events.
    pub(super) fn denial(&self, reason: Skipped) -> Option<Refusal> {
        self.variants.denial(reason)
    }

    /// The first delivery with this key, if there is one.
    pub(super) async fn recall(
        &self,
        ledger: &Ledger,
        key: String,
        body: BodyDigest,
    ) -> Result<Option<FirstDelivery>, LedgerError> {
        self.recording.recall(ledger, key, body).await
    }

    /// Records a delivery once.
    pub(super) async fn record(
        &self,
        ledger: &Ledger,
        entry: LedgerEntry,
    ) -> Result<RecordOutcome, LedgerError> {
        let record = async |entry| {
            self.recording
                .record(ledger, entry, &self.crash_point)
                .await
        };
        self.inventory.record(entry, record).await
    }

    /// How much of one SKU the probe shows for a player, or `None` for a 404.
    pub(super) async fn quantity(
        &self,
        ledger: &Ledger,
        player_id: &str,
        sku: &str,
    ) -> Result<Option<u128>, LedgerError> {
        self.inventory.quantity(ledger, player_id, sku).await
    }

    /// Everything that the probe shows for a player.
    pub(super) async fn inventory(
        &self,
        ledger: &Ledger,
        player_id: &str,
    ) -> Result<Inventory, LedgerError> {
        self.inventory.read(ledger, player_id).await
    }

    /// Whether a flaw records a delivery in two transactions. Then a failed delivery leaves the
    /// first one behind, see [`Self::record_first_half`].
    pub(super) fn has_two_transactions(&self) -> bool {
        self.recording.has_two_transactions()
    }

    /// Records the first of the two transactions.
    pub(super) async fn record_first_half(
        &self,
        ledger: &Ledger,
        entry: LedgerEntry,
    ) -> Result<(), LedgerError> {
        self.recording.record_first_half(ledger, entry).await
    }

    /// Changes the response as flaws and variants require.
    pub(super) async fn alter_response(&self, outcome: RequestOutcome) -> RequestOutcome {
        let outcome = match &self.flaws {
            None => outcome,
            Some(flaws) => flaws::alter_response(flaws, outcome).await,
        };
        self.variants.alter_response(outcome).await
    }

    /// The HTTP response to a request with this version of HTTP.
    pub(super) fn http_response(
        &self,
        response: ReceiverResponse,
        to: Version,
    ) -> Response<variants::Body> {
        self.variants.http_response(response, to)
    }

    /// Whether header names are sent in title case.
    pub(super) fn title_case_headers(&self) -> bool {
        self.variants.title_case_headers()
    }

    /// Clears the state that a restart of the process would lose. A sound receiver has none.
    pub(super) async fn clear_memory(&self) {
        self.recording.clear_memory().await;
    }
}
