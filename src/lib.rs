//! aghook plays the part of Aghanim: it sends signed `coupon.redeemed` webhooks to a game's back
//! end, checks its responses, and verifies that every coupon is granted exactly once.
//!
//! Data flows one way: [`protocol`] → [`generate`] → [`scenario`] → [`delivery`] → [`harness`] →
//! [`journal`] → [`report`] → [`snapshots`] → [`cli`]. The built-in [`receiver`] depends only on
//! the first modules of this chain.

pub mod cli;
pub mod delivery;
pub mod generate;
pub mod harness;
pub mod journal;
pub mod load;
pub mod protocol;
pub mod receiver;
pub mod report;
pub mod scenario;
pub mod snapshots;
