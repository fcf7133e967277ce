//! Whether what players hold changed as the effects demand: a pure function of the readings.
//!
//! Events may share a player and an SKU, so effects are judged together: the changes must be the
//! sum of one acceptable grant for every effect.

use std::collections::{BTreeMap, BTreeSet};

use super::expected_grant::Grant;

/// What one effect demands of one player.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct GrantClaim {
    /// Whose holdings are looked at.
    pub(super) player_id: String,
    /// The SKUs that are looked at.
    pub(super) skus: BTreeSet<String>,
    /// The grants of which exactly one must have happened; an empty grant for nothing.
    pub(super) acceptable: Vec<Grant>,
    /// Whether `acceptable` has all grants that are right: there may be too many to tell apart.
    pub(super) complete: bool,
}

impl GrantClaim {
    /// Whether nothing is the only right grant.
    fn demands_nothing(&self) -> bool {
        self.complete && self.acceptable.iter().all(Grant::is_empty)
    }
}

/// By how much each SKU of a player changed.
pub(super) type Changes = BTreeMap<(String, String), i128>;

/// Which SKUs of a player can be held once only, and whether they were held before.
pub(super) type HeldOnce = BTreeMap<(String, String), bool>;

/// What came of a claim.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Judgement {
    /// It holds.
    Holds,
    /// These SKUs changed otherwise than in the nearest sum of acceptable grants.
    Wrong(Vec<WrongChange>),
    /// There are too many ways to be right to say that this is none of them.
    Undecided,
}

/// An SKU whose change is not the demanded one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct WrongChange {
    /// The SKU.
    pub(super) sku: String,
    /// The change that was demanded.
    pub(super) expected: i128,
    /// The change that was seen.
    pub(super) observed: i128,
}

/// The most partial sums that are looked at for one player.
const SEARCH_LIMIT: usize = 200_000;
/// The most sums among which the nearest one is looked for, to say what is wrong.
const NEAREST_LIMIT: usize = 2_000;

/// Judges each claim, in their order. SKUs without a reading are left out.
pub(super) fn judge(
    claims: &[&GrantClaim],
    changes: &Changes,
    held_once: &HeldOnce,
) -> Vec<Judgement> {
    let players: BTreeSet<&str> = claims
        .iter()
        .map(|claim| claim.player_id.as_str())
        .collect();
    let mut judgements = vec![Judgement::Holds; claims.len()];
    for player in players {
        let (indices, of_player): (Vec<usize>, Vec<&GrantClaim>) = claims
            .iter()
            .copied()
            .enumerate()
            .filter(|(_, claim)| claim.player_id == player)
            .unzip();
        let question = Question::new(player, &of_player, changes, held_once);
        let is_sum = match question.is_sum() {
            Some(false) if of_player.iter().any(|claim| !claim.complete) => None,
            answer => answer,
        };
        let wrong = match is_sum {
            Some(true) => continue,
            Some(false) => Some(question.nearest()),
            None => None,
        };
        for (index, claim) in indices.into_iter().zip(of_player) {
            judgements[index] = match &wrong {
                None => Judgement::Undecided,
                Some(wrong) => {
                    let of_claim = wrong.iter().filter(|one| claim.skus.contains(&one.sku));
                    let of_claim: Vec<WrongChange> = of_claim.cloned().collect();
                    // What is missing is not missed by who demands that nothing is granted.
                    let nothing = of_claim.iter().all(|one| one.observed == 0);
                    if of_claim.is_empty() || (nothing && claim.demands_nothing()) {
                        Judgement::Holds
                    } else {
                        Judgement::Wrong(of_claim)
                    }
                }
            };
        }
    }
    judgements
}

/// Whether one player's changes are a sum of one grant of each claim.
struct Question<'claims> {
    /// The SKUs and their changes.
    observed: Vec<(&'claims str, i128)>,
    /// Of each of these, whether it can be held once only.
    once: Vec<bool>,
    /// For each claim its grants, as quantities by the index of the SKU.
    claims: Vec<Vec<Vec<(usize, i128)>>>,
    /// For each claim, the SKUs that no later claim can change.
    settled_after: Vec<Vec<usize>>,
}

