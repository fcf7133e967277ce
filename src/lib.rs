//! aghook plays Aghanim's part: it sends a game's back end signed `coupon.redeemed` webhooks and
//! proves that the game answers right and grants every coupon exactly once.
//!
//! Data flows one way: [`protocol`] → [`generate`] → [`scenario`] → [`delivery`] → [`harness`] →
//! [`journal`] → [`report`] → [`snapshots`] → [`cli`]. The reference [`receiver`] stands on the first
//! ones alone.

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
