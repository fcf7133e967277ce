//! The kinds of events and steps that histories are made of, by name, and how to recognise them.

use std::fmt;

use clap::ValueEnum;
use clap::builder::PossibleValue;

/// Where a kind shows in a history.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Trace {
    /// An event has a value at this JSON Pointer.
    Event(&'static str),
    /// An event is of this type.
    EventKind(&'static str),
    /// A step has a value at this JSON Pointer.
    Step(&'static str),
    /// A step is made only once.
    NoRetry,
    /// A step has the fault of the same name.
    Fault,
    /// An event is delivered that an earlier step has already delivered.
    Redelivered,
}

/// Each row: the variant, its name, where it shows, and its description.
macro_rules! kinds {
    ($($variant:ident $name:literal $trace:expr, $about:literal;)*) => {
        /// A kind of event or step.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Kind { $(#[doc = $about] $variant,)* }

        impl Kind {
            /// Every kind, in display order.
            pub const ALL: &'static [Self] = &[$(Self::$variant),*];

            /// The name on the command line and in reports.
            pub fn name(self) -> &'static str {
                match self { $(Self::$variant => $name,)* }
            }

            /// What it is, in a few words.
            pub fn about(self) -> &'static str {
                match self { $(Self::$variant => $about,)* }
            }

            pub(super) fn trace(self) -> Trace {
                match self { $(Self::$variant => $trace,)* }
            }
        }
    };
}

kinds! {
    Bundle "bundle" Trace::Event("/item/bundle"), "a bundle";
    NestedBundle "nested_bundle" Trace::Event("/item/bundle/0/bundle"), "a bundle in a bundle";
    Items "items" Trace::Event("/items"), "several items";
    Fallback "fallback" Trace::Event("/item/fallback"), "a fallback item";
    ItemType "item_type" Trace::Event("/item/type"), "an item of another type, such as `currency`";
    Quantity "quantity" Trace::Event("/item/quantity"), "quantities up to the limits of number types";
    LongSku "long_sku" Trace::Event("/item/sku/length"), "a long SKU";
    Name "name" Trace::Event("/set/~1event_data~1item~1name"), "unusual names";
    Description "description" Trace::Event("/item/description"), "long, unusual and null descriptions";
    Context "context" Trace::Event("/context"), "a player or order context";
    Sandbox "sandbox" Trace::Event("/sandbox"), "an event from the sandbox";
    Trigger "trigger" Trace::Event("/trigger"), "another trigger, such as `test` or null";
    RequestId "request_id" Trace::Event("/request_id"), "a request ID, or null";
    EventTime "event_time" Trace::Event("/event_time"), "event times that are not in order";
    Code "code" Trace::Event("/coupon/code"), "one code, used by several events";
    Transaction "transaction" Trace::Event("/transaction_id/same_as"), "events of one transaction";
    LongTransaction "long_transaction" Trace::Event("/transaction_id/length"), "a long transaction ID";
    SamePlayer "same_player" Trace::Event("/player_id/same_as"), "several events of one player";
    PlayerText "player_text" Trace::Event("/player_id/ending"), "unusual characters in a player's ID";
    PlayerDigits "player_digits" Trace::Event("/player_id/form"), "a player's ID of digits";
    SimilarPlayer "similar_player" Trace::Event("/player_id/like"), "players whose IDs are easily taken for each other";
    UnknownKeys "unknown_keys" Trace::Event("/set/~1added_later"), "keys that are not documented";
    OtherType "other_type" Trace::Event("/set/~1event_type"), "an event of another type";
    Layout "layout" Trace::Event("/layout"), "another layout of the JSON";
    LongKey "long_key" Trace::Event("/idempotency_key/length"), "a long idempotency key";
    UuidKey "uuid_key" Trace::Event("/idempotency_key/form"), "a UUID as the idempotency key";
    SimilarKey "similar_key" Trace::Event("/idempotency_key/like"), "idempotency keys that differ only in case or in the last character";
    ItemAdd "item_add" Trace::EventKind("item.add"), "an `item.add` for the same redemption";
    ItemRemove "item_remove" Trace::EventKind("item.remove"), "an `item.remove` of a granted coupon";
    Redelivery "redelivery" Trace::Redelivered, "an earlier event again";
    Times "times" Trace::Step("/times"), "an event several times in a row";
    Together "together" Trace::Step("/together"), "simultaneous deliveries";
    Shuffle "shuffle" Trace::Step("/shuffle"), "deliveries in a random order";
    NoRetry "no_retry" Trace::NoRetry, "deliveries without retries";
    FreshEventId "fresh_event_id" Trace::Step("/retry/event_id"), "retries with new event IDs";
    Instances "instances" Trace::Step("/spread"), "deliveries to several instances in turn";
    NewConnection "new_connection" Trace::Step("/connection"), "a new connection for each delivery";
    HeaderCase "header_case" Trace::Step("/wire/header_case"), "other spellings of header names";
    ContentType "content_type" Trace::Step("/wire/content_type"), "a content type with a charset";
    Pieces "pieces" Trace::Step("/wire/pieces"), "a body that arrives in pieces";
    Chunked "chunked" Trace::Step("/wire/transfer"), "a chunked body";
    SignedAt "signed_at" Trace::Step("/signed_at"), "a signature by a clock that is ahead or behind";
    Forgery "forgery" Trace::Step("/forge"), "a forgery of an event";
    Restart "restart" Trace::Step("/restart"), "a restart of the receiver";
    Clock "clock" Trace::Step("/advances"), "an hour that passes";
    Script "script" Trace::Step("/script"), "scripted error responses";
    FullInventory "full_inventory" Trace::Step("/with"), "an item that the game can't grant for a while";
    LostAck "lost_ack" Trace::Fault, "a lost response, and a retry";
    CutBody "cut_body" Trace::Fault, "an interrupted body, and a retry";
    SlowBody "slow_body" Trace::Fault, "a body that arrives byte by byte";
    TimeoutOverlap "timeout_overlap" Trace::Fault, "a retry while the first attempt is processed";
    Reset "reset" Trace::Fault, "a reset connection, and a retry";
    Duplicate "duplicate" Trace::Fault, "each delivery twice";
    OutOfOrder "out_of_order" Trace::Fault, "deliveries between an event and its retry";
    LateRetry "late_retry" Trace::Fault, "a late retry with the first signature";
    RestartInFlight "restart_in_flight" Trace::Fault, "a restart while a delivery is processed";
}

impl fmt::Display for Kind {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(self.name())
    }
}

impl ValueEnum for Kind {
    fn value_variants<'a>() -> &'a [Self] {
        Self::ALL
    }

    fn to_possible_value(&self) -> Option<PossibleValue> {
        Some(PossibleValue::new(self.name()).help(self.about()))
    }
}
