//! Reports of a recorded run are those that the run itself makes.

use crate::support::{Folder, Peer, Response, Transcript, expecting};

/// Every kind of report that goes to a file of its own.
const KINDS: [&str; 5] = ["terminal", "json", "junit", "markdown", "har"];

/// `--report KIND=PREFIX.KIND` for every kind.
fn all_reports(prefix: &str) -> Vec<String> {
    let options = KINDS.map(|kind| ["--report".to_owned(), format!("{kind}={prefix}.{kind}")]);
    options.into_iter().flatten().collect()
}

/// Runs with all reports and a journal, and makes all reports of the journal again.
#[track_caller]
fn both_are_the_same(folder: &Folder, run: &[&str], code: i32) {
    let live = Transcript::of(
        folder
            .aghook(run)
            .args(["-v", "--record", "kept"])
            .args(all_reports("live")),
    )
    .ends_with(code);
    let later = Transcript::of(
        folder
            .aghook(&["report", "kept", "-v"])
            .args(all_reports("later")),
    )
    .ends_with(code);
    assert_eq!(later.stdout, live.stdout);
    assert_eq!(later.stderr, live.stderr);
    for kind in KINDS {
        let (live, later) = (format!("live.{kind}"), format!("later.{kind}"));
        assert!(folder.read(&live).len() > 100, "{kind}");
        assert!(folder.read(&live) == folder.read(&later), "{kind} differs");
    }
    // The journal is the JSON report, so that one can be read as well.
    assert!(folder.read("live.json") == folder.read("kept/run.jsonl"));
    let of_file = Transcript::of(&mut folder.aghook(&["report", "live.json", "-v"]));
    assert_eq!(of_file.ends_with(code).stdout, live.stdout);
}

#[test]
fn all_reports_of_the_bundled_suite() {
    both_are_the_same(&Folder::new(), &["run"], 0);
}

#[test]
fn all_reports_of_a_run_that_failed() {
    let peer = Peer::answering(|_| {
        Response::new(200)
            .header("X-Odd", "a\u{1b}[31mb")
            .body(b"\xff\xfe no text")
    });
    let scenario = expecting("{ status: 403 }");
    let folder = Folder::with_scenario(&scenario);
    let words = ["run", "scenario.yaml", "--target", &peer.url()];
    both_are_the_same(&folder, &words, 1);
}

#[test]
fn the_verdict_is_that_of_the_run() {
    // Nothing is checked, a warning, and a strict warning.
    for (scenario, options, code) in [
        ("granted: welcome", &[][..], 3),
        ("{ status: 403, level: should }", &[], 0),
        ("{ status: 403, level: should }", &["--strict"], 1),
    ] {
        let text = if scenario.starts_with('{') {
            expecting(scenario)
        } else {
            crate::support::with_effect(scenario)
        };
        let peer = Peer::answering(|_| Response::new(200));
        let folder = Folder::with_scenario(&text);
        let words = ["--target", &peer.url(), "--record", "kept"];
        let words = [&words[..], options].concat();
        Transcript::of(&mut folder.run(&words)).ends_with(code);
        Transcript::of(&mut folder.aghook(&["report", "kept"])).ends_with(code);
    }
}

#[cfg(unix)]
#[test]
fn a_journal_is_for_its_owner_alone() {
    use std::os::unix::fs::PermissionsExt as _;

    let peer = Peer::answering(|_| Response::new(200));
    let folder = Folder::with_scenario(&expecting("{ status: 200 }"));
    let options = ["--target", &peer.url(), "--record", "a/b"];
    Transcript::of(&mut folder.run(&options)).ends_with(0);
    let kept = std::fs::metadata(folder.path("a/b/run.jsonl")).expect("a file");
    assert_eq!(kept.permissions().mode() & 0o777, 0o600);
}
