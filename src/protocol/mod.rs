//! The format of Aghanim's webhooks: the event, its signature and its headers.
//!
//! This module imports no other module of the crate: it neither generates, sends nor checks
//! events. Every fact is marked with its origin, as in `docs/protocol.md` (`[S]` the source
//! document, `[P]` other public Aghanim material, `[A]` our assumption).

mod event;
mod event_kind;
mod field;
mod headers;
mod item;
mod item_event;
mod json_style;
mod secret;
mod signature;

pub use event::Event;
pub(crate) use event::{Coupon, EventContext, EventData};
pub use event_kind::EventKind;
pub(crate) use field::Field;
pub(crate) use field::Text;
pub(crate) use headers::{CONTENT_TYPE_VALUE, USER_AGENT_VALUE, request_headers};
pub use headers::{SIGNATURE_HEADER, TIMESTAMP_HEADER};
pub(crate) use item::{Item, ItemKind, NestedItem};
pub(crate) use item_event::ItemEvent;
pub(crate) use json_style::{Escapes, JsonStyle, Numbers, Whitespace};
pub use secret::{EmptySecret, Secret};
pub use signature::Signer;
pub(crate) use signature::{Signature, SignatureMismatch};
