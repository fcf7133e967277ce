//! Pairs of IDs that differ, but that a database may take for equal.

use std::fmt;

use icu_normalizer::{ComposingNormalizer, DecomposingNormalizer};
use schemars::JsonSchema;
use serde::Deserialize;

// The doc comments are the descriptions in the JSON Schema, which authors read.

/// How two IDs differ.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum IdDifference {
    /// Only in upper and lower case, as `Zoe` and `zoe`.
    Case,
    /// Only in accents, as `Zoë` and `Zoe`.
    Accent,
    /// Only in the Unicode normalization, as `ë` in one code point and in two.
    Normalization,
    /// Only in a space at the end.
    TrailingSpace,
    /// Only in a zero at the beginning of an ID of digits.
    LeadingZero,
    /// Only in the last character.
    LastCharacter,
    /// Only in characters beyond Latin-1, as `水` and another one.
    BeyondLatin1,
}

/// How two similar IDs differ.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Likeness {
    DifferingIn(IdDifference),
    /// One has this ending more than the other.
    Ending(String),
}

impl Likeness {
    /// Another ID that is like `id`; `None` if there is none.
    pub(crate) fn other(&self, id: &str) -> Option<String> {
        match self {
            Self::DifferingIn(difference) => difference.other(id),
            Self::Ending(ending) => Some(id.to_owned() + ending),
        }
    }

    /// Whether `other` is like `one`.
    pub(crate) fn relates(&self, one: &str, other: &str) -> bool {
        match self {
            Self::DifferingIn(difference) => difference.distinguishes(one, other),
            Self::Ending(ending) => other.strip_suffix(ending.as_str()) == Some(one),
        }
    }
}

impl fmt::Display for Likeness {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::DifferingIn(difference) => difference.fmt(formatter),
            Self::Ending(ending) => write!(formatter, "the ending `{ending}`"),
        }
    }
}

impl IdDifference {
    /// Another ID that differs from `id` like this; `None` if there is none.
    pub(crate) fn other(self, id: &str) -> Option<String> {
        let candidates = match self {
            Self::Case => vec![id.to_lowercase(), id.to_uppercase()],
            Self::Accent => vec![without_accents(id)],
            Self::Normalization => vec![decomposed(id), composed(id)],
            Self::TrailingSpace => vec![format!("{id} ")],
            Self::LeadingZero => vec![format!("0{id}")],
            Self::BeyondLatin1 => vec![shifted_beyond_latin_1(id)],
            Self::LastCharacter if id.is_empty() => Vec::new(),
            Self::LastCharacter => ["A", "B"].map(|last| without_last(id) + last).into(),
        };
        let mut candidates = candidates.into_iter();
        candidates.find(|other| self.distinguishes(id, other))
    }

    /// Whether two IDs differ like this, and in nothing else.
    pub(crate) fn distinguishes(self, one: &str, other: &str) -> bool {
        let is_equal_by = |canonical: fn(&str) -> String| canonical(one) == canonical(other);
        one != other
            && match self {
                Self::Case => is_equal_by(str::to_lowercase),
                Self::Accent => is_equal_by(without_accents) && !is_equal_by(composed),
                Self::Normalization => is_equal_by(composed),
                Self::TrailingSpace => is_equal_by(|id| id.trim_end_matches(' ').to_owned()),
                Self::LeadingZero => {
                    [one, other].iter().all(|id| is_number(id))
                        && is_equal_by(|id| id.trim_start_matches('0').to_owned())
                }
                Self::BeyondLatin1 => {
                    is_equal_by(in_latin_1)
                        && !is_equal_by(str::to_lowercase)
                        && !is_equal_by(without_accents)
                }
                Self::LastCharacter => is_equal_by(without_last) && !is_equal_by(str::to_lowercase),
            }
    }
}

impl fmt::Display for IdDifference {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Case => "case",
            Self::Accent => "accents",
            Self::Normalization => "their Unicode normalization",
            Self::TrailingSpace => "a space at the end",
            Self::LeadingZero => "a zero at the beginning",
            Self::LastCharacter => "the last character",
            Self::BeyondLatin1 => "characters beyond Latin-1",
        })
    }
}

fn composed(id: &str) -> String {
    ComposingNormalizer::new_nfc().normalize(id).into_owned()
}

