//! The kinds and forgeries that a profile makes possible. A scenario that needs more is not checked.

use std::collections::BTreeSet;

use super::drawn_values::FORGERIES;
use super::kind::Kind;
use crate::policy::{Forgery, HttpVersion};
use crate::protocol::EventKind;
use crate::run::{PlanSettings, RunContext};
use crate::scenario::Hook;

/// The chosen kinds without those for which the profile lacks something.
pub(super) fn possible_kinds(
    chosen: &BTreeSet<Kind>,
    context: &RunContext,
    plan_settings: &PlanSettings,
) -> BTreeSet<Kind> {
    let capabilities = &context.capabilities;
    let has_hook = |name: &str| capabilities.hooks.iter().any(|hook| hook == name);
    let can_restart = has_hook(Hook::RESTART);
    let has_http1 = capabilities.http_version != HttpVersion::Http2;
    let can_fill = has_hook("fill_inventory") && has_hook("free_inventory");
    let credits_on_coupon = plan_settings.usual_kind == EventKind::CouponRedeemed;
    let invents_players = plan_settings.players.is_empty();
    let is_possible = |kind: &Kind| match kind {
        // What is left of it would concern a later case with this player.
        Kind::Script => has_hook(Hook::SCRIPT) && invents_players,
        Kind::Restart | Kind::RestartInFlight => can_restart,
        Kind::Clock => has_hook("shift_clock"),
        Kind::FullInventory => can_fill && invents_players,
        Kind::Instances => capabilities.targets.len() > 1,
        Kind::CutBody | Kind::Reset | Kind::HeaderCase | Kind::Chunked => has_http1,
        Kind::PlayerText | Kind::PlayerDigits | Kind::SimilarPlayer => invents_players,
        Kind::LongSku => plan_settings.catalogue.is_none(),
        // What is taken away from a stack of one does not show, and a coupon beside an `item.remove` is
        // sent as `coupon.redeemed`.
        Kind::ItemRemove => context.held_once.is_empty() && credits_on_coupon,
        _ => true,
    };
    let kinds = chosen.iter().copied();
    kinds.filter(is_possible).collect()
}

pub(super) fn possible_forgeries(context: &RunContext) -> Vec<Forgery> {
    let capabilities = &context.capabilities;
    let is_possible = |forgery: &Forgery| {
        capabilities.guessed_secret != Some(*forgery)
            && (*forgery != Forgery::ExpiredSecret || capabilities.expired_secret)
    };
    FORGERIES.into_iter().filter(is_possible).collect()
}
