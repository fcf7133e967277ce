//! Starts a receiver in another language and runs the suite against it.

use std::fs::{self, File};
use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};

use tempfile::TempDir;

use super::language::Language;
use crate::support::RunOutcome;

const SECRET_VARIABLE: &str = "AGHANIM_WEBHOOK_SECRET";
const SECRET: &str = "whsec_interoperability";
const OLD_SECRET_VARIABLE: &str = "AGHANIM_WEBHOOK_OLD_SECRET";

/// The files that outlive a receiver process: its ledger and its stderr.
pub(crate) struct ReceiverFiles(TempDir);

impl ReceiverFiles {
    pub(crate) fn new() -> Self {
        Self(TempDir::new().expect("a folder"))
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    /// The stderr of the receiver's last run. Long lines are cut, since Node prints the line that
    /// threw, which can be a whole minified library.
    pub(crate) fn stderr(&self) -> String {
        let written = fs::read_to_string(self.path("stderr.txt")).expect("text");
        let mut shown = String::new();
        for line in written.lines() {
            shown.push_str("\n  ");
            shown.extend(line.chars().take(200));
        }
        shown
    }
}

/// A running receiver, killed when dropped.
pub(crate) struct LanguageReceiver<'files> {
    process: Child,
    config: PathBuf,
    files: &'files ReceiverFiles,
}

impl<'files> LanguageReceiver<'files> {
    pub(crate) fn start(
        language: &Language,
        flaw: Option<&str>,
        files: &'files ReceiverFiles,
    ) -> Self {
        let stderr = File::create(files.path("stderr.txt")).expect("a file");
        let mut command = (language.command)();
        command
            .args(["--port", "0", "--ledger"])
            .arg(files.path("ledger"))
            .args(flaw.map(|flaw| ["--flaw", flaw]).into_iter().flatten())
            .env(SECRET_VARIABLE, SECRET)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(stderr);
        let name = language.name;
        let mut process = command.spawn().unwrap_or_else(|problem| {
            panic!("{name} does not start ({problem}): run tests/receivers/run to install its dependencies")
        });
        let mut line = String::new();
        BufReader::new(process.stdout.take().expect("piped"))
            .read_line(&mut line)
            .expect("a line");
        let mut receiver = Self {
            process,
            config: files.path("aghook.yaml"),
            files,
        };
        match line.trim_end().strip_prefix("listening on http://") {
            Some(url) => receiver.write_config(&language.folder(), url),
            None => panic!(
                "{name} does not serve; run tests/receivers/run to install its dependencies{}",
                receiver.stop_and_read_stderr()
            ),
        }
        receiver
    }

    /// Writes the receiver's own profile with the actual port instead of the default one.
    fn write_config(&self, folder: &Path, url: &str) {
        let profile = fs::read_to_string(folder.join("aghook.yaml")).expect("a profile");
        let target = profile.lines().find_map(|line| {
            let target = line.trim_start().strip_prefix("target: http://")?;
            target.split_once('/')
        });
        let (address, path) = target.expect("the profile's target");
        let (bound, path_here) = url.split_once('/').expect("a URL with a path");
        assert_eq!(path, path_here, "the profile's path");
        fs::write(&self.config, profile.replace(address, bound)).expect("written");
    }

    /// Runs the bundled suite with these options.
    pub(crate) fn run(&self, options: &[&str]) -> RunOutcome {
        let output = assert_cmd::Command::cargo_bin("aghook")
            .expect("built")
            .args(["run", "--report", "json", "--config"])
            .arg(&self.config)
            .args(options)
            .env(SECRET_VARIABLE, SECRET)
            .env(OLD_SECRET_VARIABLE, "whsec_of_last_year")
            .output()
            .expect("runs");
        RunOutcome::read(&output, SECRET)
    }

    /// Stops the receiver first, so that its stderr is complete.
    fn stop_and_read_stderr(&mut self) -> String {
        let _ = self.process.kill();
        let _ = self.process.wait();
        self.files.stderr()
    }
}

impl Drop for LanguageReceiver<'_> {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
