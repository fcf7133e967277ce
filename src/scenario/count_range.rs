//! A count that a check allows: a number or a range of them.

use std::borrow::Cow;
use std::fmt;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::{self, Deserialize, Deserializer, Visitor};

/// `3`, `1..3` (both ends belong to it), `2..` or `..4`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CountRange {
    /// The smallest count allowed.
    pub least: u64,
    /// The largest count allowed; none is without bound.
    pub most: Option<u64>,
}

impl CountRange {
    /// Whether `count` is allowed.
    pub fn contains(self, count: u64) -> bool {
        count >= self.least && self.most.is_none_or(|most| count <= most)
    }

    fn parse(text: &str) -> Option<Self> {
        let Some((least, most)) = text.split_once("..") else {
            let count = text.trim().parse().ok()?;
            return Some(Self {
                least: count,
                most: Some(count),
            });
        };
        let (least, most) = (least.trim(), most.trim());
        let range = Self {
            least: if least.is_empty() {
                0
            } else {
                least.parse().ok()?
            },
            most: if most.is_empty() {
                None
            } else {
                Some(most.parse().ok()?)
            },
        };
        range
            .most
            .is_none_or(|most| most >= range.least)
            .then_some(range)
    }
}

impl fmt::Display for CountRange {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.least, self.most) {
            (least, Some(most)) if least == most => write!(formatter, "{least}"),
            (least, Some(most)) => write!(formatter, "{least}..{most}"),
            (least, None) => write!(formatter, "{least}.."),
        }
    }
}

impl<'de> Deserialize<'de> for CountRange {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct CountRangeVisitor;

        impl Visitor<'_> for CountRangeVisitor {
            type Value = CountRange;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter
                    .write_str("a count such as `3`, or a range such as `1..3`, `2..` or `..4`")
            }

            fn visit_u64<E>(self, count: u64) -> Result<CountRange, E> {
                Ok(CountRange {
                    least: count,
                    most: Some(count),
                })
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<CountRange, E> {
                CountRange::parse(text)
                    .ok_or_else(|| E::invalid_value(de::Unexpected::Str(text), &self))
            }
        }

        deserializer.deserialize_any(CountRangeVisitor)
    }
}

impl JsonSchema for CountRange {
    fn schema_name() -> Cow<'static, str> {
        "CountRange".into()
    }

    fn json_schema(_generator: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "description": "A count such as `3`, or a range such as `1..3`, `2..` or `..4`.",
            "anyOf": [
                { "type": "integer", "minimum": 0 },
                { "type": "string", "pattern": r"^\s*(\d+|\d*\s*\.\.\s*\d*)\s*$" }
            ]
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_hold_both_their_ends() {
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
