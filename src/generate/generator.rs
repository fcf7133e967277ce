//! The generator: its random streams, and events built around a coupon's item.

use std::slice;
use std::sync::Arc;

use rand::{Rng, RngExt};
use rand_chacha::ChaCha8Rng;
use serde_json::{Map, Value};

use super::{
    Catalogue, ContextPart, ContextShape, EventForm, EventShape, EventTime, IdShape, KeyForm,
    RequestIdShape, Revision, Seed, StartTime, context, identifiers, shaped_item,
};
use crate::protocol::{Coupon, Event, EventContext, EventData, Field, Item, Text};

/// Generates events from a seed and a start time.
///
/// There are two random streams. *Identity* (the IDs of player, event, transaction, request and
/// order, and the idempotency key) depends on the seed and the start time, so that two runs at
/// different times never collide in the ledger of a shared receiver. *Content* (items, names,
/// quantities, prices, coupon codes, flags) depends on the seed alone, so that two runs send the
/// same content.
///
/// Each event has its own position in both streams: the n-th event depends on its own shape, but
/// not on the shapes of earlier events.
#[derive(Debug, Clone)]
pub struct Generator {
    identity: ChaCha8Rng,
    pub(super) content: ChaCha8Rng,
    pub(crate) catalogue: Arc<Catalogue>,
    start: StartTime,
    pub(crate) game_id: Text,
    /// The players to use in turn. If empty, players are generated.
    pub(crate) players: Arc<[String]>,
    pub(crate) form: EventForm,
    events_generated: u64,
}

/// The IDs that every event draws, even if it does not use all of them. So an ID that an author
/// sets does not change the others.
pub(super) struct DrawnIds {
    event: [u8; 26],
    idempotency: [u8; 24],
    key_form: Option<Arc<KeyForm>>,
    transaction: [u8; 11],
    player: [u8; 8],
    listed_player: Option<String>,
    request: [u8; 16],
}

impl DrawnIds {
    pub(super) fn player_id(&self, shape: Option<&IdShape>) -> Text {
        let usual = || match &self.listed_player {
            Some(player) => player.clone(),
            None => identifiers::player_id(self.player),
        };
        shaped("", shape, &self.player, usual).into()
    }

    fn transaction_id(&self, shape: Option<&IdShape>) -> Text {
        let usual = || identifiers::transaction_id(self.transaction);
        shaped("whtx_", shape, &self.transaction, usual).into()
    }

    fn idempotency_key(&self, shape: Option<&IdShape>) -> Text {
        let usual = || match &self.key_form {
            Some(form) => form.key(&self.idempotency),
            None => identifiers::idempotency_key(self.idempotency),
        };
        shaped("idmpt_", shape, &self.idempotency, usual).into()
    }

    pub(super) fn request_id(&self) -> Text {
        identifiers::uuid(self.request).into()
    }
}

/// An ID of a shape, or the usual one. `prefix` is that of a long ID, and `random` what it is derived
/// from.
fn shaped(
    prefix: &str,
    shape: Option<&IdShape>,
    random: &[u8],
    usual: impl FnOnce() -> String,
) -> String {
    match shape {
        None => usual(),
        Some(IdShape::Given(text)) => text.clone(),
        Some(IdShape::Ending(text)) => usual() + text,
        Some(IdShape::Uuid) => identifiers::derived_uuid(random),
        Some(IdShape::Digits) => identifiers::digits(random),
        Some(IdShape::Length(length)) => identifiers::of_length(prefix, random, *length),
    }
}

fn drawn<const N: usize>(random: &mut ChaCha8Rng) -> [u8; N] {
    let mut bytes = [0; N];
    random.fill_bytes(&mut bytes);
    bytes
}

impl Generator {
    /// The game ID, unless another one is set.
    pub const DEFAULT_GAME_ID: &'static str = "gm_aGh0okTestG";

    /// A generator at the start of its streams, with the built-in catalogue.
    pub fn new(seed: Seed, start: StartTime) -> Self {
        Self {
            identity: seed.derive("identity").derive(&start.to_string()).random(),
            content: seed.derive("content").random(),
            catalogue: Catalogue::built_in(),
            start,
            game_id: Text::Borrowed(Self::DEFAULT_GAME_ID),
            players: Arc::default(),
            form: EventForm::default(),
            events_generated: 0,
        }
    }

