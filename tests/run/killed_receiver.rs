//! A receiver process that dies in the middle of a run, and is restarted or not.
//!
//! No test depends on timing. The kill is a request step of the scenario, which the test answers
//! when the receiver is dead; or the receiver crashes while it stores the second coupon. The
//! restart follows an attempt that got no connection.

use std::fs;
use std::io::{BufRead as _, BufReader, Lines, Write as _};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Stdio};

use serde_json::Value;
use tempfile::TempDir;

use crate::support::{Folder, Transcript};

const SECRET: &str = "whsec_of_the_killed";

/// Three coupons for three players, and then the first one again.
const SCENARIO: &str = "\
name: coupons while the receiver goes down
events:
  first: { item: { sku: gems, quantity: 5 } }
  second: { item: { sku: gold, quantity: 70 } }
  third: { item: { sku: keys, quantity: 900 } }
steps:
  - deliver: first
    expect: { status: 2xx }
  - deliver: second
    expect: { status: 2xx }
  - deliver: third
    expect: { status: 2xx }
  - deliver: first
    expect: { status: 2xx }
effects:
  - granted: first
  - granted: second
  - granted: third
";

/// Without expectations, so that only inventories are checked.
const ONLY_EFFECTS: &str = "\
name: coupons without expectations
events:
  first: { item: { sku: gems, quantity: 5 } }
  second: { item: { sku: gold, quantity: 70 } }
steps:
  - deliver: first
  - deliver: second
effects:
  - granted: first
  - granted: second
";

/// Enough attempts for a slow machine to restart the receiver.
const MANY_ATTEMPTS: &str = "retry: { attempts: 1000, delays: [50ms] }";
/// Few attempts and short waits.
const FEW_ATTEMPTS: &str = "retry: { attempts: 3, delays: [1ms] }\n    settle: 1ms";

/// The server for a scenario's request step at which the receiver is killed.
struct KillStep(TcpListener);

impl KillStep {
    fn new() -> Self {
        Self(TcpListener::bind("127.0.0.1:0").expect("a free port"))
    }

    /// The scenario with this step before `place`.
    fn before(&self, place: &str, scenario: &str) -> String {
        let address = self.0.local_addr().expect("an address");
        let step = format!("  - request: {{ method: GET, url: 'http://{address}/' }}\n{place}");
        assert_eq!(scenario.matches(place).count(), 1);
        scenario.replace(place, &step)
    }

    /// Waits for the step, kills the receiver and answers the request.
    fn kill(self, receiver: ReceiverProcess) -> String {
        let (mut stream, _) = self.0.accept().expect("the step's request");
        let address = receiver.kill();
        let mut lines = BufReader::new(stream.try_clone().expect("a handle")).lines();
        while !lines.next().expect("a head").expect("text").is_empty() {}
        stream
            .write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
            .expect("written");
        address
    }
}

/// An `aghook receive` process, killed when dropped.
struct ReceiverProcess {
    process: Child,
    /// Its address with the port.
    address: String,
    _output: Lines<BufReader<ChildStdout>>,
}

impl ReceiverProcess {
    fn start(listen: &str, options: &[&str]) -> Self {
        // The killed process may still hold the port for a moment.
        for _ in 0..1000 {
            if let Some(receiver) = Self::try_start(listen, options) {
                return receiver;
            }
        }
        panic!("the receiver does not start on {listen}");
    }

    fn try_start(listen: &str, options: &[&str]) -> Option<Self> {
        let mut process = Command::new(env!("CARGO_BIN_EXE_aghook"))
            .args(["receive", "--listen", listen])
            .args(options)
            .env("AGHOOK_SECRET", SECRET)
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("starts");
        let mut output = BufReader::new(process.stdout.take().expect("piped")).lines();
        let Some(Ok(line)) = output.next() else {
            let _ = process.wait();
            return None;
        };
        let address = line
            .split_once("http://")
            .and_then(|(_, rest)| rest.split_once('/'));
        let address = address.expect("the address line").0.to_owned();
        Some(Self {
            process,
            address,
            _output: output,
        })
    }

    /// `kill -9` or its equivalent.
    fn kill(mut self) -> String {
        self.process.kill().expect("killed");
        self.process.wait().expect("ended");
        self.address.clone()
    }

    /// Waits for the requested crash.
    fn crashed(mut self) -> String {
        let status = self.process.wait().expect("ended");
        assert!(!status.success(), "{status}");
        self.address.clone()
    }
}

