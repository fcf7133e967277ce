//! Routes each request to its handler. Contains the `/health` endpoint and the `/debug` endpoints,
//! with which a test observes and controls the receiver. `delivery` handles deliveries.

use std::sync::Arc;

use bytes::Bytes;
use http::StatusCode;
use http::request::Parts;
use hyper::body::Incoming;
use serde::Serialize;

use super::delivery;
use super::ledger::{Inventory, LedgerError};
use super::received_request::Decision;
use super::refusal::Refusal;
use super::request_body;
use super::response::ReceiverResponse;
use super::routes::{Route, route};
use super::scripts;
use super::server::Backend;

/// The response to a request and the decision behind it.
#[derive(Debug)]
pub(super) struct RequestOutcome {
    pub(super) response: ReceiverResponse,
    pub(super) decision: Decision,
    pub(super) player_id: Option<String>,
}

impl RequestOutcome {
    pub(super) fn new(response: ReceiverResponse, decision: Decision) -> Self {
        Self {
            response,
            decision,
            player_id: None,
        }
    }

    pub(super) fn refused(refusal: Refusal) -> Self {
        Self::new(
            ReceiverResponse::refusal(&refusal),
            Decision::Refused(refusal),
        )
    }

    /// Asks the sender to retry, without showing the cause of the failure.
    pub(super) fn ledger_failed(error: LedgerError) -> Self {
        Self::new(
            ReceiverResponse::error(
                StatusCode::INTERNAL_SERVER_ERROR,
                "the ledger failed; nothing was granted",
            ),
            Decision::LedgerFailed(error),
        )
    }

    fn read<T>(result: Result<T, LedgerError>, show: impl FnOnce(T) -> ReceiverResponse) -> Self {
        match result {
            Ok(value) => Self::new(show(value), Decision::Read),
            Err(error) => Self::ledger_failed(error),
        }
    }

    fn for_player(self, player_id: String) -> Self {
        Self {
            player_id: Some(player_id),
            ..self
        }
    }
}

#[derive(Serialize)]
struct PlayerItemBody<'a> {
    player_id: &'a str,
    sku: &'a str,
    quantity: u128,
}

#[derive(Serialize)]
struct PlayerItemsBody<'a> {
    player_id: &'a str,
    items: Vec<HeldItem<'a>>,
}

#[derive(Serialize)]
struct HeldItem<'a> {
    sku: &'a str,
    quantity: u128,
}

/// Handles any request.
pub(super) async fn handle(
    backend: &Arc<Backend>,
    parts: &Parts,
    body: Incoming,
) -> RequestOutcome {
    let route = match route(parts.uri.path(), &backend.settings.path) {
        Ok(route) => route,
        Err(refusal) => return RequestOutcome::refused(refusal),
    };
    let allowed = allowed_method(&route);
    if parts.method != allowed {
        return RequestOutcome::refused(Refusal::MethodNotAllowed { allowed });
    }
    match route {
        Route::Webhook => delivery::process(backend, &parts.headers, body).await,
        Route::PlayerItem { player_id, sku } => player_item(backend, player_id, sku).await,
        Route::PlayerItems { player_id } => player_items(backend, player_id).await,
        Route::PlayerScript { player_id } => script_player(backend, player_id, body).await,
        Route::Restart => restart(backend).await,
        Route::Health => RequestOutcome::new(ReceiverResponse::ok(), Decision::Healthy),
    }
}

fn allowed_method(route: &Route) -> &'static str {
    match route {
        Route::Webhook | Route::Restart => "POST",
        Route::PlayerScript { .. } => "PUT",
        Route::PlayerItem { .. } | Route::PlayerItems { .. } | Route::Health => "GET",
    }
}

async fn player_item(backend: &Backend, player_id: String, sku: String) -> RequestOutcome {
    let steps = &backend.steps;
    let held = steps.quantity(&backend.ledger, &player_id, &sku).await;
    let show = |quantity: Option<u128>| {
        let Some(quantity) = quantity else {
            return ReceiverResponse::error(
                StatusCode::NOT_FOUND,
                "the player does not hold this item",
            );
        };
        let body = PlayerItemBody {
            player_id: &player_id,
            sku: &sku,
            quantity,
        };
        ReceiverResponse::json(StatusCode::OK, &body)
    };
    RequestOutcome::read(held, show).for_player(player_id)
}

async fn player_items(backend: &Backend, player_id: String) -> RequestOutcome {
    let held = backend.steps.inventory(&backend.ledger, &player_id).await;
    let show = |inventory: Inventory| {
        let items = inventory
            .iter()
            .map(|(sku, quantity)| HeldItem {
                sku,
                quantity: *quantity,
            })
            .collect();
        let body = PlayerItemsBody {
            player_id: &player_id,
            items,
        };
        ReceiverResponse::json(StatusCode::OK, &body)
    };
    RequestOutcome::read(held, show).for_player(player_id)
}

async fn script_player(backend: &Backend, player_id: String, body: Incoming) -> RequestOutcome {
    let parse = |body: Bytes| scripts::parse(&body);
    match request_body::read(body, backend.settings.body_timeout)
        .await
        .and_then(parse)
    {
        Ok(script) => {
            backend.scripts.set_player(player_id.clone(), script);
            RequestOutcome::new(ReceiverResponse::ok(), Decision::ScriptSet)
        }
        Err(refusal) => RequestOutcome::refused(refusal),
    }
    .for_player(player_id)
}

/// Simulates a restart: keeps the ledger and clears everything that is only in memory. Scripts
/// stay, because they belong to the test and not to the game.
async fn restart(backend: &Backend) -> RequestOutcome {
    backend.steps.clear_memory().await;
    RequestOutcome::new(ReceiverResponse::ok(), Decision::Restarted)
}
