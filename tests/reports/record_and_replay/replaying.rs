//! Replays of recorded runs, with the same bytes or new signatures, to sound and flawed receivers.

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use crate::support::{
    Folder, Peer, PeerRequest, PeerResponse, SECRET, Transcript, UNREACHABLE, expecting,
};

/// An `aghook receive` process, killed when dropped.
struct ReceiverProcess {
    process: Child,
    url: String,
}

impl ReceiverProcess {
    fn start(options: &[&str]) -> Self {
        let mut process = Command::new(env!("CARGO_BIN_EXE_aghook"))
            .args(["receive", "--listen", "127.0.0.1:0"])
            .args(options)
            .env("AGHOOK_SECRET", SECRET)
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("starts");
        let mut first = String::new();
        let stdout = process.stdout.take().expect("a pipe");
        let mut lines = BufReader::new(stdout);
        lines.read_line(&mut first).expect("a line");
        // Drain its output so that a full pipe does not block it.
        std::thread::spawn(move || std::io::copy(&mut lines, &mut std::io::sink()));
        let url = first.split_whitespace().last().expect("a URL").to_owned();
        Self { process, url }
    }
}

impl Drop for ReceiverProcess {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// A receiver that stores requests and responds with the number of headers.
struct StoringReceiver {
    peer: Peer,
    received: Arc<Mutex<Vec<PeerRequest>>>,
}

impl StoringReceiver {
    fn new() -> Self {
        let received: Arc<Mutex<Vec<PeerRequest>>> = Arc::default();
        let stored = Arc::clone(&received);
        let peer = Peer::answering(move |request| {
            stored.lock().expect("not poisoned").push(request.clone());
            PeerResponse::new(200).body(request.headers.len().to_string())
        });
        Self { peer, received }
    }

