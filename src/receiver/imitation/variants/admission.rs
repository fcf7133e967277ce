//! Variants that refuse some deliveries.

use std::borrow::Cow;
use std::time::{Duration, Instant};

use http::{HeaderMap, StatusCode};

use crate::protocol::{Event, EventKind, Item, ItemKind, SIGNATURE_HEADER, TIMESTAMP_HEADER};
use crate::receiver::authentication::{only_value, parse_timestamp};
use crate::receiver::imitation::similar_ids::{
    without_accents, without_leading_zeros, without_trailing_spaces,
};
use crate::receiver::ledger::Grants;
use crate::receiver::outcome::{Decision, RequestOutcome};
use crate::receiver::refusal::{Refusal, Skipped};

use super::{Variant, Variants, first_chosen, lock};

/// The rate of [`Variant::RateLimited`].
const LIMIT: usize = 10;
const PERIOD: Duration = Duration::from_secs(1);

/// The tolerance of [`Variant::LittleAheadAccepted`].
const AHEAD: Duration = Duration::from_secs(5);

/// The most that [`Variant::LimitedValues`] grants of an item.
const MOST_OF_AN_ITEM: u64 = 1_000_000;

const KNOWN_PLAYER_PREFIX: &str = "player-";

/// How long processing a first delivery takes if concurrent ones are refused.
const WORK: Duration = Duration::from_millis(300);

impl Variants {
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

    /// Refuses a timestamp that is further ahead than this receiver tolerates.
    pub(crate) fn refuse_ahead(&self, headers: &HeaderMap, now: u64) -> Result<(), Refusal> {
        if self.has(Variant::LittleAheadAccepted) {
            let timestamp = parse_timestamp(only_value(headers, TIMESTAMP_HEADER)?)?;
            let ahead = Duration::from_secs(timestamp.saturating_sub(now));
            if ahead > AHEAD {
                return Err(Refusal::NotFresh { tolerance: AHEAD });
            }
        }
        Ok(())
    }

    /// Refuses an event that the game can't handle.
    pub(crate) fn refuse_event(&self, event: &Event) -> Result<(), Refusal> {
        let is_coupon = event.event_type == Event::COUPON_REDEEMED;
        if self.has(Variant::CouponsOnly) && !is_coupon {
            return Err(Refusal::UnknownEventType(event.event_type.to_string()));
        }
        let data = &event.event_data;
        let skus = data.named_items().map(|item| &item.sku);
        let mut ids = skus.chain([&data.player_id, &data.coupon.sku]);
        if self.has(Variant::AsciiIdsOnly) && !ids.all(|id| id.is_ascii()) {
            return Err(Refusal::NonAsciiId);
        }
        let is_known = data.player_id.starts_with(KNOWN_PLAYER_PREFIX);
        if self.has(Variant::OwnPlayersOnly) && !is_known {
            return Err(Refusal::UnknownPlayer);
        }
        Ok(())
    }

    /// Refuses an event whose values are larger than the game expects, or of another kind.
    pub(crate) fn refuse_large_values(&self, event: &Event, length: usize) -> Result<(), Refusal> {
        if !self.has(Variant::LimitedValues) {
            return Ok(());
        }
        let data = &event.event_data;
        let any = |matches: &dyn Fn(&Item) -> bool| data.named_items().any(matches);
        let is_documented = |item: &Item| !matches!(item.kind, ItemKind::Unknown(_));
        let limits = [
            ("the body", length > 64 * 1024),
            ("the idempotency_key", event.idempotency_key.len() > 191),
            ("an SKU", any(&|item| item.sku.len() > 100)),
            ("an item's type", !any(&is_documented)),
            ("a name", any(&|item| item.name.contains('\0'))),
            ("an event without item", data.item.value().is_none()),
        ];
        let mut exceeded = limits.into_iter().filter(|(_, is_exceeded)| *is_exceeded);
        exceeded
            .next()
            .map_or(Ok(()), |(what, _)| Err(Refusal::BeyondLimits(what)))
    }

    /// Refuses an event that grants more of an item than the game allows.
    pub(crate) fn refuse_large_grants(&self, grants: &Grants) -> Result<(), Refusal> {
        let is_large = |quantity: &u64| *quantity > MOST_OF_AN_ITEM;
        if self.has(Variant::LimitedValues) && grants.values().any(is_large) {
            return Err(Refusal::BeyondLimits("a quantity"));
        }
        Ok(())
    }

    /// A player ID as the game stores and compares it.
    pub(crate) fn stored_player(&self, player_id: String) -> String {
        if self.has(Variant::SimilarPlayersMerged) {
            let merged = without_trailing_spaces(&without_accents(&player_id));
            without_leading_zeros(&merged).to_lowercase()
        } else {
            player_id
        }
    }

    /// Refuses an event that is not granted, if such events are denied instead of acknowledged.
    pub(crate) fn deny(&self, event: &Event, reason: Skipped) -> Result<(), Refusal> {
        match reason {
            Skipped::Sandbox | Skipped::Test if self.has(Variant::SandboxDenied) => {
                Err(Refusal::Denied(reason))
            }
            Skipped::NotCredited
                if self.has(Variant::ItemAddDeclined)
                    && event.kind() == Some(EventKind::ItemAdd) =>
            {
                Err(Refusal::Declined(reason.to_string()))
            }
            _ => Ok(()),
        }
    }

    /// Does the `work` on a delivery, unless its signature was used or its key is already being
    /// processed.
    pub(crate) async fn process(
        &self,
        key: &str,
        signature: Cow<'_, str>,
        work: impl Future<Output = RequestOutcome>,
    ) -> Result<RequestOutcome, Refusal> {
        let remembers_signature = self.has(Variant::GrantedSignatureRefused);
        if remembers_signature && lock(&self.used_signatures).contains(signature.as_ref()) {
            return Err(Refusal::Replayed);
        }
        let refusal_status = first_chosen(
            &self.chosen,
            [
                (Variant::InProgress409, StatusCode::CONFLICT),
                (Variant::InProgress503, StatusCode::SERVICE_UNAVAILABLE),
            ],
        );
        let in_progress = refusal_status.map(|status| {
            let locked = self.key_locks.of(key).try_lock_owned();
            locked.map_err(|_| Refusal::InProgress { status })
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
