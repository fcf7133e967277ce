//! Which ID an event shares with another, and whose it is.

use indexmap::IndexMap;

use super::document::Spanned;
use super::{EventSpec, Shareable};

/// An ID that an event can share with another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum SharedId {
    Player,
    Transaction,
    IdempotencyKey,
}

impl SharedId {
    pub(crate) const ALL: [Self; 3] = [Self::Player, Self::Transaction, Self::IdempotencyKey];

    /// The key in scenario files.
    pub(crate) fn key(self) -> &'static str {
        match self {
            Self::Player => "player_id",
            Self::Transaction => "transaction_id",
            Self::IdempotencyKey => "idempotency_key",
        }
    }

    pub(crate) fn of(self, spec: &EventSpec) -> Option<&Shareable> {
        match self {
            Self::Player => spec.player_id.as_ref(),
            Self::Transaction => spec.transaction_id.as_ref(),
            Self::IdempotencyKey => spec.idempotency_key.as_ref(),
        }
    }

    /// Follows `same_as` and `for` from the event `name` to the event that has the ID, and returns that event's
    /// name and its value. `None` if the event refers back to itself.
    pub(crate) fn owner<'events>(
        self,
        events: &'events IndexMap<String, Spanned<EventSpec>>,
        name: &'events str,
    ) -> Option<(&'events str, Option<&'events Shareable>)> {
        let mut owner = name;
        for _ in 0..=events.len() {
            let spec = events.get(owner).map(|spec| &spec.value);
            match spec.and_then(|spec| self.other_event(spec)) {
                Some(other) => owner = &other.value,
                None => return Some((owner, spec.and_then(|spec| self.of(spec)))),
            }
        }
        None
    }

    /// The event whose ID this one has. An event that is made for a coupon's has its player and its
    /// transaction.
    fn other_event(self, spec: &EventSpec) -> Option<&Spanned<String>> {
        let is_coupons = self != Self::IdempotencyKey || spec.shares_key();
        match (&spec.coupon_event, self.of(spec)) {
            (Some(coupon_event), _) if is_coupons => Some(coupon_event),
            (_, Some(Shareable::SameAs(other))) => Some(other),
            _ => None,
        }
    }

    /// Whether the event's ID depends on itself.
    pub(super) fn is_circular(
        self,
        events: &IndexMap<String, Spanned<EventSpec>>,
        name: &str,
    ) -> bool {
        let mut at = name;
        for _ in 0..=events.len() {
            let spec = events.get(at).map(|spec| &spec.value);
            let like = spec.and_then(|spec| self.of(spec)?.other_event());
            let Some(other) = spec.and_then(|spec| self.other_event(spec)).or(like) else {
                return false;
            };
            at = &other.value;
        }
        true
    }
}
