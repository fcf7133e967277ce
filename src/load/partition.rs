//! One of several senders' shares of the same stream of events.

use std::fmt;
use std::str::FromStr;

/// The K-th of N shares: the events whose number leaves K − 1 when divided by N.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Partition {
    share: u64,
    shares: u64,
}

impl Default for Partition {
    fn default() -> Self {
        Self {
            share: 1,
            shares: 1,
        }
    }
}

impl Partition {
    /// The number in the whole stream of this share's event `index`, counted from 0.
    pub fn number(self, index: u64) -> u64 {
        index
            .saturating_mul(self.shares)
            .saturating_add(self.share - 1)
    }

    /// How many of the first `numbers` events of the whole stream are in this share.
    pub fn of_first(self, numbers: u64) -> u64 {
        let before = self.share - 1;
        numbers.saturating_sub(before).div_ceil(self.shares)
    }

    /// Whether both are shares of as many.
    pub fn is_beside(self, other: Self) -> bool {
        self.shares == other.shares
    }

    /// All shares of the same stream, in their order.
    pub fn all(self) -> impl Iterator<Item = Self> {
        (1..=self.shares).map(move |share| Self { share, ..self })
    }

    /// Whether this is the whole stream.
    pub fn is_whole(self) -> bool {
        self.shares == 1
    }
}

impl FromStr for Partition {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let numbers = text.split_once('/').and_then(|(share, shares)| {
            Some(Self {
                share: share.parse().ok()?,
                shares: shares.parse().ok()?,
            })
        });
        match numbers {
            Some(partition) if (1..=partition.shares).contains(&partition.share) => Ok(partition),
            _ => Err("expected K/N with K from 1 to N, such as 1/4".to_owned()),
        }
    }
}

impl fmt::Display for Partition {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}/{}", self.share, self.shares)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn shares_overlap_nowhere_and_leave_nothing_out() {
        for shares in 1..=5_u64 {
            for numbers in 0..20_u64 {
                let all = (1..=shares).flat_map(|share| {
                    let partition = Partition { share, shares };
                    let own = 0..partition.of_first(numbers);
                    own.map(move |index| partition.number(index))
                });
                let all: Vec<u64> = all.collect();
                let different: BTreeSet<u64> = all.iter().copied().collect();
                assert_eq!(different, (0..numbers).collect(), "{shares} {numbers}");
                assert_eq!(all.len(), different.len());
            }
        }
    }

    #[test]
    fn a_text_that_is_no_share_is_refused() {
        for text in ["", "1", "0/2", "3/2", "a/b", "1/0", "-1/2"] {
            assert!(text.parse::<Partition>().is_err(), "{text}");
        }
        let partition: Partition = "2/3".parse().expect("a share");
        assert_eq!(partition.to_string(), "2/3");
    }
}
