//! Follows the tutorial in docs/ci.md: writes its files, runs its commands in order, and compares
//! their output with the page.
//!
//! It supports a few shell features: `&`, `kill %N`, `> FILE`, `NAME=VALUE`, `echo $?` and `tail -n
//! N FILE`. It uses free ports, since the port on the page may be in use.

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use regex::Regex;
use tempfile::TempDir;

use super::markdown::{Document, root};
use super::program::{SECRET, updating};

const PAGE: &str = "docs/ci.md";

/// The address on the page.
const ADDRESS: &str = "127.0.0.1:8080";

#[test]
fn the_tutorial_works_as_shown() {
    let page = Document::read(PAGE);
    let mut tutorial = Tutorial::new();
    let mut shown = String::new();
    let mut lines = page.text.lines();
    let mut commands = 0;
    while let Some(line) = lines.next() {
        shown.push_str(line);
        shown.push('\n');
        let Some(language) = line.strip_prefix("```") else {
            continue;
        };
        let block: Vec<&str> = lines.by_ref().take_while(|line| *line != "```").collect();
        if language == "console" {
            for command in block.iter().filter_map(|line| line.strip_prefix("$ ")) {
                commands += 1;
                shown.extend(["$ ", command, "\n", &tutorial.run(command)]);
            }
        } else {
            tutorial.write(&block);
            shown.extend(block.iter().flat_map(|line| [*line, "\n"]));
        }
        shown.push_str("```\n");
    }
    assert!(commands > 10, "only {commands} commands were found");
    if updating() {
        fs::write(root().join(PAGE), &shown).expect("written");
        return;
    }
    assert_eq!(
        without_durations(&page.text),
        without_durations(&shown),
        "update it with AGHOOK_UPDATE_DOCS=1 cargo test --test documentation"
    );
}

/// The text without durations, which differ between runs.
fn without_durations(text: &str) -> String {
    let took = Regex::new(r"took [\d.]+ s").expect("a pattern");
    took.replace_all(text, "took N s").into_owned()
}

struct Tutorial {
    folder: TempDir,
    /// The background processes; the first one is `%1`.
    jobs: Vec<Child>,
    code: i32,
    /// The address of the receiver.
    address: String,
}

impl Tutorial {
    fn new() -> Self {
        Self {
            folder: tempfile::tempdir().expect("a folder"),
            jobs: Vec::new(),
            code: 0,
            address: ADDRESS.to_owned(),
        }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Writes a block to the file that its first line names.
    fn write(&self, block: &[&str]) {
        let first = block.first().and_then(|line| line.strip_prefix("# "));
        if let Some(name) = first.filter(|name| name.contains('/')) {
            fs::write(self.path(name), block.join("\n")).expect("written");
        }
    }

    /// Runs a command and returns its output, with the address from the page.
    fn run(&mut self, command: &str) -> String {
        let words = shlex::split(command).expect("words");
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        match words.as_slice() {
            ["echo", "$?"] => format!("{}\n", self.code),
            ["kill", job] => {
                let number: usize = job.trim_start_matches('%').parse().expect("a job");
                end(&mut self.jobs[number - 1]);
                String::new()
            }
            ["tail", "-n", count, file] => {
                let text = fs::read_to_string(self.path(file)).expect("a text");
                let lines: Vec<&str> = text.lines().collect();
                let count: usize = count.parse().expect("a number");
                let last = &lines[lines.len().saturating_sub(count)..];
                last.iter().flat_map(|line| [*line, "\n"]).collect()
            }
            ["aghook", arguments @ .., "&"] => {
                self.start(arguments);
                String::new()
            }
            [words @ .., ">", file] => {
                let printed = self.aghook(words);
                fs::write(self.path(file), printed).expect("written");
                String::new()
            }
            words => self.aghook(words),
        }
    }

    fn command(&self) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_aghook"));
        for variable in [
            "CI",
            "TF_BUILD",
            "INSTA_UPDATE",
            "GITHUB_ACTIONS",
            "NO_COLOR",
            "CLICOLOR_FORCE",
        ] {
            command.env_remove(variable);
        }
        command
            .current_dir(self.folder.path())
            .env("COLUMNS", "100")
            .env("AGHANIM_WEBHOOK_SECRET", SECRET);
        command
    }

    fn aghook(&mut self, words: &[&str]) -> String {
        let at = words
            .iter()
            .position(|word| *word == "aghook")
            .expect("aghook");
        let (variables, arguments) = (&words[..at], &words[at + 1..]);
        let mut command = self.command();
        for variable in variables {
            let (name, value) = variable.split_once('=').expect("a variable");
            command.env(name, value);
        }
        let output = command.args(arguments).output().expect("runs");
        self.code = output.status.code().expect("a code");
        let errors = String::from_utf8(output.stderr).expect("UTF-8");
        assert_eq!(errors, "", "{words:?}");
        let printed = String::from_utf8(output.stdout).expect("UTF-8");
        let lines = printed.lines().map(|line| format!("{}\n", line.trim_end()));
        lines.collect::<String>().replace(&self.address, ADDRESS)
    }

    /// Starts a receiver in the background on a free port and updates the config.
    fn start(&mut self, arguments: &[&str]) {
        let free = |word: &&str| word.replace(ADDRESS, "127.0.0.1:0");
        let mut process = self
            .command()
            .args(arguments.iter().map(free))
            .stdout(Stdio::piped())
            .spawn()
            .expect("starts");
        let mut line = String::new();
        let output = process.stdout.take().expect("an output");
        self.jobs.push(process);
        let address = Regex::new(r"127\.0\.0\.1:\d+").expect("a pattern");
        let mut output = BufReader::new(output);
        let found = loop {
            line.clear();
            assert!(
                output.read_line(&mut line).expect("a line") > 0,
                "the receiver ended"
            );
            if let Some(found) = address.find(&line) {
                break found.as_str().to_owned();
            }
        };
        let config = self.path("aghook.yaml");
        let text = fs::read_to_string(&config).expect("a config");
        fs::write(&config, text.replace(&self.address, &found)).expect("written");
        self.address = found;
    }
}

impl Drop for Tutorial {
    fn drop(&mut self) {
        self.jobs.iter_mut().for_each(end);
    }
}

fn end(job: &mut Child) {
    // The process may have ended already.
    let _ = job.kill();
    let _ = job.wait();
}

#[test]
fn the_commands_only_use_relative_paths() {
    // The commands must stay in the temporary folder.
    let page = Document::read(PAGE);
    for block in page
        .blocks()
        .iter()
        .filter(|block| block.language == "console")
    {
        for word in block.text.split_whitespace() {
            assert!(
                Path::new(word).is_relative() && !word.contains(".."),
                "{word}"
            );
        }
    }
}
