//! Logs that `aghook import` reads, and captures with what other commands make of them.

use std::sync::LazyLock;

use super::mistakes::check_mistakes;
use crate::capture::{
    Captured, Expectation, FreshIdentities, RecordedDelivery, Recorder, ScenarioScope, compare,
    profile_fragment, read_capture_text, read_log, scenarios,
};
use crate::generate::{Seed, StartTime};
use crate::policy::RetryPolicy;
use crate::protocol::Secret;
use crate::run::profile_generator;
use crate::scenario::document::{SourceFile, is_disguising};
use crate::scenario::{Case, Config, Profile};

const SECRET: &str = "whsec_fuzzed+secret/1";

/// Reads the bytes as a log, records its deliveries, and reads what was recorded; or reads them as a
/// capture.
pub fn capture(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    if let Ok(exchanges) = read_log(&text) {
        let secret = Secret::new(SECRET).expect("a secret");
        let mut recorder = Recorder::new(Some(&secret)).expect("randomness");
        let exchanges = exchanges.iter();
        let deliveries = exchanges.filter(|exchange| exchange.request.is_delivery());
        let lines = deliveries.map(|exchange| {
            let line = serde_json::to_string(&recorder.record(exchange)).expect("JSON");
            assert!(!line.contains(SECRET), "{line}");
            line + "\n"
        });
        let lines: String = lines.collect();
        let captured = read_capture_text("capture", lines.as_bytes()).expect("a capture");
        assert_eq!(captured.deliveries.len(), lines.lines().count());
        check_deliveries(&captured.deliveries);
    }
    match read_capture_text("capture", bytes) {
        Ok(Captured { deliveries, .. }) => check_deliveries(&deliveries),
        Err(error) => check_shown(&error.to_string()),
    }
}

/// What aghook generates. Finding it out takes long.
static EXPECTATION: LazyLock<Expectation> = LazyLock::new(|| {
    let start: StartTime = "1725548450".parse().expect("a time");
    let generator = profile_generator(&Profile::default(), Seed::new(1), start);
    Expectation::new(&generator, RetryPolicy::default(), Vec::new())
});

fn check_deliveries(deliveries: &[RecordedDelivery]) {
    if deliveries.is_empty() {
        return;
    }
    let policy = RetryPolicy::default();
    let comparison = compare(deliveries, &EXPECTATION);
    for difference in &comparison.differences {
        assert!(difference.seen <= difference.of, "{difference:?}");
    }
    check_profile(&profile_fragment(
        deliveries,
        &comparison,
        &policy,
        "a capture",
    ));
    for scope in [ScenarioScope::Event, ScenarioScope::Transaction] {
        for scenario in scenarios(deliveries, scope).expect("YAML") {
            assert!(!scenario.name.contains(['/', '\\']), "{}", scenario.name);
            let source = SourceFile::new("scenario.yaml", scenario.yaml);
            if let Err(mistakes) = Case::from_file(&source) {
                check_mistakes(&source, &mistakes);
            }
        }
    }
    let players = vec!["tester".to_owned()];
    let mut fresh = FreshIdentities::new(None, players).expect("randomness");
    for text in deliveries
        .iter()
        .filter_map(|delivery| delivery.request.body.text.as_deref())
    {
        if let Some(renewed) = fresh.renew(text) {
            serde_json::from_str::<serde::de::IgnoredAny>(&renewed).expect("JSON");
        }
    }
}

/// A terminal can show it.
fn check_shown(text: &str) {
    let is_unsafe = |character: char| character != '\n' && is_disguising(character);
    assert!(!text.contains(is_unsafe), "{text:?}");
}

fn check_profile(text: &str) {
    let source = SourceFile::new("aghook.yaml", text);
    let config = Config::parse(&source);
    assert!(config.is_ok(), "{text}");
    check_shown(text);
}
