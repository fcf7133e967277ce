//! A webhook: what Aghanim's API knows of it, and how the local Aghanim delivers to it.

use serde::{Deserialize, Serialize};

use super::delivery_settings::DeliverySettings;
use crate::protocol::{EventKind, Secret};

/// The fields of a webhook in Aghanim's API. `[P]`
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct WebhookDraft {
    /// The events that it is subscribed to: those that the local Aghanim emits.
    pub(crate) events: Vec<EventKind>,
    pub(crate) url: String,
    pub(crate) description: Option<String>,
    pub(crate) enabled: bool,
    /// Whether responses are kept. What Aghanim logs is not documented. `[A]`
    pub(crate) enabled_logs: bool,
    pub(crate) player_context_enabled: Option<bool>,
    /// Never `true`: the local Aghanim does not deliver in batches.
    pub(crate) batch_mode: Option<bool>,
}

impl WebhookDraft {
    /// A webhook for these events with the API's defaults.
    pub(crate) fn new(url: impl Into<String>, events: Vec<EventKind>) -> Self {
        Self {
            events,
            url: url.into(),
            description: None,
            enabled: true,
            enabled_logs: true,
            player_context_enabled: None,
            batch_mode: None,
        }
    }
}

#[derive(Debug, Clone)]
pub(crate) struct Webhook {
    pub(crate) id: String,
    pub(crate) settings: WebhookDraft,
    pub(crate) delivery: DeliverySettings,
    pub(crate) secret: Secret,
    /// When the secret was made, in Unix milliseconds.
    pub(crate) secret_since: i64,
    pub(crate) previous: Option<PreviousSecret>,
}

/// The secret before the present one.
#[derive(Debug, Clone)]
pub(crate) struct PreviousSecret {
    pub(crate) secret: Secret,
    /// How long deliveries from before the change are signed with it, in Unix milliseconds.
    pub(crate) until: i64,
}

impl Webhook {
    /// The secret that signs a delivery from `created_at` now. While the secrets overlap, both are in
    /// use: the previous one for deliveries that were already queued.
    pub(crate) fn signing_secret(&self, created_at: i64, now: i64) -> &Secret {
        match &self.previous {
            Some(previous) if created_at < self.secret_since && now < previous.until => {
                &previous.secret
            }
            _ => &self.secret,
        }
    }

    pub(crate) fn receives(&self, kind: EventKind) -> bool {
        self.settings.enabled && self.settings.events.contains(&kind)
    }

    /// The secret's beginning, so that people can tell secrets apart.
    pub(crate) fn redacted_secret(&self) -> String {
        let shown: String = self.secret.expose_text().chars().take(4).collect();
        format!("{shown}…")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn queued_deliveries_keep_the_previous_secret_while_both_are_valid() {
        let secret = |text: &str| Secret::new(text).expect("not empty");
        let webhook = Webhook {
            id: "whk_1".to_owned(),
            settings: WebhookDraft::new("http://127.0.0.1/", vec![EventKind::CouponRedeemed]),
            delivery: DeliverySettings::default(),
            secret: secret("new"),
            secret_since: 100,
            previous: Some(PreviousSecret {
                secret: secret("old"),
                until: 200,
            }),
        };
        for (created_at, now, expected) in [
            (50, 150, "old"),
            (50, 200, "new"),
            (100, 150, "new"),
            (150, 150, "new"),
        ] {
            let signing = webhook.signing_secret(created_at, now).expose_text();
            assert_eq!(signing, expected, "{created_at} {now}");
        }
        assert!(!format!("{webhook:?}").contains("old"));
    }
}
