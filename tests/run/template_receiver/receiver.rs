//! Starts the receiver in Python, unchanged or with replacements, and runs the bundled suite
//! against it.

use std::fs;
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use tempfile::TempDir;

use crate::support::RunOutcome;

const EXPIRED_VARIABLE: &str = "TEMPLATE_EXPIRED_SECRET";
const SECRET_VARIABLE: &str = "TEMPLATE_SECRET";
const SECRET: &str = "whsec_template";

/// The receiver in Python, stopped when dropped.
pub(crate) struct TemplateReceiver {
    process: Child,
    url: String,
    /// Contains the script and the profile.
    folder: TempDir,
}

impl TemplateReceiver {
    /// Starts the receiver. Each change is a text that occurs once in it, and its replacement.
    /// Returns `None` and prints a note if there is no Python.
    pub(crate) fn start(changes: &[(String, String)]) -> Option<Self> {
        let python = python()?;
        let original =
            Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/receivers/template_receiver.py");
        let mut script = fs::read_to_string(original).expect("the receiver");
        for (text, replacement) in changes {
            let places = script.matches(text.as_str()).count();
            assert_eq!(places, 1, "{text:?} must occur once in the receiver");
            script = script.replace(text, replacement);
        }
        let folder = TempDir::new().expect("a folder");
        let script_file = folder.path().join("receiver.py");
        fs::write(&script_file, script).expect("written");
        let mut process = Command::new(python)
            .arg(script_file)
            .args(["--secret-env", SECRET_VARIABLE, "--port", "0"])
            .env(SECRET_VARIABLE, SECRET)
            .stdout(Stdio::piped())
            .spawn()
            .expect("starts");
        let mut line = String::new();
        BufReader::new(process.stdout.take().expect("piped"))
            .read_line(&mut line)
            .expect("a line");
        let url = line.trim_end().strip_prefix("listening on ");
        let url = url.expect("the address line").to_owned();
        Some(Self {
            process,
            url,
            folder,
        })
    }

    /// Runs the bundled suite with these options. `entry` is one more line of the profile, such as
    /// the policy.
    pub(crate) fn run(&self, entry: &str, options: &[&str]) -> RunOutcome {
        let base = self.url.strip_suffix("/hook").expect("the hook's path");
        // Grants are visible immediately, so waiting would only slow down failures.
        let profile = format!(
            "profiles:\n  template:\n    settle: 1ms\n    \
             expired_secret_env: {EXPIRED_VARIABLE}\n    {entry}\n    probes:\n      \
             quantity:\n        http: GET {base}/debug/players/{{player_id}}/items/{{sku}}\n        \
             read: $.quantity\n        missing: 0\n"
        );
        let config = self.folder.path().join("aghook.yaml");
        fs::write(&config, profile).expect("written");
        let output = assert_cmd::Command::cargo_bin("aghook")
            .expect("built")
            // The set-up is right, so every refusal is the receiver's.
            .args(["run", "--report", "json", "--skip-setup-check"])
            .args(["--secret-env", SECRET_VARIABLE])
            .args(["--target", &self.url, "--config"])
            .arg(config)
            .args(options)
            .env(SECRET_VARIABLE, SECRET)
            .env(EXPIRED_VARIABLE, "the secret before")
            .output()
            .expect("runs");
        RunOutcome::read(&output, SECRET)
    }
}

impl Drop for TemplateReceiver {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// The command of Python 3.9 or newer.
fn python() -> Option<&'static str> {
    let found = ["python3", "python"].into_iter().find(|name| {
        let version = Command::new(name)
            .args(["-c", "import sys; sys.exit(sys.version_info < (3, 9))"])
            .status();
        version.is_ok_and(|status| status.success())
    });
    if found.is_none() {
        // Written directly to stderr, since the test harness hides the output of passing tests.
        let _ = writeln!(
            std::io::stderr(),
            "left out: the bundled suite against the receiver in Python; install Python 3.9 or \
             newer (https://www.python.org, or the package python3) to run it"
        );
    }
    found
}
