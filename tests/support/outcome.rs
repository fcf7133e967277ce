//! The outcome of a run, read from its JSON report. This file uses no other helper, so that a test
//! can include it alone.

use std::collections::BTreeSet;
use std::process::Output;

use serde_json::Value;

/// The outcome of a run.
pub(crate) struct RunOutcome {
    /// The exit code.
    pub(crate) code: i32,
    events: Vec<Value>,
}

impl RunOutcome {
    /// Reads the output of `aghook run --report json`. Fails if the run has no verdict or the
    /// report contains the secret.
    pub(crate) fn read(output: &Output, secret: &str) -> Self {
        let code = output.status.code().expect("ends by itself");
        let text = std::str::from_utf8(&output.stdout).expect("UTF-8");
        assert!(!text.contains(secret), "the secret is in the report");
        let problems = String::from_utf8_lossy(&output.stderr);
        assert!(code < 2, "exit code {code}: {problems}");
        let lines = text.lines();
        Self {
            code,
            events: lines
                .map(|line| serde_json::from_str(line).expect("JSON"))
                .collect(),
        }
    }

    /// The run events with this name.
    pub(crate) fn named<'run>(&'run self, name: &'run str) -> impl Iterator<Item = &'run Value> {
        self.events
            .iter()
            .filter(move |event| event["event"] == name)
    }

    /// The scenario file that an event belongs to, such as `signature/wrong_secret`.
    pub(crate) fn file(&self, event: &Value) -> String {
        let mut started = self.named("scenario_started");
        let started = started.find(|started| started["scenario"] == event["scenario"]);
        let file = started.expect("a started scenario")["file"]
            .as_str()
            .expect("a file");
        let stem = file
            .strip_prefix("scenarios/")
            .and_then(|file| file.strip_suffix(".yaml"));
        stem.expect("a bundled file").to_owned()
    }

    /// The files that have a scenario with this verdict.
    pub(crate) fn files(&self, verdict: &str) -> BTreeSet<String> {
        self.named("scenario_ended")
            .filter(|ended| ended["verdict"] == verdict)
            .map(|ended| self.file(ended))
            .collect()
    }
}
