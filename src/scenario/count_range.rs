//! An expected count: a number or a range.

use std::borrow::Cow;
use std::fmt;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::{self, Deserialize, Deserializer, Visitor};

/// `3`, `1..3`, `2..` or `..4`. A range includes both ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CountRange {
    /// The smallest allowed count.
    pub min: u64,
    /// The largest allowed count; `None` if unlimited.
    pub max: Option<u64>,
}

impl CountRange {
    /// Whether `count` is allowed.
    pub fn contains(self, count: u64) -> bool {
        count >= self.min && self.max.is_none_or(|max| count <= max)
    }

    fn parse(text: &str) -> Option<Self> {
        let Some((min, max)) = text.split_once("..") else {
            let count = text.trim().parse().ok()?;
            return Some(Self {
                min: count,
                max: Some(count),
            });
        };
        let (min, max) = (min.trim(), max.trim());
        let range = Self {
            min: if min.is_empty() { 0 } else { min.parse().ok()? },
            max: if max.is_empty() {
                None
            } else {
                Some(max.parse().ok()?)
            },
        };
        range
            .max
            .is_none_or(|max| max >= range.min)
            .then_some(range)
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
                    min: count,
                    max: Some(count),
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
            "description": "A count such as `3`, or a range such as `1..3`, `2..` or `..4`. A range includes both ends.",
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
