//! The deliveries as the queue sees them: adding them, finding the due ones, and saving attempts.

use rusqlite::{Connection, OptionalExtension as _, params};

use super::deliveries::{COLUMNS, read};
use super::text;
use crate::serve::error::HubError;
use crate::serve::model::{AttemptRecord, Delivery, DeliveryState};

/// Stands for the webhook of relayed deliveries, which have none.
pub(in crate::serve) const RELAYED: &str = "run";

/// A delivery that does not exist yet.
#[derive(Debug, Clone)]
pub(in crate::serve) struct NewDelivery<'a> {
    pub(in crate::serve) webhook_id: &'a str,
    pub(in crate::serve) event_type: &'a str,
    pub(in crate::serve) event_id: &'a str,
    pub(in crate::serve) transaction_id: &'a str,
    pub(in crate::serve) player_id: &'a str,
    pub(in crate::serve) code: &'a str,
    pub(in crate::serve) body: &'a [u8],
    pub(in crate::serve) created_at: i64,
    pub(in crate::serve) due_at: i64,
    pub(in crate::serve) forgery: Option<&'static str>,
    pub(in crate::serve) loses_response: bool,
    pub(in crate::serve) held: bool,
    pub(in crate::serve) duplicate_of: Option<i64>,
}

/// A delivery of the queue with its body.
#[derive(Debug)]
pub(in crate::serve) struct QueuedDelivery {
    pub(in crate::serve) delivery: Delivery,
    pub(in crate::serve) body: Vec<u8>,
}

/// What an attempt changes about its delivery.
#[derive(Debug)]
pub(in crate::serve) struct AttemptEffect {
    pub(in crate::serve) delivery_id: i64,
    pub(in crate::serve) webhook_id: String,
    pub(in crate::serve) state: DeliveryState,
    /// When the attempt ended.
    pub(in crate::serve) ended_at: i64,
    /// The timestamp of the delivery's first attempt.
    pub(in crate::serve) first_timestamp: u64,
    /// Whether deliveries that wait to be overtaken by this one are due now.
    pub(in crate::serve) releases_held: bool,
    pub(in crate::serve) attempt: AttemptRecord,
}

/// Adds a delivery, and returns its ID.
pub(in crate::serve) fn add(
    connection: &Connection,
    new: &NewDelivery<'_>,
) -> Result<i64, HubError> {
    let mut statement = connection.prepare_cached(
        "INSERT INTO deliveries (webhook_id, event_type, event_id, transaction_id, player_id, code,
             state, created_at, due_at, forgery, loses_response, held, duplicate_of)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, 'pending', ?7, ?8, ?9, ?10, ?11, ?12)",
    )?;
    statement.execute(params![
        new.webhook_id,
        new.event_type,
        new.event_id,
        new.transaction_id,
        new.player_id,
        new.code,
        new.created_at,
        new.due_at,
        new.forgery,
        new.loses_response,
        new.held,
        new.duplicate_of,
    ])?;
    let id = connection.last_insert_rowid();
    connection
        .prepare_cached("INSERT INTO bodies (delivery_id, body) VALUES (?1, ?2)")?
        .execute(params![id, new.body])?;
    Ok(id)
}

/// Makes an ended delivery pending, for one more attempt of its relayed client. Returns how many it has.
pub(in crate::serve) fn reopen_relayed(connection: &Connection, id: i64) -> Result<u32, HubError> {
    let mut statement = connection.prepare_cached(
        "UPDATE deliveries SET state = 'pending' WHERE id = ?1 AND webhook_id = ?2
         RETURNING attempts",
    )?;
    let attempts = statement.query_row(params![id, RELAYED], |row| row.get(0));
    let attempts = attempts.optional()?;
    attempts.ok_or_else(|| HubError::not_found("delivery", &id.to_string()))
}

/// The first due deliveries of a webhook.
pub(in crate::serve) fn due(
    connection: &Connection,
    webhook_id: &str,
    now: i64,
    limit: usize,
) -> Result<Vec<QueuedDelivery>, HubError> {
    let sql = format!(
        "SELECT {COLUMNS}, body FROM deliveries JOIN bodies ON delivery_id = id
         WHERE webhook_id = ?1 AND state = 'pending' AND due_at <= ?2
         ORDER BY due_at, id LIMIT ?3"
    );
    let mut statement = connection.prepare_cached(&sql)?;
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    let rows = statement.query_map(params![webhook_id, now, limit], read_queued)?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// The oldest pending delivery of a webhook, due or not.
pub(in crate::serve) fn oldest(
    connection: &Connection,
    webhook_id: &str,
) -> Result<Option<QueuedDelivery>, HubError> {
    let sql = format!(
        "SELECT {COLUMNS}, body FROM deliveries JOIN bodies ON delivery_id = id
         WHERE webhook_id = ?1 AND state = 'pending' ORDER BY id LIMIT 1"
    );
    let oldest = connection
        .prepare_cached(&sql)?
        .query_row([webhook_id], read_queued);
    Ok(oldest.optional()?)
}

fn read_queued(row: &rusqlite::Row<'_>) -> rusqlite::Result<QueuedDelivery> {
    Ok(QueuedDelivery {
        delivery: read(row)?,
        body: row.get(18)?,
    })
}

/// When the next pending delivery of a webhook is due.
pub(in crate::serve) fn next_due(
    connection: &Connection,
    webhook_id: &str,
    after: i64,
) -> Result<Option<i64>, HubError> {
    let mut statement = connection.prepare_cached(
        "SELECT due_at FROM deliveries WHERE webhook_id = ?1 AND state = 'pending' AND due_at > ?2
         ORDER BY due_at LIMIT 1",
    )?;
    let due = statement.query_row(params![webhook_id, after], |row| row.get(0));
    Ok(due.optional()?)
}

/// Saves an attempt and what follows from it. A delivery that was canceled meanwhile stays canceled.
pub(in crate::serve) fn save_attempt(
    connection: &Connection,
    effect: &AttemptEffect,
) -> Result<(), HubError> {
    let AttemptEffect { attempt, .. } = effect;
    let (headers, body) = match &attempt.response {
        Some(kept) => (Some(text(&kept.headers)?), Some(&kept.body)),
        None => (None, None),
    };
    let mut statement = connection.prepare_cached(
        "INSERT OR REPLACE INTO attempts (delivery_id, number, started_at, signed_timestamp,
             duration_us, status, failure, headers, body, next_at)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)",
    )?;
    statement.execute(params![
        effect.delivery_id,
        attempt.number,
        attempt.started_at,
        attempt.signed_timestamp,
        attempt.duration_us,
        attempt.status,
        attempt.failure,
        headers,
        body,
        attempt.next_at,
    ])?;
    let ended_at = (effect.state != DeliveryState::Pending).then_some(effect.ended_at);
    connection
        .prepare_cached(
            "UPDATE deliveries SET state = ?2, attempts = ?3, due_at = ?4, ended_at = ?5,
                 first_timestamp = ?6, held = 0
             WHERE id = ?1 AND state = 'pending'",
        )?
        .execute(params![
            effect.delivery_id,
            effect.state.name(),
            attempt.number,
            attempt.next_at.unwrap_or(effect.ended_at),
            ended_at,
            effect.first_timestamp,
        ])?;
    if effect.releases_held {
        connection
            .prepare_cached(
                "UPDATE deliveries SET held = 0, due_at = ?3
                 WHERE webhook_id = ?1 AND state = 'pending' AND held = 1 AND id < ?2",
            )?
            .execute(params![
                effect.webhook_id,
                effect.delivery_id,
                effect.ended_at
            ])?;
    }
    Ok(())
}
