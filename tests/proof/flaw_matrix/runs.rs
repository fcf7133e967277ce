//! Runs of the suite: the `aghook` program against a built-in receiver in this process.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Mutex;
use std::time::Duration;

use aghook::internals::protocol::Secret;
use aghook::internals::receiver::{Flaw, Receiver, ReceiverSettings};
use aghook::internals::run::{RunEvent, Symptoms};
use serde_json::Value;
use tempfile::TempDir;
use tokio::runtime::Runtime;
use tokio::sync::oneshot;

use super::main_scenario::main_scenario;

const SECRET: &str = "whsec_not_a_real_secret";
const EXPIRED: &str = "whsec_not_a_real_secret_any_more";
/// The number of simultaneous runs. They spend some of their time waiting, for example for slow
/// bodies, but more of them would starve each other.
const SIMULTANEOUS_RUNS: usize = 3;

/// How a flaw was caught, with the most severe last.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Caught {
    /// By a warning.
    Should,
    /// By a failure.
    Must,
}

/// The findings of a run.
#[derive(Debug, Clone, Default)]
pub(crate) struct Findings {
    /// The scenarios that failed or warned, by folder and name.
    pub(crate) caught: BTreeMap<String, Caught>,
    /// The kinds of the failing checks, as the scenario format names them: `status`, `granted`.
    pub(crate) check_kinds: BTreeSet<String>,
    /// The flaws that the run names: for each likely cause the best one, then those that fit as well.
    pub(crate) named: Vec<Vec<String>>,
    /// What failed, for the fault dictionary.
    pub(crate) symptoms: Symptoms,
    /// The forgeries and faults whose steps or effects had a failing check.
    pub(crate) played: BTreeSet<String>,
}

/// The state that all runs share.
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

    /// Runs the bundled suite.
    pub(crate) fn whole_suite(&self, flaw: Option<Flaw>, seed: u64) -> Findings {
        self.run(flaw.as_slice(), seed, &[])
    }

    /// Runs some of the scenarios that caught a flaw before: its main scenario and the most severe
    /// others. If the main scenario waits for all others, runs the whole suite.
    pub(crate) fn suite_that_caught(&self, flaw: Flaw, before: &Findings, seed: u64) -> Findings {
        const OTHERS: usize = 3;
        let main = suite().join(main_scenario(flaw)).with_extension("yaml");
        let main = std::fs::read_to_string(main).expect("readable");
        if main.contains("after_others") {
            return self.whole_suite(Some(flaw), seed);
        }
        let is_main = |name: &&String| name.as_str() == main_scenario(flaw);
        let mut caught: Vec<(&String, &Caught)> = before.caught.iter().collect();
        caught.sort_by_key(|(name, how)| (!is_main(name), Reverse(**how)));
        let files = caught.into_iter().take(1 + OTHERS);
        let files: Vec<PathBuf> = files
            .map(|(name, _)| suite().join(name).with_extension("yaml"))
            .collect();
        // Without paths, `aghook run` would run the whole suite.
        if files.is_empty() {
            Findings::default()
        } else {
            self.run(&[flaw], seed, &files)
        }
    }

    /// Runs scenario files, or the whole suite if `files` is empty, against a receiver with some
    /// flaws.
    pub(crate) fn run(&self, flaws: &[Flaw], seed: u64, files: &[PathBuf]) -> Findings {
        let (stop, stopped) = oneshot::channel::<()>();
        let receiver = self.runtime.block_on(Receiver::bind(settings(flaws)));
        let receiver = receiver.expect("starts");
        let addresses = receiver.addresses();
        let bases: Vec<String> = addresses
            .map(|address| format!("http://{address}"))
            .collect();
        let served = self.runtime.spawn(receiver.serve(async {
            // Also ends when the sender is dropped.
            let _ = stopped.await;
        }));

        let folder = TempDir::new().expect("a folder");
        let config = folder.path().join("aghook.yaml");
        std::fs::write(&config, profile([&bases[0], &bases[1]], flaws)).expect("written");
        // More jobs make up for the slow receiver.
        let jobs = if flaws.contains(&Flaw::SlowAnswer) {
            "100"
        } else {
            "8"
        };
        let output = Command::new(env!("CARGO_BIN_EXE_aghook"))
            // The set-up is right, so every refusal is the receiver's.
            .args(["run", "--report", "json", "--skip-setup-check"])
            .args(["--jobs", jobs, "--seed"])
            .arg(seed.to_string())
            .args(files)
            .current_dir(folder.path())
            .env("AGHOOK_SECRET", SECRET)
            .env("EXPIRED_SECRET", EXPIRED)
            .output()
            .expect("aghook runs");
        drop(stop);
        let served = self.runtime.block_on(served);
        served.expect("no panic").expect("no server error");

        let findings = findings_of(&output.stdout);
        let has_failed = findings
            .caught
            .values()
            .any(|caught| *caught == Caught::Must);
        assert_eq!(
            output.status.code(),
            Some(i32::from(has_failed)),
            "{flaws:?}: {}",
            String::from_utf8_lossy(&output.stderr)
        );
        findings
    }
}

