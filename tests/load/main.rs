//! `aghook load` and `aghook merge` on the command line: counts, verdicts and exit codes. No test
//! depends on speed.

#[cfg(unix)]
mod bent_sender;
#[cfg(unix)]
mod capture;
mod exactly_once;
mod honest;
#[cfg(unix)]
mod interrupted;
mod java_reader;
#[path = "../reports/junit_structure.rs"]
mod junit_structure;
mod merge;
mod mix;
mod replayed;
mod reports;
mod retries;
#[cfg(unix)]
mod scale;
mod set_up;
mod slow_receiver;
#[path = "../support/mod.rs"]
mod support;

use std::collections::BTreeSet;
use std::io::{BufRead as _, BufReader, Read as _};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use serde_json::Value;

use support::{Folder, HttpsReceiver, Peer, PeerResponse, SECRET, Transcript};

/// Options for every treatment of events.
const MIX: [&str; 8] = [
    "--duplicates",
    "5%",
    "--together",
    "2%",
    "--forgeries",
    "3%",
    "--lost-acks",
    "5%",
];

/// The JSON report of a load, which must exit with this code.
fn report(folder: &Folder, arguments: &[&str], code: i32) -> Value {
    let words = [&["load", "--report", "json=load.json"], arguments].concat();
    let assert = folder.aghook(&words).assert().code(code);
    drop(assert);
    serde_json::from_str(&folder.read("load.json")).expect("JSON")
}

fn counts(report: &Value) -> &Value {
    &report["figures"]["counts"]
}

fn number(json: &Value, key: &str) -> u64 {
    json[key]
        .as_u64()
        .unwrap_or_else(|| panic!("{key}: {json}"))
}

/// An `aghook receive` process, killed when dropped.
struct ReceiverProcess {
    process: Child,
    address: String,
}

impl ReceiverProcess {
    fn new(arguments: &[&str]) -> Self {
        let mut process = Command::new(env!("CARGO_BIN_EXE_aghook"))
            .args(["receive", "--listen", "127.0.0.1:0"])
            .args(arguments)
            .env("AGHOOK_SECRET", SECRET)
            .stdout(Stdio::piped())
            .spawn()
            .expect("runs");
        let mut output = BufReader::new(process.stdout.take().expect("a pipe"));
        let mut line = String::new();
        output.read_line(&mut line).expect("a line");
        let (_, rest) = line.split_once("http://").expect("a URL");
        let (address, _) = rest.split_once('/').expect("a path");
        let address = address.to_owned();
        // Drain its output so that a full pipe does not block it.
        std::thread::spawn(move || std::io::copy(&mut output, &mut std::io::sink()));
        Self { process, address }
    }

    fn config(&self, more: &str) -> String {
        let address = &self.address;
        format!(
            "profiles:\n  flawed:\n    target: http://{address}/webhooks/aghanim\n    probes:\n      \
             quantity:\n        http: GET http://{address}/debug/players/{{player_id}}/items/{{sku}}\n        \
             read: $.quantity\n    policy: {{ bundles: nested, sandbox: ignore, test: ignore }}\n    \
             settle: 0s\n{more}"
        )
    }
}

