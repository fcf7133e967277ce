//! A snapshot as a file in insta's format: a head in YAML between two lines of `---`, then the text.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use serde::Deserialize;

/// A snapshot and what its head says.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SnapshotFile {
    /// The scenario's file.
    pub source: Option<String>,
    /// The scenario's name, in the place where insta shows which expression a snapshot is of.
    pub expression: Option<String>,
    /// The line of the name in the file; only in files that wait for review.
    pub assertion_line: Option<usize>,
    /// The text, without the ends of lines at its end.
    pub contents: String,
}

/// What is read of a head. Other keys are left alone: insta's tools write some.
#[derive(Debug, Default, Deserialize)]
struct Head {
    source: Option<String>,
    expression: Option<String>,
    assertion_line: Option<usize>,
}

/// The line before and after a head.
const FENCE: &str = "---";

/// The end of the names of reviewed snapshots.
pub(super) const REVIEWED: &str = "snap";

/// The end of the names of snapshots that wait for review.
const WAITING: &str = "snap.new";

/// Where the snapshot that waits for review stands that belongs to a reviewed one.
pub(super) fn waiting_path(reviewed: &Path) -> PathBuf {
    reviewed.with_extension(WAITING)
}

/// The reviewed snapshot that belongs to one that waits for review, if it is one.
pub(super) fn reviewed_path(waiting: &Path) -> Option<PathBuf> {
    let name = waiting.file_name()?.to_str()?;
    let stem = name.strip_suffix(WAITING)?.strip_suffix('.')?;
    Some(waiting.with_file_name(format!("{stem}.{REVIEWED}")))
}

impl SnapshotFile {
    /// Reads a file; nothing where there is none.
    pub fn read(path: &Path) -> io::Result<Option<Self>> {
        match fs::read_to_string(path) {
            Ok(text) => Ok(Some(Self::parse(&text))),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Reads a text. One without a head is all contents.
    pub fn parse(text: &str) -> Self {
        let text = text.replace("\r\n", "\n");
        let parts = text
            .strip_prefix(FENCE)
            .and_then(|rest| rest.strip_prefix('\n'))
            .and_then(|rest| rest.split_once(&format!("\n{FENCE}\n")));
        let (head, contents) = match parts {
            Some((head, contents)) => (serde_saphyr::from_str(head).unwrap_or_default(), contents),
            None => (Head::default(), text.as_str()),
        };
        Self {
            source: head.source,
            expression: head.expression,
            assertion_line: head.assertion_line,
            contents: contents.trim_end_matches('\n').to_owned(),
        }
    }

    /// The file's text.
    pub fn to_text(&self) -> String {
        let quoted = |text: &String| serde_json::Value::from(text.as_str()).to_string();
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
        text.push_str(FENCE);
        text.push('\n');
        text.push_str(&self.contents);
        text.push('\n');
        text
    }

    /// Writes it, in a folder that need not be there yet. The file is whole at any time.
    pub fn write(&self, path: &Path) -> io::Result<()> {
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder)?;
        }
        let mut beside = path.as_os_str().to_owned();
        beside.push(".part");
        fs::write(&beside, self.to_text())?;
        fs::rename(&beside, path)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_reads_back_as_it_was() {
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
    fn a_text_without_a_head_is_all_contents() {
        for text in ["", "x\n", "---\nsource: x\n", "--- \n"] {
            let file = SnapshotFile::parse(text);
            assert_eq!(file.contents, text.trim_end_matches('\n'));
        }
    }

    #[test]
    fn waiting_and_reviewed_stand_side_by_side() {
        let reviewed = Path::new("a/v1.2@x=1.snap");
        let waiting = waiting_path(reviewed);
        assert_eq!(waiting, Path::new("a/v1.2@x=1.snap.new"));
        assert_eq!(reviewed_path(&waiting).as_deref(), Some(reviewed));
        assert_eq!(reviewed_path(reviewed), None);
    }
}
