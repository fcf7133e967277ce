//! A snapshot file in insta's format: a YAML header between two `---` lines, then the text.

use std::fmt::Write as _;
use std::fs;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use serde::Deserialize;

use crate::files::{self, Readers, Replacement};

/// The maximum size of a snapshot in bytes.
const FILE_LIMIT: u64 = 64 * 1024 * 1024;

/// A snapshot and its header.
///
/// Other keys of the header are ignored, because insta's tools write some.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
pub struct SnapshotFile {
    /// The scenario's file.
    pub source: Option<String>,
    /// The scenario's name, in the field in which insta shows a snapshot's expression.
    pub expression: Option<String>,
    /// The line of the name in the scenario's file; only in pending files.
    pub assertion_line: Option<usize>,
    /// The text without trailing newlines.
    #[serde(skip)]
    pub contents: String,
}

const FENCE: &str = "---";
pub(super) const REVIEWED: &str = "snap";
const PENDING: &str = "snap.new";

pub(super) fn pending_path(reviewed: &Path) -> PathBuf {
    reviewed.with_extension(PENDING)
}

/// The path of the reviewed snapshot for a pending one. `None` if `pending` has another extension.
pub(super) fn reviewed_path(pending: &Path) -> Option<PathBuf> {
    let name = pending.file_name()?.to_str()?;
    let stem = name.strip_suffix(PENDING)?.strip_suffix('.')?;
    Some(pending.with_file_name(format!("{stem}.{REVIEWED}")))
}

impl SnapshotFile {
    /// Reads a file. Returns `None` if it does not exist.
    pub fn read(path: &Path) -> io::Result<Option<Self>> {
        match files::read_text(path, FILE_LIMIT) {
            Ok(text) => Ok(Some(Self::parse(&text))),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Parses a text. A text without a header is all contents.
    pub fn parse(text: &str) -> Self {
        let text = text.replace("\r\n", "\n");
        let parts = text
            .strip_prefix(FENCE)
            .and_then(|rest| rest.strip_prefix('\n'))
            .and_then(|rest| rest.split_once(&format!("\n{FENCE}\n")));
        let (header, contents) = match parts {
            Some((header, contents)) => {
                (serde_saphyr::from_str(header).unwrap_or_default(), contents)
            }
            None => (Self::default(), text.as_str()),
        };
        Self {
            contents: contents.trim_end_matches('\n').to_owned(),
            ..header
        }
    }

    /// The file's text.
    pub fn to_text(&self) -> String {
        let quoted = |text: &String| quoted(text);
        let mut text = format!("{FENCE}\n");
        let keys = [
            ("source", self.source.as_ref().map(quoted)),
            (
                "assertion_line",
                self.assertion_line.map(|line| line.to_string()),
            ),
            ("expression", self.expression.as_ref().map(quoted)),
        ];
        for (key, value) in keys {
            if let Some(value) = value {
                text.extend([key, ": ", &value, "\n"]);
            }
        }
        text.extend([FENCE, "\n", &self.contents, "\n"]);
        text
    }

    /// Writes the file atomically, and creates its folder if necessary.
    pub fn write(&self, path: &Path) -> io::Result<()> {
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder)?;
        }
        let (mut file, replacement) = Replacement::begin(path, Readers::Usual)?;
        file.write_all(self.to_text().as_bytes())?;
        replacement.commit()
    }
}

/// A text in YAML's double quotes. Invisible characters are escaped, because YAML does not allow all of
/// them.
fn quoted(text: &str) -> String {
    let json = serde_json::Value::from(text).to_string();
    let mut quoted = String::with_capacity(json.len());
    for character in json.chars() {
        match character {
            ' '..='~' => quoted.push(character),
            _ if character.is_alphanumeric() => quoted.push(character),
            _ => _ = write!(quoted, "\\U{:08X}", u32::from(character)),
        }
    }
    quoted
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_round_trips() {
        let file = SnapshotFile {
            source: Some("scenarios/a: b.yaml".to_owned()),
            expression: Some("\"x\" [text=½ #1]".to_owned()),
            assertion_line: Some(3),
            contents: "one\n---\n\ntwo".to_owned(),
        };
        assert_eq!(SnapshotFile::parse(&file.to_text()), file);
        let windows = file.to_text().replace('\n', "\r\n");
        assert_eq!(SnapshotFile::parse(&windows), file);
    }

    #[test]
    fn a_text_without_a_header_is_all_contents() {
        for text in ["", "x\n", "---\nsource: x\n", "--- \n"] {
            let file = SnapshotFile::parse(text);
            assert_eq!(file.contents, text.trim_end_matches('\n'));
        }
    }

    #[test]
    fn pending_and_reviewed_paths_correspond() {
        let reviewed = Path::new("a/v1.2@x=1.snap");
        let pending = pending_path(reviewed);
        assert_eq!(pending, Path::new("a/v1.2@x=1.snap.new"));
        assert_eq!(reviewed_path(&pending).as_deref(), Some(reviewed));
        assert_eq!(reviewed_path(reviewed), None);
    }
}
