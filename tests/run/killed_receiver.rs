//! A receiver that dies in the middle of a run. It runs as a process of its own, is killed where the
//! scenario says so, and is started again, or is not.
//!
//! Nothing here waits for a time. The kill is a step of the scenario, a request that the test answers
//! once the receiver is dead; or the receiver crashes by itself while the second coupon is written
//! down. The new start follows an attempt that found nobody.

use std::fs;
use std::io::{BufRead as _, BufReader, Lines, Write as _};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Stdio};

use serde_json::Value;
use tempfile::TempDir;

const SECRET: &str = "whsec_of_the_killed";

/// Three coupons of three players, one after the other, and the first once more.
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

/// The same without expectations, so that only what players hold is judged.
const EFFECTS_ALONE: &str = "\
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

/// Attempts enough for a slow machine to start the receiver again.
const PATIENT: &str = "retry: { attempts: 1000, delays: [50ms] }";
/// Gives up soon.
const IMPATIENT: &str = "retry: { attempts: 3, delays: [1ms] }\n    settle: 1ms";

/// The step of a scenario that the receiver does not survive.
struct DeathStep(TcpListener);

impl DeathStep {
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

    /// Waits for the step, kills the receiver, and lets the run go on.
    fn kills(self, receiver: Receiver) -> String {
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

/// The built-in receiver in a process of its own, killed when dropped.
struct Receiver {
    process: Child,
    /// Where it listens, with the port.
    address: String,
    _output: Lines<BufReader<ChildStdout>>,
}

impl Receiver {
    fn start(listen: &str, options: &[&str]) -> Self {
        // The port may still be held for a moment by what was killed.
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
        let address = address.expect("the line that says where").0.to_owned();
        Some(Self {
            process,
            address,
            _output: output,
        })
    }

    /// `kill -9`, or what the system has in its place.
    fn kill(mut self) -> String {
        self.process.kill().expect("killed");
        self.process.wait().expect("ended");
        self.address.clone()
    }

    /// Waits for a crash that was asked for.
    fn crashed(mut self) -> String {
        let status = self.process.wait().expect("ended");
        assert!(!status.success(), "{status}");
        self.address.clone()
    }
}

impl Drop for Receiver {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// A run that goes on while the test reads its report.
struct Run {
    process: Child,
    lines: Lines<BufReader<ChildStdout>>,
    events: Vec<Value>,
    folder: TempDir,
}

impl Run {
    fn start(receiver: &Receiver, scenario: &str, profile: &str, options: &[&str]) -> Self {
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

    /// Reads on to the next attempt that fits, if there is one.
    fn next_attempt(&mut self, fits: impl Fn(&Value) -> bool) -> Option<Value> {
        for line in self.lines.by_ref() {
            let event: Value = serde_json::from_str(&line.expect("text")).expect("JSON");
            self.events.push(event.clone());
            if event["event"] == "attempt_ended" && fits(&event) {
                return Some(event);
            }
        }
        None
    }

    /// Reads to the end, and returns the exit code.
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

    /// The checks of effects: subject, verdict, what was observed.
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

impl Drop for Run {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn failure(attempt: &Value) -> Option<&str> {
    attempt["answer"]["failure"]["name"].as_str()
}

fn store(folder: &Path) -> String {
    let file = folder.join("ledger.sqlite");
    file.to_str().expect("UTF-8").to_owned()
}

const ALL_GRANTED: [&str; 3] = [
    "granted first: passed",
    "granted second: passed",
    "granted third: passed",
];

#[test]
fn a_receiver_that_comes_back_with_its_store_loses_nothing() {
    let folder = TempDir::new().expect("a folder");
    let store = store(folder.path());
    let receiver = Receiver::start("127.0.0.1:0", &["--store", &store]);
    let death = DeathStep::new();
    let scenario = death.before("  - deliver: second", SCENARIO);
    let mut run = Run::start(&receiver, &scenario, PATIENT, &["--real-time"]);
    let address = death.kills(receiver);
    let found_nobody = run.next_attempt(|attempt| failure(attempt).is_some());
    assert_eq!(found_nobody.expect("an attempt")["event_name"], "second");
    let back = Receiver::start(&address, &["--store", &store]);
    assert_eq!(run.end(), 0, "{:#?}", run.effects());
    assert_eq!(run.verdicts(), ALL_GRANTED);
    let names: Vec<&str> = run.attempts().into_iter().filter_map(failure).collect();
    let connection = ["refused", "reset", "closed_early"];
    assert!(
        names.iter().all(|name| connection.contains(name)),
        "{names:?}"
    );
    drop(back);
}

#[test]
fn a_crash_between_the_grant_and_the_answer_is_no_second_grant() {
    let folder = TempDir::new().expect("a folder");
    let store = store(folder.path());
    let crashing = ["--store", store.as_str(), "--crash-after", "2"];
    let receiver = Receiver::start("127.0.0.1:0", &crashing);
    let mut run = Run::start(&receiver, SCENARIO, PATIENT, &["--real-time"]);
    let lost = run.next_attempt(|attempt| failure(attempt).is_some());
    assert_eq!(lost.expect("an attempt")["event_name"], "second");
    let address = receiver.crashed();
    let _back = Receiver::start(&address, &["--store", &store]);
    assert_eq!(run.end(), 0, "{:#?}", run.effects());
    assert_eq!(run.verdicts(), ALL_GRANTED);
}

#[test]
fn the_flaws_that_a_crash_reveals_are_reported_as_what_was_lost_or_doubled() {
    for (flaw, second) in [
        ("key_before_grant", "gold changed by 0 instead of 70"),
        (
            "grant_before_key",
            "gold changed by 140 instead of 70 (2 times as much)",
        ),
    ] {
        let folder = TempDir::new().expect("a folder");
        let store = store(folder.path());
        let sound = ["--store", store.as_str(), "--flaw", flaw];
        let crashing = [&sound[..], &["--crash-after", "2"]].concat();
        let receiver = Receiver::start("127.0.0.1:0", &crashing);
        // The wrong reading is waited for to its end, so the wait is short.
        let profile = "retry: { attempts: 1000, delays: [50ms] }\n    settle: 200ms";
        let mut run = Run::start(&receiver, SCENARIO, profile, &["--real-time"]);
        run.next_attempt(|attempt| failure(attempt).is_some())
            .expect("an attempt that is not answered");
        let address = receiver.crashed();
        let _back = Receiver::start(&address, &sound);
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
fn what_was_held_in_memory_alone_is_named_as_lost() {
    let receiver = Receiver::start("127.0.0.1:0", &[]);
    let death = DeathStep::new();
    // The first coupon once more would bring back what was lost.
    let again = "  - deliver: first\n    expect: { status: 2xx }\neffects";
    let scenario = SCENARIO.replace(again, "effects");
    let scenario = death.before("  - deliver: second", &scenario);
    let profile = "retry: { attempts: 1000, delays: [50ms] }\n    settle: 200ms";
    let mut run = Run::start(&receiver, &scenario, profile, &["--real-time"]);
    let address = death.kills(receiver);
    run.next_attempt(|attempt| failure(attempt).is_some())
        .expect("an attempt that found nobody");
    let _back = Receiver::start(&address, &[]);
    assert_eq!(run.end(), 1);
    let effects = run.effects();
    assert_eq!(
        effects[0],
        ["granted first", "failed", "gems changed by 0 instead of 5"]
    );
    assert_eq!(effects[2][1], "passed", "delivered after the new start");

    // Whose they were is in the readings.
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
fn a_receiver_that_stays_away_fails_what_was_expected_and_all_is_recorded() {
    let receiver = Receiver::start("127.0.0.1:0", &["--crash-after", "2"]);
    let mut run = Run::start(&receiver, SCENARIO, IMPATIENT, &[]);
    assert_eq!(run.end(), 1, "a delivery that nobody answers is not 2xx");
    receiver.crashed();
    let broken = |name| format!("granted {name}: broken");
    assert_eq!(run.verdicts(), ["first", "second", "third"].map(broken));
    // Every delivery has all its attempts in the record.
    let steps = run.events.iter();
    let steps = steps.filter(|event| event["event"] == "step_ended");
    let told: Vec<_> = steps
        .map(|step| {
            let delivery = &step["deliveries"][0];
            let attempts = run.attempts().into_iter();
            let recorded = attempts.filter(|attempt| attempt["step"] == step["step"]);
            assert_eq!(delivery["attempts"], recorded.count());
            delivery["outcome"].as_str().expect("text")
        })
        .collect();
    assert_eq!(told, ["delivered", "exhausted", "exhausted", "exhausted"]);
    assert_eq!(run.attempts().len(), 1 + 3 + 3 + 3);
    let summary = fs::read_to_string(run.path("report.md")).expect("written");
    let gone =
        "the target has refused connections since step 2 of “coupons while the receiver goes";
    assert_eq!(summary.matches(gone).count(), 1, "{summary}");
}

#[test]
fn a_receiver_that_stays_away_leaves_undecided_what_only_a_probe_could_tell() {
    let receiver = Receiver::start("127.0.0.1:0", &["--crash-after", "2"]);
    let mut run = Run::start(&receiver, EFFECTS_ALONE, IMPATIENT, &[]);
    assert_eq!(run.end(), 3, "nobody knows what players hold");
    receiver.crashed();
    let broken = |name| format!("granted {name}: broken");
    assert_eq!(run.verdicts(), ["first", "second"].map(broken));
    for [_, _, observed] in run.effects() {
        assert!(observed.contains("refused the connection"), "{observed}");
    }
}
