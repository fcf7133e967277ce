//! The public API of the library: a suite to run from `cargo test`, signed events, and a receiver for
//! tests of clients.
//!
//! Everything here is a thin layer over the modules that the program uses.

mod event;
mod quantity;
mod receiver;
mod run_report;
mod suite;
#[cfg(feature = "libtest-mimic")]
mod trials;

pub use event::{Event, SignedEvent};
pub use quantity::Quantity;
pub use receiver::{Receiver, ReceiverStartError};
pub use run_report::{RunReport, ScenarioReport};
pub use suite::{Suite, SuiteError};
