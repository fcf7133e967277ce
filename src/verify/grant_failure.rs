//! What went wrong with a grant. Its text is the cause of the check, by which reports group failures.

use super::expected_grant::ExpectedGrant;
use super::grant_check::WrongChange;

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum GrantFailure {
    NeverAccepted,
    AcceptedNotGranted,
    /// Some of the items, but not all.
    PartMissing,
    /// A multiple of the right quantity, as if the event was handled several times.
    Repeated,
    /// Both `coupon.redeemed` and `item.add` of one redemption.
    BothEvents,
    /// An event that must not be granted.
    Forbidden,
    Overflow,
    Rounded,
    /// The bundle's own SKU instead of what is in it.
    BundleItself,
    /// An item, and the fallback that replaces it.
    ItemAndFallback,
    OtherItem,
    TooMuch,
    TooLittle,
    TakenTooOften,
    NotTaken,
}

impl GrantFailure {
    pub(crate) const ALL: [Self; 15] = [
        Self::NeverAccepted,
        Self::AcceptedNotGranted,
        Self::PartMissing,
        Self::Repeated,
        Self::BothEvents,
        Self::Forbidden,
        Self::Overflow,
        Self::Rounded,
        Self::BundleItself,
        Self::ItemAndFallback,
        Self::OtherItem,
        Self::TooMuch,
        Self::TooLittle,
        Self::TakenTooOften,
        Self::NotTaken,
    ];

    /// The failure of `removed`, given the wrong changes and what may be taken away. Too little may be
    /// left for another reason: what was granted before was too little.
    pub(super) fn of_removal(wrong: &[WrongChange], acceptable: &[ExpectedGrant]) -> Self {
        let is_less = |change: &&WrongChange| change.observed < change.expected;
        let is_taken = |change: &WrongChange| {
            let mut removed = acceptable.iter().filter_map(|grant| grant.get(&change.sku));
            removed.any(|removed| {
                let missing = change.expected.checked_sub(change.observed);
                i128::try_from(*removed).is_ok_and(|removed| {
                    removed > 0 && missing.is_some_and(|missing| missing % removed == 0)
                })
            })
        };
        let is_never = acceptable.iter().all(ExpectedGrant::is_empty);
        let mut less = wrong.iter().filter(is_less).peekable();
        if less.peek().is_none() {
            Self::NotTaken
        } else if is_never || less.any(is_taken) {
            Self::TakenTooOften
        } else {
            Self::TooLittle
        }
    }

    /// The failure of an effect, given its wrong changes. `is_accepted` is unknown for an event
    /// that must not be granted. `two_kinds` is whether two kinds of events of the redemption were
    /// delivered.
    pub(super) fn of(
        wrong: &[WrongChange],
        acceptable: &[ExpectedGrant],
        is_accepted: Option<bool>,
        two_kinds: bool,
    ) -> Self {
        let is_forbidden = acceptable.iter().all(ExpectedGrant::is_empty);
        match is_accepted {
            None => return Self::Forbidden,
            Some(_) if is_forbidden => return Self::Forbidden,
            Some(is_accepted) if wrong.iter().all(|change| change.observed == 0) => {
                let has_others = acceptable.iter().any(|grant| {
                    let is_of = |change: &WrongChange| grant.get(&change.sku).is_some();
                    wrong.len() < grant.len() && wrong.iter().all(is_of)
                });
                return if has_others {
                    Self::PartMissing
                } else if is_accepted {
                    Self::AcceptedNotGranted
                } else {
                    Self::NeverAccepted
                };
            }
            Some(_) => {}
        }
        let may_be_nothing = acceptable.iter().any(ExpectedGrant::is_empty);
        let changes = wrong.iter().map(|change| {
            // If granting nothing is right too, the difference from a grant tells more.
            let granted = acceptable.iter().filter_map(|grant| grant.get(&change.sku));
            let expected = match change.expected {
                0 if may_be_nothing => granted
                    .min()
                    .map_or(0, |granted| i128::try_from(*granted).unwrap_or(0)),
                expected => expected,
            };
            (expected, change.observed)
        });
        let changes: Vec<(i128, i128)> = changes.collect();
        let any = |is: fn(&(i128, i128)) -> bool| changes.iter().any(is);
        if any(|(expected, observed)| overflows(*expected, *observed)) {
            Self::Overflow
        } else if any(|(expected, observed)| is_rounded(*expected, *observed)) {
            Self::Rounded
        } else if two_kinds
            && changes.iter().all(|(expected, observed)| {
                *expected > 0 && Some(*observed) == expected.checked_mul(2)
            })
        {
            Self::BothEvents
        } else if changes.iter().all(|(expected, observed)| {
            *expected > 0 && observed > expected && observed % expected == 0
        }) {
            Self::Repeated
        } else if any(|(expected, observed)| *expected == 0 && *observed > 0) {
            Self::OtherItem
        } else if any(|(expected, observed)| observed > expected) {
            Self::TooMuch
        } else {
            Self::TooLittle
        }
    }

