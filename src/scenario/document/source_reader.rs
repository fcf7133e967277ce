//! Reads text files written by users, with a size limit and a UTF-8 check.

use std::io::{self, Read};
use std::path::Path;
use std::sync::Arc;

use super::{Diagnostic, Diagnostics, SourceFile, is_disguising};
use crate::files;

const IS_NO_FILE: &str = "save its content to a file and use that";

impl SourceFile {
    const SIZE_LIMIT: u64 = 1024 * 1024;

    /// Reads the file at `path`, of at most a mebibyte.
    pub fn read(path: &Path) -> Result<Self, Diagnostics> {
        let name: Arc<str> = path.display().to_string().into();
        let problem = |message: String, help: &str| {
            Diagnostics::from(Diagnostic::for_file(Arc::clone(&name), message).with_help(help))
        };
        let unreadable = |error: io::Error| {
            let help = match error.kind() {
                io::ErrorKind::NotFound => {
                    "check the path, or create a first scenario with `aghook new`"
                }
                io::ErrorKind::Other | io::ErrorKind::WouldBlock => IS_NO_FILE,
                _ => "check the file's permissions",
            };
            problem(format!("cannot read it: {error}"), help)
        };

        if name.contains(is_disguising) {
            let escaped: String = name.escape_debug().collect();
            let message = "this file name has an invisible character or a line break";
            let problem = Diagnostic::for_file(escaped, message);
            return Err(problem.with_help("rename the file").into());
        }
        let metadata = std::fs::metadata(path).map_err(unreadable)?;
        if metadata.is_dir() {
            let message = "this is a folder, not a file".to_owned();
            return Err(problem(message, "give the path of a YAML file"));
        }
        if !metadata.is_file() {
            let message = "this is a pipe or a device, not a file".to_owned();
            return Err(problem(message, IS_NO_FILE));
        }
        let file = files::open(path).map_err(unreadable)?;
        let mut bytes = Vec::new();
        file.take(Self::SIZE_LIMIT + 1)
            .read_to_end(&mut bytes)
            .map_err(unreadable)?;
        if bytes.len() as u64 > Self::SIZE_LIMIT {
            let size = metadata.len().max(bytes.len() as u64);
            let limit = Self::SIZE_LIMIT;
            let message =
                format!("the file is too large: {size} bytes, at most {limit} are allowed");
            return Err(problem(message, "split it: each file holds one scenario"));
        }
        let text = String::from_utf8(bytes).map_err(|error| {
            let at = error.utf8_error().valid_up_to();
            let line = error.as_bytes()[..at].split(|byte| *byte == b'\n').count();
            problem(
                format!("the file is not UTF-8: first invalid byte at offset {at}, line {line}"),
                "save it as UTF-8",
            )
        })?;
        // Editors on Windows may write a byte order mark. It must not shift the positions.
        let text = text.strip_prefix('\u{feff}').unwrap_or(&text);
        Ok(Self {
            text: text.into(),
            name,
        })
    }
}