    /// Removes and returns the requests so far.
    fn take_requests(&self) -> Vec<PeerRequest> {
        std::mem::take(&mut self.received.lock().expect("not poisoned"))
    }
}

/// The request line, headers and body, without the host.
fn content(request: &PeerRequest) -> (String, Vec<(String, String)>, Vec<u8>) {
    let headers = request.headers.iter().filter(|(name, _)| name != "Host");
    let line = format!("{} {}", request.method, request.path);
    (line, headers.cloned().collect(), request.body.clone())
}

const ALL_SORTS: &str = "\
name: all sorts of requests
events:
  welcome: {}
  odd: { raw: \"{ \\\"no\\\" : \\\"event\\\\u0000\\\" }\\n\" }
steps:
  - { deliver: welcome, expect: { status: 2xx } }
  - { deliver: odd, retry: off }
  - { deliver: welcome, forge: two_signatures }
  - { deliver: welcome, forge: tampered_body }
  - { deliver: welcome, forge: missing_timestamp }
  - { deliver: welcome, forge: empty_signature }
  - { deliver: welcome, forge: stale_timestamp }
  - { request: { url: '/debug?x=%20y', method: PUT, headers: { x-odd: ' a  b' }, body: { a: 1 } } }
";

/// A folder with a recorded run of `scenario` against `url`.
fn recorded(scenario: &str, url: &str, code: i32) -> Folder {
    let folder = Folder::with_scenario(scenario);
    let options = ["--target", url, "--record", "kept", "--jobs", "1"];
    Transcript::of(&mut folder.run(&options)).ends_with(code);
    folder
}

/// Records the bundled suite, without the scenario in which luck decides which of the simultaneous
/// deliveries gets the scripted response.
fn record_bundled(folder: &Folder, options: &[&str]) {
    let scenarios = Path::new(env!("CARGO_MANIFEST_DIR")).join("scenarios");
    let mut command = folder.aghook(&["run", "--record", "kept"]);
    for room in fs::read_dir(scenarios).expect("scenarios") {
        for file in fs::read_dir(room.expect("a folder").path()).expect("files") {
            let file = file.expect("a file").path();
            if !file.ends_with("duplicate_of_a_failing_delivery.yaml") {
                command.arg(file);
            }
        }
    }
    Transcript::of(command.args(options)).ends_with(0);
}

#[test]
fn a_replay_of_the_bundled_suite_gets_the_same_responses() {
    let folder = Folder::new();
    record_bundled(&folder, &[]);
    Transcript::of(&mut folder.aghook(&["replay", "kept"]))
        .ends_with(2)
        .says(&["whose secret is not recorded", "`--resign`"]);
    Transcript::of(&mut folder.aghook(&["replay", "kept", "--resign"]))
        .ends_with(0)
        .says(&[" 0 different", "not sent: the fault cuts off"])
        .does_not_say(&["differs", "script"]);
}

#[test]
fn a_replay_sends_exactly_the_same_bytes() {
    let receiver = StoringReceiver::new();
    let folder = recorded(ALL_SORTS, &receiver.peer.url(), 0);
    let then = receiver.take_requests();
    assert_eq!(then.len(), 8);
    // A replay needs no secret, and its default target is that of the run.
    let mut replay = folder.aghook(&["replay", "kept"]);
    Transcript::of(replay.env_remove("AGHOOK_SECRET"))
        .ends_with(0)
        .says(&["8 requests of 1 scenario: 8 same, 0 different"]);
    let now = receiver.take_requests();
    assert_eq!(now.len(), then.len());
    for (then, now) in then.iter().zip(&now) {
        assert_eq!(content(now), content(then));
        assert_eq!(now.header("host"), then.header("host"));
    }

    let other = StoringReceiver::new();
    let target = other.peer.url();
    let mut replay = folder.aghook(&["replay", "kept", "--target", &target]);
    Transcript::of(&mut replay).ends_with(0);
    let elsewhere = other.take_requests();
    assert_eq!(elsewhere.len(), then.len());
    let authority = other.peer.address.to_string();
    for (then, now) in then.iter().zip(&elsewhere) {
        assert_eq!(content(now), content(then));
        assert_eq!(now.header("host"), Some(authority.as_str()));
    }
    assert_eq!(receiver.take_requests().len(), 0);
}

#[test]
fn resigning_keeps_bodies_and_forgeries() {
    let receiver = ReceiverProcess::start(&[]);
    let scenario = "\
name: genuine and forged
events: { welcome: {} }
matrix: { forge: [missing_signature, wrong_secret, tampered_body, swapped_timestamp,
  body_only_signature, stale_timestamp, future_timestamp, two_signatures] }
steps:
  - { deliver: welcome, expect: { status: 2xx } }
  - { deliver: welcome, forge: '${forge}', expect: { status: 4xx } }
";
    let folder = recorded(scenario, &receiver.url, 0);
    let fresh = ReceiverProcess::start(&[]);
    let words = ["replay", "kept", "--resign", "--target", &fresh.url];
    Transcript::of(&mut folder.aghook(&words))
        .ends_with(0)
        .says(&["16 requests of 8 scenarios: 16 same, 0 different"]);

    let storing = StoringReceiver::new();
    let target = storing.peer.url();
    let words = ["replay", "kept", "--resign", "--target", &target];
    Transcript::of(&mut folder.aghook(&words)).ends_with(1);
    let journal = super::events(&folder.read("kept/run.jsonl"));
    let bodies = journal.iter().filter_map(|event| match event {
        aghook::internals::run::RunEvent::AttemptEnded(attempt) => attempt.request.body.bytes(),
        _ => None,
    });
    let bodies: Vec<Vec<u8>> = bodies.map(std::borrow::Cow::into_owned).collect();
    let sent: Vec<Vec<u8>> = storing
        .take_requests()
        .into_iter()
        .map(|sent| sent.body)
        .collect();
    assert_eq!(sent, bodies);
}

/// A receiver with these flaws refuses what is written in another way, so a replay that lost the way
/// would get other responses.
#[test]
fn requests_are_written_on_the_wire_as_recorded() {
    let scenario = "\
name: other ways to write a request
events: { welcome: {} }
matrix: { wire: [{ transfer: chunked, pieces: 400 }, { header_case: lower },
  { content_type: application/json;charset=utf-8 }, { expect: 100-continue }] }
steps:
  - { deliver: welcome, wire: '${wire}', expect: { status: 4xx } }
";
    let flaws = ["content_length_required", "header_names_case_sensitive"];
    let flaws = [
        flaws,
        ["content_type_compared_exactly", "expectation_refused"],
    ]
    .concat();
    let flaws: Vec<&str> = flaws.iter().flat_map(|flaw| ["--flaw", flaw]).collect();
    let receiver = ReceiverProcess::start(&flaws);
    let folder = recorded(scenario, &receiver.url, 0);
    let journal = folder.read("kept/run.jsonl");
    for status in [411, 403, 415, 417] {
        assert!(
            journal.contains(&format!("{{\"status\":{status}")),
            "{journal}"
        );
    }
    for more in [&[][..], &["--resign"]] {
        let words = [&["replay", "kept", "--target", &receiver.url], more].concat();
        Transcript::of(&mut folder.aghook(&words))
            .ends_with(0)
            .says(&["4 requests of 4 scenarios: 4 same, 0 different"]);
    }
    let words = [
        "replay",
        "kept",
        "--http-version",
        "2",
        "--target",
        &receiver.url,
    ];
    Transcript::of(&mut folder.aghook(&words)).says(&["`transfer: chunked` needs HTTP/1.1"]);
}

/// Makes the signatures in the journal one hour older.
fn age_signatures(folder: &Folder) {
    let journal = folder.read("kept/run.jsonl");
    let mark = "\"X-Aghanim-Signature-Timestamp\",\"";
    let older: Vec<String> = journal
        .split(mark)
        .enumerate()
        .map(|(index, part)| match (index, part.split_once('"')) {
            (1.., Some((seconds, rest))) => {
                let seconds: u64 = seconds.parse().expect("seconds");
                format!("{}\"{rest}", seconds - 3600)
            }
            _ => part.to_owned(),
        })
        .collect();
    std::fs::write(folder.path("kept/run.jsonl"), older.join(mark)).expect("written");
}

#[test]
fn old_signatures_are_refused_with_a_hint() {
    let receiver = ReceiverProcess::start(&[]);
    let folder = recorded(&expecting("{ status: 200 }"), &receiver.url, 0);
    let fresh = ReceiverProcess::start(&[]);
    let to_fresh = ["replay", "kept", "--target", &fresh.url];
    Transcript::of(&mut folder.aghook(&to_fresh)).ends_with(0);
    age_signatures(&folder);
    Transcript::of(&mut folder.aghook(&to_fresh))
        .ends_with(1)
        .says(&[
            "✗ differs: a delivery: step 1, delivery 1 of welcome, attempt 1",
            "recorded 200 {\"status\":\"ok\"}",
            "now      403 {\"status\":\"error\"",
            "1 request of 1 scenario: 0 same, 1 different",
            "probably because their signatures are up to 1h",
            "`--resign`",
        ]);
}

#[test]
fn a_wrong_secret_is_suggested_as_the_cause() {
    let receiver = ReceiverProcess::start(&[]);
    let folder = recorded(&expecting("{ status: 200 }"), &receiver.url, 0);
    let fresh = ReceiverProcess::start(&[]);
    let words = ["replay", "kept", "--resign", "--target", &fresh.url];
    let mut replay = folder.aghook(&words);
    Transcript::of(replay.env("AGHOOK_SECRET", "another"))
        .ends_with(1)
        .says(&["signed afresh; the receiver may have another secret"]);
    let mut replay = folder.aghook(&words);
    Transcript::of(replay.env_remove("AGHOOK_SECRET")).ends_with(2);
}

#[test]
fn a_flaw_shows_as_a_difference() {
    let receiver = ReceiverProcess::start(&[]);
    let scenario = expecting("{ status: 4xx }").replace(
        "deliver: welcome",
        "deliver: welcome\n    forge: wrong_secret",
    );
    let folder = recorded(&scenario, &receiver.url, 0);
    let flawed = ReceiverProcess::start(&["--flaw", "signature_not_checked"]);
    for options in [&[][..], &["--resign"], &["--compare", "status"]] {
        let words = ["replay", "kept", "--target", &flawed.url];
        Transcript::of(&mut folder.aghook(&[&words[..], options].concat()))
            .ends_with(1)
            .says(&["differs", "wrong_secret", "recorded 403", "now      200"]);
    }
}

#[test]
fn compare_status_ignores_the_body() {
    let count = Mutex::new(0);
    let peer = Peer::answering(move |_| {
        let mut count = count.lock().expect("not poisoned");
        *count += 1;
        PeerResponse::new(200).body(format!("number {count}"))
    });
    let folder = recorded(&expecting("{ status: 200 }"), &peer.url(), 0);
    Transcript::of(&mut folder.aghook(&["replay", "kept"]))
        .ends_with(1)
        .says(&[
            "recorded 200 number 1",
            "now      200 number 2",
            "the bodies are equal up to byte 7",
        ]);
    let words = ["replay", "kept", "--compare", "status", "-v"];
    Transcript::of(&mut folder.aghook(&words))
        .ends_with(0)
        .says(&["✓ same: a delivery: step 1, delivery 1 of welcome, attempt 1"]);
}

#[test]
fn requests_that_can_not_be_replayed_are_skipped_with_a_reason() {
    let receiver = StoringReceiver::new();
    let scenario = "\
name: with a credential
events: { welcome: {} }
steps:
  - { deliver: welcome, expect: { status: 2xx } }
  - { deliver: welcome, fault: cut_body }
  - { request: { url: /x, headers: { Authorization: Bearer of-a-test } } }
";
    let folder = recorded(scenario, &receiver.peer.url(), 0);
    receiver.take_requests();
    Transcript::of(&mut folder.aghook(&["replay", "kept", "-v"]))
        .ends_with(0)
        .says(&[
            "4 requests of 1 scenario: 2 same, 0 different, 2 not sent",
            "1 not sent: the request contains a credential or a secret, which is not recorded",
            "1 not sent: the fault cuts off the request",
        ]);
    assert_eq!(receiver.take_requests().len(), 2);
}

const RESTARTED: &str = "\
name: restarted in between
events: { welcome: {} }
steps:
  - { deliver: welcome, expect: { status: 2xx } }
  - { restart: true }
  - { deliver: welcome, expect: { status: 2xx } }
";

#[test]
fn a_replay_restarts_the_receiver_or_skips_the_rest() {
    let receiver = StoringReceiver::new();
    let hook = StoringReceiver::new();
    let failing = Peer::answering(|_| PeerResponse::new(500));
    let profile = |restart: &str| {
        let target = receiver.peer.url();
        format!("profiles:\n  game:\n    target: {target}\n{restart}")
    };
    let restart = |peer: &Peer| profile(&format!("    restart: {{ http: POST {} }}\n", peer.url()));
    let folder = Folder::with_scenario(RESTARTED).with("aghook.yaml", restart(&hook.peer));
    Transcript::of(&mut folder.run(&["--record", "kept"])).ends_with(0);
    assert_eq!(
        (receiver.take_requests().len(), hook.take_requests().len()),
        (2, 1)
    );

    Transcript::of(&mut folder.aghook(&["replay", "kept"]))
        .ends_with(0)
        .says(&["2 same, 0 different\n"]);
    assert_eq!(
        (receiver.take_requests().len(), hook.take_requests().len()),
        (2, 1)
    );

    let folder = folder.with("aghook.yaml", profile(""));
    Transcript::of(&mut folder.aghook(&["replay", "kept"]))
        .ends_with(0)
        .says(&["1 same", "1 not sent: the scenario restarts the receiver"]);
    assert_eq!(receiver.take_requests().len(), 1);

    let folder = folder.with("aghook.yaml", restart(&failing));
    Transcript::of(&mut folder.aghook(&["replay", "kept"]))
        .ends_with(3)
        .says(&["1 not sent: failed to restart the receiver", "500"]);
    assert_eq!(
        (receiver.take_requests().len(), hook.take_requests().len()),
        (1, 0)
    );
}

#[test]
fn without_a_script_hook_the_rest_of_a_scenario_is_skipped() {
    let folder = Folder::new();
    record_bundled(&folder, &["--tag", "script"]);
    let receiver = ReceiverProcess::start(&[]);
    let words = ["replay", "kept", "--resign", "--target", &receiver.url];
    Transcript::of(&mut folder.aghook(&words))
        .ends_with(3)
        .says(&["the profile has no `script` hook"]);
    let base = receiver.url.replace("/webhooks/aghanim", "");
    let profile = format!(
        "profiles:\n  game:\n    target: {}\n    script:\n      \
         http: PUT {base}/debug/players/{{player_id}}/respond\n",
        receiver.url
    );
    let folder = folder.with("aghook.yaml", profile);
    Transcript::of(&mut folder.aghook(&["replay", "kept", "--resign"]))
        .ends_with(0)
        .says(&[" 0 different"])
        .does_not_say(&["script"]);
}

#[test]
fn an_unreachable_target_is_3() {
    let receiver = StoringReceiver::new();
    let folder = recorded(&expecting("{ status: 200 }"), &receiver.peer.url(), 0);
    Transcript::of(&mut folder.aghook(&["replay", "kept", "--target", UNREACHABLE]))
        .ends_with(3)
        .says(&["can't be reached"]);
}

#[test]
fn a_replay_stops_when_the_receiver_dies() {
    let receiver = ReceiverProcess::start(&[]);
    let scenario = "\
name: several
events: { one: {}, two: {}, three: {} }
steps:
  - { deliver: [one, two, three], expect: { status: 2xx } }
";
    let folder = recorded(scenario, &receiver.url, 0);
    let dying = ReceiverProcess::start(&["--crash-after", "2"]);
    Transcript::of(&mut folder.aghook(&["replay", "kept", "--target", &dying.url]))
        .ends_with(1)
        .says(&[
            "1 same, 1 different",
            "stopped there, because the target is unreachable",
        ]);
}

#[test]
fn other_hosts_must_be_allowed() {
    let receiver = StoringReceiver::new();
    let folder = recorded(&expecting("{ status: 200 }"), &receiver.peer.url(), 0);
    receiver.take_requests();
    let journal = folder.read("kept/run.jsonl");
    let here = format!("http://{}", receiver.peer.address);
    let staging = journal.replace(&here, "http://staging.example.com");
    std::fs::write(folder.path("kept/run.jsonl"), staging).expect("written");
    Transcript::of(&mut folder.aghook(&["replay", "kept"]))
        .ends_with(2)
        .says(&["--allow-host staging.example.com", "`--target URL`"]);
    let words = ["replay", "kept", "--target", &receiver.peer.url()];
    Transcript::of(&mut folder.aghook(&words)).ends_with(0);
}

#[test]
fn a_filter_selects_scenarios() {
    let receiver = StoringReceiver::new();
    let url = receiver.peer.url();
    let scenario = |name: &str| expecting("{ status: 200 }").replace("a delivery", name);
    let folder = Folder::new()
        .with("a.yaml", scenario("apples"))
        .with("b.yaml", scenario("pears"));
    let words = ["run", ".", "--target", &url, "--record", "kept"];
    Transcript::of(&mut folder.aghook(&words)).ends_with(0);
    receiver.take_requests();
    for (filter, sent) in [("PEARS", 1), ("a.yaml", 1), ("*.yaml", 2)] {
        let words = ["replay", "kept", "--filter", filter];
        Transcript::of(&mut folder.aghook(&words)).ends_with(0);
        assert_eq!(receiver.take_requests().len(), sent, "{filter}");
    }
    let words = ["replay", "kept", "--filter", "plums"];
    Transcript::of(&mut folder.aghook(&words))
        .ends_with(2)
        .says(&["no scenario matches these filters"]);
    assert_eq!(receiver.take_requests().len(), 0);
}

#[test]
fn a_run_over_http_2_can_be_replayed_over_both_versions() {
    let receiver = ReceiverProcess::start(&[]);
    let folder = Folder::with_scenario(&expecting("{ status: 200 }"));
    let options = ["--target", &receiver.url, "--record", "kept"];
    let options = [&options[..], &["--http-version", "2"]].concat();
    Transcript::of(&mut folder.run(&options)).ends_with(0);
    assert!(folder.read("kept/run.jsonl").contains("\"HTTP/2\""));
    for version in ["1.1", "2"] {
        let fresh = ReceiverProcess::start(&[]);
        let words = ["replay", "kept", "--target", &fresh.url];
        let words = [&words[..], &["--http-version", version]].concat();
        Transcript::of(&mut folder.aghook(&words)).ends_with(0);
    }
}

#[test]
fn real_time_waits_between_attempts() {
    const WAIT: Duration = Duration::from_millis(300);
    let peer = Peer::answering(|_| PeerResponse::new(503));
    let scenario = expecting("{ status: 503 }\n    retry: { attempts: 2, delays: [300ms] }");
    let folder = recorded(&scenario, &peer.url(), 0);
    let began = Instant::now();
    Transcript::of(&mut folder.aghook(&["replay", "kept", "--real-time"]))
        .ends_with(0)
        .says(&["2 requests of 1 scenario: 2 same"]);
    assert!(began.elapsed() >= WAIT);
}
