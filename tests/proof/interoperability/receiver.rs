//! Starts a receiver in another language and runs the suite against it.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use tempfile::TempDir;

use super::language::Language;
use super::receiver_process::{Launch, ReceiverProcess};
use crate::support::{Peer, PeerResponse, RunOutcome};

pub(crate) const SECRET_VARIABLE: &str = "AGHANIM_WEBHOOK_SECRET";
pub(crate) const SECRET: &str = "whsec_interoperability";
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

    /// What the receiver wrote to stderr. Long lines are cut, since Node prints the line that threw,
    /// which can be a whole minified library.
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
pub(crate) struct LanguageReceiver {
    instances: Arc<Mutex<Vec<ReceiverProcess>>>,
    config: PathBuf,
}

impl LanguageReceiver {
    pub(crate) fn start(
        language: &'static Language,
        flaw: Option<&'static str>,
        files: &ReceiverFiles,
    ) -> Self {
        let start = |_| {
            ReceiverProcess::start(Launch {
                language,
                flaw,
                ledger: files.path("ledger"),
                stderr: files.path("stderr.txt"),
            })
        };
        let instances: Vec<_> = (0..language.instances).map(start).collect();
        let urls: Vec<String> = instances.iter().map(|one| one.url.clone()).collect();
        let instances = Arc::new(Mutex::new(instances));
        let supervisor = supervisor(Arc::clone(&instances));
        let config = files.path("aghook.yaml");
        write_config(&language.folder(), &urls, &supervisor, &config);
        Self { instances, config }
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
}

impl Drop for LanguageReceiver {
    fn drop(&mut self) {
        // The supervisor lives until the test ends, and shares the processes.
        let mut instances = self
            .instances
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        instances.clear();
    }
}

/// Responds to the hook `restart`: it kills the processes and starts them again.
fn supervisor(instances: Arc<Mutex<Vec<ReceiverProcess>>>) -> Peer {
    Peer::answering(move |_| {
        let mut instances = instances.lock().unwrap_or_else(PoisonError::into_inner);
        instances.iter_mut().for_each(ReceiverProcess::restart);
        PeerResponse::new(204)
    })
}

/// Writes the receiver's own profile with the actual address instead of the default one, with the
/// instances, and with the hook `restart`.
fn write_config(folder: &Path, urls: &[String], supervisor: &Peer, config: &Path) {
    let mut profile = fs::read_to_string(folder.join("aghook.yaml")).expect("a profile");
    let target = profile.lines().find_map(|line| {
        let target = line.trim_start().strip_prefix("target: http://")?;
        target.split_once('/')
    });
    let (address, path) = target.expect("the profile's target");
    let (bound, path_here) = urls[0].split_once('/').expect("a URL with a path");
    assert_eq!(path, path_here, "the profile's path");
    profile = profile.replace(address, bound);
    let restart = supervisor.address;
    let _ = writeln!(profile, "    restart: {{ http: POST http://{restart}/ }}");
    if urls.len() > 1 {
        profile.push_str("    targets:\n");
        for (number, url) in urls.iter().enumerate() {
            let _ = writeln!(profile, "      instance_{number}: http://{url}");
        }
    }
    fs::write(config, profile).expect("written");
}
