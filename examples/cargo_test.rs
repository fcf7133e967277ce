//! Tests a game back end, written with axum, in the same process: `cargo test --example cargo_test`.
//!
//! `Game` stands for your own code. The tests at the end are all that aghook needs.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::routing::post;
use hmac::{Hmac, KeyInit, Mac};
use serde::Deserialize;
use sha2::Sha256;

/// How far a timestamp may be from the game's clock.
const TOLERANCE: Duration = Duration::from_mins(5);

/// The inventories of all players, and the idempotency keys that were granted.
#[derive(Default)]
struct Game {
    secret: String,
    state: Mutex<Ledger>,
}

#[derive(Default)]
struct Ledger {
    granted: HashSet<String>,
    inventory: HashMap<(String, String), u64>,
}

#[derive(Deserialize)]
struct Webhook {
    event_type: String,
    event_data: EventData,
    idempotency_key: String,
    sandbox: bool,
    trigger: Option<String>,
}

#[derive(Deserialize)]
struct EventData {
    player_id: String,
    item: Item,
    #[serde(default)]
    items: Vec<Item>,
}

#[derive(Deserialize)]
struct Item {
    sku: String,
    quantity: u64,
    nested_items: Option<Vec<Item>>,
}

impl Item {
    /// Adds the plain items of a bundle, or this item.
    fn add_to(&self, times: u64, grants: &mut Vec<(String, u64)>) -> Option<()> {
        let quantity = self.quantity.checked_mul(times)?;
        if let Some(nested @ [_, ..]) = self.nested_items.as_deref() {
            return nested
                .iter()
                .try_for_each(|item| item.add_to(quantity, grants));
        }
        grants.push((self.sku.clone(), quantity));
        Some(())
    }
}

impl Game {
    fn new(secret: &str) -> Arc<Self> {
        Arc::new(Self {
            secret: secret.to_owned(),
            ..Self::default()
        })
    }

    fn routes(self: Arc<Self>) -> Router {
        Router::new()
            .route("/webhooks/aghanim", post(webhook))
            .with_state(self)
    }

    fn quantity(&self, player_id: &str, sku: &str) -> u64 {
        let key = (player_id.to_owned(), sku.to_owned());
        let state = self.state.lock().unwrap();
        state.inventory.get(&key).copied().unwrap_or(0)
    }

    fn is_genuine(&self, headers: &HeaderMap, body: &[u8]) -> Option<bool> {
        let header = |name| headers.get(name)?.to_str().ok();
        let timestamp = header("x-aghanim-signature-timestamp")?;
        let signed_at = UNIX_EPOCH + Duration::from_secs(timestamp.parse().ok()?);
        let now = SystemTime::now();
        let age = now
            .duration_since(signed_at)
            .or_else(|_| signed_at.duration_since(now));
        // Two signatures are ambiguous.
        let mut signatures = headers.get_all("x-aghanim-signature").iter();
        let (Some(signature), None) = (signatures.next(), signatures.next()) else {
            return None;
        };
        let mut mac = Hmac::<Sha256>::new_from_slice(self.secret.as_bytes()).ok()?;
        mac.update(timestamp.as_bytes());
        mac.update(b".");
        mac.update(body);
        let is_signed = mac.verify_slice(&hex::decode(signature).ok()?).is_ok();
        Some(is_signed && age.ok()? <= TOLERANCE)
    }

    /// Grants the event once, under one lock.
    fn grant(&self, event: &Webhook) -> Option<()> {
        let data = &event.event_data;
        let items = match data.items.as_slice() {
            [] => std::slice::from_ref(&data.item),
            items => items,
        };
        let mut grants = Vec::new();
        items
            .iter()
            .try_for_each(|item| item.add_to(1, &mut grants))?;
        let mut state = self.state.lock().unwrap();
        if event.sandbox || event.trigger.as_deref() == Some("test") {
            return Some(());
        }
        if state.granted.insert(event.idempotency_key.clone()) {
            for (sku, quantity) in grants {
                *state
                    .inventory
                    .entry((data.player_id.clone(), sku))
                    .or_default() += quantity;
            }
        }
        Some(())
    }
}

async fn webhook(State(game): State<Arc<Game>>, headers: HeaderMap, body: Bytes) -> StatusCode {
    if game.is_genuine(&headers, &body) != Some(true) {
        return StatusCode::FORBIDDEN;
    }
    match serde_json::from_slice::<Webhook>(&body) {
        Ok(event) if event.event_type == "coupon.redeemed" && game.grant(&event).is_some() => {
            StatusCode::OK
        }
        _ => StatusCode::BAD_REQUEST,
    }
}

/// Serves the game on a free port, and returns the webhook's URL.
async fn serve(game: Arc<Game>) -> String {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/webhooks/aghanim", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, game.routes()).await });
    url
}

/// Runs the bundled suite against a game.
async fn suite_against(game: Arc<Game>) -> aghook::RunReport {
    let url = serve(Arc::clone(&game)).await;
    aghook::Suite::bundled()
        .target(url)
        .secret("s3cret")
        .probe(move |player, sku| {
            let game = Arc::clone(&game);
            async move { game.quantity(&player, &sku) }
        })
        .run()
        .await
        .unwrap()
}

#[tokio::main]
async fn main() {
    let report = suite_against(Game::new("s3cret")).await;
    println!("{report}");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn the_game_grants_every_coupon_once() {
        suite_against(Game::new("s3cret")).await.assert_passed();
    }

    #[tokio::test]
    async fn a_wrong_secret_fails() {
        let report = suite_against(Game::new("another")).await;
        assert!(!report.passed(), "{report}");
    }

    #[tokio::test]
    async fn a_signed_event_is_granted() {
        let game = Game::new("s3cret");
        let secret = aghook::Secret::new("s3cret").unwrap();
        let event = aghook::Event::coupon_redeemed().player("p1").item("gem", 5);
        let signed = event.sign(&secret, SystemTime::now());
        let headers = signed
            .headers
            .iter()
            .map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap()));
        let status = webhook(
            State(Arc::clone(&game)),
            headers.collect(),
            signed.body.clone().into(),
        );
        assert_eq!(status.await, StatusCode::OK);
        assert_eq!(game.quantity("p1", "gem"), 5);
    }
}
