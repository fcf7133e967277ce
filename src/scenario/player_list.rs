//! The game's test players: by ID, by pattern, or from a file.

use std::borrow::Cow;
use std::path::{Path, PathBuf};

use indexmap::IndexSet;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::Deserialize;
use serde::de::value::MapAccessDeserializer;
use serde::de::{self, Deserializer, Error as _, MapAccess, Unexpected};

use crate::policy::{Written, deserialize_written};

/// The players to use in generated events.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PlayerList {
    ids: Vec<String>,
    file: Option<PathBuf>,
}

/// A file of players.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct PlayerFile {
    /// A file with one ID or pattern per line; the path is relative to this file.
    file: PathBuf,
}

/// The maximum number of players. No run uses that many.
const MAX_PLAYERS: usize = 1_000_000;

impl PlayerList {
    /// The unique IDs, in their order.
    pub fn ids(&self) -> &[String] {
        &self.ids
    }

    /// Reads the player file, if there is one, from `folder`.
    pub(super) fn read(&mut self, folder: &Path) -> Result<(), PlayerFileError> {
        let Some(file) = self.file.take() else {
            return Ok(());
        };
        let path = folder.join(file);
        let text = match std::fs::read_to_string(&path) {
            Ok(text) => text,
            Err(error) => return Err(PlayerFileError::Unreadable(path, error)),
        };
        let lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
        *self = Self::of(lines).map_err(|error| PlayerFileError::Invalid(path, error))?;
        Ok(())
    }

    fn of<T: AsRef<str>>(entries: impl IntoIterator<Item = T>) -> Result<Self, PlayerListError> {
        let mut ids = IndexSet::new();
        for entry in entries {
            ids.extend(expand(entry.as_ref())?);
            if ids.len() > MAX_PLAYERS {
                return Err(PlayerListError::TooManyPlayers);
            }
        }
        if ids.is_empty() {
            return Err(PlayerListError::Empty);
        }
        Ok(Self {
            ids: ids.into_iter().collect(),
            file: None,
        })
    }
}

/// Why a list of players is invalid.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum PlayerListError {
    #[error("the list of players is empty")]
    Empty,
    #[error("expected at most {MAX_PLAYERS} players")]
    TooManyPlayers,
    #[error("a player ID is empty")]
    EmptyId,
    #[error("`{0}` has no `}}` after its range")]
    OpenRange(String),
    #[error("`{0}` has two ranges, but only one is allowed")]
    TwoRanges(String),
    #[error("the number {0} is too large")]
    LargeNumber(String),
    #[error("the range {{{0}..{1}}} starts after its end")]
    ReversedRange(String, String),
    #[error("the range {{{0}..{1}}} has more than {MAX_PLAYERS} players")]
    LongRange(String, String),
}

/// Why a file of players can't be used.
#[derive(Debug, thiserror::Error)]
pub(super) enum PlayerFileError {
    #[error("can't read {path}: {1}", path = .0.display())]
    Unreadable(PathBuf, std::io::Error),
    #[error("{path}: {1}", path = .0.display())]
    Invalid(PathBuf, PlayerListError),
}

/// Expands a pattern into IDs. A text without a pattern is an ID.
fn expand(text: &str) -> Result<Vec<String>, PlayerListError> {
    if text.is_empty() {
        return Err(PlayerListError::EmptyId);
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
                Err(PlayerListError::OpenRange(text.to_owned()))
            }
            _ => Ok(vec![text.to_owned()]),
        };
    };
    if after.contains("..") && after.contains('{') {
        return Err(PlayerListError::TwoRanges(text.to_owned()));
    }
    let number = |text: &str| -> Result<usize, PlayerListError> {
        let number = text.parse().ok().filter(|number| *number < usize::MAX);
        number.ok_or_else(|| PlayerListError::LargeNumber(text.to_owned()))
    };
    let (from, to) = (number(first)?, number(last)?);
    if from > to {
        return Err(PlayerListError::ReversedRange(first.into(), last.into()));
    }
    if to - from >= MAX_PLAYERS {
        return Err(PlayerListError::LongRange(first.into(), last.into()));
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

impl Written for PlayerList {
    const EXPECTED: &'static str = "an ID or a pattern such as `player-{0..999}`, a list of them, or \
                                    `{ file: players.txt }`";

    fn from_scalar<E: de::Error>(scalar: Unexpected<'_>) -> Result<Self, E> {
        match scalar {
            Unexpected::Str(text) => Self::of([text]).map_err(E::custom),
            other => Err(E::invalid_type(other, &Self::EXPECTED)),
        }
    }

    fn from_list<'de, L: Deserializer<'de>>(list: L) -> Result<Self, L::Error> {
        Self::of(Vec::<String>::deserialize(list)?).map_err(L::Error::custom)
    }

    fn from_map<'de, M: MapAccess<'de>>(map: M) -> Result<Self, M::Error> {
        let PlayerFile { file } = PlayerFile::deserialize(MapAccessDeserializer::new(map))?;
        Ok(Self {
            ids: Vec::new(),
            file: Some(file),
        })
    }
}

deserialize_written!(PlayerList);

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
        let message =
            |entries: &[&str]| PlayerList::of(entries).expect_err("a mistake").to_string();
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