impl Drop for ReceiverProcess {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// A run in progress whose report the test reads.
struct RunInProgress {
    process: Child,
    lines: Lines<BufReader<ChildStdout>>,
    events: Vec<Value>,
    folder: TempDir,
}

impl RunInProgress {
    fn start(receiver: &ReceiverProcess, scenario: &str, profile: &str, options: &[&str]) -> Self {
        let folder = TempDir::new().expect("a folder");
        let base = format!("http://{}", receiver.address);
        let config = format!(
            "profiles:\n  killed:\n    target: {base}/webhooks/aghanim\n    {profile}\n    \
             probes:\n      quantity:\n        \
             http: GET {base}/debug/players/{{player_id}}/items/{{sku}}\n        \
             read: $.quantity\n    script:\n      \
             http: PUT {base}/debug/players/{{player_id}}/respond\n"
        );
        fs::write(folder.path().join("aghook.yaml"), config).expect("written");
        fs::write(folder.path().join("scenario.yaml"), scenario).expect("written");
        let mut process = Command::new(env!("CARGO_BIN_EXE_aghook"))
            .args(["run", "scenario.yaml", "--report", "json"])
            .args([
                "--report",
                "markdown=report.md",
                "--report",
                "junit=report.xml",
            ])
            .args(options)
            .env("AGHOOK_SECRET", SECRET)
            .current_dir(folder.path())
            .stdout(Stdio::piped())
            .spawn()
            .expect("starts");
        let lines = BufReader::new(process.stdout.take().expect("piped")).lines();
        Self {
            process,
            lines,
            events: Vec::new(),
            folder,
        }
    }

    /// Reads up to the next matching attempt, if there is one.
    fn next_attempt(&mut self, is_match: impl Fn(&Value) -> bool) -> Option<Value> {
        for line in self.lines.by_ref() {
            let event: Value = serde_json::from_str(&line.expect("text")).expect("JSON");
            self.events.push(event.clone());
            if event["event"] == "attempt_ended" && is_match(&event) {
                return Some(event);
            }
        }
        None
    }

    /// Reads to the end and returns the exit code.
    fn end(&mut self) -> i32 {
        assert_eq!(self.next_attempt(|_| false), None);
        let status = self.process.wait().expect("ends");
        let last = self.events.last().expect("events");
        assert_eq!(last["event"], "run_ended", "{last}");
        status.code().expect("ends by itself")
    }

    fn attempts(&self) -> Vec<&Value> {
        let ended = |event: &&Value| event["event"] == "attempt_ended";
        self.events.iter().filter(ended).collect()
    }

    /// The checks of effects: subject, verdict and observed value.
    fn effects(&self) -> Vec<[String; 3]> {
        let mut ended = self.events.iter();
        let ended = ended.find(|event| event["event"] == "effects_ended");
        let checks = ended.and_then(|ended| ended["checks"].as_array());
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        checks
            .into_iter()
            .flatten()
            .map(|check| ["subject", "verdict", "observed"].map(|key| text(&check[key])))
            .collect()
    }

