//! `/local`: what Aghanim's API does not have. It redeems codes as a player does, and controls the queue.

use std::sync::Arc;

use axum::Router;
use axum::extract::{Path, RawQuery, State};
use axum::response::Response;
use axum::routing::{get, patch, post};
use http::StatusCode;
use serde_json::{Value, json};

use super::ApiState;
use super::delivery_json::details_json;
use super::fields::{Fields, flag, nonempty};
use super::query::Query;
use super::refusal::{Detail, json_response};
use super::request_body::JsonObject;
use super::webhook_fields::webhook_json;
use crate::serve::error::HubError;
use crate::serve::model::{DeliveryFilter, DeliveryState, Page, Webhook};
use crate::serve::redemption::{RedeemRequest, Refusal};
use crate::transport::RelayRequest;

const DEFAULT_LIMIT: u32 = 50;
const LARGEST_LIMIT: u32 = 1_000;
const LONGEST_TEXT: usize = 1_024;

type Reply = Result<Response, Detail>;

pub(super) fn routes() -> Router<Arc<ApiState>> {
    Router::new()
        .route("/status", get(status))
        .route("/redeem", post(redeem))
        .route("/relay", post(relay))
        .route("/deliveries", get(deliveries))
        .route("/deliveries/resend", post(resend_dead))
        .route("/deliveries/{id}", get(delivery))
        .route("/deliveries/{id}/resend", post(resend))
        .route("/webhooks", get(webhooks))
        .route("/webhooks/{id}/delivery", patch(change_delivery))
        .route("/webhooks/{id}/pause", post(pause))
        .route("/webhooks/{id}/resume", post(resume))
        .route("/webhooks/{id}/test", post(send_test_event))
}

async fn status(State(state): State<Arc<ApiState>>) -> Reply {
    let counts = state.hub.delivery_counts(DeliveryFilter::default()).await?;
    let clock = state.hub.clock();
    Ok(ok(&json!({
        "game_id": state.hub.game_id(),
        "time_scale": clock.scale.to_string(),
        "deliveries": counts,
    })))
}

async fn redeem(State(state): State<Arc<ApiState>>, JsonObject(body): JsonObject) -> Reply {
    let request = redeem_request(&body)?;
    Ok(match state.hub.redeem(request).await? {
        Ok(redemption) => ok(&json!(redemption)),
        Err(refusal) => {
            let message = json!({ "detail": refusal.to_string(), "reason": refusal });
            json_response(refusal_status(refusal), &message)
        }
    })
}

fn redeem_request(body: &serde_json::Map<String, Value>) -> Result<RedeemRequest, HubError> {
    Fields::read_body(body, &["player_id", "code"], |fields| {
        let text = |name| fields.optional(name, nonempty(LONGEST_TEXT));
        RedeemRequest {
            player_id: text("player_id").unwrap_or_default(),
            // People paste codes with the space around them.
            code: text("code").unwrap_or_default().trim().to_owned(),
            sandbox: fields.optional("sandbox", flag).unwrap_or_default(),
        }
    })
}

fn refusal_status(refusal: Refusal) -> StatusCode {
    match refusal {
        Refusal::UnknownCode => StatusCode::NOT_FOUND,
        Refusal::AlreadyRedeemed => StatusCode::CONFLICT,
        Refusal::NotForPlayer => StatusCode::FORBIDDEN,
        Refusal::NotYetValid | Refusal::Expired | Refusal::UsedUp => StatusCode::GONE,
    }
}

/// Makes a delivery of `aghook run --via`.
async fn relay(State(state): State<Arc<ApiState>>, JsonObject(body): JsonObject) -> Reply {
    let request = serde_json::from_value::<RelayRequest>(Value::Object(body));
    let request = request.map_err(|error| HubError::invalid_field("relay", error.to_string()))?;
    Ok(ok(&json!(state.hub.relay(request).await?)))
}

