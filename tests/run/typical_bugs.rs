//! Typical bugs of a game's back end, one at a time, in the receiver in Express: the failures of the
//! bundled suite start with the cause, in the words of the bug, and fit on a screen.

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use tempfile::TempDir;

const SECRET: &str = "whsec_typical_bugs";
const SCREEN: usize = 60;
const FIRST_LINES: usize = 10;

/// A bug by its `--flaw`, and what the first lines of the failures say.
const BUGS: [(&str, &[&str]); 8] = [
    (
        "parsed-first",
        &[
            "likely cause: the receiver verifies the signature over JSON that it parsed and wrote again",
            "verify the raw body bytes",
            "problem 1: genuine deliveries are refused with 403: ",
        ],
    ),
    (
        "crashes-on-signature",
        &[
            "problem 1: the receiver stopped while these requests were open",
            "check its log for a crash",
            "signature",
        ],
    ),
    (
        "conflict-ignored",
        &[
            "likely cause: the receiver grants every delivery",
            "`ON CONFLICT DO NOTHING`",
        ],
    ),
    (
        "two-transactions",
        &[
            "problem 1: retries are granted again after the receiver responded with an error",
            "in one transaction",
        ],
    ),
    (
        "answered-first",
        &[
            "problem 1: nothing is granted although the event was accepted",
            "respond with 2xx only after the grant is stored",
        ],
    ),
    (
        "narrow-quantities",
        &[
            "cause: the receiver stores quantities in 32 bits, which overflow",
            "problem 1: a quantity overflows 32 bits: ",
        ],
    ),
    (
        "conflict-refused",
        &[
            "cause: the receiver answers a redelivery with 409",
            "respond to a known idempotency key with 2xx",
        ],
    ),
    (
        "event-id-as-key",
        &[
            "likely cause: the receiver detects duplicates by `event_id`",
            "problem 1: retries with another event ID are granted again",
            "deduplicate by `idempotency_key`, not by `event_id`",
        ],
    ),
];

#[test]
fn a_typical_bug_is_named_first_and_fits_on_a_screen() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/receivers/express");
    let has_node = Command::new("node").arg("--version").output().is_ok();
    if !has_node || !folder.join("node_modules").is_dir() {
        println!("skipped: needs Node.js and node_modules; tests/receivers/run installs them");
        return;
    }
    for (flaw, words) in BUGS {
        let printed = Express::start(&folder, flaw).run();
        let is_failure = |line: &&str| *line != "not checked" && !line.contains(" scenarios: ");
        let failures = printed.trim().lines().take_while(is_failure);
        let failures = failures.collect::<Vec<_>>().join("\n");
        let lines: Vec<&str> = failures.trim().lines().collect();
        println!("{flaw}: {} lines", lines.len());
        assert!(
            lines.len() <= SCREEN,
            "{flaw}: {} lines\n{printed}",
            lines.len()
        );
        let first = lines[..FIRST_LINES].join("\n");
        for word in words {
            // Prose is broken into lines.
            let is_named = |text: &str| {
                text.split_whitespace()
                    .collect::<Vec<_>>()
                    .join(" ")
                    .contains(word)
            };
            assert!(is_named(&first), "{flaw}: no “{word}” in\n{first}");
        }
        for searchable in [
            "idempotency_key idmpt_",
            "event_id whevt_",
            "  delivered 20",
        ] {
            let is_shown = failures.contains(searchable);
            // A crash and refused redeliveries show requests instead.
            let request = failures.replace("\": \"", "\":\"");
            let shows_request = request.contains("\"idempotency_key\":\"idmpt_");
            assert!(
                is_shown || shows_request,
                "{flaw}: no {searchable}\n{failures}"
            );
        }
    }
}

/// A running receiver in Express, killed when dropped.
struct Express {
    process: Child,
    folder: TempDir,
    config: PathBuf,
}

impl Express {
    fn start(source: &Path, flaw: &str) -> Self {
        let folder = TempDir::new().expect("a folder");
        let mut process = Command::new("node")
            .args(["serve.js", "--port", "0", "--flaw", flaw, "--ledger"])
            .arg(folder.path().join("ledger"))
            .current_dir(source)
            .env("AGHANIM_WEBHOOK_SECRET", SECRET)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("Node.js starts");
        let mut line = String::new();
        BufReader::new(process.stdout.take().expect("piped"))
            .read_line(&mut line)
            .expect("a line");
        let address = line.trim_end().strip_prefix("listening on http://");
        let address = address.and_then(|url| url.split_once('/'));
        let (address, _) = address.expect("the receiver listens");
        let profile = fs::read_to_string(source.join("aghook.yaml")).expect("a profile");
        let config = folder.path().join("aghook.yaml");
        fs::write(&config, profile.replace("127.0.0.1:8102", address)).expect("written");
        Self {
            process,
            folder,
            config,
        }
    }

    /// The output of the bundled suite without a line for every scenario.
    fn run(&self) -> String {
        let ended = assert_cmd::Command::cargo_bin("aghook")
            .expect("built")
            .args(["run", "--quiet", "--config"])
            .arg(&self.config)
            .current_dir(self.folder.path())
            .env("AGHANIM_WEBHOOK_SECRET", SECRET)
            .env("AGHANIM_WEBHOOK_OLD_SECRET", "whsec_of_last_year")
            .env_remove("COLUMNS")
            .output()
            .expect("it runs");
        assert_eq!(ended.status.code(), Some(1), "a failure was found");
        String::from_utf8(ended.stdout).expect("UTF-8")
    }
}

impl Drop for Express {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
