//! Routes each request to its handler. Contains the `/health` endpoint and the `/debug` endpoints,
//! with which a test observes and controls the receiver. `delivery` handles deliveries.

use std::sync::Arc;

use http::request::Parts;
use http::{Method, StatusCode};
use hyper::body::Incoming;
use serde::Serialize;

use super::delivery::{self, Backend};
use super::outcome::{Decision, Failure, RequestOutcome};
use super::refusal::Refusal;
use super::request_body;
use super::response::ReceiverResponse;
use super::routes::{Route, route};
use super::scripts;
use super::variant::Variant;

#[derive(Serialize)]
struct PlayerItemBody<'a> {
    player_id: &'a str,
    sku: &'a str,
    quantity: i128,
}

#[derive(Serialize)]
struct PlayerItemsBody<'a> {
    player_id: &'a str,
    items: Vec<HeldItem<'a>>,
}

#[derive(Serialize)]
struct HeldItem<'a> {
    sku: &'a str,
    quantity: i128,
}

/// Whether a request names a host that may be that of a web page. By DNS rebinding, such a page reaches this
/// machine in a browser; the webhook's endpoint is safe, because a page can't sign.
fn names_other_host(parts: &Parts) -> bool {
    let header = parts.headers.get(http::header::HOST);
    let header = header.map(|host| host.to_str().unwrap_or_default());
    let Some(host) = parts
        .uri
        .authority()
        .map(http::uri::Authority::as_str)
        .or(header)
    else {
        // No browser leaves it out.
        return false;
    };
    let Ok(authority) = host.parse::<http::uri::Authority>() else {
        return true;
    };
    let host = authority.host().trim_matches(['[', ']']);
    let is_address = host.parse::<std::net::IpAddr>().is_ok();
    let host = host.to_ascii_lowercase();
    !is_address && host != "localhost" && !host.ends_with(".localhost")
}

pub(super) async fn handle(
    backend: &Arc<Backend>,
    parts: &mut Parts,
    body: Incoming,
) -> RequestOutcome {
    let route = match route(parts.uri.path(), &backend.game.settings.path) {
        Ok(route) => route,
        Err(refusal) => return RequestOutcome::failed(refusal),
    };
    let is_open = matches!(route, Route::Webhook | Route::Health);
    if !is_open && !backend.game.settings.allow_remote && names_other_host(parts) {
        return RequestOutcome::failed(Refusal::OtherHost);
    }
    let allowed = allowed_methods(&route);
    if !allowed.split(", ").any(|method| parts.method == method) {
        return RequestOutcome::failed(Refusal::MethodNotAllowed { allowed });
    }
    let outcome = match &route {
        Route::Webhook => {
            let headers = std::mem::take(&mut parts.headers);
            let connection = parts.extensions.remove().unwrap_or_default();
            return delivery::process(backend, headers, body, connection).await;
        }
        Route::Health => Ok(RequestOutcome::ok(Decision::Healthy)),
        Route::Restart => {
            // The ledger stays, and so do scripts, because they belong to the test and not to the
            // game.
            backend.process.restart().await;
            let cleared = backend.flaws.clear_memory(&backend.game).await;
            cleared
                .map(|()| RequestOutcome::ok(Decision::Restarted))
                .map_err(Failure::from)
        }
        Route::Clock { seconds } => {
            backend.game.set_clock_ahead(*seconds);
            Ok(RequestOutcome::ok(Decision::ClockSet))
        }
        Route::FullInventory { player_id, sku } => {
            let is_full = parts.method == Method::PUT;
            if backend.variants.has(Variant::Mailbox) {
                backend.variants.set_full(player_id, sku, is_full).await;
            } else {
                backend.game.set_full(player_id, sku, is_full);
                if !is_full {
                    backend.flaws.forget_refusals(player_id);
                }
            }
            Ok(RequestOutcome::ok(Decision::InventorySet))
        }
        Route::PlayerItem { player_id, sku } => player_item(backend, player_id, sku).await,
        Route::PlayerItems { player_id } => player_items(backend, player_id).await,
        Route::PlayerScript { player_id } => script_player(backend, player_id, body).await,
    };
    outcome
        .unwrap_or_else(RequestOutcome::failed)
        .for_player(route.into_player_id())
}

fn allowed_methods(route: &Route) -> &'static str {
    match route {
        Route::Webhook | Route::Restart | Route::Clock { .. } => "POST",
        Route::FullInventory { .. } => "PUT, DELETE",
        Route::PlayerScript { .. } => "PUT",
        Route::PlayerItem { .. } | Route::PlayerItems { .. } | Route::Health => "GET",
    }
}

async fn player_item(
    backend: &Backend,
    player_id: &str,
    sku: &str,
) -> Result<RequestOutcome, Failure> {
    backend.flaws.work_on_queue(&backend.game).await?;
    let ledger = &backend.game.ledger;
    let (owner, row) = backend.flaws.balance(player_id, sku);
    let held = backend
        .variants
        .inventory(ledger, backend.stored_player(&owner), Some(row.clone()));
    let response = if let Some(&quantity) = held.await?.get(&row) {
        let body = PlayerItemBody {
            player_id,
            sku,
            quantity: backend.flaws.stored_balance(quantity),
        };
        ReceiverResponse::json(StatusCode::OK, &body)
    } else {
        let message = "the player does not hold this item";
        ReceiverResponse::error(StatusCode::NOT_FOUND, message)
    };
    Ok(RequestOutcome::new(response, Decision::Read))
}

async fn player_items(backend: &Backend, player_id: &str) -> Result<RequestOutcome, Failure> {
    backend.flaws.work_on_queue(&backend.game).await?;
    let ledger = &backend.game.ledger;
    let inventory = backend
        .variants
        .inventory(ledger, backend.stored_player(player_id), None)
        .await?;
    let items = inventory.iter();
    let items = items.map(|(sku, &quantity)| HeldItem {
        sku,
        quantity: backend.flaws.stored_balance(quantity),
    });
    let body = PlayerItemsBody {
        player_id,
        items: items.collect(),
    };
    let response = ReceiverResponse::json(StatusCode::OK, &body);
    Ok(RequestOutcome::new(response, Decision::Read))
}

async fn script_player(
    backend: &Backend,
    player_id: &str,
    body: Incoming,
) -> Result<RequestOutcome, Failure> {
    let body = request_body::read(body, backend.game.settings.body_timeout).await?;
    let script = scripts::parse(&body)?;
    backend.scripts.set_player(player_id.to_owned(), script);
    Ok(RequestOutcome::ok(Decision::ScriptSet))
}
