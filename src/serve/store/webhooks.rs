//! The webhooks.

use rusqlite::{Connection, OptionalExtension as _, Row, params};

use super::{invalid, json, next_position, text};
use crate::protocol::Secret;
use crate::serve::error::HubError;
use crate::serve::model::{Page, PreviousSecret, Webhook};

const COLUMNS: &str =
    "id, settings, delivery, secret, secret_since, previous_secret, previous_until";

fn read(row: &Row<'_>) -> rusqlite::Result<Webhook> {
    let secret =
        |column: usize, text: String| Secret::new(text).map_err(|error| invalid(column, error));
    let previous: Option<String> = row.get(5)?;
    let until: Option<i64> = row.get(6)?;
    Ok(Webhook {
        id: row.get(0)?,
        settings: json(row, 1)?,
        delivery: json(row, 2)?,
        secret: secret(3, row.get(3)?)?,
        secret_since: row.get(4)?,
        previous: match (previous, until) {
            (Some(previous), Some(until)) => Some(PreviousSecret {
                secret: secret(5, previous)?,
                until,
            }),
            _ => None,
        },
    })
}

/// The webhooks in the order of their creation.
pub(in crate::serve) fn list(
    connection: &Connection,
    page: Page,
) -> Result<Vec<Webhook>, HubError> {
    let sql = format!("SELECT {COLUMNS} FROM webhooks ORDER BY position LIMIT ?1 OFFSET ?2");
    let mut statement = connection.prepare_cached(&sql)?;
    let rows = statement.query_map([page.limit, page.offset], read)?;
    Ok(rows.collect::<Result<_, _>>()?)
}

pub(in crate::serve) fn get(connection: &Connection, id: &str) -> Result<Webhook, HubError> {
    let sql = format!("SELECT {COLUMNS} FROM webhooks WHERE id = ?1");
    let found = connection.prepare_cached(&sql)?.query_row([id], read);
    found
        .optional()?
        .ok_or_else(|| HubError::not_found("webhook", id))
}

/// Creates the webhook, or replaces the one with its ID.
pub(in crate::serve) fn save(connection: &Connection, webhook: &Webhook) -> Result<(), HubError> {
    let mut statement = connection.prepare_cached(
        "INSERT INTO webhooks (id, position, settings, delivery, secret, secret_since,
             previous_secret, previous_until)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)
         ON CONFLICT (id) DO UPDATE SET settings = ?3, delivery = ?4, secret = ?5,
             secret_since = ?6, previous_secret = ?7, previous_until = ?8",
    )?;
    let previous = webhook.previous.as_ref();
    statement.execute(params![
        webhook.id,
        next_position(connection, "webhooks")?,
        text(&webhook.settings)?,
        text(&webhook.delivery)?,
        webhook.secret.expose_text(),
        webhook.secret_since,
        previous.map(|previous| previous.secret.expose_text()),
        previous.map(|previous| previous.until),
    ])?;
    Ok(())
}

/// Deletes the webhook, and cancels what waits for it.
pub(in crate::serve) fn delete(
    connection: &Connection,
    id: &str,
    now: i64,
) -> Result<(), HubError> {
    if connection.execute("DELETE FROM webhooks WHERE id = ?1", [id])? == 0 {
        return Err(HubError::not_found("webhook", id));
    }
    connection.execute(
        "UPDATE deliveries SET state = 'canceled', ended_at = ?2
         WHERE webhook_id = ?1 AND state = 'pending'",
        params![id, now],
    )?;
    Ok(())
}