/// Calls `run` for each flaw, several at the same time.
pub(crate) fn against_each(run: impl Fn(Flaw) -> Findings + Sync) -> BTreeMap<Flaw, Findings> {
    against(&Flaw::ALL, run)
}

/// Calls `run` for these flaws, several at the same time.
pub(crate) fn against(
    flaws: &[Flaw],
    run: impl Fn(Flaw) -> Findings + Sync,
) -> BTreeMap<Flaw, Findings> {
    let waiting = Mutex::new(flaws.to_vec());
    let done = Mutex::new(BTreeMap::new());
    std::thread::scope(|scope| {
        for _ in 0..SIMULTANEOUS_RUNS {
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

/// The scenario name of a path, such as `idempotency/redelivery`; `None` if it is not a scenario.
fn name_of(path: &Path) -> Option<String> {
    let folder = path.parent()?.file_name()?.to_str()?;
    let stem = path.file_stem()?.to_str()?;
    let is_scenario = path.extension().is_some_and(|ending| ending == "yaml");
    is_scenario.then(|| format!("{folder}/{stem}"))
}

fn settings(flaws: &[Flaw]) -> ReceiverSettings {
    let mut settings = ReceiverSettings::new(Secret::new(SECRET).expect("not empty"));
    settings.instances = 2;
    settings.expired_secret = Some(Secret::new(EXPIRED).expect("not empty"));
    settings.flaws = flaws.iter().copied().collect();
    // Longer than the timeout in the profile.
    settings.answer_delay = Duration::from_secs(2);
    settings
}

/// The profile of the built-in receiver. It grants before it responds, so `settle: 0s` keeps the
/// runs short.
fn profile([base, other]: [&str; 2], flaws: &[Flaw]) -> String {
    let needs_settle = |flaw: &Flaw| {
        matches!(
            flaw,
            Flaw::EarlyAnswer
                | Flaw::LargeBodyAnsweredEarly
                | Flaw::QueuedInMemory
                | Flaw::FrozenAfterResponse
                | Flaw::KeyBeforeSlowGrant
        )
    };
    let more = match flaws {
        // They may grant after the response, so they need the default `settle`.
        flaws if flaws.iter().any(needs_settle) => "",
        [Flaw::SlowAnswer] => "settle: 0s\n    retry: { attempts: 2, timeout: 1s }",
        _ => "settle: 0s",
    };
    format!(
        "profiles:
  built-in:
    targets: {{ a: '{base}{path}', b: '{other}{path}' }}
    expired_secret_env: EXPIRED_SECRET
    probes:
      quantity:
        http: GET {base}/debug/players/{{player_id}}/items/{{sku}}
        read: $.quantity
    script:
      http: PUT {base}/debug/players/{{player_id}}/respond
    restart:
      http: POST {base}/debug/restart
    hooks:
      fill_inventory:
        http: PUT {base}/debug/players/{{player_id}}/items/{{sku}}/full
      free_inventory:
        http: DELETE {base}/debug/players/{{player_id}}/items/{{sku}}/full
      shift_clock:
        http: POST {base}/debug/clock/{{seconds}}
    policy: {{ bundles: nested, sandbox: ignore, test: ignore, item_remove: take }}
    {more}
",
        path = ReceiverSettings::DEFAULT_PATH
    )
}

/// Reads the JSON lines of a run. Panics if a scenario has another verdict than passed, warned or
/// failed.
fn findings_of(output: &[u8]) -> Findings {
    let text = std::str::from_utf8(output).expect("UTF-8");
    let lines = text.split('\n').filter(|line| !line.is_empty());
    let mut names: BTreeMap<u64, String> = BTreeMap::new();
    let mut plays: BTreeMap<u64, Vec<Played>> = BTreeMap::new();
    let mut findings = Findings::default();
    for line in lines {
        findings
            .symptoms
            .observe(&RunEvent::from_json(line.as_bytes()).expect("a run event"));
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
                    .flat_map(|delivery| failed_kinds(&delivery["checks"]))
                    .collect();
                let description = event["description"].as_str().expect("text");
                if let Some(played) = played_in(description) {
                    if !failed.is_empty() {
                        findings.played.insert(played.name.clone());
                    }
                    plays.entry(number()).or_default().push(played);
                }
                findings.check_kinds.extend(failed);
            }
            Some("effects_ended") => {
                let failed = failed_kinds(&event["checks"]);
                for played in plays.remove(&number()).into_iter().flatten() {
                    // A forgery makes the receiver grant something; a fault loses or duplicates a
                    // grant.
                    let shows = if played.is_forgery {
                        "not_granted"
                    } else {
                        "granted"
                    };
                    if failed.contains(shows) {
                        findings.played.insert(played.name);
                    }
                }
                findings.check_kinds.extend(failed);
            }
            Some("scenario_ended") => {
                let name = &names[&number()];
                let caught = match event["verdict"].as_str() {
                    Some("passed") => continue,
                    Some("warned") => Caught::Should,
                    Some("failed") => Caught::Must,
                    other => panic!("{name}: {other:?}"),
                };
                let worst = findings.caught.entry(name.clone()).or_insert(caught);
                *worst = caught.max(*worst);
            }
            Some("run_ended") => findings.named = named_in(&event),
            _ => {}
        }
    }
    findings
}

/// The flaws of each likely cause, the best one first.
fn named_in(ended: &Value) -> Vec<Vec<String>> {
    let flaw = |bug: &Value| bug["flaw"].as_str().expect("a name").to_owned();
    let causes = ended["likely_causes"].as_array().into_iter().flatten();
    let flaws = causes.map(|cause| {
        let others = cause["or"].as_array().into_iter().flatten();
        std::iter::once(cause).chain(others).map(flaw).collect()
    });
    flaws.collect()
}

/// A forgery or fault that a step plays.
struct Played {
    name: String,
    is_forgery: bool,
}

/// The forgery or fault named in a step's description.
fn played_in(description: &str) -> Option<Played> {
    let behind = |words| description.split_once(words).map(|(_, name)| name);
    let forgery = behind(" with forgery ").map(|name| (name, true));
    let (name, is_forgery) = forgery.or_else(|| Some((behind(" with fault ")?, false)))?;
    Some(Played {
        name: name.split(' ').next()?.to_owned(),
        is_forgery,
    })
}

/// The kinds of the failing checks: `body` for the subject `body $.status`.
fn failed_kinds(checks: &Value) -> BTreeSet<String> {
    let checks = checks.as_array().into_iter().flatten();
    let failed = checks.filter(|check| check["verdict"] != "passed");
    let kinds = failed.map(|check| {
        let subject = check["subject"].as_str().expect("text");
        match subject.split(' ').next().unwrap_or_default() {
            "header" => "headers",
            "same" => "same_response",
            "grant" => "granted",
            "no" => "not_granted",
            "removal" => "removed",
            kind => kind,
        }
    });
    kinds.map(str::to_owned).collect()
}
