//! The core of the local Aghanim: a game with its webhooks, items and coupons, and the queue of its
//! deliveries. The API and the dashboard call the same methods.

mod coupons;
mod deliveries;
mod items;
mod redeeming;
mod relaying;
mod requests;
mod seeding;
mod webhooks;

pub(crate) use seeding::SeedSecrets;
pub(super) use webhooks::unsupported_event;

use std::sync::{PoisonError, RwLock};
use std::time::Duration;

use tokio::sync::{Mutex, watch};

use super::clock::HubClock;
use super::database::Database;
use super::error::HubError;
use super::model::Page;
use super::queue::Lanes;
use super::random::HubRandom;
use super::redemption::{ItemAddKey, RedeemSettings};
use super::store;
use crate::protocol::Secret;
use crate::transport::{AllowedHosts, Client, Target};

/// What does not change while a hub runs.
#[derive(Debug, Clone)]
pub(crate) struct HubSettings {
    pub(crate) clock: HubClock,
    pub(crate) random: HubRandom,
    /// The hosts that webhooks may lead to.
    pub(crate) allowed_hosts: AllowedHosts,
    /// How long the previous secret signs what was queued before it expired. `[A: 5m]`
    pub(crate) secret_overlap: Duration,
    pub(crate) item_add_key: ItemAddKey,
}

/// The local Aghanim of one game.
#[derive(Debug)]
pub(crate) struct Hub {
    database: Database,
    lanes: Lanes,
    client: Client,
    settings: HubSettings,
    game: RwLock<Game>,
    /// Held while a webhook changes, so that its lane never gets an older version than the data file.
    webhook_changes: Mutex<()>,
}

#[derive(Debug, Clone)]
struct Game {
    id: String,
    api_key: Secret,
}

impl Hub {
    /// Starts the hub of a data file: creates the game if there is none, and continues with all deliveries
    /// that have not ended.
    pub(crate) async fn start(
        database: Database,
        client: Client,
        settings: HubSettings,
    ) -> Result<Self, HubError> {
        let random = settings.random.clone();
        let loaded = database.write(move |connection| {
            if let Some((id, api_key)) = store::game::load(connection)? {
                return Ok((id, api_key));
            }
            let (id, api_key) = (random.id("gm_"), random.secret());
            store::game::save(connection, &id, api_key.expose_text())?;
            Ok((id, api_key.expose_text().to_owned()))
        });
        let (id, api_key) = loaded.await?;
        let api_key = Secret::new(api_key);
        let api_key = api_key.map_err(|_| HubError::Conflict("the API key is empty".to_owned()))?;
        let (clock, random) = (settings.clock, settings.random.clone());
        let hub = Self {
            lanes: Lanes::new(database.clone(), client.clone(), clock, random),
            client,
            database,
            settings,
            game: RwLock::new(Game { id, api_key }),
            webhook_changes: Mutex::default(),
        };
        for webhook in hub.webhooks(Page::ALL).await? {
            hub.set_lane(webhook);
        }
        Ok(hub)
    }

    pub(crate) fn game_id(&self) -> String {
        self.game().id
    }

    pub(crate) fn api_key(&self) -> Secret {
        self.game().api_key
    }

    pub(crate) fn clock(&self) -> HubClock {
        self.settings.clock
    }

    /// Changes whenever something in the data file may have changed.
    pub(crate) fn changes(&self) -> watch::Receiver<()> {
        self.database.commits()
    }

    /// Begins no further attempts, waits this long for those in flight, and closes the data file.
    pub(crate) async fn stop(&self, grace: Duration) {
        let _ = tokio::time::timeout(grace, self.lanes.stop()).await;
        self.database.close().await;
    }

    fn game(&self) -> Game {
        let game = self.game.read().unwrap_or_else(PoisonError::into_inner);
        game.clone()
    }

    fn redeem_settings(&self) -> RedeemSettings {
        RedeemSettings {
            clock: self.settings.clock,
            random: self.settings.random.clone(),
            game_id: self.game_id(),
            item_add_key: self.settings.item_add_key,
        }
    }

    fn set_lane(&self, webhook: super::model::Webhook) {
        let target = Target::parse(&webhook.settings.url, &self.settings.allowed_hosts);
        // A host that was allowed in an earlier run may not be any more. Its deliveries wait.
        self.lanes.set(webhook, target.ok());
    }
}
