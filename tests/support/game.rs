//! A minimal game receiver. The test decides how deliveries change players' inventories, and probes
//! read them.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use serde_json::{Value, json};

use super::{Peer, PeerRequest, PeerResponse};

/// The quantity for each player and SKU.
pub(crate) type Inventories = HashMap<(String, String), i64>;

/// A receiver on loopback with player inventories.
pub(crate) struct Game {
    peer: Peer,
}

impl Game {
    /// Handles deliveries with `deliver`; probes return the stored quantity.
    pub(crate) fn new(
        deliver: impl Fn(&Value, &mut Inventories) -> PeerResponse + Send + Sync + 'static,
    ) -> Self {
        Self::with_probe(
            move |request, inventories| deliver(&request.json(), inventories),
            |quantity| PeerResponse::new(200).json(&json!({ "quantity": quantity })),
        )
    }

    /// Handles deliveries with `deliver`, and probes with `respond`, which gets the stored
    /// quantity.
    pub(crate) fn with_probe(
        deliver: impl Fn(&PeerRequest, &mut Inventories) -> PeerResponse + Send + Sync + 'static,
        respond: impl Fn(i64) -> PeerResponse + Send + Sync + 'static,
    ) -> Self {
        let inventories = Arc::new(Mutex::new(Inventories::new()));
        let peer = Peer::answering(move |request| {
            let mut inventories = inventories.lock().unwrap_or_else(PoisonError::into_inner);
            let parts: Vec<&str> = request.path.split('/').collect();
            match parts.as_slice() {
                ["", "players", player, "items", sku] => {
                    let holding = ((*player).to_owned(), (*sku).to_owned());
                    respond(inventories.get(&holding).copied().unwrap_or(0))
                }
                ["", "hook"] => deliver(request, &mut inventories),
                _ => PeerResponse::new(404),
            }
        });
        Self { peer }
    }

    /// Adds to what a player holds.
    pub(crate) fn grant(inventories: &mut Inventories, event: &Value, sku: &str, quantity: i64) {
        let player = event["event_data"]["player_id"]
            .as_str()
            .unwrap_or_default();
        *inventories
            .entry((player.to_owned(), sku.to_owned()))
            .or_default() += quantity;
    }

    /// Grants the event's item without checking for duplicates.
    pub(crate) fn grant_item(inventories: &mut Inventories, event: &Value) {
        let item = &event["event_data"]["item"];
        let sku = item["sku"].as_str().unwrap_or_default();
        Self::grant(
            inventories,
            event,
            sku,
            item["quantity"].as_i64().unwrap_or(0),
        );
    }

    /// A config file for this game, with `more` lines in the profile. The default `settle` is 0 s.
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
