//! Checks whether the inventories of players changed as the effects expect. This is a pure function
//! of the readings.
//!
//! Events may share a player and an SKU, so effects are checked together: the changes must be the
//! sum of one acceptable grant for every effect.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use super::expected_grant::ExpectedGrant;
use super::held_items::HeldItems;

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct GrantExpectation {
    pub(crate) player_id: String,
    pub(crate) skus: BTreeSet<String>,
    /// The grants of which exactly one must have happened. An empty grant means nothing.
    pub(crate) acceptable: Vec<ExpectedGrant>,
    /// Whether `acceptable` lists all correct grants. There may be too many to list.
    pub(crate) complete: bool,
    /// Whether the items are taken away instead of granted.
    pub(crate) removes: bool,
}

impl GrantExpectation {
    /// Expects what the game holds for each SKU.
    pub(super) fn hold_as(&mut self, held: &HeldItems) {
        self.skus = held.skus(&self.skus);
        for grant in &mut self.acceptable {
            *grant = held.grant(grant);
        }
        self.acceptable.sort();
        self.acceptable.dedup();
    }

    /// The result, given all wrong changes of the player. `None` if these are unknown.
    fn result(&self, wrong: Option<&[WrongChange]>) -> GrantCheck {
        let Some(wrong) = wrong else {
            return GrantCheck::Undecided;
        };
        let own = wrong.iter().filter(|one| self.skus.contains(&one.sku));
        let own: Vec<WrongChange> = own.cloned().collect();
        // A missing grant of another event does not fail an effect that expects nothing.
        let expects_nothing = self.complete && self.acceptable.iter().all(ExpectedGrant::is_empty);
        let is_missing = |one: &WrongChange| one.observed <= one.expected;
        if own.is_empty() || (expects_nothing && own.iter().all(is_missing)) {
            GrantCheck::Passed
        } else {
            GrantCheck::Failed(own)
        }
    }
}

pub(crate) type Changes = BTreeMap<(String, String), i128>;

