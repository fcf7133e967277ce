//! Deliveries that `aghook run --via` lets the local Aghanim make, so that its dashboard shows them.

use std::time::Duration;

use rusqlite::Connection;
use serde_json::Value;

use super::Hub;
use crate::policy::{Forgery, Outcome, StatusClass};
use crate::serve::error::HubError;
use crate::serve::model::{AttemptRecord, DeliveryState};
use crate::serve::store::queue::{
    AttemptEffect, NewDelivery, RELAYED, add, reopen_relayed, save_attempt,
};
use crate::transport::{Exchange, RelayReply, RelayRequest, RelayResult, SendOptions};

impl Hub {
    /// Makes one attempt, and records it. The sender has signed it, and decides about retries.
    pub(crate) async fn relay(&self, request: RelayRequest) -> Result<RelayReply, HubError> {
        let target = self.target("target", &request.target)?;
        let outgoing = request.outgoing(&target);
        let outgoing =
            outgoing.map_err(|error| HubError::invalid_field("headers", error.to_string()))?;
        let clock = self.settings.clock;
        let started_at = clock.now();
        let options = SendOptions::within(Duration::from_millis(request.timeout_ms));
        let exchange = self.client.send(&target, &outgoing, options).await;
        let result = RelayResult::of(&exchange.result);
        let ended_at = clock.now();
        let record = self
            .database
            .write(move |connection| record(connection, &request, &exchange, started_at, ended_at));
        let delivery = record.await?;
        Ok(RelayReply { delivery, result })
    }
}

fn record(
    connection: &Connection,
    request: &RelayRequest,
    exchange: &Exchange,
    started_at: i64,
    ended_at: i64,
) -> Result<i64, HubError> {
    let (id, made) = match request.delivery {
        Some(id) => (id, reopen_relayed(connection, id)?),
        None => (add_relayed(connection, request, exchange, started_at)?, 0),
    };
    let timestamp = request
        .headers
        .iter()
        .find(|(name, _)| name.eq_ignore_ascii_case(crate::protocol::TIMESTAMP_HEADER));
    let timestamp = timestamp
        .and_then(|(_, value)| value.parse().ok())
        .unwrap_or_default();
    let state = match &exchange.result {
        Ok(response) if StatusClass::Success.matches(response.status) => Outcome::Delivered,
        Ok(_) => Outcome::Refused,
        Err(_) => Outcome::Exhausted,
    };
    let attempt = AttemptRecord {
        number: made.saturating_add(1),
        started_at,
        signed_timestamp: timestamp,
        duration_us: u64::try_from(exchange.timings.total.as_micros()).unwrap_or(u64::MAX),
        status: exchange
            .result
            .as_ref()
            .ok()
            .map(|response| response.status),
        failure: exchange.result.as_ref().err().map(ToString::to_string),
        // It may contain the secret of the run, which is not known here.
        response: None,
        next_at: None,
    };
    let effect = AttemptEffect {
        delivery_id: id,
        webhook_id: RELAYED.to_owned(),
        state: DeliveryState::from(state),
        ended_at,
        first_timestamp: timestamp,
        releases_held: false,
        attempt,
    };
    save_attempt(connection, &effect)?;
    Ok(id)
}

fn add_relayed(
    connection: &Connection,
    request: &RelayRequest,
    exchange: &Exchange,
    now: i64,
) -> Result<i64, HubError> {
    let body = &exchange.request.body;
    // A body that is no event is shown without its parts.
    let event: Value = serde_json::from_slice(body).unwrap_or_default();
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let data = &event["event_data"];
    let forgery = request.forgery.as_deref();
    let forgery = Forgery::ALL
        .into_iter()
        .map(Forgery::name)
        .find(|name| forgery == Some(name));
    let new = NewDelivery {
        webhook_id: RELAYED,
        event_type: &text(&event["event_type"]),
        event_id: &text(&event["event_id"]),
        transaction_id: &text(&event["transaction_id"]),
        player_id: &text(&data["player_id"]),
        code: &text(&data["coupon"]["code"]),
        body,
        created_at: now,
        due_at: now,
        forgery,
        loses_response: false,
        held: false,
        duplicate_of: None,
    };
    add(connection, &new)
}
