//! Runs of the suite: the program as users call it, against a receiver in this process.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Mutex;
use std::time::Duration;

use aghook::protocol::Secret;
use aghook::receiver::{Flaw, Receiver, ReceiverSettings};
use serde_json::Value;
use tempfile::TempDir;
use tokio::runtime::Runtime;
use tokio::sync::oneshot;

use super::named::scenario_for;

const SECRET: &str = "whsec_not_a_real_secret";
const EXPIRED: &str = "whsec_not_a_real_secret_any_more";
/// How many runs there are at the same time. They mostly wait: for bodies that drip, for work that
/// takes a quarter of a second.
const AT_ONCE: usize = 4;

/// How a flaw was caught, the gravest last.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Caught {
    /// By a warning.
    Should,
    /// By a failure.
    Must,
}

/// What a run has found.
#[derive(Debug, Clone, Default)]
pub(crate) struct Findings {
    /// The scenarios that did not pass, by folder and name.
    pub(crate) caught: BTreeMap<String, Caught>,
    /// What did not hold, by the word of the format: `status`, `granted`.
    pub(crate) words: BTreeSet<String>,
    /// The forgeries and faults in whose steps or effects something did not hold.
    pub(crate) played: BTreeSet<String>,
}

/// What all runs share.
pub(crate) struct Runs {
    runtime: Runtime,
    /// The scenarios of the suite, by folder and name.
    pub(crate) scenarios: Vec<String>,
}

impl Runs {
    pub(crate) fn new() -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .enable_all()
            .build()
            .expect("a runtime");
        let files = walkdir::WalkDir::new(suite()).sort_by_file_name();
        let files = files.into_iter().map(|entry| entry.expect("readable"));
        let names = files.filter_map(|entry| name_of(entry.path()));
        Self {
            runtime,
            scenarios: names.collect(),
        }
    }

    /// The whole suite, as it is built into the program.
    pub(crate) fn whole_suite(&self, flaw: Option<Flaw>, seed: u64) -> Findings {
        self.run(flaw, seed, &[])
    }

    /// Of the scenarios that have caught a flaw before, the one that is named for it and some of the
    /// gravest others.
    pub(crate) fn suite_that_caught(&self, flaw: Flaw, before: &Findings, seed: u64) -> Findings {
        const OTHERS: usize = 3;
        let is_named = |name: &&String| name.as_str() == scenario_for(flaw);
        let mut caught: Vec<(&String, &Caught)> = before.caught.iter().collect();
        caught.sort_by_key(|(name, how)| (!is_named(name), Reverse(**how)));
        let files = caught.into_iter().take(1 + OTHERS);
        let files: Vec<PathBuf> = files
            .map(|(name, _)| suite().join(name).with_extension("yaml"))
            .collect();
        // Without a path it would be the whole suite.
        if files.is_empty() {
            Findings::default()
        } else {
            self.run(Some(flaw), seed, &files)
        }
    }

    /// Scenario files, or the whole suite, against the receiver with a flaw or without.
    pub(crate) fn run(&self, flaw: Option<Flaw>, seed: u64, files: &[PathBuf]) -> Findings {
        let (stop, stopped) = oneshot::channel::<()>();
        let receiver = self.runtime.block_on(Receiver::bind(settings(flaw)));
        let receiver = receiver.expect("starts");
        let base = format!("http://{}", receiver.address());
        let served = self.runtime.spawn(receiver.serve(async {
            // It ends when it is told to, or when nobody can tell it any more.
            let _ = stopped.await;
        }));

        let folder = TempDir::new().expect("a folder");
        let config = folder.path().join("aghook.yaml");
        std::fs::write(&config, profile(&base, flaw)).expect("written");
        // A receiver that is slow is met by more scenarios at once, so that it does not take longer.
        let jobs = if flaw == Some(Flaw::SlowAnswer) {
            "100"
        } else {
            "8"
        };
        let output = Command::new(env!("CARGO_BIN_EXE_aghook"))
            .args(["run", "--report", "json", "--jobs", jobs, "--seed"])
            .arg(seed.to_string())
            .args(files)
            .current_dir(folder.path())
            .env("AGHOOK_SECRET", SECRET)
            .env("EXPIRED_SECRET", EXPIRED)
            .output()
            .expect("aghook runs");
        drop(stop);
        let served = self.runtime.block_on(served);
        served.expect("no panic").expect("served to the end");

        let findings = findings_of(&output.stdout);
        let has_failed = findings
            .caught
            .values()
            .any(|caught| *caught == Caught::Must);
        assert_eq!(
            output.status.code(),
            Some(i32::from(has_failed)),
            "{flaw:?}: {}",
            String::from_utf8_lossy(&output.stderr)
        );
        findings
    }
}

/// One run against each flaw, several at the same time.
pub(crate) fn against_each(run: impl Fn(Flaw) -> Findings + Sync) -> BTreeMap<Flaw, Findings> {
    let waiting = Mutex::new(Flaw::ALL.to_vec());
    let done = Mutex::new(BTreeMap::new());
    std::thread::scope(|scope| {
        for _ in 0..AT_ONCE {
            scope.spawn(|| {
                loop {
                    let next = waiting.lock().expect("not poisoned").pop();
                    let Some(flaw) = next else { break };
                    let findings = run(flaw);
                    done.lock().expect("not poisoned").insert(flaw, findings);
                }
            });
        }
    });
    done.into_inner().expect("not poisoned")
}

