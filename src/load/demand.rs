//! What an event must have brought its player, once the load is over.

use serde::Serialize;

use super::mix::Treatment;

/// How often an event must have been granted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Demand {
    /// It was acknowledged: exactly once.
    Once,
    /// The sender knows of no acknowledgement: once or not at all.
    AtMostOnce,
    /// It was forged: not at all.
    Never,
}

/// The most events that are remembered as not acknowledged: 8 MB.
const MOST: usize = 1_000_000;

/// The events that were sent and not acknowledged: the only thing of an event that does not follow
/// from its number.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Unacknowledged {
    numbers: Vec<u64>,
    /// Those of them that the receiver refused as it may.
    lawful: Vec<u64>,
    overflowed: bool,
}

impl Unacknowledged {
    /// Remembers an event.
    pub(super) fn add(&mut self, number: u64) {
        if self.numbers.len() < MOST {
            self.numbers.push(number);
        } else {
            self.overflowed = true;
        }
    }

    /// Remembers an event that the receiver refused as it may.
    pub(super) fn add_lawful(&mut self, number: u64) {
        self.add(number);
        if self.lawful.len() < MOST {
            self.lawful.push(number);
        }
    }

    /// Joins what several workers remember; to be sorted before it is asked.
    pub(super) fn join(parts: impl IntoIterator<Item = Self>) -> Self {
        let mut joined = Self::default();
        for part in parts {
            joined.overflowed |= part.overflowed;
            for number in part.numbers {
                joined.add(number);
            }
            joined.lawful.extend(part.lawful);
        }
        joined.lawful.sort_unstable();
        joined.numbers.sort_unstable();
        joined.numbers.dedup();
        joined
    }

    /// The numbers of those that should have been acknowledged, in order; of very many, some.
    pub fn blamed(&self) -> impl Iterator<Item = u64> {
        let numbers = self.numbers.iter().copied();
        numbers.filter(|number| self.lawful.binary_search(number).is_err())
    }

    /// Whether there were more than can be remembered: then none is demanded to be granted.
    pub fn overflowed(&self) -> bool {
        self.overflowed
    }

    /// What is demanded of an event that was treated in this way.
    pub fn demand(&self, number: u64, treatment: Treatment) -> Demand {
        match treatment {
            Treatment::Forged(_) => Demand::Never,
            _ if self.overflowed || self.numbers.binary_search(&number).is_ok() => {
                Demand::AtMostOnce
            }
            _ => Demand::Once,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scenario::Forgery;

    #[test]
    fn a_demand_follows_from_what_the_sender_knows() {
        let of = |numbers: &[u64]| {
            let mut part = Unacknowledged::default();
            for number in numbers {
                part.add(*number);
            }
            part
        };
        let mut lawful = of(&[4]);
        lawful.add_lawful(7);
        let joined = Unacknowledged::join([of(&[9, 3]), lawful]);
        assert_eq!(joined.blamed().collect::<Vec<_>>(), [3, 4, 9]);
        for (number, demand) in [
            (3, Demand::AtMostOnce),
            (4, Demand::AtMostOnce),
            (7, Demand::AtMostOnce),
            (5, Demand::Once),
        ] {
            assert_eq!(joined.demand(number, Treatment::Together), demand);
        }
        let forged = Treatment::Forged(Forgery::WrongSecret);
        assert_eq!(joined.demand(3, forged), Demand::Never);
    }

    #[test]
    fn more_than_can_be_remembered_demands_less_and_never_too_much() {
        let mut part = Unacknowledged::default();
        (0..=MOST as u64).for_each(|number| part.add(number));
        assert!(part.overflowed());
        assert_eq!(part.demand(u64::MAX, Treatment::Plain), Demand::AtMostOnce);
        assert_eq!(part.numbers.len(), MOST);
    }
}
