//! A coupon for free items.

use serde::{Deserialize, Serialize};

/// The fields of a free-item coupon in Aghanim's API. `[P]`
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct CouponDraft {
    pub(crate) name: String,
    pub(crate) code: String,
    pub(crate) items: Vec<FreeItem>,
    #[serde(flatten)]
    pub(crate) limits: CouponLimits,
    pub(crate) category_id: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct FreeItem {
    pub(crate) item_id: String,
    pub(crate) quantity: u64,
}

/// When, how often and by whom a coupon can be redeemed.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct CouponLimits {
    /// In Unix seconds, like the other times.
    pub(crate) start_at: Option<i64>,
    pub(crate) end_at: Option<i64>,
    pub(crate) expires_at: Option<i64>,
    pub(crate) max_redemptions: Option<u64>,
    /// Default: one. `[A]`
    pub(crate) max_redemptions_per_user: Option<u64>,
    /// The only players that can redeem it.
    pub(crate) player_ids: Option<Vec<String>>,
    pub(crate) exclude_player_ids: Option<Vec<String>>,
}

impl CouponLimits {
    /// How often one player can redeem it.
    pub(crate) fn per_player(&self) -> u64 {
        self.max_redemptions_per_user.unwrap_or(1)
    }

    /// When it can't be redeemed any more, in Unix seconds.
    pub(crate) fn end(&self) -> Option<i64> {
        [self.end_at, self.expires_at].into_iter().flatten().min()
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Coupon {
    pub(crate) id: String,
    #[serde(flatten)]
    pub(crate) draft: CouponDraft,
}
