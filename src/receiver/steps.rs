//! The steps of a delivery, which are the seam between the sound receiver and what it imitates: a
//! sound receiver has the default of every step, and `imitation` replaces some.

use std::borrow::Cow;

use bytes::Bytes;
use futures_util::FutureExt;
use futures_util::future::{BoxFuture, ready};
use http::{HeaderMap, HeaderValue, Response, Version};
use http_body_util::BodyExt;
use hyper::body::Incoming;

use crate::protocol::{Event, SIGNATURE_HEADER};

use super::authentication::{Evidence, authenticate};
use super::game::Game;
use super::grants::{grants, skip_reason};
use super::ledger::{
    BodyDigest, FirstDelivery, Inventory, ItemGrant, LedgerEntry, LedgerError, RecordOutcome,
    digest,
};
use super::outcome::RequestOutcome;
use super::parsing;
use super::received_request::Decision;
use super::refusal::Refusal;
use super::request_body;
use super::response::{Body, ReceiverResponse};

/// A delivery whose body was read.
pub(super) struct IncomingDelivery {
    pub(super) headers: HeaderMap,
    pub(super) body: Bytes,
}

impl IncomingDelivery {
    /// The value of the signature header. A sound receiver does not use it after authentication.
    pub(super) fn signature(&self) -> Cow<'_, str> {
        let value = self.headers.get(SIGNATURE_HEADER);
        String::from_utf8_lossy(value.map(HeaderValue::as_bytes).unwrap_or_default())
    }
}

/// What to do with an event, if it is the first with its key.
pub(super) type Decided = (Decision, Vec<ItemGrant>);

/// A step that waits.
pub(super) type Step<'a, T, E> = BoxFuture<'a, Result<T, E>>;

/// The steps of a delivery, in order, and what the other endpoints need of them.
pub(super) trait Steps: Send + Sync {
    /// The game that the steps work on.
    fn game(&self) -> &Game;

    /// Reads the whole body.
    fn read<'a>(&'a self, _headers: &'a HeaderMap, body: Incoming) -> Step<'a, Bytes, Refusal> {
        request_body::read(body, self.game().settings.body_timeout).boxed()
    }

    /// Verifies the signature and the timestamp's freshness.
    fn authenticate<'a>(&'a self, delivery: &'a IncomingDelivery) -> Step<'a, (), Refusal> {
        ready(authenticate(&self.evidence(delivery))).boxed()
    }

    /// Whether the response is sent before the following steps.
    fn responds_early(&self) -> bool {
        false
    }

    /// Parses a body as an event.
    fn parse_event(&self, body: &[u8]) -> Result<Event, Refusal> {
        parsing::parse_event(body)
    }

    /// The key by which deliveries of the same event are recognized.
    fn identify(&self, event: &Event, _delivery: &IncomingDelivery) -> String {
        event.idempotency_key.to_string()
    }

    /// Decides what an event grants.
    fn decide(&self, event: &Event) -> Result<Decided, Refusal> {
        let settings = &self.game().settings;
        Ok(match skip_reason(event, settings) {
            Some(reason) => (Decision::Skipped(reason), Vec::new()),
            None => (Decision::Granted, grants(event, settings)?),
        })
    }

    /// Does the `work` of the following steps. The ledger decides which of several deliveries with
    /// one key is first, so they need not wait for each other.
    fn process<'a>(
        &'a self,
        _key: String,
        _delivery: &'a IncomingDelivery,
        work: BoxFuture<'a, RequestOutcome>,
    ) -> BoxFuture<'a, RequestOutcome> {
        work
    }

    /// Records a delivery once.
    fn record(&self, entry: LedgerEntry) -> Step<'_, RecordOutcome, LedgerError> {
        self.game().record(entry).boxed()
    }

    /// Records a delivery that is scripted to fail halfway. A sound receiver leaves nothing behind.
    fn record_half(&self, _entry: LedgerEntry) -> Step<'_, (), LedgerError> {
        ready(Ok(())).boxed()
    }

    /// The first delivery with this key, if there is one.
    fn recall(
        &self,
        key: String,
        body: BodyDigest,
    ) -> Step<'_, Option<FirstDelivery>, LedgerError> {
        self.game().ledger.recall(key, body).boxed()
    }

    /// The response that is sent in the end.
    fn alter_response(&self, outcome: RequestOutcome) -> BoxFuture<'_, RequestOutcome> {
        ready(outcome).boxed()
    }

    /// The HTTP response to a request with this version of HTTP.
    fn http_response(&self, response: ReceiverResponse, _to: Version) -> Response<Body> {
        response.into_response().map(BodyExt::boxed)
    }

    /// What the probe shows for a player: of this SKU, or of every SKU.
    fn inventory(&self, player: String, sku: Option<String>) -> Step<'_, Inventory, LedgerError> {
        self.game().ledger.inventory(player, sku).boxed()
    }

    /// Clears the state that a restart of the process would lose. A sound receiver has none.
    fn clear_memory(&self) -> BoxFuture<'_, ()> {
        ready(()).boxed()
    }

    /// Whether header names are sent in title case.
    fn title_case_headers(&self) -> bool {
        false
    }

    /// Whether processing stops when the sender hangs up.
    fn stops_at_hangup(&self) -> bool {
        false
    }

    /// What authentication needs.
    fn evidence<'a>(&'a self, delivery: &'a IncomingDelivery) -> Evidence<'a> {
        let game = self.game();
        Evidence {
            headers: &delivery.headers,
            body: &delivery.body,
            signer: &game.signer,
            now: (game.settings.clock)(),
            tolerance: game.settings.tolerance,
        }
    }

    /// The decision about an event and the entry that records it.
    fn entry(
        &self,
        event: &Event,
        delivery: &IncomingDelivery,
    ) -> Result<(Decision, LedgerEntry), Refusal> {
        let (decision, grants) = self.decide(event)?;
        let entry = LedgerEntry {
            idempotency_key: self.identify(event, delivery),
            event_id: event.event_id.to_string(),
            player_id: event.event_data.player_id.to_string(),
            decision: match &decision {
                Decision::Skipped(reason) => reason.to_string(),
                other => other.to_string(),
            },
            body: digest(&delivery.body),
            response: ReceiverResponse::ok(),
            grants,
        };
        Ok((decision, entry))
    }
}

/// The steps of a sound receiver.
pub(super) struct SoundSteps(pub(super) Game);

impl Steps for SoundSteps {
    fn game(&self) -> &Game {
        &self.0
    }
}
