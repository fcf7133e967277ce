//! The game's test players: by ID, by pattern, or from a file.

use std::borrow::Cow;
use std::collections::HashSet;
use std::fmt;
use std::path::{Path, PathBuf};

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::{self, Deserializer, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Serialize};

/// The players to use in generated events.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PlayerList {
    ids: Vec<String>,
    file: Option<PathBuf>,
}

/// A file of players.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct PlayerFile {
    /// A file with one ID or pattern per line; the path is relative to this file.
    file: PathBuf,
}

/// The maximum number of players. No run uses that many.
const MAX_PLAYERS: usize = 1_000_000;

impl PlayerList {
    const EXPECTED: &str = "an ID or a pattern such as `player-{0..999}`, a list of them, or \
                            `{ file: players.txt }`";

    /// The unique IDs, in their order.
    pub fn ids(&self) -> &[String] {
        &self.ids
    }

    /// Reads the player file, if there is one, from `folder`.
    pub(super) fn read(&mut self, folder: &Path) -> Result<(), String> {
        let Some(file) = self.file.take() else {
            return Ok(());
        };
        let path = folder.join(file);
        let shown = path.display();
        let text = std::fs::read_to_string(&path)
            .map_err(|error| format!("can't read {shown}: {error}"))?;
        let lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
        *self = Self::of(lines).map_err(|problem| format!("{shown}: {problem}"))?;
        Ok(())
    }

    fn of<T: AsRef<str>>(entries: impl IntoIterator<Item = T>) -> Result<Self, String> {
        let mut seen = HashSet::new();
        let mut ids = Vec::new();
        for entry in entries {
            for id in expand(entry.as_ref())? {
                if seen.insert(id.clone()) {
                    ids.push(id);
                }
            }
            if ids.len() > MAX_PLAYERS {
                return Err(format!("expected at most {MAX_PLAYERS} players"));
            }
        }
        if ids.is_empty() {
            return Err("the list of players is empty".to_owned());
        }
        Ok(Self { ids, file: None })
    }
}

/// Expands a pattern into IDs. A text without a pattern is an ID.
fn expand(text: &str) -> Result<Vec<String>, String> {
    if text.is_empty() {
        return Err("a player ID is empty".to_owned());
    }
    let is_number = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let pattern = text.split_once('{').and_then(|(before, rest)| {
        let (range, after) = rest.split_once('}')?;
        let (first, last) = range.split_once("..")?;
        (is_number(first) && is_number(last)).then_some((before, first, last, after))
    });
    let Some((before, first, last, after)) = pattern else {
        return match text.split_once('{') {
            Some((_, rest)) if rest.contains("..") && !rest.contains('}') => {
                Err(format!("`{text}` has no `}}` after its range"))
            }
            _ => Ok(vec![text.to_owned()]),
        };
    };
    if after.contains("..") && after.contains('{') {
        return Err(format!("`{text}` has two ranges, but only one is allowed"));
    }
    let number = |text: &str| -> Result<usize, String> {
        let number = text.parse().ok().filter(|number| *number < usize::MAX);
        number.ok_or_else(|| format!("the number {text} is too large"))
    };
    let (from, to) = (number(first)?, number(last)?);
    if from > to {
        return Err(format!(
            "the range {{{first}..{last}}} starts after its end"
        ));
    }
    if to - from >= MAX_PLAYERS {
        return Err(format!(
            "the range {{{first}..{last}}} has more than {MAX_PLAYERS} players"
        ));
    }
    // As in a shell, leading zeros set the width of every number.
    let width = if first.starts_with('0') {
        first.len()
    } else {
        0
    };
    Ok((from..=to)
        .map(|number| format!("{before}{number:0width$}{after}"))
        .collect())
}

impl<'de> Deserialize<'de> for PlayerList {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct PlayerListVisitor;

        impl<'de> Visitor<'de> for PlayerListVisitor {
            type Value = PlayerList;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str(PlayerList::EXPECTED)
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<PlayerList, E> {
                PlayerList::of([text]).map_err(E::custom)
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut entries: A) -> Result<PlayerList, A::Error> {
                let mut texts: Vec<String> = Vec::new();
                while let Some(text) = entries.next_element()? {
                    texts.push(text);
                }
                PlayerList::of(texts).map_err(de::Error::custom)
            }

            fn visit_map<A: MapAccess<'de>>(self, entries: A) -> Result<PlayerList, A::Error> {
                let map = de::value::MapAccessDeserializer::new(entries);
                let PlayerFile { file } = PlayerFile::deserialize(map)?;
                Ok(PlayerList {
                    ids: Vec::new(),
                    file: Some(file),
                })
            }
        }

        deserializer.deserialize_any(PlayerListVisitor)
    }
}

impl JsonSchema for PlayerList {
    fn schema_name() -> Cow<'static, str> {
        "PlayerList".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "description": "Player IDs, or patterns such as `player-{0..999}`; or a file with one \
                of these per line.",
            "anyOf": [
                { "type": "string" },
                { "type": "array", "items": { "type": "string" }, "minItems": 1 },
                generator.subschema_for::<PlayerFile>(),
            ],
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ids(entries: &[&str]) -> Vec<String> {
        PlayerList::of(entries).expect("a list").ids
    }

    #[test]
    fn patterns_and_ids_are_expanded_in_order_without_duplicates() {
        assert_eq!(ids(&["p{8..10}"]), ["p8", "p9", "p10"]);
        assert_eq!(ids(&["{08..10}-x"]), ["08-x", "09-x", "10-x"]);
        assert_eq!(ids(&["a{0..0}", "b", "a0"]), ["a0", "b"]);
        // Other braces are part of the ID.
        assert_eq!(
            ids(&["{guid}", "{..2}", "a{1..b}"]),
            ["{guid}", "{..2}", "a{1..b}"]
        );
    }

    #[test]
    fn empty_and_too_long_lists_are_rejected() {
        let message = |entries: &[&str]| PlayerList::of(entries).expect_err("a mistake");
        assert_eq!(message(&[]), "the list of players is empty");
        assert_eq!(message(&[""]), "a player ID is empty");
        assert_eq!(
            message(&["p{3..1}"]),
            "the range {3..1} starts after its end"
        );
        assert_eq!(message(&["p{0..9"]), "`p{0..9` has no `}` after its range");
        assert!(message(&["p{0..9}-{0..9}"]).contains("two ranges"));
        assert!(message(&["p{0..1000000}"]).contains("more than 1000000"));
        assert!(message(&["p{0..99999999999999999999999}"]).contains("too large"));
    }
}
