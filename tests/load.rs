//! `aghook load` and `aghook merge` as users call them: what is counted, what is caught, and how
//! they end. No test depends on how fast anything is.

mod support;

use std::collections::BTreeSet;
use std::io::{BufRead as _, BufReader, Read as _};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use serde_json::Value;

use support::{Answer, Encrypted, Folder, Peer, SECRET, Transcript};

/// Everything that can befall an event.
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

/// The JSON report of a load that must end with this code.
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

/// `aghook receive` with these flaws, as a process of its own.
struct Flawed {
    process: Child,
    address: String,
}

impl Flawed {
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
        // It must never wait for someone to read what it prints.
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

impl Drop for Flawed {
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
    for befallen in ["duplicates", "together", "forgeries", "lost_acks"] {
        assert!(of(befallen) > 0, "{befallen}: {counts}");
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
fn a_rate_has_as_many_events_as_it_says() {
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
            Answer::of(200)
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
fn a_receiver_that_grants_twice_is_caught_and_its_events_can_be_sent_again() {
    let flawed = Flawed::new(&["--flaw", "dedupe_missing"]);
    let folder = Folder::new().with("aghook.yaml", flawed.config(""));
    let options = [
        "--rate",
        "max",
        "--count",
        "200",
        "--together",
        "10%",
        "--duplicates",
        "10%",
        "--check-effects",
        "all",
    ];
    let report = report(&folder, &options, 1);
    let counts = counts(&report);
    let effects = &report["effects"];
    let wrong = effects["wrong"].as_array().expect("a list");
    // Sandbox events are not granted, and so can't be granted twice.
    let repeated = number(counts, "together") + number(counts, "duplicates");
    assert!(
        !wrong.is_empty() && wrong.len() as u64 <= repeated,
        "{effects}"
    );
    assert_eq!(number(effects, "right") + wrong.len() as u64, 200);
    for one in wrong {
        let problem = one["problem"].as_str().expect("text");
        assert!(problem.contains("2 times as much"), "{problem}");
    }
    let failures = folder.read("aghook-failures.jsonl");
    let lines: Vec<Value> = failures
        .lines()
        .map(|line| serde_json::from_str(line).expect("JSON"))
        .collect();
    assert_eq!(lines.len(), wrong.len());
    for (line, one) in lines.iter().zip(wrong) {
        let body: Value = serde_json::from_str(line["body"].as_str().expect("text")).expect("JSON");
        assert_eq!(body["event_id"], one["event_id"]);
        assert_eq!(body["event_data"]["player_id"], one["player_id"]);
    }
}

#[test]
fn a_receiver_that_takes_forgeries_is_caught() {
    let flawed = Flawed::new(&["--flaw", "signature_not_checked"]);
    let folder = Folder::new().with("aghook.yaml", flawed.config(""));
    let options = [
        "--rate",
        "max",
        "--count",
        "300",
        "--forgeries",
        "10%",
        "--check-effects",
        "all",
        "--expect",
        "refused_forgeries = 100%",
    ];
    let report = report(&folder, &options, 1);
    assert!(number(counts(&report), "accepted_forgeries") > 0);
    assert_eq!(report["expectations"][0]["holds"], false);
    assert!(
        !report["effects"]["wrong"]
            .as_array()
            .expect("a list")
            .is_empty()
    );
    assert!(
        folder
            .read("aghook-failures.jsonl")
            .contains("a forgery was accepted")
    );
}

#[test]
fn what_fails_comes_back_by_the_policy() {
    let answered = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&answered);
    let peer = Peer::answering(move |_| {
        let nth = counted.fetch_add(1, Ordering::SeqCst);
        Answer::of(if nth < 30 { 503 } else { 200 })
    });
    let config = format!(
        "profiles:\n  x:\n    target: {}\n    retry: {{ attempts: 40, delays: [1ms] }}\n",
        peer.url()
    );
    let folder = Folder::new().with("aghook.yaml", config);
    let options = ["--rate", "max", "--count", "10", "--connections", "2"];
    let report = report(&folder, &options, 0);
    let counts = counts(&report);
    assert_eq!(number(counts, "acknowledged"), 10);
    assert_eq!(number(counts, "retries"), 30);
    assert_eq!(number(counts, "errors"), 30);
    assert_eq!(counts["statuses"]["503"], 30);
}

#[test]
fn what_never_succeeds_is_exhausted_and_fails() {
    let peer = Peer::answering(|_| Answer::of(500));
    let config = format!(
        "profiles:\n  x:\n    target: {}\n    retry: {{ attempts: 3, delays: [1ms] }}\n",
        peer.url()
    );
    let folder = Folder::new().with("aghook.yaml", config);
    let counted = report(&folder, &["--rate", "max", "--count", "10"], 1);
    let counts = counts(&counted);
    assert_eq!(number(counts, "exhausted"), 10);
    assert_eq!(number(counts, "attempts"), 30);
    // What is expected decides.
    report(
        &folder,
        &[
            "--rate",
            "max",
            "--count",
            "10",
            "--expect",
            "errors = 100%",
        ],
        0,
    );
    report(
        &folder,
        &["--rate", "max", "--count", "10", "--expect", "p99 < 1s"],
        3,
    );
}

#[test]
fn partitions_are_joined_to_the_whole() {
    let flawed = Flawed::new(&[]);
    let folder = Folder::new().with("aghook.yaml", flawed.config(""));
    let share = |share: &str, file: &str| {
        let name = format!("json={file}");
        let mut words = vec![
            "load",
            "--rate",
            "max",
            "--count",
            "301",
            "--start-time",
            "1763889831",
            "--check-effects",
            "all",
            "--partition",
            share,
            "--report",
            &name,
        ];
        words.extend(MIX);
        folder.aghook(&words).assert().code(0);
    };
    share("1/2", "one.json");
    share("2/2", "other.json");
    let merged = folder
        .aghook(&[
            "merge",
            "one.json",
            "other.json",
            "--report",
            "json",
            "--report",
            "hdr=all.hlog",
        ])
        .assert()
        .code(0);
    let merged: Value = serde_json::from_slice(&merged.get_output().stdout).expect("JSON");
    assert_eq!(number(counts(&merged), "events"), 301);
    assert_eq!(merged["effects"]["right"], 301);
    let acknowledged = number(counts(&merged), "acknowledged");
    assert_eq!(merged["latency"]["count"], acknowledged);
    assert!(folder.read("all.hlog").contains("Tag=latency,"));
    Transcript::of(&mut folder.aghook(&["merge", "one.json", "one.json"]))
        .ends_with(2)
        .says(&["the share 1/2 is there already"]);
    Transcript::of(&mut folder.aghook(&["merge", "aghook.yaml"])).ends_with(2);
}

#[test]
fn what_is_wrong_on_the_command_line_is_said() {
    let folder = Folder::new();
    for (arguments, said) in [
        (&["--rate", "fast"][..], "`100..5000 over 60s`"),
        (&["--duration", "5"], "expected a unit"),
        (&["--count", "0"], "--count"),
        (&["--connections", "0"], "--connections"),
        (&["--duplicates", "5"], "expected a share such as `5%`"),
        (
            &["--duplicates", "60%", "--together", "60%"],
            "more than 100% together",
        ),
        (
            &["--expect", "p99 < fast"],
            "column 7: `p99` is compared with a duration",
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
    let mut nobody = folder.aghook(&["load", "--target", support::NOBODY]);
    Transcript::of(&mut nobody)
        .ends_with(3)
        .says(&["can't be reached"]);
}

#[test]
fn a_load_goes_over_tls_in_both_versions() {
    for (version, spoken) in [
        ("1.1", http::Version::HTTP_11),
        ("2", http::Version::HTTP_2),
    ] {
        let receiver = Encrypted::new("127.0.0.1", &[b"h2", b"http/1.1"]);
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
            versions.iter().all(|version| *version == spoken),
            "{versions:?}"
        );
    }
}

#[test]
fn a_load_that_sent_nothing_is_no_success() {
    let folder = Folder::new();
    report(&folder, &["--duration", "0s"], 3);
}

#[test]
fn no_output_shows_the_secret() {
    let flawed = Flawed::new(&[]);
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
    let told = [
        &output.stdout[..],
        &output.stderr,
        folder.read("load.json").as_bytes(),
    ]
    .concat();
    assert!(!String::from_utf8_lossy(&told).contains(SECRET));
}

#[cfg(unix)]
mod interrupted {
    use std::sync::mpsc::{Receiver, Sender, channel};

    use super::*;

    /// A load on a receiver that holds every answer back until the test lets it go.
    struct Held {
        load: Child,
        stderr: BufReader<std::process::ChildStderr>,
        answer: Sender<()>,
        folder: Folder,
    }

    impl Held {
        fn new() -> Self {
            let (arrived, arrivals): (Sender<()>, Receiver<()>) = channel();
            let (answer, answers) = channel::<()>();
            let (arrived, answers) = (Mutex::new(arrived), Mutex::new(answers));
            let peer = Peer::answering(move |_| {
                let _ = arrived.lock().expect("one at a time").send(());
                let _ = answers.lock().expect("one at a time").recv();
                Answer::of(200)
            });
            let folder = Folder::new();
            let mut load = Command::new(env!("CARGO_BIN_EXE_aghook"))
                .current_dir(folder.root())
                .args([
                    "load",
                    "--rate",
                    "max",
                    "--count",
                    "100000",
                    "--connections",
                    "2",
                ])
                .args(["--report", "json=load.json", "--target", &peer.url()])
                .env("AGHOOK_SECRET", SECRET)
                .stdout(Stdio::null())
                .stderr(Stdio::piped())
                .spawn()
                .expect("runs");
            // Both connections have sent one.
            for _ in 0..2 {
                arrivals.recv().expect("a delivery");
            }
            let stderr = BufReader::new(load.stderr.take().expect("a pipe"));
            Self {
                load,
                stderr,
                answer,
                folder,
            }
        }

        /// Presses Ctrl-C.
        fn press(&self) {
            let pid = self.load.id().to_string();
            let sent = Command::new("kill").args(["-INT", &pid]).status();
            assert!(sent.expect("kill").success());
        }

        /// Presses Ctrl-C, and waits until the program says that it has seen it.
        fn interrupt(&mut self) {
            self.press();
            let mut line = String::new();
            self.stderr.read_line(&mut line).expect("a line");
            assert!(line.starts_with("stopping: "), "{line}");
        }

        fn end(mut self) -> (Option<i32>, Value) {
            let code = self.load.wait().expect("ends").code();
            let mut rest = String::new();
            self.stderr.read_to_string(&mut rest).expect("UTF-8");
            let report = serde_json::from_str(&self.folder.read("load.json"));
            (code, report.unwrap_or_else(|_| panic!("no report: {rest}")))
        }
    }

    #[test]
    fn what_is_under_way_ends_and_is_counted() {
        let mut held = Held::new();
        held.interrupt();
        for _ in 0..2 {
            held.answer.send(()).expect("the receiver waits");
        }
        let (code, report) = held.end();
        assert_eq!(code, Some(3), "{report}");
        assert_eq!(report["interrupted"], true);
        let counts = counts(&report);
        assert_eq!(number(counts, "events"), 2);
        assert_eq!(number(counts, "acknowledged"), 2);
        assert_eq!(number(counts, "unfinished"), 0);
    }

    #[test]
    fn the_second_time_nothing_is_waited_for_and_all_is_counted() {
        let mut held = Held::new();
        held.interrupt();
        held.press();
        let (code, report) = held.end();
        assert_eq!(code, Some(3), "{report}");
        let counts = counts(&report);
        assert_eq!(number(counts, "events"), 2);
        assert_eq!(number(counts, "unfinished"), 2);
    }
}
