//! The receivers, the commands that start them, and the scenarios that must catch their flaws.

use std::path::{Path, PathBuf};
use std::process::Command;

/// A receiver in another language.
pub(crate) struct Language {
    /// Its name, also that of its folder in `tests/receivers/`.
    pub(crate) name: &'static str,
    /// Builds the receiver if needed and returns the command that runs it from its folder.
    pub(crate) command: fn() -> Command,
    pub(crate) flaws: &'static [KnownFlaw],
}

/// A mistake that the receiver makes on request.
pub(crate) struct KnownFlaw {
    pub(crate) name: &'static str,
    /// The scenario file that must catch it, such as `payload/unknown_keys`. Other files may catch
    /// it too.
    pub(crate) caught_by: &'static str,
    /// Whether the flaw only violates good practice, so that a warning is enough.
    pub(crate) warning_is_enough: bool,
}

impl KnownFlaw {
    const fn fails(name: &'static str, caught_by: &'static str) -> Self {
        Self {
            name,
            caught_by,
            warning_is_enough: false,
        }
    }

    const fn warns(name: &'static str, caught_by: &'static str) -> Self {
        Self {
            name,
            caught_by,
            warning_is_enough: true,
        }
    }
}

pub(crate) const LANGUAGES: [Language; 3] = [
    Language {
        name: "fastapi",
        command: fastapi,
        flaws: &[
            KnownFlaw::fails("serialised-again", "payload/unknown_keys"),
            KnownFlaw::fails("check-then-insert", "idempotency/simultaneous_redelivery"),
            KnownFlaw::fails("sandbox-granted", "context/sandbox"),
        ],
    },
    Language {
        name: "express",
        command: express,
        flaws: &[
            // JSON.stringify reproduces compact JSON exactly, except for such a number.
            KnownFlaw::warns("parsed-first", "payload/quantity_beyond_doubles"),
            KnownFlaw::warns("double-quantities", "payload/quantity_beyond_doubles"),
            KnownFlaw::fails("answered-first", "payload/null_description"),
        ],
    },
    Language {
        name: "go",
        command: go,
        flaws: &[
            KnownFlaw::fails("prefix-compared", "signature/truncated_signature"),
            KnownFlaw::fails("narrow-quantities", "payload/large_quantity"),
            KnownFlaw::fails("unknown-fields-refused", "payload/unknown_keys"),
        ],
    },
];

impl Language {
    /// The folder with its source code and profile.
    pub(crate) fn folder(&self) -> PathBuf {
        source(self.name)
    }
}

fn source(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/receivers")
        .join(name)
}

/// The folder for dependencies that `tests/receivers/run` installs and for built programs.
fn installed(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("target/receivers")
        .join(name)
}

fn fastapi() -> Command {
    let python = if cfg!(windows) {
        "Scripts/python.exe"
    } else {
        "bin/python"
    };
    let mut command = Command::new(installed("fastapi").join(python));
    command.arg("serve.py").current_dir(source("fastapi"));
    // Keeps compiled modules out of the source folder.
    command.env("PYTHONDONTWRITEBYTECODE", "1");
    command
}

fn express() -> Command {
    let mut command = Command::new("node");
    command.arg("serve.js").current_dir(source("express"));
    command
}

fn go() -> Command {
    let program = installed("go").join(format!("receiver{}", std::env::consts::EXE_SUFFIX));
    let built = Command::new("go")
        .args(["build", "-o"])
        .arg(&program)
        .arg(".")
        .current_dir(source("go"))
        // It has no dependencies, so nothing may be downloaded.
        .env("GOPROXY", "off")
        .env("GOTOOLCHAIN", "local")
        .status()
        .expect("go was not found: run tests/receivers/run to install it");
    assert!(built.success(), "the receiver in Go did not build");
    Command::new(program)
}
