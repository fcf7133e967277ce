//! The bundled suite against one sound receiver, and what was wrongly said of it.

use std::collections::{BTreeMap, BTreeSet};
use std::process::Command;

use serde_json::Value;
use tokio::runtime::Runtime;

use super::cases::{Case, cases, plain};
use super::receivers::{SECRET, Started, start};

/// What came of a run.
#[derive(Debug)]
pub(crate) struct Outcome {
    code: Option<i32>,
    /// Failed and broken checks, in words.
    blamed: Vec<String>,
    /// By the scenario's file and the check's subject, with what was observed.
    warned: BTreeMap<(String, String), String>,
    /// The scenarios with something that was not checked.
    not_checked: BTreeSet<String>,
    /// How many effects were judged, by the scenario's file.
    effects: BTreeMap<String, usize>,
    scenarios: usize,
}

/// What was said of a sound receiver in all runs.
pub(crate) struct Judged {
    pub(crate) case: Case,
    pub(crate) runs: usize,
    /// What was said wrongly: false alarms, and checks that were not made.
    pub(crate) wrong: Vec<String>,
}

/// Runs the suite with each seed against every sound receiver, several at the same time.
pub(crate) fn judge_all(seeds: &[u64]) -> Vec<Judged> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .expect("a runtime");
    let usual: Vec<Outcome> = seeds
        .iter()
        .map(|seed| run(&runtime, &plain(), *seed))
        .collect();
    let cases = std::sync::Mutex::new(cases().into_iter().enumerate());
    let judged = std::sync::Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        // Most of them wait for the receiver, and some for time to pass.
        for _ in 0..6 {
            scope.spawn(|| {
                loop {
                    let next = cases.lock().expect("no panic").next();
                    let Some((place, case)) = next else { return };
                    let one = judge(&runtime, case, seeds, &usual);
                    judged.lock().expect("no panic").push((place, one));
                }
            });
        }
    });
    let mut judged = judged.into_inner().expect("no panic");
    judged.sort_by_key(|(place, _)| *place);
    runtime.shutdown_background();
    judged.into_iter().map(|(_, judged)| judged).collect()
}

fn judge(runtime: &Runtime, case: Case, seeds: &[u64], usual: &[Outcome]) -> Judged {
    let mut wrong = Vec::new();
    for (seed, usual) in seeds.iter().zip(usual) {
        let outcome = run(runtime, &case, *seed);
        let said = outcome.wrong(&case, usual).into_iter();
        wrong.extend(said.map(|what| format!("seed {seed}: {what}")));
    }
    Judged {
        case,
        runs: seeds.len(),
        wrong,
    }
}

/// The table of a document, and the line below it that sums it up.
pub(crate) fn markdown(judged: &[Judged]) -> String {
    let mut lines = vec![
        "| sound receiver | what is different | runs | lawful warnings | false alarms |".to_owned(),
        "| --- | --- | --- | --- | --- |".to_owned(),
    ];
    for one in judged {
        let (name, about, runs) = (one.case.name, one.case.about, one.runs);
        let warnings = match (one.case.by_chance, one.case.warned.len()) {
            (true, most) => format!("up to {most}"),
            (false, all) => all.to_string(),
        };
        let wrong = one.wrong.len();
        lines.push(format!(
            "| `{name}` | {about} | {runs} | {warnings} | {wrong} |"
        ));
    }
    let alarmed = judged.iter().filter(|one| !one.wrong.is_empty()).count();
    lines.push(String::new());
    let all = judged.len();
    lines.push(format!("False alarms / sound variants: {alarmed} / {all}."));
    lines.join("\n") + "\n"
}

fn profile(case: &Case, started: &Started) -> String {
    let Started { target, debug, .. } = started;
    let certificate = started.certificate.as_ref().map_or(String::new(), |file| {
        format!("    cacert: '{}'\n", file.display())
    });
    format!(
        "profiles:\n  sound:\n    target: {target}\n{certificate}    \
         expired_secret_env: AGHOOK_OLD_SECRET\n    {}\n    probes:\n      \
         quantity:\n        http: GET {debug}/players/{{player_id}}/items/{{sku}}\n        \
         read: $.quantity\n        missing: 0\n    script:\n      \
         http: PUT {debug}/players/{{player_id}}/respond\n    restart:\n      http: POST \
         {debug}/restart\n",
        case.profile
    )
}

