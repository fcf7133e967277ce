//! The requests of deliveries, signed again: for people who look at them or send them by hand.

use bytes::Bytes;

use super::Hub;
use crate::delivery::{ForgeInput, SignedRequest, forge, sign};
use crate::protocol::{Secret, Signer};
use crate::serve::model::{AttemptRecord, DeliveryDetails, Webhook};
use crate::transport::Target;

impl Hub {
    /// The ID of a player that nobody has used.
    pub(crate) fn new_player_id(&self) -> String {
        let id = self.settings.random.id("");
        let short: String = id.chars().take(6).collect();
        format!("player-{}", short.to_ascii_lowercase())
    }

    /// The request that an attempt at this moment would send, with its URL. `None` if the webhook's
    /// host is not allowed.
    pub(crate) fn fresh_request(
        &self,
        webhook: &Webhook,
        details: &DeliveryDetails,
    ) -> Option<(String, SignedRequest)> {
        let now = self.settings.clock.now();
        let secret = webhook.signing_secret(details.delivery.created_at, now);
        let timestamp = u64::try_from(self.settings.clock.unix_seconds()).ok()?;
        let (target, request) = self.request(webhook, details, secret, timestamp)?;
        Some((target.as_str().to_owned(), request))
    }

    /// The request that an attempt has sent. `None` if its secret is not known any more, or if chance made
    /// a part of it.
    pub(crate) fn sent_request(
        &self,
        webhook: &Webhook,
        details: &DeliveryDetails,
        attempt: &AttemptRecord,
    ) -> Option<SignedRequest> {
        if details.delivery.forgery.is_some() || attempt.started_at < webhook.secret_since {
            return None;
        }
        let secret = webhook.signing_secret(details.delivery.created_at, attempt.started_at);
        let (_, request) = self.request(webhook, details, secret, attempt.signed_timestamp)?;
        Some(request)
    }

    fn request(
        &self,
        webhook: &Webhook,
        details: &DeliveryDetails,
        secret: &Secret,
        timestamp: u64,
    ) -> Option<(Target, SignedRequest)> {
        let target = Target::parse(&webhook.settings.url, &self.settings.allowed_hosts).ok()?;
        let previous = webhook.previous.as_ref();
        let previous = previous.map(|previous| Signer::new(&previous.secret));
        let input = ForgeInput {
            host: target.authority(),
            body: &Bytes::from(details.body.clone()),
            timestamp,
            signer: &Signer::new(secret),
            expired: previous.as_ref(),
        };
        let request = match details.delivery.forgery {
            Some(forgery) => forge(forgery, &input, &mut self.settings.random.fork()),
            None => sign(&input),
        };
        Some((target, request))
    }
}
