//! Reads a request body from a file or standard input.

use std::io::{self, IsTerminal as _, Read as _};
use std::path::{Path, PathBuf};

use clap::Args;

use super::{CommandError, Console};

/// The source of the body.
#[derive(Debug, Args)]
pub(super) struct BodyFile {
    /// File with the exact bytes of the body, or `-` for standard input [default: -]
    #[arg(value_name = "FILE")]
    file: Option<PathBuf>,
}

impl BodyFile {
    pub(super) fn path(&self) -> Option<&Path> {
        self.file.as_deref().filter(|path| *path != Path::new("-"))
    }

    pub(super) fn read(&self, console: &mut Console) -> Result<Vec<u8>, CommandError> {
        let (body, source) = if let Some(path) = self.path() {
            (std::fs::read(path), path.display().to_string())
        } else {
            let mut input = io::stdin().lock();
            if input.is_terminal() {
                console.note("Reading the body from standard input until end of file.");
            }
            let mut body = Vec::new();
            let read = input.read_to_end(&mut body).map(|_| body);
            (read, "standard input".to_owned())
        };
        body.map_err(|error| {
            CommandError::usage(format!("can't read the body from {source}: {error}"))
        })
    }
}
