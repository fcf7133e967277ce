//! Reading a file that a person wrote: bounded in size, and UTF-8.

use std::fs::File;
use std::io::Read;
use std::path::Path;
use std::sync::Arc;

use super::{Diagnostic, Diagnostics};

/// A file's text and the name under which messages speak of it.
#[derive(Debug, Clone)]
pub struct SourceFile {
    /// The name as the user would write it.
    pub name: Arc<str>,
    /// The whole text.
    pub text: Arc<str>,
}

impl SourceFile {
    /// The largest file that is read, in bytes.
    pub const SIZE_LIMIT: u64 = 1024 * 1024;

    /// A text that is in memory already.
    pub fn new(name: impl Into<Arc<str>>, text: impl Into<Arc<str>>) -> Self {
        Self {
            name: name.into(),
            text: text.into(),
        }
    }

    /// Reads the file at `path`, and no more of it than [`SourceFile::SIZE_LIMIT`].
    pub fn read(path: &Path) -> Result<Self, Diagnostics> {
        let name: Arc<str> = path.display().to_string().into();
        let problem = |message: String, help: &str| {
            Diagnostics::from(Diagnostic::of_file(
                Arc::clone(&name),
                message,
                Some(help.to_owned()),
            ))
        };
        let unreadable = |error: std::io::Error| {
            let help = match error.kind() {
                std::io::ErrorKind::NotFound => "check the path; `aghook new` writes a first file",
                _ => "check the file's permissions",
            };
            problem(format!("cannot read the file: {error}"), help)
        };

        // Looked at before it is opened: opening a pipe waits for somebody who writes into it.
        let metadata = std::fs::metadata(path).map_err(unreadable)?;
        if metadata.is_dir() {
            return Err(problem(
                "this is a folder, not a file".to_owned(),
                "name a YAML file",
            ));
        }
        if !metadata.is_file() {
            return Err(problem(
                "this is a pipe or a device, not a file".to_owned(),
                "write its content to a file and name that",
            ));
        }
        let file = File::open(path).map_err(unreadable)?;
        let mut bytes = Vec::new();
        file.take(Self::SIZE_LIMIT + 1)
            .read_to_end(&mut bytes)
            .map_err(unreadable)?;
        if bytes.len() as u64 > Self::SIZE_LIMIT {
            let size = metadata.len().max(bytes.len() as u64);
            return Err(problem(
                format!(
                    "the file is too large: {size} bytes, at most {} are read",
                    Self::SIZE_LIMIT
                ),
                "split it: one file holds one scenario",
            ));
        }
        let text = String::from_utf8(bytes).map_err(|error| {
            let at = error.utf8_error().valid_up_to();
            let line = error.as_bytes()[..at].split(|byte| *byte == b'\n').count();
            problem(
                format!("the file is not UTF-8: first wrong byte at offset {at}, line {line}"),
                "save it as UTF-8",
            )
        })?;
        // Editors on Windows may write a byte order mark; YAML allows it, positions should not.
        let text = text.strip_prefix('\u{feff}').unwrap_or(&text);
        Ok(Self {
            text: text.into(),
            name,
        })
    }

    /// The line and column, both from 1 and the column in characters, of a byte offset.
    pub fn line_and_column(&self, offset: usize) -> (usize, usize) {
        let before = &self.text[..self.text.floor_char_boundary(offset)];
        let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
        (
            1 + before.matches('\n').count(),
            1 + before[line_start..].chars().count(),
        )
    }
}
