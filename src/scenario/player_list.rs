//! The game's test players: by ID, by pattern, or from a file.

use std::path::{Path, PathBuf};

use indexmap::IndexSet;
use schemars::JsonSchema;
use serde::Deserialize;
use serde::de::value::MapAccessDeserializer;
use serde::de::{self, Deserializer, Error as _, MapAccess, Unexpected};

use super::document::shortened;
use crate::files;
use crate::policy::{Written, deserialize_written, written_schema};

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

const MAX_PLAYERS: usize = 1_000_000;
/// The maximum length of all IDs together, in bytes. Patterns can be much shorter.
const MAX_LENGTH: usize = 64 * 1024 * 1024;
/// The most digits of a number in a range.
const MAX_DIGITS: usize = 20;
/// The maximum size of a player file in bytes.
const FILE_LIMIT: u64 = 64 * 1024 * 1024;

impl PlayerList {
    pub fn ids(&self) -> &[String] {
        &self.ids
    }

    /// The player file, if there is one that has not been read.
    pub(crate) fn file(&self) -> Option<&Path> {
        self.file.as_deref()
    }

    /// Reads the player file, if there is one, from `folder`.
    pub(super) fn read(&mut self, folder: &Path) -> Result<(), String> {
        if let Some(file) = self.file.take() {
            let path = folder.join(file);
            let text = files::read_text(&path, FILE_LIMIT)
                .map_err(|error| format!("can't read {}: {error}", path.display()))?;
            let lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
            *self = Self::of(lines).map_err(|error| format!("{}: {error}", path.display()))?;
        }
        Ok(())
    }

    fn of<T: AsRef<str>>(entries: impl IntoIterator<Item = T>) -> Result<Self, String> {
        let mut ids = IndexSet::new();
        let mut left = MAX_LENGTH;
        for entry in entries {
            ids.extend(expand(entry.as_ref(), &mut left)?);
            if ids.len() > MAX_PLAYERS {
                return Err(format!("expected at most {MAX_PLAYERS} players"));
            }
        }
        if ids.is_empty() {
            return Err("the list of players is empty".to_owned());
        }
        Ok(Self {
            ids: ids.into_iter().collect(),
            file: None,
        })
    }
}

/// Expands a pattern into IDs, whose lengths are taken from what is `left`. A text without a pattern is an
/// ID.
fn expand(text: &str, left: &mut usize) -> Result<Vec<String>, String> {
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
            _ => take_length(left, 1, text.len()).map(|()| vec![text.to_owned()]),
        };
    };
    if after.contains("..") && after.contains('{') {
        return Err(format!("`{text}` has two ranges, but only one is allowed"));
    }
    let number = |text: &str| -> Result<usize, String> {
        let number = text.parse().ok().filter(|number| *number < usize::MAX);
        let number = number.filter(|_| text.len() <= MAX_DIGITS);
        let shown = shortened(text, MAX_DIGITS);
        number.ok_or_else(|| format!("the number {shown} is too large"))
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
    let length = before.len() + width.max(last.len()) + after.len();
    take_length(left, to - from + 1, length)?;
    Ok((from..=to)
        .map(|number| format!("{before}{number:0width$}{after}"))
        .collect())
}

fn take_length(left: &mut usize, count: usize, length: usize) -> Result<(), String> {
    let rest = left.checked_sub(count.saturating_mul(length));
    *left = rest.ok_or_else(|| {
        let limit = MAX_LENGTH / 1024 / 1024;
        format!("the players' IDs have more than {limit} MiB")
    })?;
    Ok(())
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

written_schema!(PlayerList, "PlayerList", |generator| {
    "description": "Player IDs, or patterns such as `player-{0..999}`; or a file with one of these per \
        line.",
    "anyOf": [
        { "type": "string" },
        { "type": "array", "items": { "type": "string" }, "minItems": 1 },
        generator.subschema_for::<PlayerFile>(),
    ],
});

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
        let zeros = format!("p{{{}..1}}", "0".repeat(70_000));
        assert!(message(&[&zeros]).contains("too large"));
        let long = format!("{}{{1..999999}}", "p".repeat(100));
        assert!(message(&[&long]).contains("64 MiB"));
        assert!(message(&["p{1..999999}"; 20]).contains("64 MiB"));
    }
}
