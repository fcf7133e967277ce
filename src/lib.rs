//! aghook plays the part of Aghanim: it sends signed `coupon.redeemed` webhooks to a game's back
//! end, checks its responses, and verifies that every coupon is granted exactly once.
//!
//! Data flows one way, so a module uses only those before it: [`protocol`] → [`diagnose`] →
//! [`receiver`] → [`generate`] → [`policy`] → [`scenario`] → [`transport`] → [`delivery`] → [`probe`] →
//! [`verify`] → [`run`] → [`load`] → [`report`] → [`snapshots`] → [`api`] → [`cli`]. The built-in receiver uses
//! only [`protocol`], and only [`api`] and [`cli`] use it.

pub mod api;
pub mod cli;
pub mod delivery;
pub mod diagnose;
pub mod generate;
pub mod load;
pub mod policy;
pub mod probe;
pub mod protocol;
pub mod receiver;
pub mod report;
pub mod run;
pub mod scenario;
pub mod snapshots;
pub mod transport;
pub mod verify;

pub use api::*;
pub use protocol::{EmptySecret, Secret};
pub use run::RunOutcome;
pub use scenario::Level;
pub use verify::{Check, Verdict};
