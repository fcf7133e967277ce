//! The receivers, how each of them is started, and what must be seen of its flaws.

use std::path::{Path, PathBuf};
use std::process::Command;

/// A receiver in another language.
pub(crate) struct Language {
    /// What it is called, in `tests/receivers/` as well.
    pub(crate) name: &'static str,
    /// The command that runs it, from its own folder; what must be built is built.
    pub(crate) command: fn() -> Command,
    pub(crate) flaws: &'static [Flaw],
}

/// A mistake that the receiver shows when it is asked to.
pub(crate) struct Flaw {
    pub(crate) name: &'static str,
    /// A file with a scenario that must fail for it, or warn, as `payload/unknown_keys`. Others may
    /// as well.
    pub(crate) caught_by: &'static str,
    /// Whether good practice is all that the flaw offends, so that a warning will do.
    pub(crate) warning_will_do: bool,
}

impl Flaw {
    const fn fails(name: &'static str, caught_by: &'static str) -> Self {
        Self {
            name,
            caught_by,
            warning_will_do: false,
        }
    }

    const fn warns(name: &'static str, caught_by: &'static str) -> Self {
        Self {
            name,
            caught_by,
            warning_will_do: true,
        }
    }
}

pub(crate) const LANGUAGES: [Language; 3] = [
    Language {
        name: "fastapi",
        command: fastapi,
        flaws: &[
            Flaw::fails("serialised-again", "payload/unknown_keys"),
            Flaw::fails("check-then-insert", "idempotency/simultaneous_redelivery"),
            Flaw::fails("sandbox-granted", "context/sandbox"),
        ],
    },
    Language {
        name: "express",
        command: express,
        flaws: &[
            // Compact JSON comes out of JSON.stringify as it went in, but for such a number.
            Flaw::warns("parsed-first", "payload/quantity_beyond_doubles"),
            Flaw::warns("double-quantities", "payload/quantity_beyond_doubles"),
            Flaw::fails("answered-first", "payload/null_description"),
        ],
    },
    Language {
        name: "go",
        command: go,
        flaws: &[
            Flaw::fails("prefix-compared", "signature/truncated_signature"),
            Flaw::fails("narrow-quantities", "payload/large_quantity"),
            Flaw::fails("unknown-fields-refused", "payload/unknown_keys"),
        ],
    },
];

impl Language {
    /// The folder with its source and its profile.
    pub(crate) fn folder(&self) -> PathBuf {
        source(self.name)
    }
}

fn source(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/receivers")
        .join(name)
}

/// Where `tests/receivers/run` puts what it installs, and where we put what we build.
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
    // So that no compiled module is left between the sources.
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
        // It needs no module but its own, so nothing may be fetched.
        .env("GOPROXY", "off")
        .env("GOTOOLCHAIN", "local")
        .status()
        .expect("go is not there: tests/receivers/run installs it");
    assert!(built.success(), "the receiver in Go is not built");
    Command::new(program)
}
