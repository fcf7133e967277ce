//! Reports from a recorded run are the same as those of the run itself.

use crate::support::{Folder, Peer, PeerResponse, Transcript, expecting};

/// Every kind of report that is written to a file.
const KINDS: [&str; 5] = ["terminal", "json", "junit", "markdown", "har"];

/// The options `--report KIND=PREFIX.KIND` for every kind.
fn all_reports(prefix: &str) -> Vec<String> {
    let options = KINDS.map(|kind| ["--report".to_owned(), format!("{kind}={prefix}.{kind}")]);
    options.into_iter().flatten().collect()
}

/// Runs with all reports and a journal, and compares the reports with those generated from the
/// journal.
#[track_caller]
fn assert_same_reports(folder: &Folder, run: &[&str], code: i32) {
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
    // The journal equals the JSON report, so the report can be used as a journal.
    assert!(folder.read("live.json") == folder.read("kept/run.jsonl"));
    let of_file = Transcript::of(&mut folder.aghook(&["report", "live.json", "-v"]));
    assert_eq!(of_file.ends_with(code).stdout, live.stdout);
}

#[test]
fn reports_of_the_bundled_suite_are_the_same() {
    assert_same_reports(&Folder::new(), &["run"], 0);
}

#[test]
fn reports_of_a_failed_run_are_the_same() {
    let peer = Peer::answering(|_| {
        PeerResponse::new(200)
            .header("X-Odd", "a\u{1b}[31mb")
            .body(b"\xff\xfe no text")
    });
    let scenario = expecting("{ status: 403 }");
    let folder = Folder::with_scenario(&scenario);
    let words = ["run", "scenario.yaml", "--target", &peer.url()];
    assert_same_reports(&folder, &words, 1);
}

#[test]
fn the_exit_code_is_that_of_the_run() {
    // Nothing checked, a warning, and a warning with `--strict`.
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
        let peer = Peer::answering(|_| PeerResponse::new(200));
        let folder = Folder::with_scenario(&text);
        let words = ["--target", &peer.url(), "--record", "kept"];
        let words = [&words[..], options].concat();
        Transcript::of(&mut folder.run(&words)).ends_with(code);
        Transcript::of(&mut folder.aghook(&["report", "kept"])).ends_with(code);
    }
}

#[cfg(unix)]
#[test]
fn only_the_owner_can_read_a_journal() {
    use std::os::unix::fs::PermissionsExt as _;

    let peer = Peer::answering(|_| PeerResponse::new(200));
    let folder = Folder::with_scenario(&expecting("{ status: 200 }"));
    let options = ["--target", &peer.url(), "--record", "a/b"];
    Transcript::of(&mut folder.run(&options)).ends_with(0);
    let kept = std::fs::metadata(folder.path("a/b/run.jsonl")).expect("a file");
    assert_eq!(kept.permissions().mode() & 0o777, 0o600);
}
