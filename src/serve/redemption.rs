//! The redemption of a code: who may redeem it, and the events that follow.

use std::fmt;

use clap::ValueEnum;
use rusqlite::Connection;
use serde::Serialize;

use super::clock::HubClock;
use super::error::HubError;
use super::model::{Coupon, Page};
use super::random::HubRandom;
use super::store::{self, Document as _};

mod emitted_events;
mod enqueue;
mod event_item;

pub(super) use emitted_events::{EventFacts, emitted, subscribed_body};
pub(super) use enqueue::enqueue;
pub(super) use event_item::{MAX_DEPTH, event_item};

/// Whether the `item.add` of a redemption has another idempotency key. No public source says. `[A]`
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum ItemAddKey {
    /// Each event has its own key
    #[default]
    Own,
    /// Both events of a redemption have the same key
    Shared,
}

/// What a player does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct RedeemRequest {
    pub(crate) player_id: String,
    pub(crate) code: String,
    /// Whether the events come from the sandbox environment.
    pub(crate) sandbox: bool,
}

/// A redeemed code.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Redemption {
    pub(crate) transaction_id: String,
    pub(crate) code: String,
    pub(crate) items: Vec<GrantedItem>,
    /// The IDs of the deliveries that were queued.
    pub(crate) deliveries: Vec<i64>,
    /// The webhooks whose queues have grown.
    #[serde(skip)]
    pub(crate) webhooks: Vec<String>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct GrantedItem {
    pub(crate) sku: String,
    pub(crate) name: String,
    pub(crate) quantity: u64,
}

/// Why a code can't be redeemed. `Display` is the message that a player sees; Aghanim's own messages are
/// not documented. `[A]`
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Refusal {
    UnknownCode,
    NotYetValid,
    Expired,
    AlreadyRedeemed,
    UsedUp,
    NotForPlayer,
}

impl fmt::Display for Refusal {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::UnknownCode => "This code does not exist. Check it for typing mistakes.",
            Self::NotYetValid => "This code is not valid yet.",
            Self::Expired => "This code has expired.",
            Self::AlreadyRedeemed => "You have already redeemed this code.",
            Self::UsedUp => "This code has been redeemed too often and is no longer available.",
            Self::NotForPlayer => "This code is not available for you.",
        })
    }
}

/// Redeems a code, and queues its events. All of it happens in the caller's transaction, so a killed
/// process leaves either a redemption with its deliveries or neither.
pub(super) fn redeem(
    connection: &Connection,
    request: &RedeemRequest,
    settings: &RedeemSettings,
) -> Result<Result<Redemption, Refusal>, HubError> {
    let now = settings.clock.unix_seconds();
    let Some(coupon) = Coupon::by_key(connection, &request.code)? else {
        return Ok(Err(Refusal::UnknownCode));
    };
    let counts = store::redemptions::count(connection, &coupon.id, &request.player_id)?;
    if let Some(refusal) = refusal(&coupon, &request.player_id, now, counts) {
        return Ok(Err(refusal));
    }
    let mut items = Vec::new();
    for free in &coupon.draft.items {
        items.push(event_item(connection, &free.item_id, free.quantity)?);
    }
    let mut random = settings.random.fork();
    let facts = EventFacts {
        player_id: &request.player_id,
        code: &coupon.draft.code,
        sandbox: request.sandbox,
        trigger: crate::protocol::Event::TRIGGER_REDEEM,
        now,
        game_id: &settings.game_id,
        item_add_key: settings.item_add_key,
    };
    let events = emitted(&facts, &items, &mut random)?;
    let (mut deliveries, mut webhooks) = (Vec::new(), Vec::new());
    for webhook in store::webhooks::list(connection, Page::ALL)? {
        for event in events.iter().filter(|event| webhook.receives(event.kind)) {
            let body = subscribed_body(event, &webhook, &request.player_id);
            let added = enqueue(
                connection,
                &webhook,
                event,
                &facts,
                &body,
                settings,
                &mut random,
            )?;
            deliveries.extend(added);
            if webhooks.last() != Some(&webhook.id) {
                webhooks.push(webhook.id.clone());
            }
        }
    }
    let transaction_id = events
        .first()
        .map_or_else(String::new, |event| event.transaction_id.clone());
    store::redemptions::add(
        connection,
        &transaction_id,
        &coupon.id,
        &request.player_id,
        now,
    )?;
    Ok(Ok(Redemption {
        transaction_id,
        code: coupon.draft.code,
        items: items
            .iter()
            .map(|item| GrantedItem {
                sku: item.sku.to_string(),
                name: item.name.to_string(),
                quantity: item.quantity,
            })
            .collect(),
        deliveries,
        webhooks,
    }))
}

