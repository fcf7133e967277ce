//! The file that a team keeps in its repository: the items, coupons and webhooks to start with.

use std::path::Path;

use indexmap::IndexMap;
use jiff::Timestamp;
use serde::Deserialize;

use super::model::DeliverySettings;
use crate::protocol::EventKind;
use crate::scenario::document::{DECODE_BUDGET, Diagnostics, Node, SourceFile, decode_all};

/// Secrets are never in the file: it names environment variables.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct SeedFile {
    /// The ID of the game in every event. Default: a made-up one.
    pub(crate) game_id: Option<String>,
    /// The environment variable with the API key. Default: a random key.
    pub(crate) api_key_env: Option<String>,
    pub(crate) items: Vec<SeedItem>,
    pub(crate) coupons: Vec<SeedCoupon>,
    pub(crate) webhooks: Vec<SeedWebhook>,
}

/// An item. One with the same SKU is replaced.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct SeedItem {
    pub(crate) sku: String,
    /// Default: the SKU.
    pub(crate) name: Option<String>,
    pub(crate) description: Option<String>,
    /// How many of its SKU the item grants. Default: 1.
    pub(crate) quantity: Option<u64>,
    /// In minor units of `currency`.
    pub(crate) price: Option<u64>,
    /// Default: USD.
    pub(crate) currency: Option<String>,
    /// What it contains, which makes it a bundle: SKUs with their quantities.
    #[serde(default)]
    pub(crate) contents: IndexMap<String, u64>,
    pub(crate) fallback: Option<SeedFallback>,
}

#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct SeedFallback {
    pub(crate) sku: String,
    pub(crate) quantity: Option<u64>,
}

/// A free-item coupon. One with the same code is replaced, and stays redeemed.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct SeedCoupon {
    pub(crate) code: String,
    /// Default: the code.
    pub(crate) name: Option<String>,
    /// SKUs with their quantities.
    pub(crate) items: IndexMap<String, u64>,
    pub(crate) max_redemptions: Option<u64>,
    /// Default: 1.
    pub(crate) max_redemptions_per_player: Option<u64>,
    pub(crate) starts_at: Option<Timestamp>,
    pub(crate) ends_at: Option<Timestamp>,
    /// The only players that can redeem it.
    pub(crate) players: Option<Vec<String>>,
    pub(crate) except_players: Option<Vec<String>>,
}

/// A webhook. One with the same URL is changed, and keeps its secret unless `secret_env` is given.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct SeedWebhook {
    pub(crate) url: String,
    pub(crate) events: Vec<EventKind>,
    pub(crate) description: Option<String>,
    /// The environment variable with the secret. Default: a random secret.
    pub(crate) secret_env: Option<String>,
    #[serde(default = "yes")]
    pub(crate) enabled: bool,
    #[serde(default)]
    pub(crate) player_context: bool,
    #[serde(default)]
    pub(crate) delivery: DeliverySettings,
}

fn yes() -> bool {
    true
}

impl SeedFile {
    pub(crate) fn read(path: &Path) -> Result<Self, Diagnostics> {
        Self::parse(&SourceFile::read(path)?)
    }

    pub(crate) fn parse(source: &SourceFile) -> Result<Self, Diagnostics> {
        let tree = Node::parse(source)?;
        let mut budget = DECODE_BUDGET;
        match decode_all(source, &tree, &mut budget) {
            (Some(seed), mistakes) if mistakes.0.is_empty() => Ok(seed),
            (_, mistakes) => Err(mistakes.sorted_and_limited(&source.name)),
        }
    }
}