    fn verdicts(&self) -> Vec<String> {
        let effects = self.effects().into_iter();
        effects
            .map(|[subject, verdict, _]| format!("{subject}: {verdict}"))
            .collect()
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }
}

impl Drop for RunInProgress {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn failure(attempt: &Value) -> Option<&str> {
    attempt["answer"]["failure"]["name"].as_str()
}

fn ledger_path(folder: &Path) -> String {
    let file = folder.join("ledger.sqlite");
    file.to_str().expect("UTF-8").to_owned()
}

const ALL_GRANTED: [&str; 3] = [
    "grant of `first`: passed",
    "grant of `second`: passed",
    "grant of `third`: passed",
];

#[test]
fn a_receiver_that_restarts_with_its_ledger_loses_nothing() {
    let folder = TempDir::new().expect("a folder");
    let store = ledger_path(folder.path());
    let receiver = ReceiverProcess::start("127.0.0.1:0", &["--store", &store]);
    let kill_step = KillStep::new();
    let scenario = kill_step.before("  - deliver: second", SCENARIO);
    let mut run = RunInProgress::start(&receiver, &scenario, MANY_ATTEMPTS, &["--real-time"]);
    let address = kill_step.kill(receiver);
    let unanswered = run.next_attempt(|attempt| failure(attempt).is_some());
    assert_eq!(unanswered.expect("an attempt")["event_name"], "second");
    let restarted = ReceiverProcess::start(&address, &["--store", &store]);
    assert_eq!(run.end(), 0, "{:#?}", run.effects());
    assert_eq!(run.verdicts(), ALL_GRANTED);
    let names: Vec<&str> = run.attempts().into_iter().filter_map(failure).collect();
    let expected = ["refused", "reset", "closed_early"];
    assert!(
        names.iter().all(|name| expected.contains(name)),
        "{names:?}"
    );
    drop(restarted);
}

#[test]
fn a_crash_between_grant_and_response_does_not_grant_twice() {
    let folder = TempDir::new().expect("a folder");
    let store = ledger_path(folder.path());
    let crashing = ["--store", store.as_str(), "--crash-after", "2"];
    let receiver = ReceiverProcess::start("127.0.0.1:0", &crashing);
    let mut run = RunInProgress::start(&receiver, SCENARIO, MANY_ATTEMPTS, &["--real-time"]);
    let lost = run.next_attempt(|attempt| failure(attempt).is_some());
    assert_eq!(lost.expect("an attempt")["event_name"], "second");
    let address = receiver.crashed();
    let _restarted = ReceiverProcess::start(&address, &["--store", &store]);
    assert_eq!(run.end(), 0, "{:#?}", run.effects());
    assert_eq!(run.verdicts(), ALL_GRANTED);
}

#[test]
fn a_crash_ends_the_run_and_names_the_open_request() {
    let receiver = ReceiverProcess::start("127.0.0.1:0", &["--crash-after", "3"]);
    let folder = Folder::new();
    std::fs::create_dir(folder.path("suite")).expect("a folder");
    for number in 1..=9 {
        let scenario = format!(
            "name: coupon {number}\nevents: {{ coupon: {{}} }}\n\
             steps: [{{ deliver: coupon, expect: {{ status: 2xx }} }}]\n\
             effects: [{{ granted: coupon }}]\n"
        );
        fs::write(folder.path(&format!("suite/{number}.yaml")), scenario).expect("written");
    }
    let base = format!("http://{}", receiver.address);
    let config = format!(
        "profiles:\n  killed:\n    target: {base}/webhooks/aghanim\n    settle: 1ms\n    probes:\n      \
         quantity:\n        http: GET {base}/debug/players/{{player_id}}/items/{{sku}}\n        \
         read: $.quantity\n"
    );
    let folder = folder.with("aghook.yaml", config);
    let mut command = folder.aghook(&["run", "suite", "--jobs", "1"]);
    let ended = Transcript::of(command.env("AGHOOK_SECRET", SECRET)).ends_with(1);
    let text = ended
        .text()
        .split_whitespace()
        .collect::<Vec<_>>()
        .join(" ");
    for words in [
        "the receiver stopped while these requests were open: step 1 of “coupon 3”;",
        "6 scenarios not run, because the receiver stopped",
        "✗ failed: coupon 3",
    ] {
        assert!(text.contains(words), "no `{words}` in {}", ended.text());
    }
    assert!(!text.contains("coupon 4"), "{}", ended.text());
}

#[test]
fn flaws_that_a_crash_reveals_are_reported_as_lost_or_duplicate_items() {
    for (flaw, second) in [
        ("key_before_grant", "gold changed by 0 instead of 70"),
        (
            "grant_before_key",
            "gold changed by 140 instead of 70 (2 times as much)",
        ),
    ] {
        let folder = TempDir::new().expect("a folder");
        let store = ledger_path(folder.path());
        let sound = ["--store", store.as_str(), "--flaw", flaw];
        let crashing = [&sound[..], &["--crash-after", "2"]].concat();
        let receiver = ReceiverProcess::start("127.0.0.1:0", &crashing);
        // A failing check waits for the whole `settle`, so keep it short.
        let profile = "retry: { attempts: 1000, delays: [50ms] }\n    settle: 200ms";
        let mut run = RunInProgress::start(&receiver, SCENARIO, profile, &["--real-time"]);
        run.next_attempt(|attempt| failure(attempt).is_some())
            .expect("an attempt that is not answered");
        let address = receiver.crashed();
        let _restarted = ReceiverProcess::start(&address, &sound);
        assert_eq!(run.end(), 1);
        let [first, of_second, third] = &run.effects()[..] else {
            panic!("three effects")
        };
        assert_eq!((&*first[1], &*third[1]), ("passed", "passed"), "{flaw}");
        assert_eq!(
            (&*of_second[1], &*of_second[2]),
            ("failed", second),
            "{flaw}"
        );
    }
}

#[test]
fn items_kept_only_in_memory_are_reported_as_lost() {
    let receiver = ReceiverProcess::start("127.0.0.1:0", &[]);
    let kill_step = KillStep::new();
    // Delivering the first coupon again would restore the lost items.
    let redelivery = "  - deliver: first\n    expect: { status: 2xx }\neffects";
    let scenario = SCENARIO.replace(redelivery, "effects");
    let scenario = kill_step.before("  - deliver: second", &scenario);
    let profile = "retry: { attempts: 1000, delays: [50ms] }\n    settle: 200ms";
    let mut run = RunInProgress::start(&receiver, &scenario, profile, &["--real-time"]);
    let address = kill_step.kill(receiver);
    run.next_attempt(|attempt| failure(attempt).is_some())
        .expect("an attempt without a connection");
    let _restarted = ReceiverProcess::start(&address, &[]);
    assert_eq!(run.end(), 1);
    let effects = run.effects();
    assert_eq!(
        effects[0],
        [
            "grant of `first`",
            "failed",
            "gems changed by 0 instead of 5"
        ]
    );
    assert_eq!(effects[2][1], "passed", "delivered after the restart");

    // The readings name the player.
    let mut ended = run.events.iter();
    let ended = ended.find(|event| event["event"] == "effects_ended");
    let readings = ended.expect("effects")["readings"]
        .as_array()
        .expect("a list");
    let mut lost = readings.iter().filter(|reading| reading["sku"] == "gems");
    let (lost, more) = (lost.next().expect("a reading"), lost.next());
    assert_eq!(
        (&lost["before"], &lost["after"], more),
        (&0.into(), &0.into(), None)
    );
    let player = run.attempts()[0]["request"]["body"]["text"].as_str();
    let player: Value = serde_json::from_str(player.expect("text")).expect("an event");
    assert_eq!(lost["player_id"], player["event_data"]["player_id"]);
    let player = lost["player_id"].as_str().expect("text");
    for report in ["report.md", "report.xml"] {
        let text = fs::read_to_string(run.path(report)).expect("written");
        assert!(
            text.contains("gems changed by 0 instead of 5"),
            "{report}: {text}"
        );
        assert!(text.contains(player), "{report}: {text}");
    }
}

#[test]
fn a_receiver_that_stays_down_fails_the_expectations_and_every_attempt_is_recorded() {
    let receiver = ReceiverProcess::start("127.0.0.1:0", &["--crash-after", "2"]);
    let mut run = RunInProgress::start(&receiver, SCENARIO, FEW_ATTEMPTS, &[]);
    assert_eq!(run.end(), 1, "an unanswered delivery is not 2xx");
    receiver.crashed();
    let broken = |name| format!("grant of `{name}`: broken");
    assert_eq!(run.verdicts(), ["first", "second", "third"].map(broken));
    // All attempts of every delivery are recorded.
    let steps = run.events.iter();
    let steps = steps.filter(|event| event["event"] == "step_ended");
    let outcomes: Vec<_> = steps
        .map(|step| {
            let delivery = &step["deliveries"][0];
            let attempts = run.attempts().into_iter();
            let recorded = attempts.filter(|attempt| attempt["step"] == step["step"]);
            assert_eq!(delivery["attempts"], recorded.count());
            delivery["outcome"].as_str().expect("text")
        })
        .collect();
    assert_eq!(
        outcomes,
        ["delivered", "exhausted", "exhausted", "exhausted"]
    );
    assert_eq!(run.attempts().len(), 1 + 3 + 3 + 3);
    let summary = fs::read_to_string(run.path("report.md")).expect("written");
    let gone = "the receiver stopped while these requests were open: step 2 of “coupons while the receiver";
    assert_eq!(summary.matches(gone).count(), 1, "{summary}");
}

#[test]
fn a_receiver_that_stays_down_leaves_effects_undecided() {
    let receiver = ReceiverProcess::start("127.0.0.1:0", &["--crash-after", "2"]);
    let mut run = RunInProgress::start(&receiver, ONLY_EFFECTS, FEW_ATTEMPTS, &[]);
    assert_eq!(run.end(), 3, "the inventories are undecided");
    receiver.crashed();
    let broken = |name| format!("grant of `{name}`: broken");
    assert_eq!(run.verdicts(), ["first", "second"].map(broken));
    for [_, _, observed] in run.effects() {
        assert!(observed.contains("refused the connection"), "{observed}");
    }
}
