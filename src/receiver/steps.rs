//! The steps of a delivery as this receiver takes them: the sound ones, but for those that a flaw or
//! a variant takes the place of. This is the one place where they meet.

use std::borrow::Cow;
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, Response, Version};
use hyper::body::Incoming;

use crate::protocol::Event;

use super::answer::Answer;
use super::authentication::{Evidence, authenticate};
use super::control::Handled;
use super::crash_point::CrashPoint;
use super::error::ReceiverError;
use super::flaws::{self, Flaws, Overlooked, Recorder, SenderWaits, Turn};
use super::grants::Withheld;
use super::interpretation::interpret;
use super::ledger::{BodyDigest, Earlier, Entry, Holdings, Ledger, LedgerError, Recorded};
use super::refusal::Refusal;
use super::request_body;
use super::settings::ReceiverSettings;
use super::variants::{self, InProgress, Inventory, Rate, Replays, UnderWay, Variants};

/// The steps, and what has to be kept for them.
pub(super) struct Steps {
    flaws: Option<Flaws>,
    recorder: Recorder,
    crash_point: CrashPoint,
    variants: Variants,
    inventory: Inventory,
    in_progress: InProgress,
    replays: Replays,
    rate: Rate,
}

impl Steps {
    pub(super) fn new(settings: &ReceiverSettings) -> Result<Self, ReceiverError> {
        let flaws = Flaws::of(settings)?;
        let variants = Variants::of(settings)?;
        Ok(Self {
            recorder: Recorder::of(flaws.as_ref()),
            flaws,
            crash_point: CrashPoint::new(settings.crash_after),
            inventory: Inventory::of(&variants),
            in_progress: InProgress::of(&variants),
            replays: Replays::of(&variants),
            rate: Rate::of(&variants),
            variants,
        })
    }

    /// Refuses a delivery before its body is read.
    pub(super) fn refuse_unread(&self, headers: &HeaderMap) -> Result<(), Refusal> {
        self.rate.take()?;
        self.variants.refuse_unread(headers)
    }

    /// The whole body.
    pub(super) async fn read(&self, body: Incoming, timeout: Duration) -> Result<Bytes, Refusal> {
        match &self.flaws {
            None => request_body::read(body, timeout).await,
            Some(flaws) => flaws::read(flaws, body, timeout).await,
        }
    }

    /// What else becomes of a delivery that is not genuine; of a sound receiver nothing.
    pub(super) fn overlooks(&self) -> Option<Overlooked> {
        self.flaws.as_ref().and_then(Flaws::overlooks)
    }

    /// By what the work on a request learns that its sender has hung up, where that stops it; a
    /// sound receiver goes on.
    pub(super) fn stops_with_the_sender(&self) -> Option<SenderWaits> {
        self.flaws.as_ref().and_then(Flaws::stops_with_the_sender)
    }

