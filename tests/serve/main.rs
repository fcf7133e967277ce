//! `aghook serve` as users call it: its API, redemptions, the queue, and its safety.

mod api;
#[path = "../support/browser.rs"]
mod browser;
mod dashboard;
mod examples;
mod items_and_coupons;
mod killed;
mod local_aghanim;
mod queue;
mod recorder;
mod redemption;
mod safety;
mod start;
#[path = "../support/mod.rs"]
mod support;
mod via;
