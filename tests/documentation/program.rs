//! Runs the program.

use std::path::Path;
use std::process::Output;

/// The secret of all receivers in these tests.
pub(crate) const SECRET: &str = "whsec_of_the_documents";

/// Runs `aghook` in `folder`, without the environment variables that change its output.
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

/// The program's standard output.
pub(crate) fn stdout(output: Output) -> String {
    String::from_utf8(output.stdout).expect("UTF-8")
}

/// Whether the tests update the documents instead of checking them.
pub(crate) fn updating() -> bool {
    std::env::var_os("AGHOOK_UPDATE_DOCS").is_some()
}
