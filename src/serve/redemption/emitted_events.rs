//! The events of one transaction, and the body of an event for one webhook.

use rand::Rng;
use serde_json::{Map, Value, json};

use crate::generate::{EventIds, Revision, Seed, as_kind, player_context};
use crate::protocol::{Coupon, Event, EventData, EventKind, Field, Item, Text};
use crate::serve::error::HubError;
use crate::serve::model::Webhook;

use super::ItemAddKey;

/// What the events of a transaction have in common.
#[derive(Debug, Clone, Copy)]
pub(in crate::serve) struct EventFacts<'a> {
    pub(in crate::serve) player_id: &'a str,
    pub(in crate::serve) code: &'a str,
    pub(in crate::serve) sandbox: bool,
    pub(in crate::serve) trigger: &'static str,
    /// In Unix seconds.
    pub(in crate::serve) now: i64,
    pub(in crate::serve) game_id: &'a str,
    pub(in crate::serve) item_add_key: ItemAddKey,
}

/// An event, before a webhook's settings shape its body.
#[derive(Debug, Clone)]
pub(in crate::serve) struct EmittedEvent {
    pub(in crate::serve) kind: EventKind,
    pub(in crate::serve) event_id: String,
    pub(in crate::serve) transaction_id: String,
    /// With both `item` and `items`, if it is `coupon.redeemed`.
    pub(in crate::serve) event: Value,
}

/// The two events of a redemption: `coupon.redeemed`, then `item.add`. They share their transaction; that
/// they come in this order is an assumption. `[A]`
pub(in crate::serve) fn emitted(
    facts: &EventFacts<'_>,
    items: &[Item],
    random: &mut impl Rng,
) -> Result<Vec<EmittedEvent>, HubError> {
    let transaction_id = EventIds::random_transaction(random);
    let ids = EventIds::random(random);
    let coupon = coupon_event(facts, items, &ids, &transaction_id);
    let coupon = serde_json::to_value(coupon);
    let coupon = coupon.map_err(|error| HubError::Conflict(error.to_string()))?;
    let mut credit = as_kind(coupon.clone(), EventKind::ItemAdd);
    let credit_ids = EventIds::random(random);
    credit["event_id"] = credit_ids.event.clone().into();
    if facts.item_add_key == ItemAddKey::Own {
        credit["idempotency_key"] = credit_ids.idempotency_key.into();
    }
    let emitted = |kind, event_id, event| EmittedEvent {
        kind,
        event_id,
        transaction_id: transaction_id.clone(),
        event,
    };
    Ok(vec![
        emitted(EventKind::CouponRedeemed, ids.event, coupon),
        emitted(EventKind::ItemAdd, credit_ids.event, credit),
    ])
}

fn coupon_event(
    facts: &EventFacts<'_>,
    items: &[Item],
    ids: &EventIds,
    transaction_id: &str,
) -> Event {
    let text = |text: &str| Text::Owned(text.to_owned());
    let now = u64::try_from(facts.now).unwrap_or_default();
    let first = items.first();
    Event {
        event_type: Text::Borrowed(Event::COUPON_REDEEMED),
        event_data: EventData {
            player_id: text(facts.player_id),
            coupon: Coupon {
                code: text(facts.code),
                sku: first.map_or(Text::Borrowed(""), |item| item.sku.clone()),
                redeemed_at: now,
                unknown: Map::new(),
            },
            item: first.map_or(Field::Absent, |item| Field::Value(Box::new(item.clone()))),
            items: Field::Value(items.to_vec()),
            unknown: Map::new(),
        },
        event_time: now,
        event_id: text(&ids.event),
        idempotency_key: text(&ids.idempotency_key),
        request_id: Field::Value(text(&ids.request)),
        sandbox: facts.sandbox,
        trigger: Field::Value(Text::Borrowed(facts.trigger)),
        transaction_id: text(transaction_id),
        context: Field::Null,
        game_id: text(facts.game_id),
        unknown: Map::new(),
    }
}

/// The exact body of an event for a webhook: its revision, its context and its layout.
pub(in crate::serve) fn subscribed_body(
    event: &EmittedEvent,
    webhook: &Webhook,
    player_id: &str,
) -> Vec<u8> {
    let mut body = event.event.clone();
    if webhook.settings.player_context_enabled == Some(true) {
        // The same player is always described in the same way.
        let mut random = Seed::of_text(player_id).random();
        body["context"] =
            json!({ "order": null, "player": player_context(player_id, &mut random) });
    }
    if event.kind == EventKind::CouponRedeemed
        && let Some(data) = body["event_data"].as_object_mut()
    {
        let is_single = data["items"]
            .as_array()
            .is_some_and(|items| items.len() < 2);
        let dropped = match webhook.delivery.revision {
            // A single item can't describe several, so `items` stays then.
            Revision::Source if is_single => Some("items"),
            Revision::Source | Revision::Items => None,
            Revision::ItemsOnly => Some("item"),
        };
        if let Some(key) = dropped {
            data.shift_remove(key);
        }
    }
    webhook.delivery.layout.text(&body).into_bytes()
}
