//! Realistic `coupon.redeemed` events from a seed.
//!
//! Everything here is a function of a [`Seed`] and a [`StartTime`]: no clock is read and no other
//! source of randomness is used.

mod moment;
mod seed;
mod start_time;

pub use moment::{InvalidMoment, Moment};
pub use seed::Seed;
pub use start_time::{InvalidStartTime, StartTime};
