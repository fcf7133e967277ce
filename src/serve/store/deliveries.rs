//! The deliveries as people see them: lists, details, counts, and sending them again.

use rusqlite::types::Value;
use rusqlite::{Connection, OptionalExtension as _, Row, params, params_from_iter};

use super::{invalid, json};
use crate::policy::Forgery;
use crate::serve::error::HubError;
use crate::serve::model::{
    AttemptRecord, Delivery, DeliveryCounts, DeliveryDetails, DeliveryFilter, DeliveryState,
    KeptResponse,
};

pub(super) const COLUMNS: &str = "id, webhook_id, event_type, event_id, transaction_id, player_id, \
     code, state, attempts, earlier, created_at, due_at, ended_at, first_timestamp, forgery, \
     loses_response, held, duplicate_of";

pub(super) fn read(row: &Row<'_>) -> rusqlite::Result<Delivery> {
    let forgery: Option<String> = row.get(14)?;
    let named = |name: String| -> rusqlite::Result<Forgery> {
        let mut all = Forgery::ALL.into_iter();
        let found = all.find(|forgery| forgery.name() == name);
        found.ok_or_else(|| invalid(14, std::io::Error::other(name)))
    };
    Ok(Delivery {
        id: row.get(0)?,
        webhook_id: row.get(1)?,
        event_type: row.get(2)?,
        event_id: row.get(3)?,
        transaction_id: row.get(4)?,
        player_id: row.get(5)?,
        code: row.get(6)?,
        state: state(row, 7)?,
        attempts: row.get(8)?,
        earlier: row.get(9)?,
        created_at: row.get(10)?,
        due_at: row.get(11)?,
        ended_at: row.get(12)?,
        first_timestamp: row.get(13)?,
        forgery: forgery.map(named).transpose()?,
        loses_response: row.get(15)?,
        held: row.get(16)?,
        duplicate_of: row.get(17)?,
    })
}

fn state(row: &Row<'_>, column: usize) -> rusqlite::Result<DeliveryState> {
    let name = row.get_ref(column)?.as_str()?;
    let state = name.parse::<DeliveryState>();
    state.map_err(|()| invalid(column, std::io::Error::other(name.to_owned())))
}

/// The condition of a filter, and its values.
fn condition(filter: &DeliveryFilter) -> (String, Vec<Value>) {
    let (mut terms, mut values) = (vec!["1".to_owned()], Vec::new());
    let mut add = |term: &str, value: Value| {
        values.push(value);
        terms.push(format!("{term} ?{}", values.len()));
    };
    if let Some(webhook) = &filter.webhook_id {
        add("webhook_id =", webhook.clone().into());
    }
    if let Some(player) = &filter.player_id {
        add("player_id =", player.clone().into());
    }
    if let Some(before) = filter.before {
        add("id <", before.into());
    }
    if !filter.states.is_empty() {
        // Names of our own, which need no quoting.
        let names: Vec<_> = filter
            .states
            .iter()
            .map(|state| format!("'{state}'"))
            .collect();
        terms.push(format!("state IN ({})", names.join(", ")));
    }
    (terms.join(" AND "), values)
}

/// The latest deliveries first.
pub(in crate::serve) fn list(
    connection: &Connection,
    filter: &DeliveryFilter,
    limit: u32,
) -> Result<Vec<Delivery>, HubError> {
    let (condition, values) = condition(filter);
    let sql = format!(
        "SELECT {COLUMNS} FROM deliveries WHERE {condition} ORDER BY id DESC LIMIT {limit}"
    );
    let mut statement = connection.prepare_cached(&sql)?;
    let rows = statement.query_map(params_from_iter(values), read)?;
    Ok(rows.collect::<Result<_, _>>()?)
}

