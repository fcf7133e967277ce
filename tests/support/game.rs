//! A game whose players hold items, as small as it can be: what a delivery does to them is the
//! test's choice, and probes read them.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use serde_json::{Value, json};

use super::{Answer, Peer, Received};

/// How much of each SKU each player holds.
pub(crate) type Holdings = HashMap<(String, String), i64>;

/// A receiver on loopback with players.
pub(crate) struct Game {
    peer: Peer,
}

impl Game {
    /// Takes deliveries with `deliver`, and reads holdings as they are.
    pub(crate) fn new(
        deliver: impl Fn(&Value, &mut Holdings) -> Answer + Send + Sync + 'static,
    ) -> Self {
        Self::with_probe(
            move |request, holdings| deliver(&request.json(), holdings),
            |quantity| Answer::of(200).json(&json!({ "quantity": quantity })),
        )
    }

    /// Takes deliveries with `deliver`, and answers probes with `tell`, which is given the quantity.
    pub(crate) fn with_probe(
        deliver: impl Fn(&Received, &mut Holdings) -> Answer + Send + Sync + 'static,
        tell: impl Fn(i64) -> Answer + Send + Sync + 'static,
    ) -> Self {
        let holdings = Arc::new(Mutex::new(Holdings::new()));
        let peer = Peer::answering(move |request| {
            let mut holdings = holdings.lock().unwrap_or_else(PoisonError::into_inner);
            let parts: Vec<&str> = request.path.split('/').collect();
            match parts.as_slice() {
                ["", "players", player, "items", sku] => {
                    let holding = ((*player).to_owned(), (*sku).to_owned());
                    tell(holdings.get(&holding).copied().unwrap_or(0))
                }
                ["", "hook"] => deliver(request, &mut holdings),
                _ => Answer::of(404),
            }
        });
        Self { peer }
    }

    /// Adds to what a player holds.
    pub(crate) fn grant(holdings: &mut Holdings, event: &Value, sku: &str, quantity: i64) {
        let player = event["event_data"]["player_id"]
            .as_str()
            .unwrap_or_default();
        *holdings
            .entry((player.to_owned(), sku.to_owned()))
            .or_default() += quantity;
    }

    /// Grants the event's item, whatever was granted before.
    pub(crate) fn grant_item(holdings: &mut Holdings, event: &Value) {
        let item = &event["event_data"]["item"];
        let sku = item["sku"].as_str().unwrap_or_default();
        Self::grant(holdings, event, sku, item["quantity"].as_i64().unwrap_or(0));
    }

    /// A config file for this game: `more` are further lines of the profile. Effects must show at
    /// once, unless `more` says otherwise.
    pub(crate) fn config(&self, more: &str) -> String {
        let settle = if more.contains("settle:") {
            ""
        } else {
            "    settle: 0s\n"
        };
        format!("{}{settle}{more}", self.config_without_settle())
    }

    fn config_without_settle(&self) -> String {
        let (url, address) = (self.peer.url(), self.peer.address);
        format!(
            "profiles:\n  game:\n    target: {url}\n    probes:\n      quantity:\n        \
             http: GET http://{address}/players/{{player_id}}/items/{{sku}}\n        \
             read: $.quantity\n"
        )
    }
}
