//! The fields of a coupon in Aghanim's API. `[P]`

use serde_json::{Map, Value, json};

use super::fields::{Fields, count, integer, is_given, nonempty, not_supported, one_of, text};
use super::item_fields::item_json;
use crate::serve::error::HubError;
use crate::serve::model::{Coupon, CouponDraft, CouponLimits, FreeItem, Item};

pub(super) const TYPES: &[&str] = &[
    "bonus",
    "discount",
    "free_item",
    "vc",
    "non_benefit",
    "discount_fixed",
    "discount_reward_point",
];
const LONGEST_NAME: usize = 255;
const LONGEST_CODE: usize = 20;
const MOST_ITEMS: usize = 100;

/// Fields of other types of coupons, and conditions that need an order.
const UNSUPPORTED: [&str; 14] = [
    "discount_percent",
    "bonus_percent",
    "bonus_fixed",
    "discount_amount_usd",
    "requirements_expression",
    "applicable_item_ids",
    "min_amount",
    "is_stackable_with_bonus_coupons",
    "stackable_bonus_limit_percent",
    "is_stackable_with_discount_coupons",
    "stackable_discount_limit_percent",
    "store_item_discount_limit_percent",
    "store_item_bonus_limit_percent",
    "creator_program",
];

/// What a request says about a coupon.
#[derive(Debug)]
pub(super) struct CouponFields {
    kind: Option<&'static str>,
    name: Option<String>,
    code: Option<String>,
    items: Option<Vec<FreeItem>>,
    limits: CouponLimits,
    category_id: Option<String>,
}

impl CouponFields {
    fn read(fields: &Fields<'_>) -> Self {
        let time = || integer(0..=i64::MAX);
        let players = |name| fields.list(name, nonempty(usize::MAX));
        let free = fields
            .object("free_items")
            .and_then(|free| free.objects("items", MOST_ITEMS));
        let item = |item: Fields<'_>| FreeItem {
            item_id: item
                .required("item_id", nonempty(LONGEST_NAME))
                .unwrap_or_default(),
            quantity: item.required("quantity", count(1)).unwrap_or_default(),
        };
        Self {
            kind: fields.optional("type", one_of(TYPES)),
            name: fields.optional("name", text(LONGEST_NAME)),
            code: fields.optional("code", nonempty(LONGEST_CODE)),
            items: free.map(|items| items.into_iter().map(item).collect()),
            limits: CouponLimits {
                start_at: fields.optional("start_at", time()),
                end_at: fields.optional("end_at", time()),
                expires_at: fields.optional("expires_at", time()),
                max_redemptions: fields.optional("max_redemptions", count(0)),
                max_redemptions_per_user: fields.optional("max_redemptions_per_user", count(0)),
                player_ids: players("player_ids"),
                exclude_player_ids: players("exclude_player_ids"),
            },
            category_id: fields.optional("category_id", text(LONGEST_NAME)),
        }
    }

    /// Reads a new coupon.
    pub(super) fn create(body: &Map<String, Value>) -> Result<CouponDraft, HubError> {
        let read = Self::checked(body, &["name", "code", "type"])?;
        let mut draft = CouponDraft {
            name: String::new(),
            code: String::new(),
            items: Vec::new(),
            limits: CouponLimits::default(),
            category_id: None,
        };
        if let Some(code) = &read.code {
            draft.code.clone_from(code);
        }
        read.apply(&mut draft);
        Ok(draft)
    }

    /// Reads a change of a coupon, which can't change its code. Fields that are left out stay. `[A]`
    pub(super) fn update(body: &Map<String, Value>) -> Result<Self, HubError> {
        Self::checked(body, &[])
    }

    fn checked(body: &Map<String, Value>, required: &[&str]) -> Result<Self, HubError> {
        let read = Fields::read_body(body, required, Self::read)?;
        let unsupported = UNSUPPORTED.into_iter().find(|name| is_given(body, name));
        match (read.kind, unsupported) {
            (Some(kind), _) if kind != "free_item" => Err(not_supported(&format!(
                "coupons of the type `{kind}`, only `free_item`"
            ))),
            (_, Some(name)) => Err(not_supported(&format!(
                "`{name}` of a coupon, only free items"
            ))),
            _ => Ok(read),
        }
    }

    pub(super) fn apply(self, draft: &mut CouponDraft) {
        if let Some(name) = self.name {
            draft.name = name;
        }
        if let Some(items) = self.items {
            draft.items = items;
        }
        let (new, old) = (self.limits, std::mem::take(&mut draft.limits));
        draft.limits = CouponLimits {
            start_at: new.start_at.or(old.start_at),
            end_at: new.end_at.or(old.end_at),
            expires_at: new.expires_at.or(old.expires_at),
            max_redemptions: new.max_redemptions.or(old.max_redemptions),
            max_redemptions_per_user: new
                .max_redemptions_per_user
                .or(old.max_redemptions_per_user),
            player_ids: new.player_ids.or(old.player_ids),
            exclude_player_ids: new.exclude_player_ids.or(old.exclude_player_ids),
        };
        draft.category_id = self.category_id.or(draft.category_id.take());
    }
}

/// The coupon as the API returns it, with its items.
pub(super) fn coupon_json(coupon: &Coupon, all: &[Item]) -> Value {
    let draft = &coupon.draft;
    let limits = &draft.limits;
    let free = draft.items.iter();
    let free = free.map(|item| json!({ "item_id": item.item_id, "quantity": item.quantity }));
    let granted = draft.items.iter().filter_map(|free| {
        let item = all.iter().find(|item| item.id == free.item_id)?;
        Some(item_json(item, all))
    });
    let mut json = json!({
        "free_items": { "items": free.collect::<Vec<_>>() },
        "expires_at": limits.expires_at,
        "category_id": draft.category_id,
        "max_redemptions": limits.max_redemptions,
        "max_redemptions_per_user": limits.max_redemptions_per_user,
        "start_at": limits.start_at,
        "end_at": limits.end_at,
        "player_ids": limits.player_ids,
        "exclude_player_ids": limits.exclude_player_ids,
        "name": draft.name,
        "code": draft.code,
        "type": "free_item",
        "id": coupon.id,
        "items": granted.collect::<Vec<_>>(),
    });
    if let Value::Object(entries) = &mut json {
        entries.retain(|_, value| !value.is_null());
    }
    json
}
