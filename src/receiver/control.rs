//! Which step answers which request, and the `/debug` and `/health` endpoints, by which a test
//! sees and steers the receiver. Deliveries are taken in `delivery`.

use std::sync::Arc;

use bytes::Bytes;
use http::StatusCode;
use http::request::Parts;
use hyper::body::Incoming;
use serde::Serialize;

use super::answer::Answer;
use super::delivery;
use super::ledger::{Holdings, LedgerError};
use super::refusal::Refusal;
use super::request_body;
use super::request_record::Decision;
use super::routes::{Route, route};
use super::scripts;
use super::server::Backend;

/// An answer and how it came about.
#[derive(Debug)]
pub(super) struct Handled {
    pub(super) answer: Answer,
    pub(super) decision: Decision,
    pub(super) player_id: Option<String>,
}

impl Handled {
    pub(super) fn new(answer: Answer, decision: Decision) -> Self {
        Self {
            answer,
            decision,
            player_id: None,
        }
    }

    pub(super) fn refused(refusal: Refusal) -> Self {
        Self::new(Answer::refusal(&refusal), Decision::Refused(refusal))
    }

    /// The sender is told to try again, and not what went wrong here.
    pub(super) fn ledger_failed(error: LedgerError) -> Self {
        Self::new(
            Answer::error(
                StatusCode::INTERNAL_SERVER_ERROR,
                "the ledger failed, and nothing was granted",
            ),
            Decision::LedgerFailed(error),
        )
    }

    fn read<T>(result: Result<T, LedgerError>, show: impl FnOnce(T) -> Answer) -> Self {
        match result {
            Ok(value) => Self::new(show(value), Decision::Read),
            Err(error) => Self::ledger_failed(error),
        }
    }

    fn of(self, player_id: String) -> Self {
        Self {
            player_id: Some(player_id),
            ..self
        }
    }
}

#[derive(Serialize)]
struct Holding<'a> {
    player_id: &'a str,
    sku: &'a str,
    quantity: u128,
}

#[derive(Serialize)]
struct HoldingsOf<'a> {
    player_id: &'a str,
    items: Vec<Held<'a>>,
}

#[derive(Serialize)]
struct Held<'a> {
    sku: &'a str,
    quantity: u128,
}

/// Answers any request.
pub(super) async fn handle(backend: &Arc<Backend>, parts: &Parts, body: Incoming) -> Handled {
    let route = match route(parts.uri.path(), &backend.settings.path) {
        Ok(route) => route,
        Err(refusal) => return Handled::refused(refusal),
    };
    let allowed = allowed_method(&route);
    if parts.method != allowed {
        return Handled::refused(Refusal::MethodNotAllowed { allowed });
    }
    match route {
        Route::Webhook => delivery::take(backend, &parts.headers, body).await,
        Route::PlayerItem { player_id, sku } => player_item(backend, player_id, sku).await,
        Route::PlayerItems { player_id } => player_items(backend, player_id).await,
        Route::PlayerScript { player_id } => script_player(backend, player_id, body).await,
        Route::Restart => restart(backend).await,
        Route::Health => Handled::new(Answer::ok(), Decision::Healthy),
    }
}

fn allowed_method(route: &Route) -> &'static str {
    match route {
        Route::Webhook | Route::Restart => "POST",
        Route::PlayerScript { .. } => "PUT",
        Route::PlayerItem { .. } | Route::PlayerItems { .. } | Route::Health => "GET",
    }
}

async fn player_item(backend: &Backend, player_id: String, sku: String) -> Handled {
    let steps = &backend.steps;
    let held = steps.holding(&backend.ledger, &player_id, &sku).await;
    let show = |quantity: Option<u128>| {
        let Some(quantity) = quantity else {
            return Answer::error(StatusCode::NOT_FOUND, "the player does not hold it");
        };
        let holding = Holding {
            player_id: &player_id,
            sku: &sku,
            quantity,
        };
        Answer::json(StatusCode::OK, &holding)
    };
    Handled::read(held, show).of(player_id)
}

async fn player_items(backend: &Backend, player_id: String) -> Handled {
    let held = backend.steps.holdings(&backend.ledger, &player_id).await;
    let show = |holdings: Holdings| {
        let items = holdings
            .iter()
            .map(|(sku, quantity)| Held {
                sku,
                quantity: *quantity,
            })
            .collect();
        let holdings = HoldingsOf {
            player_id: &player_id,
            items,
        };
        Answer::json(StatusCode::OK, &holdings)
    };
    Handled::read(held, show).of(player_id)
}

async fn script_player(backend: &Backend, player_id: String, body: Incoming) -> Handled {
    let parse = |body: Bytes| scripts::parse(&body);
    match request_body::read(body, backend.settings.body_timeout)
        .await
        .and_then(parse)
    {
        Ok(script) => {
            backend.scripts.set_player(player_id.clone(), script);
            Handled::new(Answer::ok(), Decision::ScriptSet)
        }
        Err(refusal) => Handled::refused(refusal),
    }
    .of(player_id)
}

/// A restart as a test sees it from outside: the ledger is as it was, and what was in memory alone
/// is gone. Scripts stay, for they are the test's and not the game's.
async fn restart(backend: &Backend) -> Handled {
    backend.steps.forget().await;
    Handled::new(Answer::ok(), Decision::Restarted)
}
