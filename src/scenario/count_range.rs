//! An expected count: a number or a range.

use std::fmt;

use schemars::JsonSchema;
use serde::de::{self, Unexpected};
use serde_json::Value;

use crate::policy::{Written, deserialize_written};

#[derive(Debug, Clone, Copy, PartialEq, Eq, JsonSchema)]
#[schemars(
    with = "Value",
    description = "A count such as `3`, or a range such as `1..3`, `2..` or `..4`. A range includes both ends.",
    extend("anyOf" = [
        { "type": "integer", "minimum": 0 },
        { "type": "string", "pattern": r"^\s*(\d+|\d*\s*\.\.\s*\d*)\s*$" },
    ])
)]
pub struct CountRange {
    pub min: u64,
    pub max: Option<u64>,
}

impl CountRange {
    pub fn contains(self, count: u64) -> bool {
        count >= self.min && self.max.is_none_or(|max| count <= max)
    }

    fn parse(text: &str) -> Option<Self> {
        let bound = |text: &str| match text.trim() {
            "" => Some(None),
            count => count.parse().ok().map(Some),
        };
        let (min, max) = if let Some((min, max)) = text.split_once("..") {
            (bound(min)?.unwrap_or(0), bound(max)?)
        } else {
            let count = text.trim().parse().ok()?;
            (count, Some(count))
        };
        max.is_none_or(|max| max >= min)
            .then_some(Self { min, max })
    }
}

impl fmt::Display for CountRange {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.min, self.max) {
            (min, Some(max)) if min == max => write!(formatter, "{min}"),
            (min, Some(max)) => write!(formatter, "{min}..{max}"),
            (min, None) => write!(formatter, "{min}.."),
        }
    }
}

impl Written for CountRange {
    const EXPECTED: &'static str = "a count such as `3`, or a range such as `1..3`, `2..` or `..4`";

    fn from_scalar<E: de::Error>(scalar: Unexpected<'_>) -> Result<Self, E> {
        match scalar {
            Unexpected::Unsigned(count) => Ok(Self {
                min: count,
                max: Some(count),
            }),
            Unexpected::Str(text) => {
                Self::parse(text).ok_or_else(|| E::invalid_value(scalar, &Self::EXPECTED))
            }
            _ => Err(E::invalid_type(scalar, &Self::EXPECTED)),
        }
    }
}

deserialize_written!(CountRange);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_include_both_ends() {
        for (text, inside, outside) in [
            ("3", vec![3], vec![2, 4]),
            ("1..3", vec![1, 3], vec![0, 4]),
            ("2..", vec![2, 9], vec![1]),
        ] {
            let range = CountRange::parse(text).expect("a range");
            assert_eq!(range.to_string(), text);
            assert!(
                inside.into_iter().all(|count| range.contains(count)),
                "{text}"
            );
            assert!(
                !outside.into_iter().any(|count| range.contains(count)),
                "{text}"
            );
        }
        assert_eq!(CountRange::parse("3..1"), None);
        assert_eq!(CountRange::parse("many"), None);
    }
}
