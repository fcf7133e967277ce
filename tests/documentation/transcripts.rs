//! The transcripts in the README: shortened real runs, compared without the parts that change each
//! time.

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::{Mutex, PoisonError};

use regex::Regex;

use super::markdown::{Document, root};
use super::program::{SECRET, aghook, stdout, updating};

#[test]
fn the_readme_shows_a_real_run() {
    let folder = tempfile::tempdir().expect("a folder");
    let output = aghook(folder.path(), &["run", "--jobs", "1"]);
    assert_eq!(output.status.code(), Some(0));
    let run = stdout(output);
    let (passed, others): (Vec<&str>, Vec<&str>) =
        run.lines().partition(|line| line.starts_with('✓'));
    // Show a few scenarios from the whole suite.
    let interval = passed.len().div_ceil(6).max(1);
    let shown = passed.into_iter().step_by(interval).chain(["…"]);
    let (head, summary) = others.split_at(others.len().min(3));
    let lines: Vec<&str> = head
        .iter()
        .copied()
        .chain(shown)
        .chain(summary.iter().copied())
        .collect();
    compare("run", "cargo run -- run", &lines.join("\n"));
}

#[test]
fn the_readme_shows_a_real_failure() {
    if Command::new("python3").arg("--version").output().is_err() {
        eprintln!("left out: the README's failure; install Python 3 to run it");
        return;
    }
    let folder = tempfile::tempdir().expect("a folder");
    let receiver = ForgetfulReceiver::start(folder.path());
    let new = aghook(folder.path(), &["new"]);
    assert!(new.status.success());
    let config = folder.path().join("aghook.yaml");
    let text = fs::read_to_string(&config).expect("a config");
    let text = text
        .replace(
            "http://127.0.0.1:8080/webhooks/aghanim",
            &format!("{}/hook", receiver.base),
        )
        .replace("http://127.0.0.1:8080", &receiver.base);
    fs::write(&config, text).expect("written");
    let output = aghook(folder.path(), &["run", "scenarios/first.yaml"]);
    assert_eq!(output.status.code(), Some(1));
    let run = stdout(output);
    // Skip the head and the line that repeats the block below it.
    let from = run
        .match_indices('✗')
        .nth(1)
        .expect("the details of the failure")
        .0;
    compare(
        "failure",
        "aghook run scenarios/first.yaml",
        run[from..].trim_end(),
    );
}

/// The receiver in Python without the line that detects redeliveries.
struct ForgetfulReceiver {
    process: Child,
    base: String,
}

impl ForgetfulReceiver {
    fn start(folder: &Path) -> Self {
        let sound = fs::read_to_string(root().join("tests/receivers/template_receiver.py"));
        let sound = sound.expect("a receiver");
        let forgetful = sound.replace("if key in self._granted:", "if False:");
        assert_ne!(sound, forgetful);
        let path = folder.join("forgetful_receiver.py");
        fs::write(&path, forgetful).expect("written");
        let mut process = Command::new("python3")
            .arg(&path)
            .args(["--secret-env", "SECRET"])
            .env("SECRET", SECRET)
            .stdout(Stdio::piped())
            .spawn()
            .expect("starts");
        let output = process.stdout.take().expect("an output");
        let mut line = String::new();
        BufReader::new(output).read_line(&mut line).expect("a line");
        let url = line.split_whitespace().last().expect("a URL");
        let base = url.trim_end_matches("/hook").to_owned();
        Self { process, base }
    }
}

impl Drop for ForgetfulReceiver {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// Compares the transcript with a run, or updates it.
fn compare(name: &str, command: &str, output: &str) {
    // Both tests may update the same file.
    static README: Mutex<()> = Mutex::new(());
    let _guard = README.lock().unwrap_or_else(PoisonError::into_inner);
    let output = trim_line_ends(output);
    let readme = Document::read("README.md");
    let mark = format!("<!-- transcript: {name} -->\n```console\n");
    let (before, rest) = readme.text.split_once(&mark).expect("a transcript");
    let (shown, after) = rest.split_once("```\n").expect("the end marker");
    let current = format!("$ {command}\n{output}\n");
    if updating() {
        let text = format!("{before}{mark}{current}```\n{after}");
        fs::write(root().join("README.md"), text).expect("written");
        return;
    }
    assert_eq!(
        without_volatile_values(shown),
        without_volatile_values(&current),
        "update it with AGHOOK_UPDATE_DOCS=1 cargo test --test documentation"
    );
}

fn trim_line_ends(output: &str) -> String {
    let lines: Vec<&str> = output.lines().map(str::trim_end).collect();
    lines.join("\n")
}

/// The text without ports, times, players and durations, which differ between runs.
fn without_volatile_values(text: &str) -> String {
    [
        (r"127\.0\.0\.1:\d+", "127.0.0.1:PORT"),
        (r"--start-time [\d.]+", "--start-time T"),
        (r"\d+ ms", "N ms"),
        (r"took [\d.]+ s", "took N s"),
        (r" for [A-Z0-9]{4}-[A-Z0-9]{4}: ", " for PLAYER: "),
        (r"\b(whevt|idmpt)_\w+", "${1}_ID"),
        (r"delivered [\dT:-]+Z", "delivered NOW"),
    ]
    .into_iter()
    .fold(text.to_owned(), |text, (pattern, shown)| {
        let pattern = Regex::new(pattern).expect("a pattern");
        pattern.replace_all(&text, shown).into_owned()
    })
}
