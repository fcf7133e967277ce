//! A shard: the part of a load's event stream that one of several senders sends.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// Shard K of N: the events whose number modulo N is K − 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct LoadShard {
    position: u64,
    pub(super) count: u64,
}

impl Default for LoadShard {
    fn default() -> Self {
        Self {
            position: 1,
            count: 1,
        }
    }
}

impl LoadShard {
    /// The number in the whole stream of this shard's event `index`, counted from 0.
    pub fn number(self, index: u64) -> u64 {
        index
            .saturating_mul(self.count)
            .saturating_add(self.position - 1)
    }

    /// How many of the first `numbers` events of the whole stream are in this shard.
    pub fn count_of_first(self, numbers: u64) -> u64 {
        let before = self.position - 1;
        numbers.saturating_sub(before).div_ceil(self.count)
    }

    pub fn part_of<T>(self, list: impl Iterator<Item = T>) -> impl Iterator<Item = T> {
        let to_usize = |number: u64| usize::try_from(number).unwrap_or(usize::MAX);
        list.skip(to_usize(self.position - 1))
            .step_by(to_usize(self.count))
    }

    pub fn fits(self, length: usize) -> bool {
        length as u64 >= self.count
    }

    pub fn all(self) -> impl Iterator<Item = Self> {
        (1..=self.count).map(move |position| Self { position, ..self })
    }
}

impl FromStr for LoadShard {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (position, count) = text.split_once('/').unwrap_or_default();
        match (position.parse(), count.parse()) {
            (Ok(position), Ok(count)) if (1..=count).contains(&position) => {
                Ok(Self { position, count })
            }
            _ => Err("expected K/N with K from 1 to N, such as 1/4"),
        }
    }
}

impl TryFrom<String> for LoadShard {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

impl From<LoadShard> for String {
    fn from(shard: LoadShard) -> Self {
        shard.to_string()
    }
}

impl fmt::Display for LoadShard {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}/{}", self.position, self.count)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn shards_neither_overlap_nor_leave_gaps() {
        for count in 1..=5_u64 {
            for numbers in 0..20_u64 {
                let all = (1..=count).flat_map(|position| {
                    let shard = LoadShard { position, count };
                    let indices = 0..shard.count_of_first(numbers);
                    indices.map(move |index| shard.number(index))
                });
                let all: Vec<u64> = all.collect();
                let different: BTreeSet<u64> = all.iter().copied().collect();
                assert_eq!(different, (0..numbers).collect(), "{count} {numbers}");
                assert_eq!(all.len(), different.len());
            }
        }
    }

    #[test]
    fn parts_of_a_list_neither_overlap_nor_leave_gaps() {
        let shards = "1/3".parse::<LoadShard>().expect("a shard").all();
        let parts: Vec<Vec<u8>> = shards.map(|shard| shard.part_of(0..7).collect()).collect();
        assert_eq!(parts, [vec![0, 3, 6], vec![1, 4], vec![2, 5]]);
        let last: LoadShard = "3/3".parse().expect("a shard");
        assert!(last.fits(3) && !last.fits(2));
        assert_eq!(last.part_of(0..2).count(), 0);
    }

    #[test]
    fn invalid_shards_are_refused() {
        for text in ["", "1", "0/2", "3/2", "a/b", "1/0", "-1/2"] {
            assert!(text.parse::<LoadShard>().is_err(), "{text}");
        }
        let shard: LoadShard = "2/3".parse().expect("a shard");
        assert_eq!(shard.to_string(), "2/3");
    }
}