    /// A generator with the same game, items and start time, at the start of another seed's
    /// streams.
    #[must_use]
    pub fn with_seed(&self, seed: Seed) -> Self {
        Self {
            catalogue: Arc::clone(&self.catalogue),
            game_id: self.game_id.clone(),
            players: Arc::clone(&self.players),
            form: self.form.clone(),
            ..Self::new(seed, self.start)
        }
    }

    /// Whether players come from a list.
    pub fn has_listed_players(&self) -> bool {
        !self.players.is_empty()
    }

    /// The first of these lengths that no SKU of the game has, if the game's own items are used.
    pub(crate) fn missing_sku_length(
        &self,
        mut lengths: impl Iterator<Item = usize>,
    ) -> Option<usize> {
        let is_own = !Arc::ptr_eq(&self.catalogue, &Catalogue::built_in());
        let is_missing = |length: &usize| self.catalogue.sku_of_length(*length).is_none();
        lengths.find(|length| is_own && is_missing(length))
    }

    /// The start time of the run, T.
    pub fn start(&self) -> StartTime {
        self.start
    }

    /// Continues with the event of this number, counted from 0. Events do not depend on earlier
    /// ones.
    pub fn skip_to(&mut self, number: u64) {
        self.events_generated = number;
    }

    /// The next event, with the fields of `shape` unchanged and the rest generated.
    pub fn event(&mut self, shape: &EventShape) -> Event {
        let ids = self.begin_event();
        let owned = |text: &Option<String>| text.clone().map(Text::Owned);
        let player_id = ids.player_id(shape.player_id.as_ref());
        let event_time = shape.event_time.unwrap_or(EventTime::START);
        let redeemed_at = shape.coupon.redeemed_at.unwrap_or(event_time);

        let with_request_id = self.content.random();
        // Always drawn, so that a given code changes nothing else.
        let random_code = self.random_coupon_code();
        let code = owned(&shape.coupon.code).unwrap_or(random_code);
        let coupon_sku = shape.coupon.sku.as_deref();
        let shapes = match &shape.items {
            Some(items) if !items.is_empty() => items,
            _ => slice::from_ref(&shape.item),
        };
        let items = shaped_item::items(shapes, coupon_sku, &self.catalogue, &mut self.content);
        let first_sku = || {
            items
                .first()
                .map_or_else(Text::default, |item| item.sku.clone())
        };
        let coupon = Coupon {
            code,
            sku: owned(&shape.coupon.sku).unwrap_or_else(first_sku),
            redeemed_at: redeemed_at.unix_seconds(self.start),
            unknown: Map::new(),
        };
        let first = items.first().cloned().map(Box::new);
        let mut event = self.assemble(&ids, player_id, coupon, first);
        event.event_time = event_time.unix_seconds(self.start);
        event.sandbox = shape.sandbox.unwrap_or(false);
        if !shape.trigger.is_absent() {
            event.trigger = shape.trigger.clone().map(Text::Owned);
        }
        if let Field::Value(parts) = &shape.context {
            event.context = Field::Value(self.context(parts, &event.event_data.player_id));
        }
        event.request_id = match &shape.request_id {
            Field::Value(RequestIdShape::Given(text)) => Field::Value(text.clone().into()),
            Field::Value(RequestIdShape::Generated) => Field::Value(ids.request_id()),
            Field::Absent if with_request_id => Field::Value(ids.request_id()),
            Field::Absent | Field::Null => Field::Null,
        };
        event.transaction_id = ids.transaction_id(shape.transaction_id.as_ref());
        event.idempotency_key = ids.idempotency_key(shape.idempotency_key.as_ref());
        match shape.revision.unwrap_or_default() {
            Revision::Source => {}
            Revision::Items => event.event_data.items = Field::Value(items),
            Revision::ItemsOnly => {
                event.event_data.item = Field::Absent;
                event.event_data.items = Field::Value(items);
            }
        }
        event
    }

    /// A new player ID, such as `2D2R-OP3C`, or of a shape.
    pub fn player_id(&mut self, shape: Option<&IdShape>) -> String {
        let random = drawn(&mut self.identity);
        shaped("", shape, &random, || identifiers::player_id(random))
    }

    /// A new transaction ID, `whtx_…`, or of a shape.
    pub fn transaction_id(&mut self, shape: Option<&IdShape>) -> String {
        let random = drawn(&mut self.identity);
        shaped("whtx_", shape, &random, || {
            identifiers::transaction_id(random)
        })
    }

