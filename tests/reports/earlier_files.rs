//! Files that an earlier aghook wrote can still be read. `earlier_files/` holds a JSON report (which
//! is also what a recording holds), two load reports, a load's failures and a snapshot report, all
//! recorded by the program before its texts and type names were revised.

use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::Value;

use crate::schemas::{validate_har, validate_json_lines, validate_junit};
use crate::support::{Folder, Peer, PeerResponse, Transcript};

/// A folder with copies of earlier files.
fn folder_with(names: &[&str]) -> Folder {
    let earlier = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/reports/earlier_files");
    names.iter().fold(Folder::new(), |folder, name| {
        folder.with(name, fs::read(earlier.join(name)).expect("a recorded file"))
    })
}

#[test]
fn every_report_can_be_made_from_an_earlier_recording() {
    let folder = folder_with(&["run.jsonl"]);
    fs::create_dir(folder.path("recording")).expect("a folder");
    fs::copy(folder.path("run.jsonl"), folder.path("recording/run.jsonl")).expect("copied");
    for recording in ["recording", "run.jsonl"] {
        let kinds = ["terminal", "json", "junit", "har", "markdown", "html"];
        let options = kinds.map(|kind| ["--report".to_owned(), format!("{kind}=out.{kind}")]);
        let mut report = folder.aghook(&["report", recording]);
        Transcript::of(report.args(options.into_iter().flatten())).ends_with(1);

        let terminal = folder.read("out.terminal");
        for counts in [
            "17 scenarios: 6 passed, 1 warned, 1 failed, 9 not checked",
            "47 checks: 25 passed, 2 warned, 2 failed, 18 not checked",
        ] {
            assert!(terminal.contains(counts), "no `{counts}` in {terminal}");
        }
        // No event and no key of the earlier report is lost or renamed.
        assert!(folder.read("out.json") == folder.read("run.jsonl"));
        validate_json_lines(&folder.read("out.json"));
        validate_junit(&folder.read("out.junit"));
        validate_har(&folder.read("out.har"));
    }
}

#[test]
fn earlier_load_reports_are_joined() {
    let folder = folder_with(&["load-1.json", "load-2.json"]);
    let mut merge = folder.aghook(&["merge", "load-1.json", "load-2.json", "--report", "json"]);
    let merged = Transcript::of(&mut merge).ends_with(1);
    let merged: Value = serde_json::from_str(&merged.stdout).expect("JSON");
    let part = |name: &str| -> Value { serde_json::from_str(&folder.read(name)).expect("JSON") };
    let parts = [part("load-1.json"), part("load-2.json")];
    for pointer in ["/latency/count", "/effects/right", "/effects/acknowledged"] {
        let number = |report: &Value| report.pointer(pointer).and_then(Value::as_u64);
        let sum = parts.iter().map(number).sum::<Option<u64>>();
        assert!(sum.is_some_and(|sum| sum > 0), "no number at {pointer}");
        assert_eq!(number(&merged), sum, "{pointer}");
    }
}

#[test]
fn the_failed_events_of_an_earlier_load_are_sent_again() {
    let folder = folder_with(&["failures.jsonl"]);
    let deliveries = Arc::new(AtomicUsize::new(0));
    let counter = Arc::clone(&deliveries);
    let peer = Peer::answering(move |_| {
        counter.fetch_add(1, Ordering::SeqCst);
        PeerResponse::new(200)
    });
    let mut replay = folder.aghook(&["replay", "failures.jsonl", "--target", &peer.url()]);
    let replay = Transcript::of(&mut replay);
    assert_eq!(deliveries.load(Ordering::SeqCst), 2, "{}", replay.text());
}

#[test]
fn a_run_is_compared_with_an_earlier_snapshot() {
    let folder = folder_with(&["scenario.yaml", "scenario.snap"]);
    fs::create_dir(folder.path("snapshots")).expect("a folder");
    let reviewed = folder.path("snapshots/scenario.snap");
    fs::copy(folder.path("scenario.snap"), &reviewed).expect("copied");
    let options = ["--snapshots", "snapshots", "--snapshots-mode", "new"];
    let run = || Transcript::of(&mut folder.run(&options));
    // The texts of a report changed, so the reviewed snapshot differs, but no recorded value does.
    let changed = run()
        .ends_with(1)
        .says(&["lines added", "response was lost"]);
    assert!(!changed.stdout.contains("event_type"), "{}", changed.text());
    let accept = ["snapshots", "accept", "snapshots"];
    Transcript::of(&mut folder.aghook(&accept)).ends_with(0);
    run().ends_with(0);
}
