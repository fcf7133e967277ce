//! The event types that this crate sends and handles.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The type of an event that concerns the items of a coupon.
#[derive(
    Debug,
    Clone,
    Copy,
    Default,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    Serialize,
    Deserialize,
    JsonSchema,
)]
pub enum EventKind {
    /// A player redeemed a coupon. `[S]`
    #[default]
    #[serde(rename = "coupon.redeemed")]
    CouponRedeemed,
    /// Adds items to a player, who bought them, redeemed a free-item code, or claimed a reward. `[P]`
    #[serde(rename = "item.add")]
    ItemAdd,
    /// Takes items away from a player, for example after a refund. `[P]`
    #[serde(rename = "item.remove")]
    ItemRemove,
}

impl EventKind {
    /// All kinds.
    pub const ALL: [Self; 3] = [Self::CouponRedeemed, Self::ItemAdd, Self::ItemRemove];

    /// The value of `event_type`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::CouponRedeemed => "coupon.redeemed",
            Self::ItemAdd => "item.add",
            Self::ItemRemove => "item.remove",
        }
    }

    /// The kind with this `event_type`.
    pub fn of_type(event_type: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == event_type)
    }
}
