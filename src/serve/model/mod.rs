//! What the hub keeps: webhooks, items, coupons, redemptions and deliveries.

mod coupon;
mod delivery;
mod delivery_settings;
mod item;
mod page;
mod webhook;

pub(crate) use coupon::{Coupon, CouponDraft, CouponLimits, FreeItem};
pub(crate) use delivery::{
    AttemptRecord, Delivery, DeliveryCounts, DeliveryDetails, DeliveryFilter, DeliveryState,
    KeptResponse,
};
pub(crate) use delivery_settings::DeliverySettings;
pub(crate) use item::{Fallback, Item, ItemDraft, ItemType, NestedItem};
pub(crate) use page::Page;
pub(crate) use webhook::{PreviousSecret, Webhook, WebhookDraft};
