//! The program, as users call it.

use std::path::Path;
use std::process::Output;

/// The secret of all receivers here.
pub(crate) const SECRET: &str = "whsec_of_the_documents";

/// Runs the program in `folder`, with nothing from the environment that it minds.
pub(crate) fn aghook(folder: &Path, arguments: &[&str]) -> Output {
    let mut command = assert_cmd::Command::cargo_bin("aghook").expect("built");
    for variable in ["NO_COLOR", "CLICOLOR_FORCE", "AGHOOK_SECRET"] {
        command.env_remove(variable);
    }
    command
        .current_dir(folder)
        .env("COLUMNS", "200")
        .env("AGHANIM_WEBHOOK_SECRET", SECRET)
        .args(arguments)
        .output()
        .expect("runs")
}

/// What the program wrote to standard output.
pub(crate) fn stdout(output: Output) -> String {
    String::from_utf8(output.stdout).expect("UTF-8")
}

/// Whether documents are written anew in place of being checked.
pub(crate) fn updating() -> bool {
    std::env::var_os("AGHOOK_UPDATE_DOCS").is_some()
}
