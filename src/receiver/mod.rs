//! The reference receiver: a sound game back end for `coupon.redeemed`, which grants every coupon
//! exactly once into a durable ledger.
//!
//! It stands on [`crate::protocol`] alone and knows nothing of scenarios or reports. A delivery
//! goes through small steps, one file each: `request_body` reads it, `authentication` checks
//! who sent it, `interpretation` makes an event of it, `grants` says what the event stands
//! for, `ledger` writes that down once, and `answer` has the words that go back.
//! `delivery` is the order of these steps.
//!
//! It can show bugs that real receivers have ([`Flaw`]), so that a test suite can prove that it
//! finds them, and what sound receivers do otherwise ([`Variant`]), so that it can prove that it
//! blames none: `flaws` and `variants` take the place of single steps, and `steps` is where they
//! meet.
//!
//! **A test tool.** The `/debug` endpoints carry no authentication, so it refuses to listen on
//! anything but loopback unless [`ReceiverSettings::allow_remote`] is set.

mod answer;
mod authentication;
mod clock;
mod control;
mod crash_point;
mod delivery;
mod error;
mod flaws;
mod grants;
mod interpretation;
mod ledger;
mod refusal;
mod request_body;
mod request_record;
mod routes;
mod scripts;
mod server;
mod settings;
mod steps;
mod variants;

#[cfg(test)]
mod tests;

pub use clock::{Clock, system_clock};
pub use error::ReceiverError;
pub use flaws::{Flaw, FlawClass};
pub use grants::Withheld;
pub use ledger::LedgerError;
pub use refusal::Refusal;
pub use request_record::{Decision, RequestObserver, RequestRecord};
pub use server::Receiver;
pub use settings::{BundleHandling, ReceiverSettings, Store};
pub use variants::Variant;
