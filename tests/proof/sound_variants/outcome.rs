//! Runs the bundled suite against sound receivers and collects false alarms.

use std::collections::{BTreeMap, BTreeSet};
use std::process::Command;
use std::sync::Mutex;

use serde_json::Value;
use tokio::runtime::Runtime;

use super::cases::{SoundReceiver, cases, plain};
use super::receivers::{SECRET, Started, start};

/// The outcome of a run against one sound receiver.
#[derive(Debug)]
pub(crate) struct VariantOutcome {
    code: Option<i32>,
    /// Descriptions of the failed and broken checks.
    blamed: Vec<String>,
    /// The observed values of warnings, by scenario file and subject of the check.
    warned: BTreeMap<(String, String), String>,
    /// The scenarios with a check that was not checked.
    not_checked: BTreeSet<String>,
    /// The number of checked effects, by scenario file.
    effects: BTreeMap<String, usize>,
    scenarios: usize,
}

/// The result of all runs against one sound receiver.
pub(crate) struct CaseResult {
    pub(crate) case: SoundReceiver,
    pub(crate) runs: usize,
    /// False alarms, missing warnings and missing checks.
    pub(crate) problems: Vec<String>,
}

/// Runs the suite with each seed against every sound receiver, several at the same time.
pub(crate) fn run_all(seeds: &[u64]) -> Vec<CaseResult> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .expect("a runtime");
    let baseline: Vec<VariantOutcome> = seeds
        .iter()
        .map(|seed| run(&runtime, &plain(), *seed))
        .collect();
    let cases = cases();
    let mut jobs: Vec<(usize, usize)> = (0..cases.len())
        .flat_map(|case| (0..seeds.len()).map(move |seed| (case, seed)))
        .collect();
    // The one that waits longest comes first, so that the others run meanwhile.
    jobs.sort_by_key(|(case, _)| cases[*case].name != "rate_limited");
    let jobs = Mutex::new(jobs.into_iter());
    let found = Mutex::new(BTreeMap::new());
    std::thread::scope(|scope| {
        // The runs spend some of their time waiting, but more of them would starve each other.
        for _ in 0..4 {
            scope.spawn(|| {
                loop {
                    let next = jobs.lock().expect("no panic").next();
                    let Some((case, seed)) = next else { return };
                    let outcome = run(&runtime, &cases[case], seeds[seed]);
                    let problems = outcome.problems(&cases[case], &baseline[seed]);
                    let mut found = found.lock().expect("no panic");
                    found.insert((case, seed), problems);
                }
            });
        }
    });
    runtime.shutdown_background();
    let found = found.into_inner().expect("no panic");
    let results = cases.into_iter().enumerate().map(|(place, case)| {
        let of_case = found.range((place, 0)..(place + 1, 0));
        let runs = of_case.clone().count();
        let problems = of_case.flat_map(|((_, seed), problems)| {
            let seed = seeds[*seed];
            problems
                .iter()
                .map(move |what| format!("seed {seed}: {what}"))
        });
        CaseResult {
            problems: problems.collect(),
            case,
            runs,
        }
    });
    results.collect()
}

/// The table for `docs/proof.md` and the summary line below it.
pub(crate) fn markdown(results: &[CaseResult]) -> String {
    let mut lines = vec![
        "| sound receiver | what is different | runs | allowed warnings | false alarms |"
            .to_owned(),
        "| --- | --- | --- | --- | --- |".to_owned(),
    ];
    for result in results {
        let (name, about, runs) = (result.case.name, result.case.about, result.runs);
        let warnings = match (result.case.by_chance, result.case.warned.len()) {
            (true, most) => format!("up to {most}"),
            (false, all) => all.to_string(),
        };
        let false_alarms = result.problems.len();
        lines.push(format!(
            "| `{name}` | {about} | {runs} | {warnings} | {false_alarms} |"
        ));
    }
    let alarmed = results
        .iter()
        .filter(|result| !result.problems.is_empty())
        .count();
    lines.push(String::new());
    let all = results.len();
    lines.push(format!("False alarms / sound variants: {alarmed} / {all}."));
    lines.join("\n") + "\n"
}

pub(super) fn profile(case: &SoundReceiver, started: &Started) -> String {
    let Started { target, debug, .. } = started;
    let certificate = started.certificate.as_ref().map_or(String::new(), |file| {
        format!("    cacert: '{}'\n", file.display())
    });
    let retry_after = case.retry_after;
    // How fast a loaded machine responds is not what is proved.
    format!(
        "profiles:\n  sound:\n    targets: {{ a: '{target}', b: '{target}' }}\n{certificate}    \
         expired_secret_env: AGHOOK_OLD_SECRET\n    retry: {{ timeout: 30s, retry_after: \
         {retry_after} }}\n    {}\n    probes:\n      \
         quantity:\n        http: GET {debug}/players/{{player_id}}/items/{{sku}}\n        \
         read: $.quantity\n        missing: 0\n    script:\n      \
         http: PUT {debug}/players/{{player_id}}/respond\n    restart:\n      http: POST \
         {debug}/restart\n    hooks:\n      fill_inventory:\n        http: PUT \
         {debug}/players/{{player_id}}/items/{{sku}}/full\n      free_inventory:\n        http: \
         DELETE {debug}/players/{{player_id}}/items/{{sku}}/full\n      shift_clock:\n        \
         http: POST {debug}/clock/{{seconds}}\n",
        case.profile
    )
}

fn run(runtime: &Runtime, case: &SoundReceiver, seed: u64) -> VariantOutcome {
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
    // Attempts, which contain all bodies, are not needed, and take long to parse.
    let events: Vec<Value> = text
        .lines()
        .filter(|line| !line.starts_with(r#"{"event":"attempt_ended""#))
        .map(|line| serde_json::from_str(line).expect("JSON"))
        .collect();
    let problems = String::from_utf8_lossy(&output.stderr).into_owned();
    VariantOutcome::of(output.status.code(), &events, &problems)
}

impl VariantOutcome {
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
            files[place.expect("a started scenario")].to_owned()
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

    /// False alarms, missing warnings and missing checks.
    fn problems(&self, case: &SoundReceiver, baseline: &Self) -> Vec<String> {
        let mut problems = self.blamed.clone();
        if self.code != Some(0) {
            problems.push(format!("exit code {:?}", self.code));
        }
        let allowed: BTreeSet<(String, String)> = case
            .warned
            .iter()
            .map(|(file, subject)| ((*file).to_owned(), (*subject).to_owned()))
            .collect();
        for ((file, subject), observed) in &self.warned {
            if !allowed.contains(&(file.clone(), subject.clone())) {
                problems.push(format!("warned: {file}: {subject}: {observed}"));
            }
        }
        for place in allowed {
            if !case.by_chance && !self.warned.contains_key(&place) {
                problems.push(format!("no warning: {}: {}", place.0, place.1));
            }
        }
        let open = case
            .not_checked
            .iter()
            .map(|&file| file.to_owned())
            .collect();
        if self.not_checked != open {
            problems.push(format!("not checked: {:?}", self.not_checked));
        }
        let mut expected = baseline.effects.clone();
        expected.retain(|file, _| !self.not_checked.contains(file));
        if self.effects != expected || self.scenarios != baseline.scenarios {
            problems.push(format!(
                "effects checked: {:?}, not {expected:?}",
                self.effects
            ));
        }
        problems
    }
}
