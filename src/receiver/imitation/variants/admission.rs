//! Variants that refuse some deliveries.

use std::borrow::Cow;
use std::time::{Duration, Instant};

use futures_util::future::BoxFuture;
use http::{HeaderMap, StatusCode};

use crate::protocol::{Event, SIGNATURE_HEADER, TIMESTAMP_HEADER};
use crate::receiver::authentication::only_value;
use crate::receiver::outcome::RequestOutcome;
use crate::receiver::received_request::Decision;
use crate::receiver::refusal::Refusal;
use crate::receiver::steps::Decided;

use super::{Variant, Variants, lock};

/// The maximum number of deliveries per [`PERIOD`] for [`Variant::RateLimited`].
const LIMIT: usize = 10;
const PERIOD: Duration = Duration::from_secs(1);

/// The ID prefix of all players that [`Variant::OwnPlayersOnly`] knows.
const KNOWN_PLAYER_PREFIX: &str = "player-";

/// How long processing a first delivery takes if concurrent ones are refused.
const WORK: Duration = Duration::from_millis(300);

impl Variants {
    /// Refuses a delivery before its body is read.
    pub(crate) fn admit(&self, headers: &HeaderMap) -> Result<(), Refusal> {
        if self.has(Variant::RateLimited) {
            let now = Instant::now();
            let mut accepted = lock(&self.accepted);
            accepted.retain(|at| now.duration_since(*at) < PERIOD);
            if accepted.len() >= LIMIT {
                return Err(Refusal::RateLimited);
            }
            accepted.push_back(now);
        }
        if self.has(Variant::EarlyRefusal) {
            only_value(headers, SIGNATURE_HEADER)?;
            only_value(headers, TIMESTAMP_HEADER)?;
        }
        Ok(())
    }

    /// Refuses an event because of its player ID or SKUs.
    pub(crate) fn refuse_ids(&self, event: &Event) -> Result<(), Refusal> {
        let data = &event.event_data;
        let ids = [&data.player_id, &data.coupon.sku, &data.item.sku];
        if self.has(Variant::AsciiIdsOnly) && !ids.iter().all(|id| id.is_ascii()) {
            return Err(Refusal::NonAsciiId);
        }
        let is_known = data.player_id.starts_with(KNOWN_PLAYER_PREFIX);
        if self.has(Variant::OwnPlayersOnly) && !is_known {
            return Err(Refusal::UnknownPlayer);
        }
        Ok(())
    }

    /// Refuses an event that is not granted, if such events are denied instead of acknowledged.
    pub(crate) fn deny(&self, decided: Decided) -> Result<Decided, Refusal> {
        match decided.0 {
            Decision::Skipped(reason) if self.has(Variant::SandboxDenied) => {
                Err(Refusal::Denied(reason))
            }
            _ => Ok(decided),
        }
    }

    /// Does the `work` on a delivery, unless its signature was used or its key is already being
    /// processed.
    pub(crate) async fn process(
        &self,
        key: String,
        signature: Cow<'_, str>,
        work: BoxFuture<'_, RequestOutcome>,
    ) -> Result<RequestOutcome, Refusal> {
        let remembers_signature = self.has(Variant::GrantedSignatureRefused);
        if remembers_signature && lock(&self.used_signatures).contains(signature.as_ref()) {
            return Err(Refusal::Replayed);
        }
        let refusal_status = if self.has(Variant::InProgress409) {
            Some(StatusCode::CONFLICT)
        } else {
            self.has(Variant::InProgress503)
                .then_some(StatusCode::SERVICE_UNAVAILABLE)
        };
        let in_progress = refusal_status.map(|status| {
            let begun = self.keys_in_progress.begin(key);
            begun.ok_or(Refusal::InProgress { status })
        });
        let in_progress = in_progress.transpose()?;
        let outcome = work.await;
        if remembers_signature && outcome.response.status.is_success() {
            lock(&self.used_signatures).insert(signature.into_owned());
        }
        if in_progress.is_some() && !matches!(outcome.decision, Decision::Redelivery { .. }) {
            tokio::time::sleep(WORK).await;
        }
        Ok(outcome)
    }
}