fn suite() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("scenarios")
}

/// `idempotency/redelivery` of any path that ends so; none of what is no scenario.
fn name_of(path: &Path) -> Option<String> {
    let folder = path.parent()?.file_name()?.to_str()?;
    let stem = path.file_stem()?.to_str()?;
    let is_scenario = path.extension().is_some_and(|ending| ending == "yaml");
    is_scenario.then(|| format!("{folder}/{stem}"))
}

fn settings(flaw: Option<Flaw>) -> ReceiverSettings {
    let mut settings = ReceiverSettings::new(Secret::new(SECRET).expect("not empty"));
    settings.expired_secret = Some(Secret::new(EXPIRED).expect("not empty"));
    settings.flaws = flaw.into_iter().collect();
    // More than the timeout in the profile.
    settings.answer_delay = Duration::from_secs(2);
    settings
}

/// The built-in receiver as `aghook run` knows it, and what makes these runs short: this receiver
/// has granted when it answers, so nothing has to be waited for.
fn profile(base: &str, flaw: Option<Flaw>) -> String {
    let more = match flaw {
        // It grants after it has answered.
        Some(Flaw::EarlyAnswer) => "",
        Some(Flaw::SlowAnswer) => "settle: 0s\n    retry: { attempts: 2, timeout: 1s }",
        _ => "settle: 0s",
    };
    format!(
        "profiles:
  built-in:
    target: {base}{path}
    expired_secret_env: EXPIRED_SECRET
    probes:
      quantity:
        http: GET {base}/debug/players/{{player_id}}/items/{{sku}}
        read: $.quantity
    script:
      http: PUT {base}/debug/players/{{player_id}}/respond
    restart:
      http: POST {base}/debug/restart
    policy: {{ bundles: nested, sandbox: ignore, test: ignore }}
    {more}
",
        path = ReceiverSettings::DEFAULT_PATH
    )
}

/// Reads the JSON lines of a run, which must have made every check.
fn findings_of(output: &[u8]) -> Findings {
    let text = std::str::from_utf8(output).expect("UTF-8");
    let lines = text.split('\n').filter(|line| !line.is_empty());
    let mut names: BTreeMap<u64, String> = BTreeMap::new();
    let mut plays: BTreeMap<u64, Vec<Played>> = BTreeMap::new();
    let mut findings = Findings::default();
    for line in lines {
        let event: Value = serde_json::from_str(line).expect("JSON");
        let number = || event["scenario"].as_u64().expect("a number");
        match event["event"].as_str() {
            Some("scenario_started") => {
                let file = event["file"].as_str().expect("a file");
                let name = name_of(Path::new(file)).expect("a scenario");
                names.insert(number(), name);
            }
            Some("step_ended") => {
                let deliveries = event["deliveries"].as_array().into_iter().flatten();
                let failed: BTreeSet<String> = deliveries
                    .flat_map(|delivery| words_of_failed(&delivery["checks"]))
                    .collect();
                let description = event["description"].as_str().expect("text");
                if let Some(played) = played_in(description) {
                    if !failed.is_empty() {
                        findings.played.insert(played.name.clone());
                    }
                    plays.entry(number()).or_default().push(played);
                }
                findings.words.extend(failed);
            }
            Some("effects_ended") => {
                let failed = words_of_failed(&event["checks"]);
                for played in plays.remove(&number()).into_iter().flatten() {
                    // A forgery grants something; a fault loses or doubles it.
                    let shows = if played.is_forgery {
                        "not_granted"
                    } else {
                        "granted"
                    };
                    if failed.contains(shows) {
                        findings.played.insert(played.name);
                    }
                }
                findings.words.extend(failed);
            }
            Some("scenario_ended") => {
                let name = &names[&number()];
                let caught = match event["verdict"].as_str() {
                    Some("passed") => continue,
                    Some("warned") => Caught::Should,
                    Some("failed") => Caught::Must,
                    other => panic!("{name}: {other:?}"),
                };
                let gravest = findings.caught.entry(name.clone()).or_insert(caught);
                *gravest = caught.max(*gravest);
            }
            _ => {}
        }
    }
    findings
}

/// A forgery or a fault that a step plays.
struct Played {
    name: String,
    is_forgery: bool,
}

/// As a step's description says.
fn played_in(description: &str) -> Option<Played> {
    let behind = |words| description.split_once(words).map(|(_, name)| name);
    let forgery = behind(" with forgery ").map(|name| (name, true));
    let (name, is_forgery) = forgery.or_else(|| Some((behind(" with fault ")?, false)))?;
    Some(Played {
        name: name.split(' ').next()?.to_owned(),
        is_forgery,
    })
}

/// The words of the checks that did not hold: `body $.status` is of `body`.
fn words_of_failed(checks: &Value) -> BTreeSet<String> {
    let checks = checks.as_array().into_iter().flatten();
    let failed = checks.filter(|check| check["verdict"] != "passed");
    let words = failed.map(|check| {
        let subject = check["subject"].as_str().expect("text");
        match subject.split(' ').next().unwrap_or_default() {
            "header" => "headers",
            "same" => "same_response",
            "not" => "not_granted",
            word => word,
        }
    });
    words.map(str::to_owned).collect()
}
