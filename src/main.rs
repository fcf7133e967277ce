//! The command line program.

use std::process::ExitCode;

fn main() -> ExitCode {
    aghook::cli::run(std::env::args_os()).into()
}
