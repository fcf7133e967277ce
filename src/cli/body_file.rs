//! Reads a request body from a file or standard input.

use std::io::{self, IsTerminal as _, Read as _};
use std::path::{Path, PathBuf};

use clap::Args;

use super::{CommandError, Console};
use crate::files;

/// The maximum size of a body in bytes.
const BODY_LIMIT: u64 = 64 * 1024 * 1024;

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
            (files::read(path, BODY_LIMIT), path.display().to_string())
        } else {
            let mut input = io::stdin().lock();
            if input.is_terminal() {
                console.note("Reading the body from standard input until end of file.");
            }
            let mut body = Vec::new();
            let read = (&mut input).take(BODY_LIMIT + 1).read_to_end(&mut body);
            let is_whole = |length: usize| length as u64 <= BODY_LIMIT;
            let body = match read {
                Ok(length) if !is_whole(length) => {
                    Err(io::Error::other("it is larger than 64 MiB"))
                }
                read => read.map(|_| body),
            };
            (body, "standard input".to_owned())
        };
        body.map_err(|error| {
            CommandError::usage(format!("can't read the body from {source}: {error}"))
        })
    }
}
