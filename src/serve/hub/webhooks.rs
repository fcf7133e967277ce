//! The webhooks of the hub.

use serde_json::Value;

use super::Hub;
use crate::protocol::EventKind;
use crate::serve::error::HubError;
use crate::serve::model::{DeliverySettings, Page, PreviousSecret, Webhook, WebhookDraft};
use crate::serve::store;
use crate::transport::{Target, TargetError};

/// The events that the local Aghanim emits.
const EMITTED: [EventKind; 2] = [EventKind::CouponRedeemed, EventKind::ItemAdd];

impl Hub {
    pub(crate) async fn webhooks(&self, page: Page) -> Result<Vec<Webhook>, HubError> {
        let list = self
            .database
            .read(move |connection| store::webhooks::list(connection, page));
        list.await
    }

    pub(crate) async fn webhook(&self, id: &str) -> Result<Webhook, HubError> {
        let id = id.to_owned();
        let get = self
            .database
            .read(move |connection| store::webhooks::get(connection, &id));
        get.await
    }

    pub(crate) async fn create_webhook(
        &self,
        draft: WebhookDraft,
        delivery: DeliverySettings,
    ) -> Result<Webhook, HubError> {
        self.check_webhook(&draft)?;
        check_delivery(&delivery)?;
        let webhook = Webhook {
            id: self.settings.random.id("whk_"),
            settings: draft,
            delivery,
            secret: self.settings.random.secret(),
            secret_since: self.settings.clock.now(),
            previous: None,
        };
        self.save_webhook(webhook).await
    }

    /// Changes the fields of Aghanim's API.
    pub(crate) async fn update_webhook(
        &self,
        id: &str,
        change: impl FnOnce(&mut WebhookDraft) + Send,
    ) -> Result<Webhook, HubError> {
        let _changing = self.webhook_changes.lock().await;
        let mut webhook = self.webhook(id).await?;
        change(&mut webhook.settings);
        self.check_webhook(&webhook.settings)?;
        self.save_webhook(webhook).await
    }

    /// Changes how deliveries to a webhook are made: the keys of `change`, a JSON object.
    pub(crate) async fn update_delivery(
        &self,
        id: &str,
        change: &Value,
    ) -> Result<Webhook, HubError> {
        let _changing = self.webhook_changes.lock().await;
        let mut webhook = self.webhook(id).await?;
        let merged = webhook.delivery.merged(change);
        webhook.delivery =
            merged.map_err(|error| HubError::invalid_field("delivery", error.to_string()))?;
        check_delivery(&webhook.delivery)?;
        self.save_webhook(webhook).await
    }

    /// Keeps deliveries to a webhook in the queue, or lets them go on.
    pub(crate) async fn set_paused(&self, id: &str, paused: bool) -> Result<Webhook, HubError> {
        let change = serde_json::json!({ "paused": paused });
        self.update_delivery(id, &change).await
    }

    pub(crate) async fn delete_webhook(&self, id: &str) -> Result<(), HubError> {
        let _changing = self.webhook_changes.lock().await;
        let (owned, now) = (id.to_owned(), self.settings.clock.now());
        let delete = self
            .database
            .write(move |connection| store::webhooks::delete(connection, &owned, now));
        delete.await?;
        self.lanes.remove(id);
        Ok(())
    }

    /// Replaces a webhook's secret. What is already queued is signed with the old one while they overlap.
    pub(crate) async fn expire_secret(&self, id: &str) -> Result<Webhook, HubError> {
        let _changing = self.webhook_changes.lock().await;
        let mut webhook = self.webhook(id).await?;
        let clock = self.settings.clock;
        let secret = std::mem::replace(&mut webhook.secret, self.settings.random.secret());
        webhook.previous = Some(PreviousSecret {
            secret,
            until: clock.after(self.settings.secret_overlap),
        });
        // What is queued in this millisecond counts as new.
        webhook.secret_since = clock.now();
        self.save_webhook(webhook).await
    }

    /// Saves the webhook and tells its lane.
    pub(super) async fn save_webhook(&self, webhook: Webhook) -> Result<Webhook, HubError> {
        let saved = webhook.clone();
        let save = self
            .database
            .write(move |connection| store::webhooks::save(connection, &saved));
        save.await?;
        self.set_lane(webhook.clone());
        Ok(webhook)
    }

    /// Refuses what the local Aghanim does not do, and URLs that it must not send to.
    pub(super) fn check_webhook(&self, draft: &WebhookDraft) -> Result<(), HubError> {
        if let Some(event) = draft.events.iter().find(|event| !EMITTED.contains(event)) {
            return Err(unsupported_event(event.name()));
        }
        if draft.batch_mode == Some(true) {
            return Err(HubError::Unsupported(
                "the local Aghanim does not deliver in batches: leave out `batch_mode`, or set it \
                 to false"
                    .to_owned(),
            ));
        }
        self.target("url", &draft.url).map(drop)
    }

    /// The target of a URL in a field, if its host is allowed.
    pub(super) fn target(&self, field: &str, url: &str) -> Result<Target, HubError> {
        Target::parse(url, &self.settings.allowed_hosts).map_err(|error| match error {
            TargetError::HostNotAllowed(host) => HubError::Unsupported(format!(
                "`{host}` is not this machine, and deliveries to it can grant real items: if you \
                 want that, restart `aghook serve` with `--allow-host {host}`"
            )),
            error => HubError::invalid_field(field, error.to_string()),
        })
    }
}

pub(in crate::serve) fn unsupported_event(name: &str) -> HubError {
    HubError::Unsupported(format!(
        "the local Aghanim does not emit `{name}`, only {}",
        EMITTED
            .map(|event| format!("`{}`", event.name()))
            .join(" and ")
    ))
}

fn check_delivery(delivery: &DeliverySettings) -> Result<(), HubError> {
    match delivery.conflict() {
        Some(conflict) => Err(HubError::invalid_field("delivery", conflict)),
        None => Ok(()),
    }
}
