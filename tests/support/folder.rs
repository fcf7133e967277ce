//! A temporary folder to run `aghook` in.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use tempfile::TempDir;

/// The default secret of the tests.
pub(crate) const SECRET: &str = "whsec_of/the+tests";

/// A temporary folder, deleted when dropped.
pub(crate) struct Folder(TempDir);

impl Folder {
    pub(crate) fn new() -> Self {
        Self(TempDir::new().expect("a folder"))
    }

    /// A folder with one scenario, `scenario.yaml`.
    pub(crate) fn with_scenario(text: &str) -> Self {
        Self::new().with("scenario.yaml", text)
    }

    /// Adds a file.
    pub(crate) fn with(self, name: &str, content: impl AsRef<[u8]>) -> Self {
        fs::write(self.path(name), content).expect("written");
        self
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    pub(crate) fn read(&self, name: &str) -> String {
        fs::read_to_string(self.path(name)).expect("a text file")
    }

    pub(crate) fn root(&self) -> &Path {
        self.0.path()
    }

    /// `aghook` in this folder, with a known secret and without the environment variables that
    /// change its output.
    pub(crate) fn aghook(&self, arguments: &[&str]) -> assert_cmd::Command {
        let mut command = assert_cmd::Command::cargo_bin("aghook").expect("built");
        command
            .current_dir(self.0.path())
            .env_remove("NO_COLOR")
            .env_remove("CLICOLOR_FORCE")
            .env("COLUMNS", "100")
            .env("AGHOOK_SECRET", SECRET)
            // A run that hangs fails instead of blocking the tests.
            .timeout(Duration::from_mins(2))
            .args(arguments);
        command
    }

    /// `aghook run scenario.yaml` with more arguments.
    pub(crate) fn run(&self, arguments: &[&str]) -> assert_cmd::Command {
        self.aghook(&[&["run", "scenario.yaml"], arguments].concat())
    }
}
