//! `aghook completions`: the completion script of a shell.

use std::io::Write as _;

use clap::{Args, CommandFactory as _};
use clap_complete::Shell;

use super::ExitCode;
use super::arguments::Arguments;
use super::command_error::CommandError;
use super::console::Console;

/// Print a completion script for a shell
///
/// For bash: `source <(aghook completions bash)` in `~/.bashrc`. For zsh, save it as `_aghook` in
/// a folder of `$fpath`. For fish, save it as `~/.config/fish/completions/aghook.fish`.
#[derive(Debug, Args)]
pub struct Completions {
    /// The shell that the script is for
    shell: Shell,
}

impl Completions {
    pub(super) fn run(self, console: &mut Console) -> Result<ExitCode, CommandError> {
        // Made in memory first: the generator panics where writing fails.
        let mut script = Vec::new();
        clap_complete::generate(self.shell, &mut Arguments::command(), "aghook", &mut script);
        console.write_all(&script)?;
        console.flush()?;
        Ok(ExitCode::ChecksHeld)
    }
}