    /// `BundleItself` instead of `OtherItem`, if one of these bundles is granted and nothing that is in it.
    pub(super) fn unless_bundle_itself(self, wrong: &[WrongChange], bundles: &[String]) -> Self {
        let (bundle, contents): (Vec<_>, Vec<_>) = wrong
            .iter()
            .partition(|change| change.expected == 0 && bundles.contains(&change.sku));
        let is_instead = !bundle.is_empty() && !contents.is_empty();
        if self == Self::OtherItem && is_instead && contents.iter().all(|one| one.observed == 0) {
            Self::BundleItself
        } else {
            self
        }
    }

    /// `ItemAndFallback` instead of another difference, if what is wrong is all of another acceptable grant
    /// of an event with a fallback.
    pub(super) fn unless_item_and_fallback(
        self,
        wrong: &[WrongChange],
        acceptable: &[ExpectedGrant],
    ) -> Self {
        let is_added = |grant: &ExpectedGrant| {
            grant.len() == wrong.len()
                && wrong.iter().all(|change| {
                    let granted = grant.get(&change.sku).copied();
                    change.expected == 0 && granted == u128::try_from(change.observed).ok()
                })
        };
        match self {
            Self::OtherItem | Self::TooMuch | Self::TooLittle
                if acceptable.iter().any(is_added) =>
            {
                Self::ItemAndFallback
            }
            other => other,
        }
    }

    pub(crate) fn text(self) -> &'static str {
        match self {
            Self::NeverAccepted => "no delivery of the event was accepted, and nothing was granted",
            Self::AcceptedNotGranted => "nothing is granted although the event was accepted",
            Self::PartMissing => "some of the items of an event are not granted",
            Self::Repeated => "a multiple of the right quantity is granted",
            Self::BothEvents => {
                "both `coupon.redeemed` and `item.add` of one redemption are granted"
            }
            Self::Forbidden => "an event is granted that must not be granted",
            Self::Overflow => "a quantity overflows 32 bits",
            Self::Rounded => "a quantity is rounded, as floating-point numbers are",
            Self::BundleItself => "a bundle's own SKU is granted instead of its contents",
            Self::ItemAndFallback => "both an item and its fallback are granted",
            Self::OtherItem => "another item is granted than expected",
            Self::TooMuch => "too much of an item is granted",
            Self::TooLittle => "too little of an item is granted",
            Self::TakenTooOften => "more is taken away than was granted",
            Self::NotTaken => "nothing is taken away although `item.remove` was accepted",
        }
    }

    pub(crate) fn from_text(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|failure| failure.text() == text)
    }
}

/// Whether the observed number is what 32 bits hold of the expected one, or the most that they can hold.
fn overflows(expected: i128, observed: i128) -> bool {
    let (signed, unsigned) = (i128::from(i32::MAX), i128::from(u32::MAX));
    // A probe can return any number.
    let is_kept = (i128::from(i32::MIN)..=unsigned).contains(&observed);
    let is_wrapped = is_kept && (expected - observed) % (1 << 32) == 0;
    expected > signed
        && expected != observed
        && (is_wrapped || [signed, unsigned].contains(&observed))
}

