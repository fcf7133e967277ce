//! What Aghanim says on the wire: the event, its signature and its headers.
//!
//! Nothing here knows how an event is made up, sent or judged; this module imports no other
//! module of the crate. Every documented fact is marked with its place in `docs/protocol.md`
//! (`[S]` source document, `[P]` other public Aghanim material, `[A]` our assumption).

mod diagnosis;
mod event;
mod field;
mod headers;
mod item;
mod secret;
mod signature;

pub use diagnosis::{
    Diagnosis, Mistake, Received, TimestampConcern, Verdict, diagnose, timestamp_concern,
};
pub use event::{Coupon, Event, EventContext, EventData, Text};
pub use field::Field;
pub use headers::{
    CONTENT_TYPE_VALUE, SIGNATURE_HEADER, TIMESTAMP_HEADER, USER_AGENT_VALUE, request_headers,
};
pub use item::{Item, ItemKind, NestedItem};
pub use secret::{EmptySecret, Secret};
pub use signature::{Signature, SignatureMismatch, Signer};
