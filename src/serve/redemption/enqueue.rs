//! Adds an event to the queue of a webhook, with the faults that chance decides on.

use std::time::Duration;

use rand::{Rng, RngExt};
use rusqlite::Connection;

use super::RedeemSettings;
use super::emitted_events::{EmittedEvent, EventFacts};
use crate::policy::Percent;
use crate::serve::error::HubError;
use crate::serve::model::Webhook;
use crate::serve::store::queue::{NewDelivery, add};

/// How long a delivery waits at most to be overtaken.
const LONGEST_HOLD: Duration = Duration::from_secs(10);

/// Queues an event, and returns the IDs of its deliveries: the genuine one, a forgery before it, and a
/// duplicate after it.
pub(in crate::serve) fn enqueue(
    connection: &Connection,
    webhook: &Webhook,
    event: &EmittedEvent,
    facts: &EventFacts<'_>,
    body: &[u8],
    settings: &RedeemSettings,
    random: &mut impl Rng,
) -> Result<Vec<i64>, HubError> {
    let faults = &webhook.delivery.faults;
    let clock = &settings.clock;
    let due_at = clock.after(faults.delay.0);
    let genuine = NewDelivery {
        webhook_id: &webhook.id,
        event_type: event.kind.name(),
        event_id: &event.event_id,
        transaction_id: &event.transaction_id,
        player_id: facts.player_id,
        code: facts.code,
        body,
        created_at: clock.now(),
        due_at,
        forgery: None,
        loses_response: false,
        held: false,
        duplicate_of: None,
    };
    let mut added = Vec::new();
    if let Some(forgery) = faults.forgery {
        let forged = NewDelivery {
            forgery: Some(forgery.name()),
            ..genuine.clone()
        };
        added.push(add(connection, &forged)?);
    }
    let held = happens(faults.reordered, random);
    let first = NewDelivery {
        loses_response: happens(faults.lost_responses, random),
        held,
        due_at: if held {
            clock.after(faults.delay.0.saturating_add(LONGEST_HOLD))
        } else {
            due_at
        },
        ..genuine.clone()
    };
    let id = add(connection, &first)?;
    added.push(id);
    if happens(faults.duplicates, random) {
        let duplicate = NewDelivery {
            duplicate_of: Some(id),
            held,
            due_at: first.due_at,
            ..genuine
        };
        added.push(add(connection, &duplicate)?);
    }
    Ok(added)
}

fn happens(share: Percent, random: &mut impl Rng) -> bool {
    share.millionths() > random.random_range(0..Percent::WHOLE)
}
