//! The generator: random streams, and an event around what the coupon grants.

use std::sync::Arc;

use rand::{Rng, RngExt};
use rand_chacha::ChaCha8Rng;
use serde_json::Map;

use super::{
    Catalogue, ContextPart, ContextShape, EventShape, Moment, RequestIdShape, Revision, Seed,
    StartTime, context, identifiers, shaped_item,
};
use crate::protocol::{Coupon, Event, EventContext, EventData, Field, Item, Text};

/// Makes events from a seed and a start time.
///
/// There are two random streams. *Identity* (the IDs of player, event, idempotency, transaction,
/// request and order) follows from the seed and the start time, so that two runs at different
/// times never meet in the ledger of a shared receiver. *Content* (items, names, quantities,
/// prices, coupon codes, flags) follows from the seed alone, so that two runs are about the same.
///
/// Every event begins at a place of its own in both streams: what the n-th event is depends on its
/// own shape, but not on the shapes of those before it.
#[derive(Debug, Clone)]
pub struct Generator {
    pub(super) identity: ChaCha8Rng,
    pub(super) content: ChaCha8Rng,
    pub(super) catalogue: Arc<Catalogue>,
    start: StartTime,
    game_id: Text,
    /// The players of events that name none; where there are none, players are invented.
    players: Arc<[String]>,
    events_made: u64,
}

/// What an event says around its item and its coupon.
pub(super) struct Circumstances {
    pub(super) sandbox: bool,
    pub(super) trigger: Field<Text>,
    pub(super) context: Field<EventContext>,
    pub(super) request_id: Field<Text>,
    pub(super) event_time: u64,
}

/// The IDs that every event draws, whether it uses them all or not: an ID that an author gives
/// changes no other one.
pub(super) struct DrawnIds {
    event: [u8; 26],
    idempotency: [u8; 24],
    transaction: [u8; 11],
    player: [u8; 8],
    /// The player whose turn it is, where the game knows its own players alone.
    listed_player: Option<String>,
    request: [u8; 16],
}

impl DrawnIds {
    pub(super) fn player_id(&self) -> Text {
        match &self.listed_player {
            Some(player) => Text::Owned(player.clone()),
            None => identifiers::player_id(self.player).into(),
        }
    }

    pub(super) fn transaction_id(&self) -> Text {
        identifiers::transaction_id(self.transaction).into()
    }

    pub(super) fn request_id(&self) -> Text {
        identifiers::uuid(self.request).into()
    }
}

fn drawn<const N: usize>(random: &mut ChaCha8Rng) -> [u8; N] {
    let mut bytes = [0; N];
    random.fill_bytes(&mut bytes);
    bytes
}