/// The SKUs of a player that can be held only once, and whether the player held them before.
pub(crate) type HeldOnce = BTreeMap<(String, String), bool>;

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum GrantCheck {
    Passed,
    /// These SKUs differ from the closest sum of acceptable grants.
    Failed(Vec<WrongChange>),
    /// There are too many correct grants to exclude all of them.
    Undecided,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct WrongChange {
    pub(crate) sku: String,
    pub(crate) expected: i128,
    pub(crate) observed: i128,
}

/// The maximum number of partial sums tried for one player.
const SEARCH_LIMIT: usize = 200_000;
/// The maximum number of failed partial sums that are kept, because of the memory.
const MOST_FAILED: usize = 20_000;
/// The maximum number of sums tried to find the closest one for the failure message.
const NEAREST_LIMIT: usize = 2_000;

/// Checks each expectation, in order. Ignores SKUs without a reading.
pub(crate) fn check_grants(
    expectations: &[&GrantExpectation],
    changes: &Changes,
    held_once: &HeldOnce,
) -> Vec<GrantCheck> {
    let mut by_player: BTreeMap<&str, Vec<&GrantExpectation>> = BTreeMap::new();
    for expectation in expectations {
        let own = by_player.entry(&expectation.player_id).or_default();
        own.push(expectation);
    }
    let wrong = by_player.into_iter().map(|(player, own)| {
        let search = GrantSearch::new(player, &own, changes, held_once);
        let wrong = match search.is_sum() {
            Some(true) => Some(Vec::new()),
            Some(false) if own.iter().all(|expectation| expectation.complete) => {
                Some(search.closest())
            }
            _ => None,
        };
        (player, wrong)
    });
    let wrong: BTreeMap<&str, Option<Vec<WrongChange>>> = wrong.collect();
    expectations
        .iter()
        .map(|expectation| expectation.result(wrong[expectation.player_id.as_str()].as_deref()))
        .collect()
}

/// What a search has tried.
#[derive(Default)]
struct Tried {
    steps: usize,
    /// Expectations, and the changes that they can't cause together with the later ones. Many events that
    /// may each be granted or not lead to the same few changes.
    failed: HashSet<(usize, Vec<i128>)>,
}

/// Searches for one grant per expectation whose sum equals the changes of one player.
struct GrantSearch<'run> {
    observed: Vec<(&'run str, i128)>,
    /// Whether each of these SKUs can be held only once.
    once: Vec<bool>,
    /// The grants of each expectation, as quantities by the index of the SKU.
    expectations: Vec<Vec<Vec<(usize, i128)>>>,
    /// The SKUs that no later expectation changes, for each expectation.
    final_skus: Vec<Vec<usize>>,
    /// How much of each SKU may be taken away at most. Search and changes are shifted by it, so that
    /// all quantities only add: what is not taken away counts as granted.
    removable: Vec<i128>,
}

impl<'run> GrantSearch<'run> {
    fn new(
        player: &str,
        expectations: &[&'run GrantExpectation],
        changes: &Changes,
        held_once: &HeldOnce,
    ) -> Self {
        let skus: BTreeSet<&String> = expectations
            .iter()
            .flat_map(|expectation| &expectation.skus)
            .collect();
        let key = |sku: &str| (player.to_owned(), sku.to_owned());
        let observed: Vec<(&str, i128)> = skus
            .into_iter()
            .filter_map(|sku| Some((sku.as_str(), *changes.get(&key(sku))?)))
            .collect();
        let held: Vec<Option<bool>> = observed
            .iter()
            .map(|(sku, _)| held_once.get(&key(sku)).copied())
            .collect();
        let indexed = |grant: &ExpectedGrant| -> Vec<(usize, i128)> {
            let quantity = |quantity: u128| i128::try_from(quantity).unwrap_or(i128::MAX);
            let of_sku = |(index, (sku, _)): (usize, &(&str, i128))| {
                let granted = grant.get(*sku).filter(|granted| **granted > 0)?;
                match held[index] {
                    None => Some((index, quantity(*granted))),
                    Some(false) => Some((index, 1)),
                    // An item that is already held does not change.
                    Some(true) => None,
                }
            };
            observed.iter().enumerate().filter_map(of_sku).collect()
        };
        let mut observed = observed.clone();
        let mut removable = vec![0_i128; observed.len()];
        let expectations: Vec<Vec<Vec<(usize, i128)>>> = expectations
            .iter()
            .map(|expectation| {
                let grants: Vec<_> = expectation.acceptable.iter().map(indexed).collect();
                if !expectation.removes {
                    return grants;
                }
                let kept = kept_instead_of(&grants);
                for (sku, most) in most_of_each(&grants) {
                    removable[sku] = removable[sku].saturating_add(most);
                }
                kept
            })
            .collect();
        for ((_, change), removable) in observed.iter_mut().zip(&removable) {
            *change = change.saturating_add(*removable);
        }
        let mut final_skus = vec![Vec::new(); expectations.len()];
        for sku in 0..observed.len() {
            let last = expectations.iter().rposition(|grants| {
                let mut granted = grants.iter().flatten();
                granted.any(|(granted, _)| *granted == sku)
            });
            final_skus[last.unwrap_or(0)].push(sku);
        }
        Self {
            once: held.into_iter().map(|held| held.is_some()).collect(),
            observed,
            expectations,
            final_skus,
            removable,
        }
    }

    /// Whether the changes are such a sum. `None` if the search takes too long.
    fn is_sum(&self) -> Option<bool> {
        let changes: Vec<i128> = self.observed.iter().map(|(_, change)| *change).collect();
        self.rest_is_sum(0, &changes, &mut Tried::default())
    }

    /// Whether the remaining changes are a sum of grants of the expectations from `index` on.
    /// Grants only add, so the search stops if a sum exceeds a change, or leaves one that no later
    /// expectation can cause.
    fn rest_is_sum(&self, index: usize, left: &[i128], tried: &mut Tried) -> Option<bool> {
        let Some(grants) = self.expectations.get(index) else {
            return Some(left.iter().all(|change| *change == 0));
        };
        let state = (index, left.to_vec());
        if tried.failed.contains(&state) {
            return Some(false);
        }
        for grant in grants {
            tried.steps += 1;
            if tried.steps > SEARCH_LIMIT {
                return None;
            }
            let mut rest = left.to_vec();
            for (sku, quantity) in grant {
                rest[*sku] = self.left(*sku, rest[*sku], *quantity);
            }
            let fits = grant.iter().all(|(sku, _)| rest[*sku] >= 0)
                && self.final_skus[index].iter().all(|sku| rest[*sku] == 0);
            if fits {
                match self.rest_is_sum(index + 1, &rest, tried) {
                    Some(false) => {}
                    found => return found,
                }
            }
        }
        if tried.failed.len() < MOST_FAILED {
            tried.failed.insert(state);
        }
        Some(false)
    }

    /// The remaining change after a grant. If an SKU can be held only once, only the first grant
    /// changes it.
    fn left(&self, sku: usize, left: i128, quantity: i128) -> i128 {
        match (self.once[sku], self.observed[sku].1) {
            (true, 1) => left.saturating_sub(quantity).max(0),
            (true, 2..) => left,
            _ => left.saturating_sub(quantity),
        }
    }

    /// The differences from the sum with the fewest differences, among the first ones.
    fn closest(&self) -> Vec<WrongChange> {
        let mut choice = vec![0; self.expectations.len()];
        let mut closest = self.differences(&choice);
        for _ in 1..NEAREST_LIMIT {
            if !self.advance(&mut choice) {
                break;
            }
            let wrong = self.differences(&choice);
            if wrong.len() < closest.len() {
                closest = wrong;
            }
        }
        closest
    }

    fn advance(&self, choice: &mut [usize]) -> bool {
        for (chosen, grants) in choice.iter_mut().zip(&self.expectations) {
            *chosen += 1;
            if *chosen < grants.len() {
                return true;
            }
            *chosen = 0;
        }
        false
    }

    fn differences(&self, choice: &[usize]) -> Vec<WrongChange> {
        let mut sums = vec![0_i128; self.observed.len()];
        for (grants, chosen) in self.expectations.iter().zip(choice) {
            for (sku, quantity) in grants.get(*chosen).into_iter().flatten() {
                let sum = sums[*sku].saturating_add(*quantity);
                sums[*sku] = if self.once[*sku] { sum.min(1) } else { sum };
            }
        }
        let pairs = self.observed.iter().zip(sums).zip(&self.removable);
        let differs = pairs.filter(|(((_, observed), expected), _)| observed != expected);
        differs
            .map(|(((sku, observed), expected), removable)| WrongChange {
                sku: (*sku).to_owned(),
                expected: expected.saturating_sub(*removable),
                observed: observed.saturating_sub(*removable),
            })
            .collect()
    }
}

/// The largest quantity of each SKU in any of the grants.
fn most_of_each(grants: &[Vec<(usize, i128)>]) -> BTreeMap<usize, i128> {
    let mut most = BTreeMap::new();
    for (sku, quantity) in grants.iter().flatten() {
        let known = most.entry(*sku).or_insert(*quantity);
        *known = (*known).max(*quantity);
    }
    most
}

/// What stays of the most that can be taken away, for each of these ways to take some of it away.
fn kept_instead_of(removals: &[Vec<(usize, i128)>]) -> Vec<Vec<(usize, i128)>> {
    let most = most_of_each(removals);
    let removals = removals.iter();
    removals
        .map(|removed| {
            let mut kept = most.clone();
            for (sku, quantity) in removed {
                if let Some(kept) = kept.get_mut(sku) {
                    *kept -= quantity;
                }
            }
            kept.into_iter().filter(|(_, kept)| *kept > 0).collect()
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn grant(entries: &[(&str, u128)]) -> ExpectedGrant {
        entries
            .iter()
            .map(|(sku, quantity)| ((*sku).to_owned(), *quantity))
            .collect()
    }

    fn expectation(player: &str, acceptable: &[ExpectedGrant]) -> GrantExpectation {
        let skus = acceptable
            .iter()
            .flat_map(|grant| grant.keys().cloned())
            .collect();
        GrantExpectation {
            player_id: player.to_owned(),
            skus,
            acceptable: acceptable.to_vec(),
            complete: true,
            removes: false,
        }
    }

    fn changes(entries: &[(&str, &str, i128)]) -> Changes {
        let entry = |(player, sku, change): &(&str, &str, i128)| {
            (((*player).to_owned(), (*sku).to_owned()), *change)
        };
        entries.iter().map(entry).collect()
    }

    fn all_pass(expectations: &[GrantExpectation], changes: &Changes) -> bool {
        let expectations: Vec<&GrantExpectation> = expectations.iter().collect();
        check_grants(&expectations, changes, &HeldOnce::new())
            .iter()
            .all(|check| *check == GrantCheck::Passed)
    }

    fn passes(expectations: &[GrantExpectation], entries: &[(&str, &str, i128)]) -> bool {
        all_pass(expectations, &changes(entries))
    }

    #[test]
    fn a_grant_must_happen_exactly_once() {
        let expectations = [expectation("p", &[grant(&[("gems", 5)])])];
        assert!(passes(&expectations, &[("p", "gems", 5)]));
        assert!(!passes(&expectations, &[("p", "gems", 0)]));
        assert!(!passes(&expectations, &[("p", "gems", 10)]));
        assert!(!passes(
            &expectations,
            &[("p", "gems", 0), ("q", "gems", 5)]
        ));
    }

    #[test]
    fn one_alternative_passes_and_both_fail() {
        let expectations = [expectation(
            "p",
            &[grant(&[("hat", 1)]), grant(&[("gems", 9)])],
        )];
        assert!(passes(&expectations, &[("p", "hat", 1), ("p", "gems", 0)]));
        assert!(passes(&expectations, &[("p", "hat", 0), ("p", "gems", 9)]));
        assert!(!passes(&expectations, &[("p", "hat", 1), ("p", "gems", 9)]));
    }

    #[test]
    fn effects_on_one_player_and_sku_add_up() {
        let once = expectation("p", &[grant(&[("gems", 5)])]);
        let mut nothing = expectation("p", &[ExpectedGrant::new()]);
        nothing.skus = BTreeSet::from(["gems".to_owned()]);
        let expectations = [once.clone(), once, nothing];
        assert!(passes(&expectations, &[("p", "gems", 10)]));
        assert!(!passes(&expectations, &[("p", "gems", 5)]));
        assert!(!passes(&expectations, &[("p", "gems", 15)]));
    }

    #[test]
    fn another_event_that_is_lost_does_not_fail_an_effect_that_expects_nothing() {
        let mut nothing = expectation("p", &[ExpectedGrant::new()]);
        nothing.skus = BTreeSet::from(["gems".to_owned()]);
        let (two, fifty) = (&[("gems", 2)], &[("gems", 50)]);
        let (kept, lost) = (
            expectation("p", &[grant(two)]),
            expectation("p", &[grant(fifty)]),
        );
        let expectations = [&kept, &lost, &nothing];
        let checks = check_grants(
            &expectations,
            &changes(&[("p", "gems", 2)]),
            &HeldOnce::new(),
        );
        assert_eq!(checks[2], GrantCheck::Passed);
        assert!(matches!(checks[0], GrantCheck::Failed(_)));
        let checks = check_grants(
            &expectations,
            &changes(&[("p", "gems", 53)]),
            &HeldOnce::new(),
        );
        assert!(matches!(checks[2], GrantCheck::Failed(_)));
    }

    /// A missing grant fails only the effect that expects it.
    #[test]
    fn a_missing_grant_does_not_fail_an_effect_that_expects_nothing() {
        let once = expectation("p", &[grant(&[("gems", 5)])]);
        let mut nothing = expectation("p", &[ExpectedGrant::new()]);
        nothing.skus = BTreeSet::from(["gems".to_owned()]);
        let expectations = [&once, &nothing];
        let checks = check_grants(
            &expectations,
            &changes(&[("p", "gems", 0)]),
            &HeldOnce::new(),
        );
        assert!(matches!(checks[0], GrantCheck::Failed(_)));
        assert_eq!(checks[1], GrantCheck::Passed);
        // A surplus fails both, because it is unknown which event caused it.
        let checks = check_grants(
            &expectations,
            &changes(&[("p", "gems", 10)]),
            &HeldOnce::new(),
        );
        assert!(matches!(checks[0], GrantCheck::Failed(_)));
        assert!(matches!(checks[1], GrantCheck::Failed(_)));
    }

    #[test]
    fn a_wrong_change_is_compared_with_the_closest_grant() {
        let expectations = [expectation(
            "p",
            &[grant(&[("hat", 1), ("gold", 2)]), grant(&[("gems", 9)])],
        )];
        let [expectation] = &expectations;
        let wrong = check_grants(
            &[expectation],
            &changes(&[("p", "hat", 1), ("p", "gold", 4), ("p", "gems", 0)]),
            &HeldOnce::new(),
        );
        let expected = WrongChange {
            sku: "gold".to_owned(),
            expected: 2,
            observed: 4,
        };
        assert_eq!(wrong, [GrantCheck::Failed(vec![expected])]);
    }

    #[test]
    fn items_are_taken_away_once_or_not_at_all() {
        let gems = grant(&[("gems", 5)]);
        let granted = expectation("p", std::slice::from_ref(&gems));
        let removal = |acceptable: &[ExpectedGrant]| GrantExpectation {
            removes: true,
            ..expectation("p", acceptable)
        };
        let taken = [
            granted.clone(),
            granted.clone(),
            removal(std::slice::from_ref(&gems)),
        ];
        let optional = [
            granted.clone(),
            granted,
            removal(&[gems, ExpectedGrant::new()]),
        ];
        for (change, is_taken, is_acceptable) in [
            (5, true, true),
            (10, false, true),
            (0, false, false),
            (-5, false, false),
        ] {
            let changes = [("p", "gems", change)];
            assert_eq!(passes(&taken, &changes), is_taken, "{change}");
            assert_eq!(passes(&optional, &changes), is_acceptable, "{change}");
        }
        let expectations: Vec<&GrantExpectation> = taken.iter().collect();
        let checks = check_grants(
            &expectations,
            &changes(&[("p", "gems", -5)]),
            &HeldOnce::new(),
        );
        let wrong = WrongChange {
            sku: "gems".to_owned(),
            expected: 5,
            observed: -5,
        };
        assert_eq!(checks[2], GrantCheck::Failed(vec![wrong]));
    }

    #[test]
    fn an_item_that_can_be_held_once_changes_only_once() {
        let hat = || grant(&[("hat", 5)]);
        let two = [expectation("p", &[hat()]), expectation("p", &[hat()])];
        let nothing = [expectation("p", &[ExpectedGrant::new(), hat()])];
        let checks = |expectations: &[GrantExpectation], change: i128, held: bool| {
            let expectations: Vec<&GrantExpectation> = expectations.iter().collect();
            let held = HeldOnce::from([(("p".to_owned(), "hat".to_owned()), held)]);
            let checks = check_grants(&expectations, &changes(&[("p", "hat", change)]), &held);
            checks.iter().all(|one| *one == GrantCheck::Passed)
        };
        assert!(checks(&two[..1], 1, false) && checks(&two, 1, false));
        for change in [0, 2, 5, 10] {
            assert!(!checks(&two, change, false), "{change}");
            assert!(!checks(&two[..1], change, false), "{change}");
        }
        assert!(checks(&two, 0, true) && !checks(&two, 1, true));
        assert!(checks(&nothing, 0, false) && checks(&nothing, 1, false));
        assert!(!checks(&nothing, 2, false));
    }

    /// Forty bundles with three alternatives each: more sums than can be tried. Each was granted by
    /// its own SKU.
    #[test]
    fn many_choices_of_one_player_are_decided() {
        let own = |n: usize| format!("bundle_{n}");
        let mut expectations = Vec::new();
        let mut seen = Changes::new();
        for n in 0..40 {
            let (nested, fallback) = (format!("nested_{n}"), format!("fallback_{n}"));
            let ways = [
                grant(&[(&nested, 3)]),
                grant(&[(&fallback, 1)]),
                grant(&[(&own(n), 1)]),
            ];
            expectations.push(expectation("p", &ways));
            for (sku, change) in [(own(n), 1), (nested, 0), (fallback, 0)] {
                seen.insert(("p".to_owned(), sku), change);
            }
        }
        assert!(all_pass(&expectations, &seen));
        seen.insert(("p".to_owned(), own(7)), 2);
        let expectations: Vec<&GrantExpectation> = expectations.iter().collect();
        let checks = check_grants(&expectations, &seen, &HeldOnce::new());
        assert!(matches!(checks[7], GrantCheck::Failed(_)));
    }

    /// No delivery of them got a response, so each may be granted or not.
    #[test]
    fn many_events_that_may_have_been_granted_are_decided() {
        let quantities = (0..40).map(|n| [10, 1, 5][n % 3]);
        let either = quantities.map(|quantity| [grant(&[]), grant(&[("gems", quantity)])]);
        let expectations: Vec<_> = either.map(|ways| expectation("p", &ways)).collect();
        for (change, is_sum) in [(0, true), (17, true), (218, true), (219, false)] {
            let seen = changes(&[("p", "gems", change)]);
            assert_eq!(all_pass(&expectations, &seen), is_sum, "{change}");
        }
    }

    #[test]
    fn an_incomplete_list_of_grants_is_undecided() {
        let mut unsure = expectation("p", &[grant(&[("gems", 5)])]);
        unsure.complete = false;
        let seen = changes(&[("p", "gems", 6)]);
        assert_eq!(
            check_grants(&[&unsure], &seen, &HeldOnce::new()),
            [GrantCheck::Undecided]
        );
    }

    proptest! {
        /// The sum of one grant per expectation always passes, and any other sum fails.
        #[test]
        fn the_sum_of_grants_passes(quantities in proptest::collection::vec((0usize..3, 1u128..1000), 1..8)) {
            let skus = ["a", "b", "c"];
            let expectations: Vec<_> = quantities.iter().map(|(sku, n)| expectation("p", &[grant(&[(skus[*sku], *n)])])).collect();
            let mut sums = Changes::new();
            for (sku, quantity) in &quantities {
                *sums.entry(("p".to_owned(), skus[*sku].to_owned())).or_default() += i128::try_from(*quantity).unwrap();
            }
            prop_assert!(all_pass(&expectations, &sums));
            for key in sums.keys().cloned().collect::<Vec<_>>() {
                let mut off = sums.clone();
                *off.get_mut(&key).unwrap() += 1;
                prop_assert!(!all_pass(&expectations, &off));
            }
        }
    }
}