fn decomposed(id: &str) -> String {
    DecomposingNormalizer::new_nfd().normalize(id).into_owned()
}

fn without_accents(id: &str) -> String {
    let letters: String = decomposed(id)
        .chars()
        .filter(|character| !matches!(character, '\u{300}'..='\u{36f}'))
        .collect();
    composed(&letters)
}

fn in_latin_1(id: &str) -> String {
    let known = |character| if character > 'ÿ' { '?' } else { character };
    id.chars().map(known).collect()
}

/// With the next but one character for each beyond Latin-1: the next is often the same in another case.
fn shifted_beyond_latin_1(id: &str) -> String {
    let shifted = |character: char| match character {
        '\u{100}'.. => char::from_u32(u32::from(character) + 2).unwrap_or(character),
        _ => character,
    };
    id.chars().map(shifted).collect()
}

fn is_number(id: &str) -> bool {
    !id.is_empty() && id.bytes().all(|byte| byte.is_ascii_digit())
}

fn without_last(id: &str) -> String {
    let mut characters = id.chars();
    characters.next_back();
    characters.as_str().to_owned()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_other_id_differs_only_in_this() {
        for (difference, id, expected) in [
            (IdDifference::Case, "2D2R-Zoë", Some("2d2r-zoë")),
            (IdDifference::Case, "zoe", Some("ZOE")),
            (IdDifference::Case, "1234", None),
            (IdDifference::Accent, "Zoë", Some("Zoe")),
            (IdDifference::Accent, "Zoe\u{308}", Some("Zoe")),
            (IdDifference::Accent, "Zoe", None),
            (IdDifference::Normalization, "Zoë", Some("Zoe\u{308}")),
            (IdDifference::Normalization, "Zoe\u{308}", Some("Zoë")),
            (IdDifference::Normalization, "Zoe", None),
            (IdDifference::TrailingSpace, "Zoe", Some("Zoe ")),
            (IdDifference::LeadingZero, "1007", Some("01007")),
            (IdDifference::LeadingZero, "00", Some("000")),
            (IdDifference::LeadingZero, "x1", None),
            (IdDifference::LeadingZero, "", None),
            (IdDifference::BeyondLatin1, "Zoë-水晶", Some("Zoë-氶晸")),
            (IdDifference::BeyondLatin1, "Ж", Some("И")),
            (IdDifference::BeyondLatin1, "Zoë", None),
            (IdDifference::LastCharacter, "Zoe", Some("ZoA")),
            (IdDifference::LastCharacter, "Zoa", Some("ZoB")),
            (IdDifference::LastCharacter, "", None),
        ] {
            let other = difference.other(id);
            assert_eq!(other.as_deref(), expected, "{difference:?} {id}");
        }
    }

    #[test]
    fn an_id_that_differs_in_more_is_not_taken_for_a_pair() {
        for (difference, one, other) in [
            (IdDifference::Case, "Zoe", "Zoë"),
            (IdDifference::Accent, "Zoë", "zoe"),
            (IdDifference::Accent, "Zoë", "Zoe\u{308}"),
            (IdDifference::Normalization, "Zoë", "Zoe"),
            (IdDifference::TrailingSpace, "Zoe", "Zoe"),
            (IdDifference::LeadingZero, "1007", "1007"),
            (IdDifference::LeadingZero, "1007", "010070"),
            (IdDifference::LastCharacter, "Zoe", "Zo"),
            (IdDifference::BeyondLatin1, "Zoë", "Zoé"),
            (IdDifference::BeyondLatin1, "水晶", "水"),
            (IdDifference::BeyondLatin1, "Āge", "āge"),
        ] {
            assert!(
                !difference.distinguishes(one, other),
                "{difference:?} {one} {other}"
            );
        }
    }

    proptest! {
        #[test]
        fn both_ids_differ_in_the_same(id: String) {
            for difference in [
                IdDifference::Case,
                IdDifference::Accent,
                IdDifference::Normalization,
                IdDifference::TrailingSpace,
                IdDifference::LeadingZero,
                IdDifference::LastCharacter,
                IdDifference::BeyondLatin1,
            ] {
                if let Some(other) = difference.other(&id) {
                    prop_assert!(difference.distinguishes(&other, &id));
                }
            }
        }
    }
}
