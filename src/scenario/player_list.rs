//! The players that a game's test accounts are: by their IDs, by a pattern, or from a file.

use std::borrow::Cow;
use std::collections::HashSet;
use std::fmt;
use std::path::{Path, PathBuf};

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::{self, Deserializer, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Serialize};

/// The players that generated events are about.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PlayerList {
    ids: Vec<String>,
    file: Option<PathBuf>,
}

/// The long form.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct PlayerFile {
    /// A file of IDs or patterns, one a line; relative to this file.
    file: PathBuf,
}

/// The most players that are listed: more than any run can meet.
const MOST: usize = 1_000_000;

impl PlayerList {
    const EXPECTED: &str = "an ID or a pattern such as `player-{0..999}`, a list of them, or \
                            `{ file: players.txt }`";

    /// The IDs, each once and in their order.
    pub fn ids(&self) -> &[String] {
        &self.ids
    }

    /// Reads the file, if one is named, from this folder.
    pub(super) fn read(&mut self, folder: &Path) -> Result<(), String> {
        let Some(file) = self.file.take() else {
            return Ok(());
        };
        let path = folder.join(file);
        let shown = path.display();
        let text = std::fs::read_to_string(&path)
            .map_err(|error| format!("{shown} can't be read: {error}"))?;
        let lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
        *self = Self::of(lines).map_err(|problem| format!("{shown}: {problem}"))?;
        Ok(())
    }

    fn of<T: AsRef<str>>(entries: impl IntoIterator<Item = T>) -> Result<Self, String> {
        let mut seen = HashSet::new();
        let mut ids = Vec::new();
        for entry in entries {
            for id in expanded(entry.as_ref())? {
                if seen.insert(id.clone()) {
                    ids.push(id);
                }
            }
            if ids.len() > MOST {
                return Err(format!("these are more than {MOST} players"));
            }
        }
        if ids.is_empty() {
            return Err("no player is listed".to_owned());
        }
        Ok(Self { ids, file: None })
    }
}

/// The IDs that a pattern stands for; a text without one is an ID.
fn expanded(text: &str) -> Result<Vec<String>, String> {
    if text.is_empty() {
        return Err("a player's ID is empty".to_owned());
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
                Err(format!("`{text}` has no `}}` behind its range"))
            }
            _ => Ok(vec![text.to_owned()]),
        };
    };
    if after.contains("..") && after.contains('{') {
        return Err(format!("`{text}` has two ranges, and there can be one"));
    }
    let number = |text: &str| -> Result<usize, String> {
        let number = text.parse().ok().filter(|number| *number < usize::MAX);
        number.ok_or_else(|| format!("{text} is too large a number"))
    };
    let (from, to) = (number(first)?, number(last)?);
    if from > to {
        return Err(format!("{{{first}..{last}}} begins after its end"));
    }
    if to - from >= MOST {
        return Err(format!(
            "{{{first}..{last}}} stands for more than {MOST} players"
        ));
    }
    // As in a shell, leading zeros say how wide every number is.
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
        struct ListVisitor;

        impl<'de> Visitor<'de> for ListVisitor {
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

        deserializer.deserialize_any(ListVisitor)
    }
}

impl JsonSchema for PlayerList {
    fn schema_name() -> Cow<'static, str> {
        "PlayerList".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "description": "IDs of players, or patterns such as `player-{0..999}`; or a file of \
                them, one a line.",
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
    fn patterns_and_ids_are_listed_once_in_their_order() {
        assert_eq!(ids(&["p{8..10}"]), ["p8", "p9", "p10"]);
        assert_eq!(ids(&["{08..10}-x"]), ["08-x", "09-x", "10-x"]);
        assert_eq!(ids(&["a{0..0}", "b", "a0"]), ["a0", "b"]);
        // Braces around anything else are a part of the ID.
        assert_eq!(
            ids(&["{guid}", "{..2}", "a{1..b}"]),
            ["{guid}", "{..2}", "a{1..b}"]
        );
    }

    #[test]
    fn what_lists_nobody_or_too_many_is_refused() {
        let told = |entries: &[&str]| PlayerList::of(entries).expect_err("a mistake");
        assert_eq!(told(&[]), "no player is listed");
        assert_eq!(told(&[""]), "a player's ID is empty");
        assert_eq!(told(&["p{3..1}"]), "{3..1} begins after its end");
        assert_eq!(told(&["p{0..9"]), "`p{0..9` has no `}` behind its range");
        assert!(told(&["p{0..9}-{0..9}"]).contains("two ranges"));
        assert!(told(&["p{0..1000000}"]).contains("more than 1000000"));
        assert!(told(&["p{0..99999999999999999999999}"]).contains("too large"));
    }
}
