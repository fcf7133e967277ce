//! The receivers, the commands that start them, and the scenarios that must catch their flaws.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::LazyLock;

/// A receiver in another language.
pub(crate) struct Language {
    /// Its name, also that of its folder in `tests/receivers/`.
    pub(crate) name: &'static str,
    /// Builds the receiver the first time and returns the command that runs it from its folder.
    pub(crate) command: fn() -> Command,
    /// How many processes share the ledger.
    pub(crate) instances: usize,
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
        instances: 2,
        flaws: &[
            KnownFlaw::fails("serialised-again", "payload/unknown_keys"),
            KnownFlaw::fails("check-then-insert", "idempotency/simultaneous_redelivery"),
            KnownFlaw::fails("sandbox-granted", "context/sandbox"),
            KnownFlaw::fails("dumps-verified", "payload/body_layout"),
            KnownFlaw::warns("timestamp-crashes", "signature/malformed_timestamp"),
            KnownFlaw::warns("future-refused", "signature/clock_ahead"),
            KnownFlaw::warns("content-type-compared", "wire/content_type_charset"),
            KnownFlaw::fails("empty-secret-accepted", "signature/empty_secret"),
            KnownFlaw::fails("triggers-closed", "context/other_trigger"),
            KnownFlaw::warns("item-types-closed", "payload/other_item_type"),
            KnownFlaw::warns("item-required", "payload/items_without_item"),
            KnownFlaw::fails("both-credited", "redemption/item_add_after_coupon"),
            KnownFlaw::fails("part-by-part", "retries/bundle_part_refused"),
            KnownFlaw::fails("granted-in-task", "retries/acknowledged_before_restart"),
            KnownFlaw::fails(
                "keys-in-process",
                "idempotency/redelivery_to_another_instance",
            ),
            KnownFlaw::fails("key-first", "faults/restart_in_flight"),
        ],
    },
    Language {
        name: "express",
        command: express,
        instances: 1,
        flaws: &[
            KnownFlaw::fails("parsed-first", "payload/body_layout"),
            KnownFlaw::warns("double-quantities", "payload/quantity_beyond_doubles"),
            KnownFlaw::fails("answered-first", "payload/null_description"),
            KnownFlaw::fails("conflict-ignored", "idempotency/redelivery"),
            KnownFlaw::fails("two-transactions", "idempotency/redelivery"),
            KnownFlaw::fails("narrow-quantities", "payload/large_quantity"),
            KnownFlaw::fails("conflict-refused", "idempotency/redelivery"),
            KnownFlaw::fails("event-id-as-key", "idempotency/retry_with_new_event_id"),
            KnownFlaw::warns("small-limit", "payload/huge_bundle"),
            KnownFlaw::warns("content-type-compared", "wire/content_type_charset"),
            KnownFlaw::fails("text-concatenated", "wire/split_letters"),
            KnownFlaw::fails("headers-by-spelling", "wire/header_names"),
            KnownFlaw::warns("parsed-timestamp", "signature/malformed_timestamp"),
            KnownFlaw::fails("undefined-secret", "signature/guessed_secret"),
            KnownFlaw::fails(
                "paired-by-transaction",
                "redemption/two_redemptions_of_one_transaction",
            ),
            KnownFlaw::fails("lower-case-keys", "idempotency/similar_keys"),
            KnownFlaw::warns("first-item-only", "payload/several_items"),
            KnownFlaw::fails("object-by-sku", "payload/repeated_sku"),
            KnownFlaw::fails("part-skipped", "retries/bundle_part_refused"),
            KnownFlaw::warns("keys-expire", "idempotency/redelivery_after_days"),
            KnownFlaw::fails("queued-in-memory", "retries/acknowledged_before_restart"),
        ],
    },
    Language {
        name: "go",
        command: go,
        instances: 1,
        flaws: &[
            KnownFlaw::fails("prefix-compared", "signature/truncated_signature"),
            KnownFlaw::fails("narrow-quantities", "payload/large_quantity"),
            KnownFlaw::fails("unknown-fields-refused", "payload/unknown_keys"),
            KnownFlaw::warns("body-limited", "payload/huge_bundle"),
            KnownFlaw::warns("length-required", "wire/chunked_body"),
            KnownFlaw::fails("read-once", "wire/split_letters"),
            KnownFlaw::fails("body-compacted", "payload/body_layout"),
            KnownFlaw::warns("milliseconds-guessed", "signature/malformed_timestamp"),
            KnownFlaw::warns("items-ignored", "payload/items_without_item"),
            KnownFlaw::fails("map-by-sku", "payload/repeated_sku"),
            KnownFlaw::fails("keys-truncated", "idempotency/long_keys"),
            KnownFlaw::warns("players-folded", "payload/similar_players"),
            KnownFlaw::fails("one-key-table", "redemption/item_add_before_coupon"),
            KnownFlaw::fails(
                "pending-acknowledged",
                "retries/duplicate_of_a_failing_delivery",
            ),
            KnownFlaw::fails("goroutine-granted", "retries/acknowledged_before_restart"),
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
    static PROGRAM: LazyLock<PathBuf> = LazyLock::new(|| {
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
        program
    });
    Command::new(&*PROGRAM)
}
