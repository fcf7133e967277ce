//! The format of Aghanim's webhooks: the event, its signature and its headers.
//!
//! This module imports no other module of the crate: it neither generates, sends nor checks
//! events. Every fact is marked with its origin, as in `docs/protocol.md` (`[S]` the source
//! document, `[P]` other public Aghanim material, `[A]` our assumption).

mod event;
mod field;
mod headers;
mod item;
mod secret;
mod signature;

pub use event::{Coupon, Event, EventContext, EventData};
pub use field::{Field, Text};
pub use headers::{
    CONTENT_TYPE_VALUE, SIGNATURE_HEADER, TIMESTAMP_HEADER, USER_AGENT_VALUE, request_headers,
};
pub use item::{Item, ItemKind, NestedItem};
pub use secret::{EmptySecret, Secret};
pub use signature::{Signature, SignatureMismatch, Signer};