pub(in crate::serve) fn details(
    connection: &Connection,
    id: i64,
) -> Result<DeliveryDetails, HubError> {
    let sql = format!("SELECT {COLUMNS} FROM deliveries WHERE id = ?1");
    let delivery = connection.prepare_cached(&sql)?.query_row([id], read);
    let delivery = delivery.optional()?;
    let delivery = delivery.ok_or_else(|| HubError::not_found("delivery", &id.to_string()))?;
    let body = connection
        .prepare_cached("SELECT body FROM bodies WHERE delivery_id = ?1")?
        .query_row([id], |row| row.get(0))?;
    let mut statement = connection.prepare_cached(
        "SELECT number, started_at, signed_timestamp, duration_us, status, failure, headers, body,
             next_at
         FROM attempts WHERE delivery_id = ?1 ORDER BY number",
    )?;
    let attempts = statement.query_map([id], read_attempt)?;
    Ok(DeliveryDetails {
        delivery,
        body,
        attempts: attempts.collect::<Result<_, _>>()?,
    })
}

fn read_attempt(row: &Row<'_>) -> rusqlite::Result<AttemptRecord> {
    let has_response = row.get_ref(6)? != rusqlite::types::ValueRef::Null;
    let body: Option<Vec<u8>> = row.get(7)?;
    let response = if has_response {
        Some(KeptResponse {
            headers: json(row, 6)?,
            body: body.unwrap_or_default(),
        })
    } else {
        None
    };
    Ok(AttemptRecord {
        number: row.get(0)?,
        started_at: row.get(1)?,
        signed_timestamp: row.get(2)?,
        duration_us: row.get(3)?,
        status: row.get(4)?,
        failure: row.get(5)?,
        response,
        next_at: row.get(8)?,
    })
}

/// How many deliveries of each state the filter finds.
pub(in crate::serve) fn counts(
    connection: &Connection,
    filter: &DeliveryFilter,
) -> Result<DeliveryCounts, HubError> {
    let is_counted = filter.player_id.is_none() && filter.before.is_none();
    let (condition, values) = condition(filter);
    let numbers = if is_counted {
        "sum(number) FROM counts"
    } else {
        "count(*) FROM deliveries"
    };
    let sql = format!("SELECT state, {numbers} WHERE {condition} GROUP BY state");
    let mut statement = connection.prepare_cached(&sql)?;
    let mut rows = statement.query(params_from_iter(values))?;
    let mut counts = DeliveryCounts::default();
    while let Some(row) = rows.next()? {
        *counts.of(state(row, 0)?) = row.get(1)?;
    }
    Ok(counts)
}

const SEND_AGAIN: &str = "UPDATE deliveries SET state = 'pending', earlier = attempts, due_at = ?1, \
     ended_at = NULL, held = 0";

/// Makes one delivery due now, whatever its state. It begins a new round of the retry policy.
pub(in crate::serve) fn resend(
    connection: &Connection,
    id: i64,
    now: i64,
) -> Result<String, HubError> {
    let sql = format!(
        "{SEND_AGAIN} WHERE id = ?2 AND webhook_id IN (SELECT id FROM webhooks) \
         RETURNING webhook_id"
    );
    let resent = connection
        .prepare_cached(&sql)?
        .query_row(params![now, id], |row| row.get(0));
    if let Some(webhook) = resent.optional()? {
        return Ok(webhook);
    }
    details(connection, id)?;
    Err(HubError::Conflict(format!(
        "the webhook of the delivery `{id}` was deleted"
    )))
}

/// Makes all dead letters that the filter finds due now. Returns how many there are.
pub(in crate::serve) fn resend_dead(
    connection: &Connection,
    filter: &DeliveryFilter,
    now: i64,
) -> Result<usize, HubError> {
    let dead = DeliveryFilter {
        states: vec![DeliveryState::Refused, DeliveryState::Exhausted],
        ..filter.clone()
    };
    let (condition, mut values) = condition(&dead);
    // The condition's parameters are numbered from 1.
    values.push(now.into());
    let set = SEND_AGAIN.replace("?1", &format!("?{}", values.len()));
    let sql = format!(
        "{set} WHERE {condition} AND forgery IS NULL AND webhook_id IN (SELECT id FROM webhooks)"
    );
    Ok(connection.execute(&sql, params_from_iter(values))?)
}