/// What redemptions of a hub have in common.
#[derive(Debug, Clone)]
pub(super) struct RedeemSettings {
    pub(super) clock: HubClock,
    pub(super) random: HubRandom,
    pub(super) game_id: String,
    pub(super) item_add_key: ItemAddKey,
}

/// Why a player can't redeem a coupon now, if so. `counts` are its redemptions by all and by the player.
fn refusal(
    coupon: &Coupon,
    player_id: &str,
    now: i64,
    (by_all, by_player): (u64, u64),
) -> Option<Refusal> {
    let limits = &coupon.draft.limits;
    let names = |players: &Option<Vec<String>>| {
        let players = players.as_deref();
        players.map(|players| players.iter().any(|player| player == player_id))
    };
    let rules = [
        (
            names(&limits.player_ids) == Some(false),
            Refusal::NotForPlayer,
        ),
        (
            names(&limits.exclude_player_ids) == Some(true),
            Refusal::NotForPlayer,
        ),
        (
            limits.start_at.is_some_and(|start| now < start),
            Refusal::NotYetValid,
        ),
        (limits.end().is_some_and(|end| now >= end), Refusal::Expired),
        (by_player >= limits.per_player(), Refusal::AlreadyRedeemed),
        (
            limits.max_redemptions.is_some_and(|max| by_all >= max),
            Refusal::UsedUp,
        ),
    ];
    rules
        .into_iter()
        .find_map(|(applies, refusal)| applies.then_some(refusal))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::serve::model::{CouponDraft, CouponLimits};

    fn refused(limits: CouponLimits, now: i64, counts: (u64, u64)) -> Option<Refusal> {
        let draft = CouponDraft {
            name: "Welcome".to_owned(),
            code: "WELCOME".to_owned(),
            items: Vec::new(),
            limits,
            category_id: None,
        };
        let id = "cpn_1".to_owned();
        refusal(&Coupon { id, draft }, "p1", now, counts)
    }

    #[test]
    fn limits_of_time_number_and_player_apply() {
        let none = CouponLimits::default();
        assert_eq!(refused(none.clone(), 0, (5, 0)), None);
        assert_eq!(
            refused(none.clone(), 0, (5, 1)),
            Some(Refusal::AlreadyRedeemed)
        );
        let twice = CouponLimits {
            max_redemptions_per_user: Some(2),
            ..none.clone()
        };
        assert_eq!(refused(twice.clone(), 0, (5, 1)), None);
        assert_eq!(refused(twice, 0, (5, 2)), Some(Refusal::AlreadyRedeemed));
        let few = CouponLimits {
            max_redemptions: Some(5),
            ..none.clone()
        };
        assert_eq!(refused(few.clone(), 0, (4, 0)), None);
        assert_eq!(refused(few, 0, (5, 0)), Some(Refusal::UsedUp));
        let dated = CouponLimits {
            start_at: Some(10),
            end_at: Some(30),
            expires_at: Some(20),
            ..none.clone()
        };
        for (now, expected) in [
            (9, Some(Refusal::NotYetValid)),
            (10, None),
            (19, None),
            (20, Some(Refusal::Expired)),
        ] {
            assert_eq!(refused(dated.clone(), now, (0, 0)), expected, "{now}");
        }
        let players = |ids: &[&str]| Some(ids.iter().map(ToString::to_string).collect());
        for (only, except, expected) in [
            (players(&["p1"]), None, None),
            (players(&["p2"]), None, Some(Refusal::NotForPlayer)),
            (None, players(&["p1"]), Some(Refusal::NotForPlayer)),
            (None, players(&["p2"]), None),
        ] {
            let limits = CouponLimits {
                player_ids: only,
                exclude_player_ids: except,
                ..none.clone()
            };
            assert_eq!(refused(limits, 0, (0, 0)), expected);
        }
    }
}
