//! Realistic `coupon.redeemed` events from a seed.
//!
//! The output depends only on a [`Seed`] and a [`StartTime`]: this module reads no clock and uses
//! no other source of randomness. An author describes an event with an [`EventShape`]; a
//! [`Generator`] fills in the missing fields, with items from a [`Catalogue`]. How an event is sent
//! and checked is not part of this module.

mod body_layout;
mod built_in_catalogue;
mod catalogue;
mod context;
mod event_form;
mod event_shape;
mod event_time;
mod generator;
mod id_difference;
mod id_shape;
mod identifiers;
mod item_event;
mod item_identity;
mod item_shape;
mod key_form;
mod price;
mod random_event;
mod seed;
mod shaped_item;
mod sku_shape;
mod start_time;
mod text_shape;
pub(crate) mod written;

#[cfg(test)]
mod tests;

pub use body_layout::BodyLayout;
pub use catalogue::Catalogue;
pub(crate) use catalogue::CatalogueItem;
pub(crate) use context::ContextObjects;
pub(crate) use context::player as player_context;
pub use event_form::EventForm;
pub use event_shape::EventShape;
pub(crate) use event_shape::{ContextPart, ContextShape, CouponShape, RequestIdShape, Revision};
pub(crate) use event_time::EventTime;
pub use generator::Generator;
pub(crate) use id_difference::{IdDifference, Likeness};
pub(crate) use id_shape::IdShape;
pub(crate) use identifiers::{EventIds, random_id};
pub(crate) use item_event::as_kind;
pub(crate) use item_shape::{BundleShape, ItemShape, NestedItemShape};
pub(crate) use key_form::KeyForm;
pub(crate) use price::in_major_units;
pub use seed::Seed;
pub(crate) use sku_shape::{SkuOwner, SkuShape};
pub use start_time::StartTime;
pub(crate) use start_time::decimal;
