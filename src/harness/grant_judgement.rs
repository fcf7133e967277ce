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
    pub player_id: String,
    /// The SKUs that are looked at.
    pub skus: BTreeSet<String>,
    /// The grants of which exactly one must have happened; an empty grant for nothing.
    pub acceptable: Vec<Grant>,
}

/// By how much each SKU of a player changed.
pub(super) type Changes = BTreeMap<(String, String), i128>;

/// The most combinations that are tried.
const COMBINATION_LIMIT: usize = 20_000;

/// For each claim, the SKUs whose change is not as demanded, with the change that was demanded;
/// nothing where the claim holds. The demanded changes are those of the nearest combination.
pub(super) fn judge(claims: &[GrantClaim], changes: &Changes) -> Vec<Vec<WrongChange>> {
    let players: BTreeSet<&str> = claims
        .iter()
        .map(|claim| claim.player_id.as_str())
        .collect();
    let mut wrong: BTreeMap<(String, String), WrongChange> = BTreeMap::new();
    for player in players {
        let of_player: Vec<&GrantClaim> = claims
            .iter()
            .filter(|claim| claim.player_id == player)
            .collect();
        for change in nearest_combination(player, &of_player, changes) {
            wrong.insert((player.to_owned(), change.sku.clone()), change);
        }
    }
    claims
        .iter()
        .map(|claim| {
            let of_sku = |sku: &String| wrong.get(&(claim.player_id.clone(), sku.clone())).cloned();
            claim.skus.iter().filter_map(of_sku).collect()
        })
        .collect()
}

/// An SKU whose change is not the demanded one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct WrongChange {
    /// The SKU.
    pub sku: String,
    /// The change that was demanded.
    pub expected: i128,
    /// The change that was seen.
    pub observed: i128,
}

/// What differs from the combination of acceptable grants that is nearest to the changes.
fn nearest_combination(
    player: &str,
    claims: &[&GrantClaim],
    changes: &Changes,
) -> Vec<WrongChange> {
    let skus: BTreeSet<&String> = claims.iter().flat_map(|claim| &claim.skus).collect();
    let mut choice = vec![0; claims.len()];
    let mut nearest: Option<Vec<WrongChange>> = None;
    for _ in 0..COMBINATION_LIMIT {
        let wrong = differences(player, &skus, claims, &choice, changes);
        if nearest.as_ref().is_none_or(|best| wrong.len() < best.len()) {
            let holds = wrong.is_empty();
            nearest = Some(wrong);
            if holds {
                break;
            }
        }
        if !advance(&mut choice, claims) {
            break;
        }
    }
    nearest.unwrap_or_default()
}

/// Steps to the next combination of choices; `false` after the last.
fn advance(choice: &mut [usize], claims: &[&GrantClaim]) -> bool {
    for (chosen, claim) in choice.iter_mut().zip(claims) {
        *chosen += 1;
        if *chosen < claim.acceptable.len() {
            return true;
        }
        *chosen = 0;
    }
    false
}

fn differences(
    player: &str,
    skus: &BTreeSet<&String>,
    claims: &[&GrantClaim],
    choice: &[usize],
    changes: &Changes,
) -> Vec<WrongChange> {
    skus.iter()
        .filter_map(|sku| {
            let granted = claims.iter().zip(choice).filter_map(|(claim, chosen)| {
                claim
                    .acceptable
                    .get(*chosen)
                    .and_then(|grant| grant.get(*sku))
            });
            let sum = granted.fold(0u128, |sum, quantity| sum.saturating_add(*quantity));
            let expected = i128::try_from(sum).unwrap_or(i128::MAX);
            let key = (player.to_owned(), (*sku).clone());
            let observed = changes.get(&key).copied().unwrap_or_default();
            (expected != observed).then(|| WrongChange {
                sku: (*sku).clone(),
                expected,
                observed,
            })
        })
        .collect()
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
        }
    }

    fn changes(entries: &[(&str, &str, i128)]) -> Changes {
        let entry = |(player, sku, change): &(&str, &str, i128)| {
            (((*player).to_owned(), (*sku).to_owned()), *change)
        };
        entries.iter().map(entry).collect()
    }

    fn holds(claims: &[GrantClaim], entries: &[(&str, &str, i128)]) -> bool {
        judge(claims, &changes(entries)).iter().all(Vec::is_empty)
    }

    #[test]
    fn once_is_right_and_never_and_twice_are_not() {
        let claims = [claim("p", &[grant(&[("gems", 5)])])];
        assert!(holds(&claims, &[("p", "gems", 5)]));
        assert!(!holds(&claims, &[("p", "gems", 0)]));
        assert!(!holds(&claims, &[("p", "gems", 10)]));
        assert!(!holds(&claims, &[("q", "gems", 5)]));
    }

    #[test]
    fn either_way_is_right_and_both_ways_are_not() {
        let claims = [claim("p", &[grant(&[("hat", 1)]), grant(&[("gems", 9)])])];
        assert!(holds(&claims, &[("p", "hat", 1)]));
        assert!(holds(&claims, &[("p", "gems", 9)]));
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

    #[test]
    fn a_wrong_change_is_told_with_what_was_nearest() {
        let claims = [claim(
            "p",
            &[grant(&[("hat", 1), ("gold", 2)]), grant(&[("gems", 9)])],
        )];
        let wrong = judge(&claims, &changes(&[("p", "hat", 1), ("p", "gold", 4)]));
        let expected = WrongChange {
            sku: "gold".to_owned(),
            expected: 2,
            observed: 4,
        };
        assert_eq!(wrong, [vec![expected]]);
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
            prop_assert!(judge(&claims, &sums).iter().all(Vec::is_empty));
            for key in sums.keys().cloned().collect::<Vec<_>>() {
                let mut off = sums.clone();
                *off.get_mut(&key).unwrap() += 1;
                prop_assert!(!judge(&claims, &off).iter().all(Vec::is_empty));
            }
        }
    }
}