impl<'claims> Question<'claims> {
    fn new(
        player: &str,
        claims: &[&'claims GrantClaim],
        changes: &Changes,
        held_once: &HeldOnce,
    ) -> Self {
        let skus: BTreeSet<&str> = claims
            .iter()
            .flat_map(|claim| &claim.skus)
            .map(String::as_str)
            .collect();
        let observed: Vec<(&str, i128)> = skus
            .into_iter()
            .filter_map(|sku| {
                let change = changes.get(&(player.to_owned(), sku.to_owned()))?;
                Some((sku, *change))
            })
            .collect();
        let held: Vec<Option<bool>> = observed
            .iter()
            .map(|(sku, _)| {
                let held = held_once.get(&(player.to_owned(), (*sku).to_owned()));
                held.copied()
            })
            .collect();
        let indexed = |grant: &Grant| -> Vec<(usize, i128)> {
            let quantity = |quantity: u128| i128::try_from(quantity).unwrap_or(i128::MAX);
            let of_sku = |(index, (sku, _)): (usize, &(&str, i128))| {
                let granted = grant.get(*sku).filter(|granted| **granted > 0)?;
                match held[index] {
                    None => Some((index, quantity(*granted))),
                    Some(false) => Some((index, 1)),
                    // Of what is held already nothing more comes.
                    Some(true) => None,
                }
            };
            observed.iter().enumerate().filter_map(of_sku).collect()
        };
        let claims: Vec<Vec<Vec<(usize, i128)>>> = claims
            .iter()
            .map(|claim| claim.acceptable.iter().map(indexed).collect())
            .collect();
        let mut last_claim = vec![0; observed.len()];
        for (index, grants) in claims.iter().enumerate() {
            grants
                .iter()
                .flatten()
                .for_each(|(sku, _)| last_claim[*sku] = index);
        }
        let mut settled_after = vec![Vec::new(); claims.len()];
        for (sku, claim) in last_claim.into_iter().enumerate() {
            settled_after[claim].push(sku);
        }
        Self {
            once: held.into_iter().map(|held| held.is_some()).collect(),
            observed,
            claims,
            settled_after,
        }
    }

    /// Whether the changes are such a sum; nothing where that takes too long to find out.
    fn is_sum(&self) -> Option<bool> {
        let changes: Vec<i128> = self.observed.iter().map(|(_, change)| *change).collect();
        self.rest_is_sum(0, &changes, &mut 0)
    }

    /// Whether what is left of the changes is a sum of grants of the claims from `index` on.
    /// Grants only add, so a sum that exceeds a change, or leaves one that no later claim can
    /// make, leads nowhere.
    fn rest_is_sum(&self, index: usize, left: &[i128], steps: &mut usize) -> Option<bool> {
        let Some(grants) = self.claims.get(index) else {
            return Some(left.iter().all(|change| *change == 0));
        };
        for grant in grants {
            *steps += 1;
            if *steps > SEARCH_LIMIT {
                return None;
            }
            let mut rest = left.to_vec();
            for (sku, quantity) in grant {
                rest[*sku] = self.left(*sku, rest[*sku], *quantity);
            }
            let fits = grant.iter().all(|(sku, _)| rest[*sku] >= 0)
                && self.settled_after[index].iter().all(|sku| rest[*sku] == 0);
            if fits {
                match self.rest_is_sum(index + 1, &rest, steps) {
                    Some(false) => {}
                    found => return found,
                }
            }
        }
        Some(false)
    }

    /// What is left of a change when a grant has its part of it. Of what can be held once, the first
    /// grant makes the change, and no other adds to it.
    fn left(&self, sku: usize, left: i128, quantity: i128) -> i128 {
        match (self.once[sku], self.observed[sku].1) {
            (true, 1) => left.saturating_sub(quantity).max(0),
            (true, 2..) => left,
            _ => left.saturating_sub(quantity),
        }
    }

    /// What differs from the sum that has the most changes right, among the first ones.
    fn nearest(&self) -> Vec<WrongChange> {
        let mut choice = vec![0; self.claims.len()];
        let mut nearest: Option<Vec<WrongChange>> = None;
        for _ in 0..NEAREST_LIMIT {
            let wrong = self.differences(&choice);
            if nearest.as_ref().is_none_or(|best| wrong.len() < best.len()) {
                nearest = Some(wrong);
            }
            if !self.advance(&mut choice) {
                break;
            }
        }
        nearest.unwrap_or_default()
    }

    /// Steps to the next combination of grants; `false` after the last.
    fn advance(&self, choice: &mut [usize]) -> bool {
        for (chosen, grants) in choice.iter_mut().zip(&self.claims) {
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
        for (grants, chosen) in self.claims.iter().zip(choice) {
            for (sku, quantity) in grants.get(*chosen).into_iter().flatten() {
                let sum = sums[*sku].saturating_add(*quantity);
                sums[*sku] = if self.once[*sku] { sum.min(1) } else { sum };
            }
        }
        let pairs = self.observed.iter().zip(sums);
        let differs = pairs.filter(|((_, observed), expected)| observed != expected);
        differs
            .map(|((sku, observed), expected)| WrongChange {
                sku: (*sku).to_owned(),
                expected,
                observed: *observed,
            })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn grant(entries: &[(&str, u128)]) -> Grant {
        entries
            .iter()
            .map(|(sku, quantity)| ((*sku).to_owned(), *quantity))
            .collect()
    }

    fn claim(player: &str, acceptable: &[Grant]) -> GrantClaim {
        let skus = acceptable
            .iter()
            .flat_map(|grant| grant.keys().cloned())
            .collect();
        GrantClaim {
            player_id: player.to_owned(),
            skus,
            acceptable: acceptable.to_vec(),
            complete: true,
        }
    }

    fn changes(entries: &[(&str, &str, i128)]) -> Changes {
        let entry = |(player, sku, change): &(&str, &str, i128)| {
            (((*player).to_owned(), (*sku).to_owned()), *change)
        };
        entries.iter().map(entry).collect()
    }

    fn all_hold(claims: &[GrantClaim], changes: &Changes) -> bool {
        let claims: Vec<&GrantClaim> = claims.iter().collect();
        judge(&claims, changes, &HeldOnce::new())
            .iter()
            .all(|judgement| *judgement == Judgement::Holds)
    }

    fn holds(claims: &[GrantClaim], entries: &[(&str, &str, i128)]) -> bool {
        all_hold(claims, &changes(entries))
    }

    #[test]
    fn once_is_right_and_never_and_twice_are_not() {
        let claims = [claim("p", &[grant(&[("gems", 5)])])];
        assert!(holds(&claims, &[("p", "gems", 5)]));
        assert!(!holds(&claims, &[("p", "gems", 0)]));
        assert!(!holds(&claims, &[("p", "gems", 10)]));
        assert!(!holds(&claims, &[("p", "gems", 0), ("q", "gems", 5)]));
    }

    #[test]
    fn either_way_is_right_and_both_ways_are_not() {
        let claims = [claim("p", &[grant(&[("hat", 1)]), grant(&[("gems", 9)])])];
        assert!(holds(&claims, &[("p", "hat", 1), ("p", "gems", 0)]));
        assert!(holds(&claims, &[("p", "hat", 0), ("p", "gems", 9)]));
        assert!(!holds(&claims, &[("p", "hat", 1), ("p", "gems", 9)]));
    }

    #[test]
    fn effects_on_one_player_and_sku_add_up() {
        let once = claim("p", &[grant(&[("gems", 5)])]);
        let mut nothing = claim("p", &[Grant::new()]);
        nothing.skus = BTreeSet::from(["gems".to_owned()]);
        let claims = [once.clone(), once, nothing];
        assert!(holds(&claims, &[("p", "gems", 10)]));
        assert!(!holds(&claims, &[("p", "gems", 5)]));
        assert!(!holds(&claims, &[("p", "gems", 15)]));
    }

    /// What one event lacks is not blamed on another of which nothing was to be granted.
    #[test]
    fn nothing_is_what_nothing_was_demanded() {
        let once = claim("p", &[grant(&[("gems", 5)])]);
        let mut nothing = claim("p", &[Grant::new()]);
        nothing.skus = BTreeSet::from(["gems".to_owned()]);
        let claims = [&once, &nothing];
        let judged = judge(&claims, &changes(&[("p", "gems", 0)]), &HeldOnce::new());
        assert!(matches!(judged[0], Judgement::Wrong(_)));
        assert_eq!(judged[1], Judgement::Holds);
        // Some is more than nothing, and whose it is can't be told.
        let judged = judge(&claims, &changes(&[("p", "gems", 10)]), &HeldOnce::new());
        assert!(matches!(judged[0], Judgement::Wrong(_)));
        assert!(matches!(judged[1], Judgement::Wrong(_)));
    }

    #[test]
    fn a_wrong_change_is_told_with_what_was_nearest() {
        let claims = [claim(
            "p",
            &[grant(&[("hat", 1), ("gold", 2)]), grant(&[("gems", 9)])],
        )];
        let [claim] = &claims;
        let wrong = judge(
            &[claim],
            &changes(&[("p", "hat", 1), ("p", "gold", 4), ("p", "gems", 0)]),
            &HeldOnce::new(),
        );
        let expected = WrongChange {
            sku: "gold".to_owned(),
            expected: 2,
            observed: 4,
        };
        assert_eq!(wrong, [Judgement::Wrong(vec![expected])]);
    }

    #[test]
    fn what_is_held_once_changes_once_and_not_again() {
        let hat = || grant(&[("hat", 5)]);
        let two = [claim("p", &[hat()]), claim("p", &[hat()])];
        let nothing = [claim("p", &[Grant::new(), hat()])];
        let judged = |claims: &[GrantClaim], change: i128, held: bool| {
            let claims: Vec<&GrantClaim> = claims.iter().collect();
            let held = HeldOnce::from([(("p".to_owned(), "hat".to_owned()), held)]);
            let judged = judge(&claims, &changes(&[("p", "hat", change)]), &held);
            judged.iter().all(|one| *one == Judgement::Holds)
        };
        assert!(judged(&two[..1], 1, false) && judged(&two, 1, false));
        for change in [0, 2, 5, 10] {
            assert!(!judged(&two, change, false), "{change}");
            assert!(!judged(&two[..1], change, false), "{change}");
        }
        assert!(judged(&two, 0, true) && !judged(&two, 1, true));
        assert!(judged(&nothing, 0, false) && judged(&nothing, 1, false));
        assert!(!judged(&nothing, 2, false));
    }

    /// Each of many bundles of one player was granted by its own SKU, each of which has a choice of
    /// three: more sums than can be tried.
    #[test]
    fn many_choices_of_one_player_are_decided() {
        let own = |n: usize| format!("bundle_{n}");
        let mut claims = Vec::new();
        let mut seen = Changes::new();
        for n in 0..40 {
            let (nested, fallback) = (format!("nested_{n}"), format!("fallback_{n}"));
            let ways = [
                grant(&[(&nested, 3)]),
                grant(&[(&fallback, 1)]),
                grant(&[(&own(n), 1)]),
            ];
            claims.push(claim("p", &ways));
            for (sku, change) in [(own(n), 1), (nested, 0), (fallback, 0)] {
                seen.insert(("p".to_owned(), sku), change);
            }
        }
        assert!(all_hold(&claims, &seen));
        seen.insert(("p".to_owned(), own(7)), 2);
        let claims: Vec<&GrantClaim> = claims.iter().collect();
        let judged = judge(&claims, &seen, &HeldOnce::new());
        assert!(matches!(judged[7], Judgement::Wrong(_)));
    }

    #[test]
    fn what_was_left_out_of_the_ways_is_not_blamed() {
        let mut unsure = claim("p", &[grant(&[("gems", 5)])]);
        unsure.complete = false;
        let seen = changes(&[("p", "gems", 6)]);
        assert_eq!(
            judge(&[&unsure], &seen, &HeldOnce::new()),
            [Judgement::Undecided]
        );
    }

    proptest! {
        /// Whatever was chosen of each claim, the sum of the choices is always right, and one
        /// grant more or less of any SKU never is (with one way each).
        #[test]
        fn the_sum_of_choices_holds(quantities in proptest::collection::vec((0usize..3, 1u128..1000), 1..8)) {
            let skus = ["a", "b", "c"];
            let claims: Vec<_> = quantities.iter().map(|(sku, n)| claim("p", &[grant(&[(skus[*sku], *n)])])).collect();
            let mut sums = Changes::new();
            for (sku, quantity) in &quantities {
                *sums.entry(("p".to_owned(), skus[*sku].to_owned())).or_default() += i128::try_from(*quantity).unwrap();
            }
            prop_assert!(all_hold(&claims, &sums));
            for key in sums.keys().cloned().collect::<Vec<_>>() {
                let mut off = sums.clone();
                *off.get_mut(&key).unwrap() += 1;
                prop_assert!(!all_hold(&claims, &off));
            }
        }
    }
}