fn run(runtime: &Runtime, case: &Case, seed: u64) -> Outcome {
    let started = start(runtime, &case.variants, case.protocols);
    let config = started.folder.path().join("aghook.yaml");
    std::fs::write(config, profile(case, &started)).expect("written");
    let output = Command::new(env!("CARGO_BIN_EXE_aghook"))
        .args(["run", "--report", "json", "--jobs", case.jobs])
        .args(["--seed", &seed.to_string()])
        .env("AGHOOK_SECRET", SECRET)
        .env("AGHOOK_OLD_SECRET", "whsec_before")
        .current_dir(started.folder.path())
        .output()
        .expect("runs");
    let text = String::from_utf8(output.stdout).expect("UTF-8");
    let events: Vec<Value> = text
        .lines()
        .map(|line| serde_json::from_str(line).expect("JSON"))
        .collect();
    let problems = String::from_utf8_lossy(&output.stderr).into_owned();
    Outcome::of(output.status.code(), &events, &problems)
}

impl Outcome {
    fn of(code: Option<i32>, events: &[Value], problems: &str) -> Self {
        let named = |name: &'static str| events.iter().filter(move |event| event["event"] == name);
        let files: Vec<&str> = named("scenario_started")
            .map(|started| started["file"].as_str().expect("a file"))
            .map(|file| {
                file.trim_start_matches("scenarios/")
                    .trim_end_matches(".yaml")
            })
            .collect();
        let numbers: Vec<&Value> = named("scenario_started")
            .map(|started| &started["scenario"])
            .collect();
        let file = |event: &Value| {
            let place = numbers
                .iter()
                .position(|number| **number == event["scenario"]);
            files[place.expect("begun")].to_owned()
        };
        let mut outcome = Self {
            code,
            blamed: Vec::new(),
            warned: BTreeMap::new(),
            not_checked: BTreeSet::new(),
            effects: BTreeMap::new(),
            scenarios: files.len(),
        };
        if named("run_ended").next().is_none() {
            outcome
                .blamed
                .push(format!("the run did not end: {problems}"));
        }
        for step in named("step_ended") {
            let deliveries = step["deliveries"].as_array().into_iter().flatten();
            let checks = deliveries.filter_map(|delivery| delivery["checks"].as_array());
            let checks = checks.flatten();
            for check in checks.chain(Some(&step["not_made"]).filter(|made| !made.is_null())) {
                outcome.note(&file(step), check);
            }
        }
        for effects in named("effects_ended") {
            for check in effects["checks"].as_array().into_iter().flatten() {
                outcome.note(&file(effects), check);
                if check["verdict"] != "not_checked" {
                    *outcome.effects.entry(file(effects)).or_default() += 1;
                }
            }
        }
        outcome
    }

    fn note(&mut self, file: &str, check: &Value) {
        let subject = check["subject"].as_str().unwrap_or_default();
        match check["verdict"].as_str() {
            Some("passed") => {}
            Some("warned") => {
                let observed = check["observed"].to_string();
                let place = (file.to_owned(), subject.to_owned());
                self.warned.insert(place, observed);
            }
            Some("not_checked") => {
                self.not_checked.insert(file.to_owned());
            }
            _ => self.blamed.push(format!(
                "{file}: {subject}: {} expected, {} observed",
                check["expected"], check["observed"]
            )),
        }
    }

    /// What was said that should not have been, or not said that should.
    fn wrong(&self, case: &Case, usual: &Self) -> Vec<String> {
        let mut wrong = self.blamed.clone();
        if self.code != Some(0) {
            wrong.push(format!("exit code {:?}", self.code));
        }
        let lawful: BTreeSet<(String, String)> = case
            .warned
            .iter()
            .map(|(file, subject)| ((*file).to_owned(), (*subject).to_owned()))
            .collect();
        for ((file, subject), observed) in &self.warned {
            if !lawful.contains(&(file.clone(), subject.clone())) {
                wrong.push(format!("warned: {file}: {subject}: {observed}"));
            }
        }
        for place in lawful {
            if !case.by_chance && !self.warned.contains_key(&place) {
                wrong.push(format!("no warning: {}: {}", place.0, place.1));
            }
        }
        let open = case
            .not_checked
            .iter()
            .map(|&file| file.to_owned())
            .collect();
        if self.not_checked != open {
            wrong.push(format!("not checked: {:?}", self.not_checked));
        }
        let mut due = usual.effects.clone();
        due.retain(|file, _| !self.not_checked.contains(file));
        if self.effects != due || self.scenarios != usual.scenarios {
            wrong.push(format!("effects judged: {:?}, not {due:?}", self.effects));
        }
        wrong
    }
}
