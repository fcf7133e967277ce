//! The durable queue: deliveries are rows of the data file, and a lane for each webhook makes the due ones.
//!
//! A delivery stays pending until the result of its last attempt is committed. A process that is killed
//! at any moment has therefore lost nothing: an interrupted attempt is repeated, so every delivery is made
//! at least once.

mod attempt;
mod lane;
mod lanes;

pub(super) use lanes::Lanes;
