//! Realistic `coupon.redeemed` events from a seed.
//!
//! The output depends only on a [`Seed`] and a [`StartTime`]: this module reads no clock and uses
//! no other source of randomness. An author describes an event with an [`EventShape`]; a
//! [`Generator`] fills in the missing fields, with items from a [`Catalogue`]. How an event is sent
//! and checked is not part of this module.

mod built_in_catalogue;
mod catalogue;
mod context;
mod event_shape;
mod event_time;
mod generator;
mod identifiers;
mod item_event;
mod item_identity;
mod price;
mod random_event;
mod seed;
mod shaped_item;
mod start_time;
pub(crate) mod written;

#[cfg(test)]
mod tests;

pub use catalogue::Catalogue;
pub(crate) use catalogue::CatalogueItem;
pub use event_shape::EventShape;
pub(crate) use event_shape::{
    ContextPart, ContextShape, CouponShape, ItemShape, NestedItemShape, RequestIdShape, Revision,
};
pub(crate) use event_time::EventTime;
pub use generator::Generator;
pub(crate) use item_event::as_kind;
pub use seed::Seed;
pub use start_time::StartTime;
pub(crate) use start_time::decimal;