impl Drop for ReceiverProcess {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

#[test]
fn the_built_in_receiver_grants_every_event_once() {
    let folder = Folder::new();
    let options = ["--rate", "max", "--count", "2000", "--check-effects", "all"];
    let report = report(&folder, &[&options[..], &MIX].concat(), 0);
    let counts = counts(&report);
    let of = |key| number(counts, key);
    assert_eq!(of("events"), 2000);
    for treatment in ["duplicates", "together", "forgeries", "lost_acks"] {
        assert!(of(treatment) > 0, "{treatment}: {counts}");
    }
    assert_eq!(of("refused_forgeries"), of("forgeries"));
    assert_eq!(of("accepted_forgeries"), 0);
    let deliveries = 2000 - of("forgeries") + of("duplicates") + of("together");
    assert_eq!(of("deliveries"), deliveries);
    assert_eq!(of("acknowledged"), deliveries);
    assert_eq!(of("attempts"), deliveries + of("lost_acks"));
    assert_eq!(of("retries"), of("lost_acks"));
    assert_eq!(counts["statuses"]["200"], deliveries);
    assert_eq!(of("errors"), 0);
    assert_eq!(report["effects"]["right"], 2000);
    assert_eq!(report["latency"]["count"], deliveries);
    assert_eq!(report["latency_from"], "sent");
    assert!(!folder.path("aghook-failures.jsonl").exists());
}

#[test]
fn a_rate_determines_the_number_of_events() {
    let folder = Folder::new();
    let options = [
        "--rate",
        "100..300 over 1s",
        "--duration",
        "2s",
        "--warmup",
        "500ms",
        "--connections",
        "7",
        "--http-version",
        "2",
    ];
    let report = report(&folder, &options, 0);
    assert_eq!(number(counts(&report), "events"), 500);
    assert_eq!(report["figures"]["warmup"]["events"], 50);
    assert_eq!(report["latency"]["count"], 500);
    assert_eq!(report["lateness"]["count"], 500);
    assert_eq!(report["latency_from"], "due");
}

#[test]
fn the_same_seed_and_start_time_send_the_same_events() {
    let sent = |seed: &str| {
        let bodies = Arc::new(Mutex::new(BTreeSet::new()));
        let seen = Arc::clone(&bodies);
        let peer = Peer::answering(move |request| {
            let mut seen = seen.lock().unwrap_or_else(PoisonError::into_inner);
            seen.insert(request.body.clone());
            PeerResponse::new(200)
        });
        let folder = Folder::new();
        let url = peer.url();
        let options = [
            "--target",
            &url,
            "--rate",
            "max",
            "--count",
            "50",
            "--connections",
            "3",
            "--start-time",
            "1763889831",
            "--seed",
            seed,
        ];
        report(&folder, &options, 0);
        bodies
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    };
    let one = sent("1");
    assert_eq!(one.len(), 50);
    assert_eq!(one, sent("1"));
    assert!(one.is_disjoint(&sent("2")));
}

#[test]
fn mistakes_on_the_command_line_are_reported() {
    let folder = Folder::new();
    for (arguments, said) in [
        (&["--rate", "fast"][..], "`100..5000 over 60s`"),
        (&["--duration", "5"], "expected a unit"),
        (&["--duration", "0s"], "sends nothing"),
        (
            &["--count", "0"],
            "expected a whole number of events from 1, such as `1000`",
        ),
        (&["--count", "-1"], "expected a whole number of events"),
        (
            &["--connections", "0"],
            "expected a whole number of connections from 1",
        ),
        (&["--seed", "x"], "expected a whole number from 0 to"),
        (&["--seed", "-1"], "expected a whole number from 0 to"),
        (
            &["--rate", "-5"],
            "expected events per second such as `5000`",
        ),
        (&["--rate", "0"], "expected events per second"),
        (&["--duration", "-5s"], "expected a duration"),
        (
            &["--duplicates", "5"],
            "expected a percentage from 0% to 100% such as `5%`",
        ),
        (
            &["--duplicates", "60%", "--together", "60%"],
            "add up to more than 100%",
        ),
        (
            &["--expect", "p99 < fast"],
            "column 7: expected a duration such as `200ms` after `<`",
        ),
        (&["--expect", "p98 < 1s"], "column 1: expected one of p50"),
        (
            &["--check-effects", "some"],
            "expected `all`, `none` or a number",
        ),
        (&["--partition", "1/2"], "--start-time"),
        (&["--report", "jsn"], "did you mean `json`?"),
        (&["--target", "http://staging.example.com/"], "--allow-host"),
        (
            &["--target", "http://127.0.0.1:1/", "--check-effects", "all"],
            "without the probe `quantity`",
        ),
    ] {
        let mut command = folder.aghook(&[&["load"], arguments].concat());
        Transcript::of(&mut command).ends_with(2).says(&[said]);
    }
    let mut unreachable = folder.aghook(&["load", "--target", support::UNREACHABLE]);
    Transcript::of(&mut unreachable)
        .ends_with(3)
        .says(&["can't be reached"]);
}

#[test]
fn a_load_works_over_tls_with_both_http_versions() {
    for (version, expected) in [
        ("1.1", http::Version::HTTP_11),
        ("2", http::Version::HTTP_2),
    ] {
        let receiver = HttpsReceiver::new("127.0.0.1", &[b"h2", b"http/1.1"]);
        let folder = Folder::new().with("ca.pem", &receiver.certificate);
        let url = receiver.url();
        let options = [
            "--target",
            &url,
            "--cacert",
            "ca.pem",
            "--http-version",
            version,
            "--rate",
            "100",
            "--count",
            "50",
            "--connections",
            "4",
            "--together",
            "20%",
            "--lost-acks",
            "10%",
        ];
        let report = report(&folder, &options, 0);
        let attempts = number(counts(&report), "attempts");
        assert_eq!(number(counts(&report), "errors"), 0);
        let versions = receiver.versions();
        assert_eq!(versions.len() as u64, attempts);
        assert!(
            versions.iter().all(|version| *version == expected),
            "{versions:?}"
        );
    }
}

#[test]
fn a_load_that_sent_nothing_is_not_a_success() {
    let folder = Folder::new();
    let empty_shard = [
        "--count",
        "1",
        "--partition",
        "2/2",
        "--start-time",
        "1725548450",
    ];
    report(&folder, &empty_shard, 3);
}

#[test]
fn no_output_shows_the_secret() {
    let flawed = ReceiverProcess::new(&[]);
    let folder = Folder::new().with("aghook.yaml", flawed.config(""));
    let command = folder
        .aghook(&[
            "load",
            "--rate",
            "max",
            "--count",
            "50",
            "--report",
            "json=load.json",
        ])
        .assert()
        .code(0);
    let output = command.get_output();
    let written = [
        &output.stdout[..],
        &output.stderr,
        folder.read("load.json").as_bytes(),
    ]
    .concat();
    assert!(!String::from_utf8_lossy(&written).contains(SECRET));
}
