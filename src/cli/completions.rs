//! `aghook completions`: prints a completion script for a shell.

use std::io::Write as _;

use clap::{Args, Command};
use clap_complete::Shell;

use super::{CommandError, Console, ExitCode};

/// Print a completion script for a shell
///
/// For bash, add `source <(aghook completions bash)` to `~/.bashrc`. For zsh, save the script as
/// `_aghook` in a folder of `$fpath`. For fish, save it as `~/.config/fish/completions/aghook.fish`.
#[derive(Debug, Args)]
pub struct Completions {
    /// Shell to complete for
    shell: Shell,
}

impl Completions {
    pub(super) fn run(
        self,
        mut command: Command,
        console: &mut Console,
    ) -> Result<ExitCode, CommandError> {
        // Generated in memory, because the generator panics if writing fails.
        let mut script = Vec::new();
        clap_complete::generate(self.shell, &mut command, "aghook", &mut script);
        console.write_all(&script)?;
        Ok(ExitCode::Success)
    }
}
