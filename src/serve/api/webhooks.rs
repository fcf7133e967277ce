//! `/s2s/v1/webhooks`.

use std::sync::Arc;

use axum::Router;
use axum::extract::{Path, RawQuery, State};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use http::StatusCode;

use super::ApiState;
use super::query::Query;
use super::refusal::{Detail, json_response};
use super::request_body::JsonObject;
use super::webhook_fields::{WebhookFields, webhook_json};
use crate::serve::model::{DeliverySettings, Webhook};

const DEFAULT_LIMIT: u32 = 300;

pub(super) fn routes() -> Router<Arc<ApiState>> {
    Router::new()
        .route("/webhooks", get(list).post(create))
        .route("/webhooks/{id}", get(read).put(update).delete(delete))
        .route("/webhooks/{id}/reveal", post(reveal))
        .route("/webhooks/{id}/expire_secret", post(expire_secret))
}

async fn list(
    State(state): State<Arc<ApiState>>,
    RawQuery(query): RawQuery,
) -> Result<Response, Detail> {
    let query = Query::parse(query.as_deref());
    let page = query.page(DEFAULT_LIMIT);
    let page = query.finish(page)?;
    let webhooks = state.hub.webhooks(page).await?;
    let game = state.hub.game_id();
    let webhooks = webhooks
        .iter()
        .map(|webhook| webhook_json(webhook, &game, false));
    Ok(json_response(StatusCode::OK, &webhooks.collect()))
}

async fn create(
    State(state): State<Arc<ApiState>>,
    JsonObject(body): JsonObject,
) -> Result<Response, Detail> {
    let draft = WebhookFields::create(&body)?;
    let webhook = state
        .hub
        .create_webhook(draft, DeliverySettings::default())
        .await?;
    Ok(respond(&state, StatusCode::CREATED, &webhook, true))
}

async fn read(
    State(state): State<Arc<ApiState>>,
    Path(id): Path<String>,
) -> Result<Response, Detail> {
    let webhook = state.hub.webhook(&id).await?;
    Ok(respond(&state, StatusCode::OK, &webhook, false))
}

async fn update(
    State(state): State<Arc<ApiState>>,
    Path(id): Path<String>,
    JsonObject(body): JsonObject,
) -> Result<Response, Detail> {
    let change = WebhookFields::update(&body)?;
    let webhook = state
        .hub
        .update_webhook(&id, |draft| change.apply(draft))
        .await?;
    Ok(respond(&state, StatusCode::OK, &webhook, false))
}

async fn delete(
    State(state): State<Arc<ApiState>>,
    Path(id): Path<String>,
) -> Result<Response, Detail> {
    state.hub.delete_webhook(&id).await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}

async fn reveal(
    State(state): State<Arc<ApiState>>,
    Path(id): Path<String>,
) -> Result<Response, Detail> {
    let webhook = state.hub.webhook(&id).await?;
    Ok(respond(&state, StatusCode::OK, &webhook, true))
}

async fn expire_secret(
    State(state): State<Arc<ApiState>>,
    Path(id): Path<String>,
) -> Result<Response, Detail> {
    let webhook = state.hub.expire_secret(&id).await?;
    Ok(respond(&state, StatusCode::OK, &webhook, true))
}

fn respond(state: &ApiState, status: StatusCode, webhook: &Webhook, reveal: bool) -> Response {
    json_response(status, &webhook_json(webhook, &state.hub.game_id(), reveal))
}
