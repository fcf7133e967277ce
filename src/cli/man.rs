//! `aghook man`: prints the man page, or writes a page for every command.

use std::io::Write as _;
use std::path::PathBuf;

use clap::{Args, Command};

use super::{CommandError, Console, ExitCode};

/// Print the man page
///
/// View it with `aghook man | man -l -`. With `--dir`, write the pages of all commands for a
/// package.
#[derive(Debug, Args)]
pub struct ManPages {
    /// Write a page for every command to this folder, which is created if missing
    #[arg(long, value_name = "DIR")]
    dir: Option<PathBuf>,
}

impl ManPages {
    pub(super) fn run(
        self,
        command: Command,
        console: &mut Console,
    ) -> Result<ExitCode, CommandError> {
        match self.dir {
            None => {
                let mut page = Vec::new();
                clap_mangen::Man::new(command).render(&mut page)?;
                console.write_all(&page)?;
            }
            Some(dir) => std::fs::create_dir_all(&dir)
                .and_then(|()| clap_mangen::generate_to(command, &dir))
                .map_err(|error| {
                    let dir = dir.display();
                    CommandError::usage(format!("can't write man pages into {dir}: {error}"))
                })?,
        }
        Ok(ExitCode::Success)
    }
}
