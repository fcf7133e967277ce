//! Fills the hub from a seed file, or with the sample game.

use std::sync::PoisonError;

use jiff::Timestamp;
use rusqlite::Connection;
use serde_json::Map;

use super::coupons::save_coupon;
use super::items::save_item;
use super::{Game, Hub};
use crate::protocol::Secret;
use crate::serve::error::HubError;
use crate::serve::model::{
    Coupon, CouponDraft, CouponLimits, Fallback, FreeItem, Item, ItemDraft, ItemType, NestedItem,
    Page, Webhook, WebhookDraft,
};
use crate::serve::random::HubRandom;
use crate::serve::sample::sample_game;
use crate::serve::seed_file::{SeedCoupon, SeedFile, SeedItem, SeedWebhook};
use crate::serve::store::{self, Document as _};

/// The values of the environment variables that a seed file names.
#[derive(Debug, Clone, Default)]
pub(crate) struct SeedSecrets {
    pub(crate) api_key: Option<Secret>,
    /// One for each webhook of the file.
    pub(crate) webhooks: Vec<Option<Secret>>,
}

impl Hub {
    /// Adds the sample game, unless there are items or coupons.
    pub(crate) async fn add_sample_game(&self) -> Result<(), HubError> {
        if self.items().await?.is_empty() && self.coupons().await?.is_empty() {
            self.seed(sample_game(), SeedSecrets::default()).await?;
        }
        Ok(())
    }

    /// Adds what the file lists, or replaces it. Either all of it is written or nothing, except that the
    /// webhooks follow.
    pub(crate) async fn seed(&self, seed: SeedFile, secrets: SeedSecrets) -> Result<(), HubError> {
        self.replace_game(seed.game_id, secrets.api_key).await?;
        let (random, now) = (
            self.settings.random.clone(),
            self.settings.clock.unix_seconds(),
        );
        let (items, coupons) = (seed.items, seed.coupons);
        let write = self.database.write(move |connection| {
            add_items(connection, items, &random, now)?;
            coupons
                .into_iter()
                .try_for_each(|coupon| add_coupon(connection, coupon, &random))
        });
        write.await?;
        let given = secrets.webhooks.into_iter().chain(std::iter::repeat(None));
        for (webhook, secret) in seed.webhooks.into_iter().zip(given) {
            self.add_webhook(webhook, secret).await?;
        }
        Ok(())
    }

    async fn replace_game(
        &self,
        id: Option<String>,
        api_key: Option<Secret>,
    ) -> Result<(), HubError> {
        let old = self.game();
        let game = Game {
            id: id.unwrap_or(old.id),
            api_key: api_key.unwrap_or(old.api_key),
        };
        let saved = game.clone();
        let save = self.database.write(move |connection| {
            store::game::save(connection, &saved.id, saved.api_key.expose_text())
        });
        save.await?;
        *self.game.write().unwrap_or_else(PoisonError::into_inner) = game;
        Ok(())
    }

    async fn add_webhook(&self, seed: SeedWebhook, secret: Option<Secret>) -> Result<(), HubError> {
        let draft = WebhookDraft {
            description: seed.description,
            enabled: seed.enabled,
            player_context_enabled: Some(seed.player_context),
            ..WebhookDraft::new(seed.url, seed.events)
        };
        self.put_webhook(draft, Some(seed.delivery), secret)
            .await
            .map(drop)
    }

    /// Creates a webhook, or changes the one with the same URL.
    pub(crate) async fn put_webhook(
        &self,
        draft: WebhookDraft,
        delivery: Option<crate::serve::model::DeliverySettings>,
        secret: Option<Secret>,
    ) -> Result<Webhook, HubError> {
        let found = self.webhooks(Page::ALL).await?.into_iter();
        let found = found
            .into_iter()
            .find(|webhook| webhook.settings.url == draft.url);
        let Some(mut webhook) = found else {
            let created = self
                .create_webhook(draft, delivery.unwrap_or_default())
                .await?;
            return match secret {
                Some(secret) => self.save_webhook(Webhook { secret, ..created }).await,
                None => Ok(created),
            };
        };
        self.check_webhook(&draft)?;
        webhook.settings = draft;
        webhook.delivery = delivery.unwrap_or(webhook.delivery);
        webhook.secret = secret.unwrap_or(webhook.secret);
        self.save_webhook(webhook).await
    }
}

