//! The built-in receiver: a sound game back end for `coupon.redeemed` that grants every coupon
//! exactly once and records it in a durable ledger.
//!
//! It depends only on [`crate::protocol`], not on scenarios or reports. A delivery goes through
//! small steps, one file each: `request_body` reads the body, `authentication` verifies the
//! signature, `parsing` parses the event, `grants` computes what to grant, `ledger` records it
//! once, and `response` builds the response. `delivery` runs these steps in order.
//!
//! The receiver can imitate bugs of real receivers ([`Flaw`]), to prove that a test suite finds
//! them, and harmless differences between sound receivers ([`Variant`]), to prove that a suite
//! tolerates them. `flaws` and `variants` replace single steps; `delivery_steps` selects the
//! implementation of each step.
//!
//! **This is a test tool.** The `/debug` endpoints require no authentication, so the receiver
//! listens only on loopback unless [`ReceiverSettings::allow_remote`] is set.

mod authentication;
mod clock;
mod control;
mod crash_point;
mod delivery;
mod delivery_steps;
mod error;
mod flaws;
mod grants;
mod ledger;
mod parsing;
mod received_request;
mod refusal;
mod request_body;
mod response;
mod routes;
mod scripts;
mod server;
mod settings;
mod variants;

#[cfg(test)]
mod tests;

pub use clock::{UnixClock, system_clock};
pub use error::ReceiverError;
pub use flaws::{Flaw, FlawClass};
pub use grants::Skipped;
pub use ledger::LedgerError;
pub use received_request::{Decision, ReceivedRequest, RequestObserver};
pub use refusal::Refusal;
pub use server::Receiver;
pub use settings::{BundleHandling, ReceiverSettings, Store};
pub use variants::Variant;
