//! The built-in receiver: a sound game back end for `coupon.redeemed` that grants every coupon
//! exactly once and records it in a durable ledger.
//!
//! It depends only on [`crate::protocol`], not on scenarios or reports. `delivery` processes a
//! delivery in small steps, one file each: `request_body` reads the body, `authentication` verifies
//! the signature, `parsing` parses the event, `grants` computes what to grant, `ledger` records it
//! once, and `response` builds the response. `control` has the other endpoints, `server` listens.
//!
//! The receiver can imitate bugs of real receivers ([`Flaw`]), to prove that a test suite finds
//! them, and harmless differences between sound receivers ([`Variant`]), to prove that a suite
//! tolerates them. The sound steps do not know about that: `delivery` calls each through
//! `imitation`, which replaces some.
//!
//! **This is a test tool.** The `/debug` endpoints require no authentication, so the receiver
//! listens only on loopback unless [`ReceiverSettings::allow_remote`] is set.

mod authentication;
mod control;
mod delivery;
mod error;
mod flaw;
mod game;
mod grants;
mod hangup;
mod imitation;
mod ledger;
mod named_enum;
mod outcome;
mod parsing;
mod process;
mod refusal;
mod request_body;
mod response;
mod routes;
mod scripts;
mod server;
mod settings;
mod variant;

#[cfg(test)]
mod tests;

#[cfg(any(test, fuzzing))]
pub(crate) use authentication::{Evidence, authenticate, parse_timestamp};
pub(crate) use error::ReceiverError;
pub use flaw::{Flaw, FlawClass};
#[cfg(any(test, fuzzing))]
pub(crate) use grants::grants;
#[cfg(test)]
pub(crate) use ledger::LedgerError;
pub use ledger::Store;
pub(crate) use outcome::{Decision, ReceivedRequest};
#[cfg(any(test, fuzzing))]
pub(crate) use parsing::parse_event;
#[cfg(test)]
pub(crate) use refusal::Refusal;
pub use server::Receiver;
pub use settings::{BundleHandling, CreditedEvent, ReceiverSettings, system_clock};
pub use variant::Variant;