impl Generator {
    /// The game of all events, unless [`Generator::with_game_id`] names another.
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
            events_made: 0,
        }
    }

    /// A generator for the same game, items and start at the start of another seed's streams.
    #[must_use]
    pub fn with_seed(&self, seed: Seed) -> Self {
        Self {
            catalogue: Arc::clone(&self.catalogue),
            game_id: self.game_id.clone(),
            players: Arc::clone(&self.players),
            ..Self::new(seed, self.start)
        }
    }

    /// The same generator with items from another catalogue.
    #[must_use]
    pub fn with_catalogue(mut self, catalogue: Arc<Catalogue>) -> Self {
        self.catalogue = catalogue;
        self
    }

    /// The same generator for another game.
    #[must_use]
    pub fn with_game_id(mut self, game_id: String) -> Self {
        self.game_id = Text::Owned(game_id);
        self
    }

    /// The same generator with these players in turn, in place of invented ones. Without any,
    /// players are invented.
    #[must_use]
    pub fn with_players(mut self, players: Arc<[String]>) -> Self {
        self.players = players;
        self
    }

    /// Whether players come from a list.
    pub fn has_listed_players(&self) -> bool {
        !self.players.is_empty()
    }

    /// The moment from which event times count.
    pub fn start(&self) -> StartTime {
        self.start
    }

    /// Makes the event of this number, counted from 0, the next one: what it is depends on no event
    /// before it.
    pub fn skip_to(&mut self, number: u64) {
        self.events_made = number;
    }

    /// The next event: what `shape` gives as it is, and the rest generated.
    pub fn event(&mut self, shape: &EventShape) -> Event {
        let ids = self.begin_event();
        let owned = |text: &Option<String>| text.clone().map(Text::Owned);
        let player_id = owned(&shape.player_id).unwrap_or_else(|| ids.player_id());
        let event_time = shape.event_time.unwrap_or(Moment::START);
        let redeemed_at = shape.coupon.redeemed_at.unwrap_or(event_time);

        let with_request_id = self.content.random();
        // Drawn in any case: a code that is given changes nothing else.
        let any_code = self.any_coupon_code();
        let code = owned(&shape.coupon.code).unwrap_or(any_code);
        let coupon_sku = shape.coupon.sku.as_deref();
        let item = shaped_item::item(&shape.item, coupon_sku, &self.catalogue, &mut self.content);
        let coupon = Coupon {
            code,
            sku: owned(&shape.coupon.sku).unwrap_or_else(|| item.sku.clone()),
            redeemed_at: redeemed_at.unix_seconds(self.start),
            unknown: Map::new(),
        };
        let circumstances = Circumstances {
            sandbox: shape.sandbox.unwrap_or(false),
            trigger: match &shape.trigger {
                Field::Absent => Field::Value(Text::Borrowed(Event::TRIGGER_REDEEM)),
                given => given.clone().map(Text::Owned),
            },
            context: match &shape.context {
                Field::Absent | Field::Null => Field::Null,
                Field::Value(parts) => Field::Value(self.context(parts, &player_id)),
            },
            request_id: match &shape.request_id {
                Field::Value(RequestIdShape::Given(text)) => Field::Value(text.clone().into()),
                Field::Value(RequestIdShape::Generated) => Field::Value(ids.request_id()),
                Field::Absent if with_request_id => Field::Value(ids.request_id()),
                Field::Absent | Field::Null => Field::Null,
            },
            event_time: event_time.unix_seconds(self.start),
        };
        let transaction_id = owned(&shape.transaction_id);
        let mut event = self.assemble(&ids, player_id, coupon, item, circumstances);
        if let Some(transaction_id) = transaction_id {
            event.transaction_id = transaction_id;
        }
        if shape.revision.unwrap_or_default() == Revision::Items {
            event.event_data.items = Field::Value(vec![event.event_data.item.clone()]);
        }
        event
    }

    /// A new player's ID, such as `2D2R-OP3C`.
    pub fn player_id(&mut self) -> String {
        identifiers::player_id(drawn(&mut self.identity))
    }

    /// A new idempotency key, as `idmpt_…`.
    pub fn idempotency_key(&mut self) -> String {
        identifiers::idempotency_key(drawn(&mut self.identity))
    }

    /// A new event's ID, as `whevt_…`.
    pub fn event_id(&mut self) -> String {
        identifiers::event_id(drawn(&mut self.identity))
    }

    /// A new transaction's ID, as `whtx_…`.
    pub fn transaction_id(&mut self) -> String {
        identifiers::transaction_id(drawn(&mut self.identity))
    }

    /// A new request's ID, a UUID.
    pub fn request_id(&mut self) -> String {
        identifiers::uuid(drawn(&mut self.identity))
    }

    /// A redeem code: one word for all players, such as `DRAGON50`, or one player's own, such as
    /// `7KX2-QM4P`.
    pub fn coupon_code(&mut self) -> String {
        self.any_coupon_code().into_owned()
    }

    /// Steps to the next event's place in both streams, and draws its IDs.
    pub(super) fn begin_event(&mut self) -> DrawnIds {
        self.events_made += 1;
        for stream in [&mut self.identity, &mut self.content] {
            // In this order, for a stream that is changed halfway computes a block at once.
            stream.set_word_pos(0);
            stream.set_stream(self.events_made);
        }
        DrawnIds {
            event: drawn(&mut self.identity),
            idempotency: drawn(&mut self.identity),
            transaction: drawn(&mut self.identity),
            player: drawn(&mut self.identity),
            listed_player: self.listed_player(),
            request: drawn(&mut self.identity),
        }
    }

    /// The player of the event that was begun, from the list.
    fn listed_player(&self) -> Option<String> {
        let count = self.players.len() as u64;
        let place = (self.events_made.saturating_sub(1)).checked_rem(count)?;
        self.players.get(usize::try_from(place).ok()?).cloned()
    }

    pub(super) fn any_coupon_code(&mut self) -> Text {
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

    /// The start of the run in Unix seconds.
    pub(super) fn now(&self) -> u64 {
        self.start.unix_seconds()
    }

    pub(super) fn order_id(&mut self) -> String {
        identifiers::order_id(drawn(&mut self.identity))
    }

    pub(super) fn assemble(
        &self,
        ids: &DrawnIds,
        player_id: Text,
        coupon: Coupon,
        item: Item,
        circumstances: Circumstances,
    ) -> Event {
        Event {
            event_type: Text::Borrowed(Event::COUPON_REDEEMED),
            event_data: EventData {
                player_id,
                coupon,
                item,
                items: Field::Absent,
                unknown: Map::new(),
            },
            event_time: circumstances.event_time,
            event_id: identifiers::event_id(ids.event).into(),
            idempotency_key: identifiers::idempotency_key(ids.idempotency).into(),
            request_id: circumstances.request_id,
            sandbox: circumstances.sandbox,
            trigger: circumstances.trigger,
            transaction_id: ids.transaction_id(),
            context: circumstances.context,
            game_id: self.game_id.clone(),
            unknown: Map::new(),
        }
    }

    fn context(&mut self, shape: &ContextShape, player_id: &str) -> EventContext {
        let order = match &shape.order {
            Field::Value(ContextPart::Given(order)) => Field::Value(order.clone()),
            Field::Value(ContextPart::Generated) => {
                let id = self.order_id();
                Field::Value(context::order(id, self.now(), &mut self.content))
            }
            Field::Absent | Field::Null => Field::Null,
        };
        let player = match &shape.player {
            Field::Value(ContextPart::Given(player)) => Field::Value(player.clone()),
            Field::Value(ContextPart::Generated) => {
                Field::Value(context::player(player_id, &mut self.content))
            }
            Field::Absent | Field::Null => Field::Null,
        };
        EventContext {
            order,
            player,
            unknown: Map::new(),
        }
    }
}
