//! Realistic `coupon.redeemed` events from a seed.
//!
//! Everything here is a function of a [`Seed`] and a [`StartTime`]: no clock is read and no other
//! source of randomness is used. What an author gives of an event is an [`EventShape`]; what is
//! left out is made up by a [`Generator`], which takes items from a [`Catalogue`]. Nothing here
//! knows how an event is sent or judged.

mod built_in_catalogue;
mod catalogue;
mod context;
mod context_shape;
mod event_shape;
mod generator;
mod identifiers;
mod item_shape;
mod moment;
mod price;
mod random_event;
mod request_id_shape;
mod seed;
mod shaped_item;
mod start_time;

#[cfg(test)]
mod tests;

pub use catalogue::{Catalogue, CatalogueItem};
pub use context_shape::{ContextPart, ContextShape};
pub use event_shape::{CouponShape, EventShape, Revision};
pub use generator::Generator;
pub use item_shape::{ItemShape, NestedItemShape};
pub use moment::{InvalidMoment, Moment};
pub use request_id_shape::RequestIdShape;
pub use seed::Seed;
pub use start_time::{InvalidStartTime, StartTime};
