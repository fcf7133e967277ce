//! The events of a load that were sent and not acknowledged, on which it depends how often each must have
//! been granted.

use super::treatment_mix::Treatment;
use crate::verify::GrantCount;

/// The most unacknowledged events to remember: 8 MB.
const MOST: usize = 1_000_000;

/// The events that were sent and not acknowledged: the only fact about an event that can't be
/// derived from its number.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Unacknowledged {
    numbers: Vec<u64>,
    /// The subset that the receiver was allowed to refuse.
    allowed: Vec<u64>,
    overflowed: bool,
}

impl Unacknowledged {
    pub(super) fn add(&mut self, number: u64) {
        if self.numbers.len() < MOST {
            self.numbers.push(number);
        } else {
            self.overflowed = true;
        }
    }

    pub(super) fn add_allowed(&mut self, number: u64) {
        self.add(number);
        if self.allowed.len() < MOST {
            self.allowed.push(number);
        }
    }

    pub(super) fn join(parts: impl IntoIterator<Item = Self>) -> Self {
        let mut joined = Self::default();
        for part in parts {
            joined.overflowed |= part.overflowed;
            for number in part.numbers {
                joined.add(number);
            }
            joined.allowed.extend(part.allowed);
        }
        joined.allowed.sort_unstable();
        joined.numbers.sort_unstable();
        joined.numbers.dedup();
        joined
    }

    /// The numbers of events that should have been acknowledged, in order; if there are too many,
    /// only some.
    pub(crate) fn unexpected(&self) -> impl Iterator<Item = u64> {
        let numbers = self.numbers.iter().copied();
        numbers.filter(|number| self.allowed.binary_search(number).is_err())
    }

    pub(crate) fn required_grants(&self, number: u64, treatment: Treatment) -> GrantCount {
        match treatment {
            Treatment::Forged(_) => GrantCount::Never,
            _ if self.overflowed || self.numbers.binary_search(&number).is_ok() => {
                GrantCount::AtMostOnce
            }
            _ => GrantCount::Once,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::Forgery;

    #[test]
    fn required_grants_follow_from_what_the_sender_knows() {
        let of = |numbers: &[u64]| {
            let mut part = Unacknowledged::default();
            for number in numbers {
                part.add(*number);
            }
            part
        };
        let mut allowed = of(&[4]);
        allowed.add_allowed(7);
        let joined = Unacknowledged::join([of(&[9, 3]), allowed]);
        assert_eq!(joined.unexpected().collect::<Vec<_>>(), [3, 4, 9]);
        for (number, required) in [
            (3, GrantCount::AtMostOnce),
            (4, GrantCount::AtMostOnce),
            (7, GrantCount::AtMostOnce),
            (5, GrantCount::Once),
        ] {
            assert_eq!(
                joined.required_grants(number, Treatment::Together),
                required
            );
        }
        let forged = Treatment::Forged(Forgery::WrongSecret);
        assert_eq!(joined.required_grants(3, forged), GrantCount::Never);
    }

    #[test]
    fn too_many_to_remember_never_requires_too_much() {
        let mut part = Unacknowledged::default();
        (0..=MOST as u64).for_each(|number| part.add(number));
        assert!(part.overflowed);
        assert_eq!(
            part.required_grants(u64::MAX, Treatment::Plain),
            GrantCount::AtMostOnce
        );
        assert_eq!(part.numbers.len(), MOST);
    }
}
