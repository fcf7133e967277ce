//! A receiver in another language while it runs, and the suite against it. What must come of a run
//! is not said here.

use std::fs::{self, File};
use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};

use tempfile::TempDir;

use super::language::Language;
use crate::support::Outcome;

const SECRET_VARIABLE: &str = "AGHANIM_WEBHOOK_SECRET";
const SECRET: &str = "whsec_interoperability";
const OLD_SECRET_VARIABLE: &str = "AGHANIM_WEBHOOK_OLD_SECRET";

/// What a receiver keeps over its end: its ledger, and what it said.
pub(crate) struct Kept(TempDir);

impl Kept {
    pub(crate) fn new() -> Self {
        Self(TempDir::new().expect("a folder"))
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    /// What the receiver wrote to its standard error, the last time that it ran. Of a line, only the
    /// beginning: Node shows the line that threw, and that can be a whole library.
    pub(crate) fn complaints(&self) -> String {
        let written = fs::read_to_string(self.path("complaints.txt")).expect("text");
        let mut shown = String::new();
        for line in written.lines() {
            shown.push_str("\n  ");
            shown.extend(line.chars().take(200));
        }
        shown
    }
}

/// A receiver that runs; killed without a warning when dropped.
pub(crate) struct Receiver<'kept> {
    process: Child,
    config: PathBuf,
    kept: &'kept Kept,
}

impl<'kept> Receiver<'kept> {
    pub(crate) fn start(language: &Language, flaw: Option<&str>, kept: &'kept Kept) -> Self {
        let complaints = File::create(kept.path("complaints.txt")).expect("a file");
        let mut command = (language.command)();
        command
            .args(["--port", "0", "--ledger"])
            .arg(kept.path("ledger"))
            .args(flaw.map(|flaw| ["--flaw", flaw]).into_iter().flatten())
            .env(SECRET_VARIABLE, SECRET)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(complaints);
        let name = language.name;
        let mut process = command.spawn().unwrap_or_else(|problem| {
            panic!("{name} does not start ({problem}): tests/receivers/run installs what it needs")
        });
        let mut line = String::new();
        BufReader::new(process.stdout.take().expect("piped"))
            .read_line(&mut line)
            .expect("a line");
        let mut receiver = Self {
            process,
            config: kept.path("aghook.yaml"),
            kept,
        };
        match line.trim_end().strip_prefix("listening on http://") {
            Some(url) => receiver.write_config(&language.folder(), url),
            None => panic!(
                "{name} does not serve; tests/receivers/run installs what it needs{}",
                receiver.last_words()
            ),
        }
        receiver
    }

    /// The receiver's own profile, which names the port that it takes by default.
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

    /// Runs the bundled suite, or the part of it that the options choose.
    pub(crate) fn run(&self, options: &[&str]) -> Outcome {
        let output = assert_cmd::Command::cargo_bin("aghook")
            .expect("built")
            .args(["run", "--report", "json", "--config"])
            .arg(&self.config)
            .args(options)
            .env(SECRET_VARIABLE, SECRET)
            .env(OLD_SECRET_VARIABLE, "whsec_of_last_year")
            .output()
            .expect("runs");
        Outcome::read(&output, SECRET)
    }

    /// Ends it, so that all that it had to say is there.
    fn last_words(&mut self) -> String {
        let _ = self.process.kill();
        let _ = self.process.wait();
        self.kept.complaints()
    }
}

impl Drop for Receiver<'_> {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
