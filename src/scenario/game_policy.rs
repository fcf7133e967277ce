//! The choices that Aghanim leaves to the game.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::protocol::EventKind;

/// What is expected where Aghanim leaves the choice to the game. Without a setting, either choice
/// passes, as long as no item is granted twice.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Policy {
    /// How the game grants bundles: `nested` grants each nested item, `sku` the bundle's own SKU.
    pub bundles: Option<BundlePolicy>,
    /// Whether a bundle's quantity multiplies the quantities of its nested items. The source document
    /// does not say; the default `multiply` is an assumption.
    pub bundle_quantity: BundleQuantity,
    /// Whether a sandbox event grants its item, so that the probe's number changes.
    pub sandbox: Option<GrantPolicy>,
    /// Whether an event with `trigger: test` grants its item, so that the probe's number changes.
    pub test: Option<GrantPolicy>,
    /// Which event of a redemption credits its items: `coupon.redeemed`, `item.add`, or `either`,
    /// whichever arrives first. With `item.add`, events are sent as `item.add` unless they have a
    /// `kind`. Default: `coupon.redeemed` must credit them; `item.add` may, if they are credited once.
    pub credit_on: Option<CreditOn>,
    /// Whether `item.remove` takes the items away. Default: either, but never more than once.
    pub item_remove: Option<RemovalPolicy>,
}

/// How a game grants a bundle.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum BundlePolicy {
    /// Grant each nested item, at every level.
    Nested,
    /// Grant each part of the bundle by its SKU, even if it is a bundle itself.
    Parts,
    /// Grant the bundle's own SKU.
    Sku,
}

impl BundlePolicy {
    pub(crate) const ALL: [Self; 3] = [Self::Nested, Self::Parts, Self::Sku];
}

/// Whether a bundle's quantity multiplies the quantities of its nested items.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum BundleQuantity {
    /// Two bundles of three gems are six gems.
    #[default]
    Multiply,
    /// Two bundles of three gems are three gems.
    Ignore,
}

/// Whether a sandbox or test event grants its item.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum GrantPolicy {
    /// Grant nothing.
    Ignore,
    /// Grant the item, as for a live event.
    Grant,
}

/// The event of a redemption that credits its items.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum CreditOn {
    /// Credit on `coupon.redeemed`, and nothing on `item.add` of the same redemption.
    #[serde(rename = "coupon.redeemed")]
    CouponRedeemed,
    /// Credit on `item.add`, and nothing on `coupon.redeemed`.
    #[serde(rename = "item.add")]
    ItemAdd,
    /// Credit on whichever arrives first.
    #[serde(rename = "either")]
    Either,
}

impl Policy {
    /// The kind of the events whose `kind` a scenario leaves open: one that credits its items.
    pub fn usual_kind(self) -> EventKind {
        match self.credit_on {
            Some(CreditOn::ItemAdd) => EventKind::ItemAdd,
            Some(CreditOn::CouponRedeemed | CreditOn::Either) | None => EventKind::CouponRedeemed,
        }
    }
}

/// Whether `item.remove` takes items away.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum RemovalPolicy {
    /// Take the items away, once.
    Take,
    /// Change nothing.
    Ignore,
}
