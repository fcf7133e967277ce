//! Reads a request body from a file or standard input.

use std::io::{self, IsTerminal as _, Read as _};
use std::path::{Path, PathBuf};

use clap::Args;

use super::command_error::CommandError;
use super::console::Console;

/// The source of the body.
#[derive(Debug, Args)]
pub(super) struct BodyFile {
    /// File with the exact bytes of the body, or `-` for standard input [default: -]
    #[arg(value_name = "FILE")]
    file: Option<PathBuf>,
}

impl BodyFile {
    /// The file's path, unless the body comes from standard input.
    pub(super) fn path(&self) -> Option<&Path> {
        self.file.as_deref().filter(|path| *path != Path::new("-"))
    }

    /// Reads the whole body.
    pub(super) fn read(&self, console: &mut Console) -> Result<Vec<u8>, CommandError> {
        let Some(path) = self.path() else {
            let mut input = io::stdin().lock();
            if input.is_terminal() {
                console.note("Reading the body from standard input until end of file.");
            }
            let mut body = Vec::new();
            return match input.read_to_end(&mut body) {
                Ok(_) => Ok(body),
                Err(error) => Err(CommandError::usage(
                    format!("can't read the body from standard input: {error}"),
                    None,
                )),
            };
        };
        std::fs::read(path).map_err(|error| {
            CommandError::usage(
                format!("can't read the body from {}: {error}", path.display()),
                None,
            )
        })
    }
}