async fn deliveries(State(state): State<Arc<ApiState>>, RawQuery(query): RawQuery) -> Reply {
    let query = Query::parse(query.as_deref());
    let limit = query
        .number("limit")
        .unwrap_or(DEFAULT_LIMIT)
        .min(LARGEST_LIMIT);
    let filter = filter(&query);
    let filter = query.finish(filter)?;
    let (list, counts) = (
        state.hub.deliveries(filter.clone(), limit).await?,
        state.hub.delivery_counts(filter).await?,
    );
    Ok(ok(&json!({ "deliveries": list, "counts": counts })))
}

fn filter(query: &Query) -> DeliveryFilter {
    let owned = |name| query.get(name).map(str::to_owned);
    let state = query.read("state", |value| match value.as_str() {
        Some("dead") => Ok(DeliveryState::ALL
            .into_iter()
            .filter(|state| state.is_dead())
            .collect()),
        Some(name) => name.parse().map(|state| vec![state]).map_err(|()| {
            let names: Vec<_> = DeliveryState::ALL.map(DeliveryState::name).to_vec();
            let message = format!("expected one of {} and dead", names.join(", "));
            (message, "type_error.enum")
        }),
        None => Ok(Vec::new()),
    });
    DeliveryFilter {
        webhook_id: owned("webhook_id"),
        states: state.unwrap_or_default(),
        player_id: owned("player_id"),
        before: query.number("before").map(i64::from),
    }
}

async fn delivery(State(state): State<Arc<ApiState>>, Path(id): Path<String>) -> Reply {
    let details = state.hub.delivery(delivery_id(&id)?).await?;
    Ok(ok(&details_json(&details)))
}

async fn resend(State(state): State<Arc<ApiState>>, Path(id): Path<String>) -> Reply {
    state.hub.resend(delivery_id(&id)?).await?;
    Ok(ok(&json!({ "resent": 1 })))
}

fn delivery_id(text: &str) -> Result<i64, HubError> {
    text.parse()
        .map_err(|_| HubError::not_found("delivery", text))
}

/// Sends all dead letters again, or those that the query names.
async fn resend_dead(State(state): State<Arc<ApiState>>, RawQuery(query): RawQuery) -> Reply {
    let query = Query::parse(query.as_deref());
    let filter = filter(&query);
    let filter = query.finish(filter)?;
    let resent = state.hub.resend_dead(filter).await?;
    Ok(ok(&json!({ "resent": resent })))
}

async fn webhooks(State(state): State<Arc<ApiState>>) -> Reply {
    let mut list = Vec::new();
    for webhook in state.hub.webhooks(Page::ALL).await? {
        let filter = DeliveryFilter {
            webhook_id: Some(webhook.id.clone()),
            ..DeliveryFilter::default()
        };
        let mut json = local_json(&state, &webhook);
        json["deliveries"] = json!(state.hub.delivery_counts(filter).await?);
        list.push(json);
    }
    Ok(ok(&Value::Array(list)))
}

async fn change_delivery(
    State(state): State<Arc<ApiState>>,
    Path(id): Path<String>,
    JsonObject(change): JsonObject,
) -> Reply {
    let webhook = state
        .hub
        .update_delivery(&id, &Value::Object(change))
        .await?;
    Ok(ok(&local_json(&state, &webhook)))
}

async fn pause(State(state): State<Arc<ApiState>>, Path(id): Path<String>) -> Reply {
    let webhook = state.hub.set_paused(&id, true).await?;
    Ok(ok(&local_json(&state, &webhook)))
}

async fn resume(State(state): State<Arc<ApiState>>, Path(id): Path<String>) -> Reply {
    let webhook = state.hub.set_paused(&id, false).await?;
    Ok(ok(&local_json(&state, &webhook)))
}

async fn send_test_event(State(state): State<Arc<ApiState>>, Path(id): Path<String>) -> Reply {
    let deliveries = state.hub.send_test_event(&id).await?;
    Ok(ok(&json!({ "deliveries": deliveries })))
}

/// A webhook with the settings that only the local Aghanim has.
fn local_json(state: &ApiState, webhook: &Webhook) -> Value {
    let mut json = webhook_json(webhook, &state.hub.game_id(), false);
    json["delivery"] = json!(webhook.delivery);
    json
}

fn ok(body: &Value) -> Response {
    json_response(StatusCode::OK, body)
}