    /// Waits for its turn to work on a key. A sound receiver leaves it to the ledger who comes first.
    pub(super) async fn take_turn(&self, key: &str) -> Result<Option<Turn<'_>>, Refusal> {
        match &self.flaws {
            None => Ok(None),
            Some(flaws) => flaws.begin(key).await,
        }
    }

    /// Whether a delivery comes from who knows the secret, and is of now.
    pub(super) fn authenticate(&self, evidence: &Evidence<'_>) -> Result<(), Refusal> {
        match &self.flaws {
            None => authenticate(evidence),
            Some(flaws) => flaws::authenticate(flaws, evidence),
        }
    }

    /// Whether the answer goes out before the steps below are taken.
    pub(super) fn answers_early(&self) -> bool {
        self.flaws.as_ref().is_some_and(flaws::answers_early)
    }

    /// Makes an event of a body.
    pub(super) fn interpret(&self, body: &[u8]) -> Result<Event, Refusal> {
        let event = match &self.flaws {
            None => interpret(body),
            Some(flaws) => flaws::interpret(flaws, body),
        }?;
        self.variants.refuse_ids(&event)?;
        Ok(event)
    }

    /// The event that decides what is granted.
    pub(super) fn understand<'a>(
        &self,
        event: &'a Event,
        settings: &ReceiverSettings,
    ) -> Cow<'a, Event> {
        self.variants.understand(match &self.flaws {
            None => Cow::Borrowed(event),
            Some(flaws) => Cow::Owned(flaws::misunderstand(flaws, event, settings)),
        })
    }

    /// What deliveries of one event have in common, and other events have not.
    pub(super) fn identify(&self, event: &Event, signature: &str) -> String {
        match &self.flaws {
            None => event.idempotency_key.to_string(),
            Some(flaws) => flaws::identify(flaws, event, signature),
        }
    }

    /// Begins to work on an event, or refuses since another delivery of it is worked on.
    pub(super) fn begin(
        &self,
        event: &Event,
        signature: &str,
    ) -> Result<Option<UnderWay>, Refusal> {
        self.replays.refuse(signature)?;
        self.in_progress.begin(|| self.identify(event, signature))
    }

    /// Keeps in mind that an event was worked on.
    pub(super) fn keep_in_mind(&self, handled: &Handled, signature: &str) {
        self.replays.keep_in_mind(handled, signature);
    }

    /// Whether an event that is not to be granted is denied.
    pub(super) fn denies(&self, reason: Withheld) -> Option<Refusal> {
        self.variants.denies(reason)
    }

    /// The delivery that used up this key, if one did.
    pub(super) async fn recall(
        &self,
        ledger: &Ledger,
        key: String,
        body: BodyDigest,
    ) -> Result<Option<Earlier>, LedgerError> {
        self.recorder.recall(ledger, key, body).await
    }

    /// Writes a delivery down, once.
    pub(super) async fn record(
        &self,
        ledger: &Ledger,
        entry: Entry,
    ) -> Result<Recorded, LedgerError> {
        let record = async |entry| self.recorder.record(ledger, entry, &self.crash_point).await;
        self.inventory.after(entry, record).await
    }

    /// How much of one SKU a player is seen to hold; none where that is not found.
    pub(super) async fn holding(
        &self,
        ledger: &Ledger,
        player_id: &str,
        sku: &str,
    ) -> Result<Option<u128>, LedgerError> {
        self.inventory.holding(ledger, player_id, sku).await
    }

    /// All that a player is seen to hold.
    pub(super) async fn holdings(
        &self,
        ledger: &Ledger,
        player_id: &str,
    ) -> Result<Holdings, LedgerError> {
        self.inventory.holdings(ledger, player_id).await
    }

    /// Whether a delivery that fails leaves something behind: then [`Self::leave_half_done`] says
    /// what.
    pub(super) fn leaves_half_done(&self) -> bool {
        self.recorder.has_two_halves()
    }

    /// Writes as much of a delivery as is written when it fails half-way.
    pub(super) async fn leave_half_done(
        &self,
        ledger: &Ledger,
        entry: Entry,
    ) -> Result<(), LedgerError> {
        self.recorder.record_first_half(ledger, entry).await
    }

    /// The answer that goes back.
    pub(super) async fn answer(&self, handled: Handled) -> Handled {
        let handled = match &self.flaws {
            None => handled,
            Some(flaws) => flaws::answer(flaws, handled).await,
        };
        self.variants.answer(handled).await
    }

    /// The response as it travels, to a request of this version of HTTP.
    pub(super) fn send(&self, answer: Answer, to: Version) -> Response<variants::Body> {
        self.variants.send(answer, to)
    }

    /// Whether names of headers are written in title case.
    pub(super) fn title_case_headers(&self) -> bool {
        self.variants.title_case_headers()
    }

    /// Loses what a restart of the process would, which of a sound receiver is nothing.
    pub(super) async fn forget(&self) {
        self.recorder.forget().await;
    }
}
