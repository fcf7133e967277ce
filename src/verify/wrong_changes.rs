//! Wrong changes of an inventory in words.

use std::collections::BTreeSet;

use super::expected_grant::ExpectedGrant;
use super::grant_check::WrongChange;

pub(super) fn grant_text(grant: &ExpectedGrant) -> String {
    if grant.is_empty() {
        return "nothing".to_owned();
    }
    let parts = grant
        .iter()
        .map(|(sku, quantity)| format!("{quantity} {sku}"));
    parts.collect::<Vec<_>>().join(" and ")
}

/// The grant with which the changes were compared, if several were acceptable.
fn closest<'a>(
    wrong: &[WrongChange],
    acceptable: &'a [ExpectedGrant],
) -> Option<&'a ExpectedGrant> {
    let fits = |grant: &&ExpectedGrant| {
        let expected = |sku| grant.get(sku).copied().unwrap_or(0);
        wrong
            .iter()
            .all(|change| Ok(expected(&change.sku)) == u128::try_from(change.expected))
    };
    let mut fitting = acceptable.iter().filter(fits);
    match (fitting.next(), fitting.next()) {
        (Some(grant), None) if acceptable.len() > 1 && !grant.is_empty() => Some(grant),
        _ => None,
    }
}

/// Describes the wrong changes, compared with the closest grant if several are acceptable.
pub(super) fn describe_difference(wrong: &[WrongChange], acceptable: &[ExpectedGrant]) -> String {
    match closest(wrong, acceptable) {
        Some(grant) => {
            let seen = describe_wrong_changes(wrong, &[]);
            format!("closest to {}, but {seen}", grant_text(grant))
        }
        None => describe_wrong_changes(wrong, acceptable),
    }
}

/// Describes each wrong change. An SKU that several acceptable grants change differently is compared
/// with all of them.
pub(super) fn describe_wrong_changes<'a>(
    wrong: impl IntoIterator<Item = &'a WrongChange>,
    acceptable: &[ExpectedGrant],
) -> String {
    let parts = wrong.into_iter().map(|change| {
        let WrongChange {
            sku,
            expected,
            observed,
        } = change;
        let right = acceptable.iter();
        let right = right.map(|grant| grant.get(sku).copied().unwrap_or(0));
        let right: BTreeSet<u128> = right.collect();
        let fits = right
            .iter()
            .any(|right| i128::try_from(*right) == Ok(*expected));
        let times = |expected: i128| match expected {
            1.. if observed % expected == 0 && *observed > expected => {
                format!(" ({} times as much)", observed / expected)
            }
            _ => String::new(),
        };
        // Right together with other quantities than those that were observed.
        let is_right = right
            .iter()
            .any(|right| i128::try_from(*right) == Ok(*observed));
        if let (true, false, 2..) = (fits, is_right, right.len()) {
            // The smallest grant, if granting nothing is right, too.
            let granted = right.iter().find(|right| **right > 0);
            let granted = granted.and_then(|right| i128::try_from(*right).ok());
            let times = granted.map_or_else(String::new, times);
            let right: Vec<String> = right.iter().map(u128::to_string).collect();
            let right = right.join(" or ");
            return format!("{sku} changed by {observed}, not {right}{times}");
        }
        let times = times(*expected);
        format!("{sku} changed by {observed} instead of {expected}{times}")
    });
    parts.collect::<Vec<_>>().join("; ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wrong_change_is_compared_with_all_right_ones() {
        let described = |expected, observed, acceptable: &[&[(&str, u128)]]| {
            let acceptable = acceptable.iter().map(|grant| {
                let grant = grant.iter();
                grant
                    .map(|(sku, quantity)| ((*sku).to_owned(), *quantity))
                    .collect()
            });
            let acceptable: Vec<ExpectedGrant> = acceptable.collect();
            let wrong = WrongChange {
                sku: "hat".to_owned(),
                expected,
                observed,
            };
            describe_wrong_changes(&[wrong], &acceptable)
        };
        let either: &[&[(&str, u128)]] = &[&[], &[("hat", 1)]];
        assert_eq!(described(1, 0, either), "hat changed by 0 instead of 1");
        assert_eq!(
            described(0, 2, either),
            "hat changed by 2, not 0 or 1 (2 times as much)"
        );
        let only: &[&[(&str, u128)]] = &[&[("hat", 1)]];
        let double = "hat changed by 2 instead of 1 (2 times as much)";
        assert_eq!(described(1, 2, only), double);
        // The hats of another effect are among the expected ones.
        assert_eq!(described(5, 4, either), "hat changed by 4 instead of 5");
    }
}