/// Adds the items, those that others need first.
fn add_items(
    connection: &Connection,
    mut items: Vec<SeedItem>,
    random: &HubRandom,
    now: i64,
) -> Result<(), HubError> {
    while !items.is_empty() {
        let waiting: Vec<String> = items.iter().map(|item| item.sku.clone()).collect();
        let needs_other = |item: &SeedItem| {
            let fallback = item.fallback.iter().map(|fallback| &fallback.sku);
            item.contents
                .keys()
                .chain(fallback)
                .any(|sku| waiting.contains(sku))
        };
        let (later, ready): (Vec<_>, Vec<_>) = items.into_iter().partition(needs_other);
        if ready.is_empty() {
            return Err(HubError::Conflict(format!(
                "the items {} contain each other",
                waiting.join(", ")
            )));
        }
        for item in ready {
            add_item(connection, item, random, now)?;
        }
        items = later;
    }
    Ok(())
}

fn add_item(
    connection: &Connection,
    seed: SeedItem,
    random: &HubRandom,
    now: i64,
) -> Result<(), HubError> {
    let sku = seed.sku.clone();
    let explain = |error: HubError| HubError::Conflict(format!("item `{sku}`: {error}"));
    let mut nested_items = Vec::new();
    for (sku, count) in seed.contents {
        let id = id_of(connection, &sku).map_err(explain)?;
        nested_items.push(NestedItem { id, count });
    }
    let fallback = match seed.fallback {
        Some(fallback) => Some(Fallback {
            item_id: id_of(connection, &fallback.sku).map_err(explain)?,
            quantity: fallback.quantity,
        }),
        None => None,
    };
    let old = Item::by_key(connection, &seed.sku)?;
    let draft = ItemDraft {
        description: seed.description,
        kind: if nested_items.is_empty() {
            ItemType::Item
        } else {
            ItemType::Bundle
        },
        price: seed.price,
        currency: seed.currency.unwrap_or_else(|| "USD".to_owned()),
        quantity: seed.quantity.unwrap_or(1),
        nested_items,
        fallback,
        shop: Map::new(),
        ..ItemDraft::plain(seed.sku.clone(), seed.name.unwrap_or(seed.sku))
    };
    let (id, created_at) = match old {
        Some(old) => (old.id, old.created_at),
        None => (random.id("itm_"), now),
    };
    let item = Item {
        id,
        draft,
        created_at,
        modified_at: now,
        archived_at: None,
    };
    save_item(connection, &item).map_err(explain)
}

fn id_of(connection: &Connection, sku: &str) -> Result<String, HubError> {
    let item = Item::by_key(connection, sku)?;
    item.map(|item| item.id)
        .ok_or_else(|| HubError::Conflict(format!("there is no item with the SKU `{sku}`")))
}

fn add_coupon(
    connection: &Connection,
    seed: SeedCoupon,
    random: &HubRandom,
) -> Result<(), HubError> {
    let code = seed.code.clone();
    let explain = |error: HubError| HubError::Conflict(format!("coupon `{code}`: {error}"));
    let mut items = Vec::new();
    for (sku, quantity) in seed.items {
        let item_id = id_of(connection, &sku).map_err(explain)?;
        items.push(FreeItem { item_id, quantity });
    }
    let old = Coupon::by_key(connection, &seed.code)?;
    let coupon = Coupon {
        id: old.map_or_else(|| random.id("cpn_"), |old| old.id),
        draft: CouponDraft {
            name: seed.name.unwrap_or_else(|| seed.code.clone()),
            code: seed.code,
            items,
            limits: CouponLimits {
                start_at: seed.starts_at.map(Timestamp::as_second),
                end_at: seed.ends_at.map(Timestamp::as_second),
                expires_at: None,
                max_redemptions: seed.max_redemptions,
                max_redemptions_per_user: seed.max_redemptions_per_player,
                player_ids: seed.players,
                exclude_player_ids: seed.except_players,
            },
            category_id: None,
        },
    };
    save_coupon(connection, &coupon).map_err(explain)
}
