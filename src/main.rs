//! The command line program.

use std::process::ExitCode;

fn main() -> ExitCode {
    aghook::internals::cli::run(std::env::args_os()).into()
}
