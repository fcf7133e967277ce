//! Which events of a redemption credit its items, by the game's policy and the responses.

use super::event_outcomes::{EventOutcome, EventOutcomes};
use crate::protocol::EventKind;
use crate::scenario::{CreditOn, Policy, RemovalPolicy};

/// The events of one redemption that a scenario delivers, without forgeries.
#[derive(Debug, Clone, Default)]
pub(crate) struct Redemption {
    pub(crate) events: Vec<RedemptionEvent>,
}

#[derive(Debug, Clone)]
pub(crate) struct RedemptionEvent {
    pub(crate) name: String,
    pub(crate) kind: EventKind,
    /// Whether it is made for another event, that of the coupon.
    pub(crate) is_made_for_coupon: bool,
}

/// Whether something must happen to the items of a redemption.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Duty {
    Never,
    Optional,
    Required,
}

impl Duty {
    /// The duty that follows from accepting an event.
    fn of_accepted(outcome: EventOutcome) -> Self {
        match outcome {
            EventOutcome::Success => Self::Required,
            EventOutcome::Unknown => Self::Optional,
            EventOutcome::Refused | EventOutcome::Unreached => Self::Never,
        }
    }

    /// Whether `item.remove` takes the items away. They are only there to be taken if the redemption
    /// was credited, or if the player held some before.
    pub(super) fn of_removal(
        name: &str,
        redemption: &Redemption,
        policy: Policy,
        outcomes: &EventOutcomes,
        held_before: bool,
    ) -> Self {
        let credited = redemption.credit(policy, true, outcomes);
        let available = match credited {
            Self::Never if held_before => Self::Optional,
            credited => credited,
        };
        let accepted = Self::of_accepted(outcomes.get(name));
        match policy.item_remove {
            Some(RemovalPolicy::Take) => accepted.min(available),
            Some(RemovalPolicy::Ignore) => Self::Never,
            None => accepted.min(available).min(Self::Optional),
        }
    }
}

impl Redemption {
    /// Whether its items must be credited, once. The coupon's event must be, unless `if_delivered`
    /// makes it depend on the response; `item.add` may be refused.
    pub(super) fn credit(
        &self,
        policy: Policy,
        if_delivered: bool,
        outcomes: &EventOutcomes,
    ) -> Duty {
        let duty = |event: &RedemptionEvent| {
            let accepted = Duty::of_accepted(outcomes.get(&event.name));
            match (event.kind, policy.credit_on) {
                (EventKind::ItemRemove, _)
                | (EventKind::CouponRedeemed, Some(CreditOn::ItemAdd)) => Duty::Never,
                (EventKind::ItemAdd, credit_on) if event.is_made_for_coupon => match credit_on {
                    Some(CreditOn::CouponRedeemed) => Duty::Never,
                    Some(CreditOn::ItemAdd | CreditOn::Either) => accepted,
                    None => accepted.min(Duty::Optional),
                },
                _ if if_delivered => accepted,
                _ => Duty::Required,
            }
        };
        self.events.iter().map(duty).max().unwrap_or(Duty::Never)
    }

    /// The best response to any of its events.
    pub(super) fn outcome(&self, outcomes: &EventOutcomes) -> EventOutcome {
        let events = self.events.iter();
        let outcomes = events.map(|event| outcomes.get(&event.name));
        outcomes.max().unwrap_or_default()
    }

    /// Whether it has both events that credit.
    pub(super) fn has_two_kinds(&self) -> bool {
        let has = |kind| self.events.iter().any(|event| event.kind == kind);
        has(EventKind::CouponRedeemed) && has(EventKind::ItemAdd)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn redemption(kinds: &[EventKind]) -> Redemption {
        let event = |kind: &EventKind| RedemptionEvent {
            name: kind.name().to_owned(),
            kind: *kind,
            is_made_for_coupon: *kind != EventKind::CouponRedeemed,
        };
        Redemption {
            events: kinds.iter().map(event).collect(),
        }
    }

    fn credit(kinds: &[EventKind], credit_on: Option<CreditOn>, item_add: EventOutcome) -> Duty {
        let mut outcomes = EventOutcomes::default();
        outcomes.set("coupon.redeemed", EventOutcome::Success);
        outcomes.set("item.add", item_add);
        let policy = Policy {
            credit_on,
            ..Policy::default()
        };
        redemption(kinds).credit(policy, true, &outcomes)
    }

    #[test]
    fn the_policy_says_which_event_credits() {
        use EventKind::{CouponRedeemed, ItemAdd};
        let (coupon, item_add, both) = (
            &[CouponRedeemed][..],
            &[ItemAdd][..],
            &[CouponRedeemed, ItemAdd][..],
        );
        for (credit_on, [of_coupon, of_item_add, of_both]) in [
            (None, [Duty::Required, Duty::Optional, Duty::Required]),
            (
                Some(CreditOn::CouponRedeemed),
                [Duty::Required, Duty::Never, Duty::Required],
            ),
            (
                Some(CreditOn::ItemAdd),
                [Duty::Never, Duty::Required, Duty::Required],
            ),
            (Some(CreditOn::Either), [Duty::Required; 3]),
        ] {
            let duty = |kinds| credit(kinds, credit_on, EventOutcome::Success);
            assert_eq!(duty(coupon), of_coupon, "{credit_on:?}");
            assert_eq!(duty(item_add), of_item_add, "{credit_on:?}");
            assert_eq!(duty(both), of_both, "{credit_on:?}");
        }
    }

    #[test]
    fn a_declined_item_add_credits_nothing() {
        use EventKind::{CouponRedeemed, ItemAdd};
        let declined = |kinds, credit_on| credit(kinds, credit_on, EventOutcome::Refused);
        for credit_on in [None, Some(CreditOn::ItemAdd), Some(CreditOn::Either)] {
            assert_eq!(declined(&[ItemAdd], credit_on), Duty::Never);
        }
        let both = &[CouponRedeemed, ItemAdd];
        assert_eq!(declined(both, Some(CreditOn::ItemAdd)), Duty::Never);
        assert_eq!(declined(both, Some(CreditOn::Either)), Duty::Required);
        let unknown = credit(&[ItemAdd], Some(CreditOn::ItemAdd), EventOutcome::Unknown);
        assert_eq!(unknown, Duty::Optional);
    }

    #[test]
    fn only_what_is_there_can_be_taken_away() {
        let mut outcomes = EventOutcomes::default();
        outcomes.set("coupon.redeemed", EventOutcome::Success);
        outcomes.set("refund", EventOutcome::Success);
        let credited = redemption(&[EventKind::CouponRedeemed]);
        let duty = |redemption: &Redemption, item_remove, held_before| {
            let policy = Policy {
                item_remove,
                ..Policy::default()
            };
            Duty::of_removal("refund", redemption, policy, &outcomes, held_before)
        };
        let take = Some(RemovalPolicy::Take);
        assert_eq!(duty(&credited, take, false), Duty::Required);
        assert_eq!(duty(&credited, None, false), Duty::Optional);
        assert_eq!(
            duty(&credited, Some(RemovalPolicy::Ignore), true),
            Duty::Never
        );
        let nothing = Redemption::default();
        assert_eq!(duty(&nothing, take, false), Duty::Never);
        assert_eq!(duty(&nothing, take, true), Duty::Optional);
    }
}