    /// The idempotency key of the next event, if it has a key of this shape.
    pub fn idempotency_key(&mut self, shape: Option<&IdShape>) -> String {
        self.begin_event().idempotency_key(shape).into_owned()
    }

    /// A new event ID, `whevt_…`.
    pub fn event_id(&mut self) -> String {
        identifiers::event_id(drawn(&mut self.identity))
    }

    /// Moves both streams to the position of the next event, and draws its IDs.
    pub(super) fn begin_event(&mut self) -> DrawnIds {
        self.events_generated += 1;
        for stream in [&mut self.identity, &mut self.content] {
            // In this order: changing the stream in the middle of a block computes that block.
            stream.set_word_pos(0);
            stream.set_stream(self.events_generated);
        }
        DrawnIds {
            event: drawn(&mut self.identity),
            idempotency: drawn(&mut self.identity),
            key_form: self.form.key.clone(),
            transaction: drawn(&mut self.identity),
            player: drawn(&mut self.identity),
            listed_player: self.listed_player(),
            request: drawn(&mut self.identity),
        }
    }

    fn listed_player(&self) -> Option<String> {
        let count = self.players.len() as u64;
        let index = (self.events_generated.saturating_sub(1)).checked_rem(count)?;
        self.players.get(usize::try_from(index).ok()?).cloned()
    }

    /// A redeem code: shared by all players, such as `DRAGON50`, or personal, such as `7KX2-QM4P`.
    pub(super) fn random_coupon_code(&mut self) -> Text {
        const WORDS: [&str; 16] = [
            "WELCOME",
            "DRAGON50",
            "SUMMER26",
            "THANKYOU",
            "LEVELUP",
            "FROSTBITE",
            "GG-EZ",
            "1MPLAYERS",
            "COMEBACK",
            "LUNARNEWYEAR",
            "STREAMDROP",
            "SORRY-4-LAG",
            "PUMPKIN",
            "FREEGEMS",
            "BETA_HERO",
            "SEASON12",
        ];
        if self.content.random() {
            return Text::Borrowed(WORDS[self.content.random_range(..WORDS.len())]);
        }
        identifiers::personal_code(drawn(&mut self.content)).into()
    }

    /// An event with the usual values: a live one, redeemed at the start, without context and
    /// request ID.
    pub(super) fn assemble(
        &self,
        ids: &DrawnIds,
        player_id: Text,
        coupon: Coupon,
        item: Option<Box<Item>>,
    ) -> Event {
        Event {
            event_type: Text::Borrowed(Event::COUPON_REDEEMED),
            event_data: EventData {
                player_id,
                coupon,
                item: item.map_or(Field::Absent, Field::Value),
                items: Field::Absent,
                unknown: Map::new(),
            },
            event_time: self.start.unix_seconds(),
            event_id: identifiers::event_id(ids.event).into(),
            idempotency_key: ids.idempotency_key(None),
            request_id: Field::Null,
            sandbox: false,
            trigger: Field::Value(Text::Borrowed(Event::TRIGGER_REDEEM)),
            transaction_id: ids.transaction_id(None),
            context: Field::Null,
            game_id: self.game_id.clone(),
            unknown: Map::new(),
        }
    }

    pub(super) fn context(&mut self, shape: &ContextShape, player_id: &str) -> EventContext {
        let (identity, content) = (&mut self.identity, &mut self.content);
        let (own, player_value) = (&self.form.contexts, ("{player_id}", player_id));
        let order = part(&shape.order, || {
            let id = identifiers::order_id(drawn(identity));
            match &own.order {
                Some(order) => context::filled_in(order, &[player_value, ("{order_id}", &id)]),
                None => context::order(id, self.start.unix_seconds(), content),
            }
        });
        let player = part(&shape.player, || match &own.player {
            Some(player) => context::filled_in(player, &[player_value]),
            None => context::player(player_id, content),
        });
        EventContext {
            order,
            player,
            unknown: Map::new(),
        }
    }
}

/// A part of the context. It is null if the author leaves it out.
fn part(
    shape: &Field<ContextPart>,
    generate: impl FnOnce() -> Map<String, Value>,
) -> Field<Map<String, Value>> {
    match shape {
        Field::Value(ContextPart::Given(part)) => Field::Value(part.clone()),
        Field::Value(ContextPart::Generated) => Field::Value(generate()),
        Field::Absent | Field::Null => Field::Null,
    }
}
