//! What a new player must hold after events that were sent without a scenario.

use std::collections::{BTreeMap, BTreeSet};

use indexmap::IndexSet;

use super::effect_probe::{TOO_MANY_GRANTS, grant_expectation};
use super::expected_grant::{AcceptableGrants, ExpectedGrant, acceptable_grants};
use super::grant_check::{
    Changes, GrantCheck, GrantExpectation, HeldOnce, WrongChange, check_grants,
};
use super::held_items::HeldItems;
use super::wrong_changes::describe_difference;
use crate::protocol::Event;
use crate::scenario::Policy;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum GrantCount {
    Once,
    AtMostOnce,
    Never,
}

/// What one player must hold who held nothing before.
#[derive(Debug, Clone)]
pub(crate) struct ExpectedInventory {
    pub(crate) player_id: String,
    expectations: Vec<GrantExpectation>,
    held_items: HeldItems,
    held_once: BTreeSet<String>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum InventoryCheck {
    Passed,
    Failed {
        problem: String,
        /// Whether the player holds none of the event's items.
        is_empty: bool,
    },
    Undecided(String),
}

impl ExpectedInventory {
    pub(crate) fn new(event: &Event, times: GrantCount, policy: Policy) -> Self {
        Self {
            player_id: event.event_data.player_id.to_string(),
            expectations: vec![expectation_of(event, times, policy)],
            held_items: HeldItems::default(),
            held_once: BTreeSet::new(),
        }
    }

    /// Expects what the game holds for each SKU.
    #[must_use]
    pub(crate) fn held_as(mut self, held: &HeldItems) -> Self {
        for expectation in &mut self.expectations {
            expectation.hold_as(held);
        }
        self.held_items.clone_from(held);
        self
    }

    #[must_use]
    pub(crate) fn with_held_once(mut self, skus: &BTreeSet<String>) -> Self {
        self.held_once.clone_from(skus);
        self
    }

    pub(crate) fn add(&mut self, event: &Event, times: GrantCount, policy: Policy) {
        let mut expectation = expectation_of(event, times, policy);
        expectation.hold_as(&self.held_items);
        self.expectations.push(expectation);
    }

    /// Whether the player may hold nothing.
    pub(crate) fn accepts_nothing(&self) -> bool {
        let grants = |one: &GrantExpectation| one.acceptable.iter().any(ExpectedGrant::is_empty);
        self.expectations.iter().all(grants)
    }

    pub(crate) fn skus(&self) -> BTreeSet<&String> {
        let expectations = self.expectations.iter();
        expectations.flat_map(|one| &one.skus).collect()
    }

    pub(crate) fn check_readings(&self, inventory: &BTreeMap<String, i128>) -> InventoryCheck {
        let key = |sku: &String| (self.player_id.clone(), sku.clone());
        let changes: Changes = inventory
            .iter()
            .map(|(sku, quantity)| (key(sku), *quantity))
            .collect();
        let expectations: Vec<&GrantExpectation> = self.expectations.iter().collect();
        // The player held nothing before.
        let held_once = self.held_once.iter().map(|sku| (key(sku), false));
        let held_once: HeldOnce = held_once.collect();
        let mut wrong = IndexSet::new();
        for check in check_grants(&expectations, &changes, &held_once) {
            match check {
                GrantCheck::Passed => {}
                GrantCheck::Failed(changes) => wrong.extend(changes),
                GrantCheck::Undecided => {
                    return InventoryCheck::Undecided(TOO_MANY_GRANTS.to_owned());
                }
            }
        }
        if wrong.is_empty() {
            InventoryCheck::Passed
        } else {
            let acceptable: &[_] = match &*self.expectations {
                [only] => &only.acceptable,
                _ => &[],
            };
            let wrong: Vec<WrongChange> = wrong.into_iter().collect();
            InventoryCheck::Failed {
                problem: describe_difference(&wrong, acceptable),
                is_empty: inventory.values().all(|quantity| *quantity == 0),
            }
        }
    }
}

fn expectation_of(event: &Event, times: GrantCount, policy: Policy) -> GrantExpectation {
    let mut acceptable = match times {
        GrantCount::Never => AcceptableGrants::nothing(),
        GrantCount::Once | GrantCount::AtMostOnce => acceptable_grants(event, policy),
    };
    if times == GrantCount::AtMostOnce {
        acceptable.grants.insert(0, ExpectedGrant::new());
    }
    grant_expectation(event, acceptable)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event() -> Event {
        serde_json::from_str(include_str!("../protocol/example-event.txt")).expect("an event")
    }

    fn verdict(times: &[GrantCount], quantity: i128) -> InventoryCheck {
        let event = event();
        let mut expectations = ExpectedInventory::new(&event, times[0], Policy::default());
        for next in &times[1..] {
            expectations.add(&event, *next, Policy::default());
        }
        expectations.check_readings(&BTreeMap::from([("crystals".to_owned(), quantity)]))
    }

    #[test]
    fn an_event_is_granted_as_often_as_expected() {
        const ONCE: i128 = 480_000;
        for (count, expected) in [
            (GrantCount::Once, [false, true, false]),
            (GrantCount::AtMostOnce, [true, true, false]),
            (GrantCount::Never, [true, false, false]),
        ] {
            for (times, expected) in (0..).zip(expected) {
                let verdict = verdict(&[count], times * ONCE);
                let passed = verdict == InventoryCheck::Passed;
                assert_eq!(passed, expected, "{count:?} {times}: {verdict:?}");
            }
        }
        assert_eq!(
            verdict(&[GrantCount::Once], 2 * ONCE),
            InventoryCheck::Failed {
                problem: "crystals changed by 960000 instead of 480000 (2 times as much)"
                    .to_owned(),
                is_empty: false,
            }
        );
    }

    #[test]
    fn an_item_that_can_be_held_once_is_expected_once_for_many_events() {
        let once = BTreeSet::from(["crystals".to_owned()]);
        let count = GrantCount::Once;
        let mut expectations =
            ExpectedInventory::new(&event(), count, Policy::default()).with_held_once(&once);
        expectations.add(&event(), count, Policy::default());
        let of = |quantity| {
            expectations.check_readings(&BTreeMap::from([("crystals".to_owned(), quantity)]))
        };
        assert_eq!(of(1), InventoryCheck::Passed);
        assert_ne!(of(0), InventoryCheck::Passed);
        assert_ne!(of(480_000), InventoryCheck::Passed);
    }

    #[test]
    fn events_of_one_player_are_checked_together() {
        let once = GrantCount::Once;
        assert_eq!(verdict(&[once, once], 960_000), InventoryCheck::Passed);
        assert_ne!(verdict(&[once, once], 480_000), InventoryCheck::Passed);
        let forged = GrantCount::Never;
        assert_eq!(verdict(&[once, forged], 480_000), InventoryCheck::Passed);
    }
}