fn is_rounded(expected: i128, observed: i128) -> bool {
    #[expect(
        clippy::cast_precision_loss,
        clippy::cast_possible_truncation,
        reason = "the loss is what is looked for"
    )]
    let rounded = [(expected as f32) as i128, (expected as f64) as i128];
    expected != observed && rounded.contains(&observed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_number_of_a_probe_is_compared() {
        assert!(overflows((1 << 32) + 5, 5));
        assert!(overflows(3_000_000_000, i128::from(i32::MAX)));
        assert!(!overflows(3_000_000_000, 1));
        assert!(!overflows(1 << 40, 1 << 33));
        assert!(!overflows((1 << 32) + 5, i128::MIN));
        assert!(!overflows(1 << 32, 1 << 32));
    }

    #[test]
    fn more_is_only_taken_away_if_the_difference_is_a_removal() {
        let two = ExpectedGrant::from([("hat".to_owned(), 2)]);
        let either = [ExpectedGrant::new(), two];
        let nothing = [ExpectedGrant::new()];
        for (expected, observed, acceptable, found) in [
            (5, 1, &either[..], GrantFailure::TakenTooOften),
            (5, 0, &either, GrantFailure::TooLittle),
            (5, 7, &either, GrantFailure::NotTaken),
            (7, 5, &nothing, GrantFailure::TakenTooOften),
        ] {
            let wrong = WrongChange {
                sku: "hat".to_owned(),
                expected,
                observed,
            };
            assert_eq!(GrantFailure::of_removal(&[wrong], acceptable), found);
        }
    }

    #[test]
    fn wrong_changes_are_told_apart() {
        let hat = |quantity| ExpectedGrant::from([("hat".to_owned(), quantity)]);
        let failure = |expected, observed, acceptable: &[ExpectedGrant], is_accepted| {
            let wrong = WrongChange {
                sku: "hat".to_owned(),
                expected,
                observed,
            };
            GrantFailure::of(&[wrong], acceptable, is_accepted, false)
        };
        for (expected, observed, found) in [
            (5, 0, GrantFailure::AcceptedNotGranted),
            (5, 15, GrantFailure::Repeated),
            (5, 7, GrantFailure::TooMuch),
            (5, 3, GrantFailure::TooLittle),
            (3_000_000_000, -1_294_967_296, GrantFailure::Overflow),
            (5_000_000_000, 705_032_704, GrantFailure::Overflow),
            (16_777_217, 16_777_216, GrantFailure::Rounded),
            ((1 << 53) + 1, 1 << 53, GrantFailure::Rounded),
        ] {
            let acceptable = [hat(u128::try_from(expected).unwrap())];
            assert_eq!(failure(expected, observed, &acceptable, Some(true)), found);
        }
        let two = ExpectedGrant::from([("hat".to_owned(), 5), ("shoe".to_owned(), 1)]);
        assert_eq!(
            failure(5, 0, std::slice::from_ref(&two), Some(true)),
            GrantFailure::PartMissing
        );
        let nothing = ExpectedGrant::new();
        let either = [nothing.clone(), hat(5)];
        assert_eq!(failure(0, 10, &either, Some(true)), GrantFailure::Repeated);
        let of_other = [ExpectedGrant::from([("shoe".to_owned(), 1)])];
        let either = [hat(1), of_other[0].clone()];
        assert_eq!(failure(0, 1, &either, Some(true)), GrantFailure::OtherItem);
        assert_eq!(
            failure(0, 1, &of_other, Some(true)),
            GrantFailure::OtherItem
        );
        assert_eq!(
            failure(5, 0, &[hat(5)], Some(false)),
            GrantFailure::NeverAccepted
        );
        assert_eq!(
            failure(0, 5, std::slice::from_ref(&nothing), Some(false)),
            GrantFailure::Forbidden
        );
        assert_eq!(failure(0, 5, &[nothing], None), GrantFailure::Forbidden);
        let gained = |observed, two_kinds| {
            let wrong = WrongChange {
                sku: "hat".to_owned(),
                expected: 5,
                observed,
            };
            GrantFailure::of(&[wrong], &[hat(5)], Some(true), two_kinds)
        };
        assert_eq!(gained(10, true), GrantFailure::BothEvents);
        assert_eq!(gained(10, false), GrantFailure::Repeated);
        assert_eq!(gained(15, true), GrantFailure::Repeated);
        let change = |sku: &str, expected, observed| WrongChange {
            sku: sku.to_owned(),
            expected,
            observed,
        };
        for (hat, found) in [
            (0, GrantFailure::BundleItself),
            (2, GrantFailure::OtherItem),
        ] {
            let wrong = [change("pack", 0, 1), change("hat", 5, hat)];
            let bundles = ["pack".to_owned()];
            assert_eq!(
                GrantFailure::OtherItem.unless_bundle_itself(&wrong, &bundles),
                found
            );
            assert_eq!(
                GrantFailure::OtherItem.unless_bundle_itself(&wrong[..1], &bundles),
                GrantFailure::OtherItem
            );
        }
        let fallback = ExpectedGrant::from([("boots".to_owned(), 3)]);
        for (boots, found) in [
            (3, GrantFailure::ItemAndFallback),
            (2, GrantFailure::TooMuch),
        ] {
            let wrong = [change("boots", 0, boots)];
            let acceptable = [hat(5), fallback.clone()];
            assert_eq!(
                GrantFailure::TooMuch.unless_item_and_fallback(&wrong, &acceptable),
                found
            );
        }
        for failure in GrantFailure::ALL {
            assert_eq!(GrantFailure::from_text(failure.text()), Some(failure));
        }
    }
}
