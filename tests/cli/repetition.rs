//! `aghook run --repeat`, `--until-failure` and `--watch`.

use std::collections::BTreeSet;
use std::io::{BufRead as _, BufReader};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, mpsc};

use crate::support::{Folder, Peer, PeerResponse, Transcript};

const SCENARIO: &str = "name: a coupon is accepted\nseed: 7\nevents:\n  welcome: { coupon: { code: A } }\n\
                        steps:\n  - deliver: welcome\n    retry: false\n    expect: { status: 2xx }\n";

/// A receiver that refuses each `nth` delivery, and the idempotency keys that it got.
fn refusing_each(nth: usize) -> (Peer, Arc<Mutex<Vec<String>>>) {
    let keys = Arc::new(Mutex::new(Vec::new()));
    let (known, deliveries) = (Arc::clone(&keys), AtomicUsize::new(0));
    let peer = Peer::answering(move |request| {
        let key = request.json()["idempotency_key"].to_string();
        known.lock().expect("a lock").push(key);
        let number = deliveries.fetch_add(1, Ordering::Relaxed) + 1;
        PeerResponse::new(if number.is_multiple_of(nth) { 500 } else { 200 })
    });
    (peer, keys)
}

fn run(peer: &Peer, arguments: &[&str]) -> (Transcript, Folder) {
    let folder = Folder::with_scenario(SCENARIO);
    let url = peer.url();
    let words = [&["--target", &url, "--skip-setup-check"], arguments].concat();
    (Transcript::of(&mut folder.run(&words)), folder)
}

#[test]
fn repetitions_have_new_events_and_a_failure_rate() {
    let (peer, keys) = refusing_each(2);
    let (ran, folder) = run(
        &peer,
        &[
            "--repeat",
            "5",
            "--record",
            "kept",
            "--report",
            "junit=junit.xml",
        ],
    );
    ran.ends_with(1)
        .says(&["failure rates:\n  2 of 5  a coupon is accepted\n"]);
    let keys: BTreeSet<String> = keys.lock().expect("a lock").iter().cloned().collect();
    assert_eq!(keys.len(), 5, "{keys:?}");
    let junit = folder.read("junit.xml");
    for repetition in 1..=5 {
        let name = format!("a coupon is accepted (repetition {repetition})");
        assert!(junit.contains(&name), "{junit}");
    }
    Transcript::of(&mut folder.aghook(&["report", "kept"]))
        .ends_with(1)
        .says(&["5 scenarios: 3 passed, 2 failed"]);
}

#[test]
fn repetitions_that_pass_have_no_failure_rate() {
    let (peer, _) = refusing_each(100);
    let (ran, _) = run(&peer, &["--repeat", "3"]);
    ran.ends_with(0)
        .says(&["3 scenarios: 3 passed, 0 failed"])
        .does_not_say(&["failure rates"]);
}

#[test]
fn a_scenario_has_one_line_for_all_its_repetitions() {
    let (peer, _) = refusing_each(4);
    let (ran, _) = run(&peer, &["--repeat", "3"]);
    ran.says(&["\n✓ passed: a coupon is accepted  3 of 3 repetitions\n"])
        .does_not_say(&["(repetition "]);
    let (ran, _) = run(&peer, &["--repeat", "4"]);
    ran.says(&["\n✗ failed: a coupon is accepted  1 of 4 repetitions\n"]);
    let (ran, _) = run(&peer, &["--repeat", "2", "--verbose"]);
    ran.says(&["a coupon is accepted (repetition 2)"]);
}

#[test]
fn until_failure_reports_the_run_that_failed() {
    let (peer, keys) = refusing_each(4);
    let (ran, folder) = run(
        &peer,
        &[
            "--until-failure",
            "--record",
            "kept",
            "--report",
            "json=run.jsonl",
        ],
    );
    ran.ends_with(1).says(&[
        "run 4: failed\n",
        "1 scenario: 0 passed, 1 failed",
        "failure rates:\n  1 of 4  a coupon is accepted\n",
    ]);
    let keys: BTreeSet<String> = keys.lock().expect("a lock").iter().cloned().collect();
    assert_eq!(keys.len(), 4, "{keys:?}");
    let json = folder.read("run.jsonl");
    assert_eq!(
        json.matches("\"event\":\"run_started\"").count(),
        1,
        "{json}"
    );
    Transcript::of(&mut folder.aghook(&["report", "kept"])).ends_with(1);
    // --repeat limits the number of runs.
    let (peer, _) = refusing_each(100);
    let (ran, _) = run(&peer, &["--until-failure", "--repeat", "2"]);
    ran.ends_with(0)
        .says(&["run 2: passed\n", "1 scenario: 1 passed"]);
}

#[test]
fn combinations_without_a_meaning_are_refused() {
    for options in [
        &["--repeat", "2", "--snapshots", "snapshots"][..],
        &["--repeat", "2", "--dry-run"],
        &["--until-failure", "--start-time", "1"],
        &["--until-failure", "--snapshots", "snapshots"],
        &["--watch", "--record", "kept"],
        &["--watch", "--until-failure"],
    ] {
        let folder = Folder::with_scenario(SCENARIO);
        Transcript::of(&mut folder.run(options))
            .ends_with(2)
            .says(&["cannot be used with"]);
    }
}

/// Sends Ctrl-C to a process.
#[cfg(unix)]
fn interrupt(process: u32) {
    let sent = Command::new("kill")
        .args(["-INT", &process.to_string()])
        .status();
    assert!(sent.expect("kill runs").success());
}

#[cfg(unix)]
#[test]
fn watch_runs_again_after_a_change_until_it_is_interrupted() {
    let (peer, keys) = refusing_each(100);
    let config = format!(
        "profiles: {{ local: {{ target: \"{}\", players: {{ file: players.txt }} }} }}\n",
        peer.url()
    );
    let folder = Folder::with_scenario(SCENARIO)
        .with("aghook.yaml", &config)
        .with("players.txt", "P1\n");
    let mut process = Command::new(env!("CARGO_BIN_EXE_aghook"))
        .args(["run", "scenario.yaml", "--watch", "--skip-setup-check"])
        .current_dir(folder.root())
        .env("AGHOOK_SECRET", crate::support::SECRET)
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .expect("aghook starts");
    let errors = BufReader::new(process.stderr.take().expect("a pipe"));
    let mut errors = errors.lines().map_while(Result::ok);
    let mut wait_for = |text: &str| {
        let found = errors.any(|line| line.contains(text));
        assert!(found, "no `{text}`");
    };
    let waiting = "waiting for a file to change; press Ctrl-C to stop";
    wait_for(waiting);
    for (name, content) in [
        ("players.txt", "P1\nP2\n".to_owned()),
        ("scenario.yaml", "name: [".to_owned()),
        ("scenario.yaml", format!("{SCENARIO}tags: [smoke]\n")),
        ("aghook.yaml", format!("{config}# end\n")),
    ] {
        std::fs::write(folder.path(name), content).expect("written");
        wait_for(&format!("{name} changed; running again"));
        wait_for(waiting);
    }
    interrupt(process.id());
    assert_eq!(process.wait().expect("ends").code(), Some(0));
    assert_eq!(keys.lock().expect("a lock").len(), 4);
}

#[cfg(unix)]
#[test]
fn an_interrupted_repetition_reports_what_was_found() {
    let (peer, _) = refusing_each(1_000_000);
    let folder = Folder::with_scenario(SCENARIO);
    let mut process = Command::new(env!("CARGO_BIN_EXE_aghook"))
        .args([
            "run",
            "scenario.yaml",
            "--until-failure",
            "--target",
            &peer.url(),
        ])
        .current_dir(folder.root())
        .env("AGHOOK_SECRET", crate::support::SECRET)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("aghook starts");
    let mut errors = BufReader::new(process.stderr.take().expect("a pipe")).lines();
    let found = errors.any(|line| line.expect("text").contains(": passed"));
    assert!(found, "no run passed");
    interrupt(process.id());
    // A full pipe would block the program.
    errors.by_ref().for_each(drop);
    let ended = process.wait_with_output().expect("ends");
    assert_eq!(ended.status.code(), Some(130), "{ended:?}");
    let said = String::from_utf8_lossy(&ended.stdout);
    assert!(said.contains("1 scenario: "), "{said}");
}

/// The second Ctrl-C cuts the run off in its second step.
#[cfg(unix)]
#[test]
fn a_repetition_that_is_cut_off_reports_what_happened_before() {
    let (arrived, arrivals) = mpsc::channel::<()>();
    let (arrived, deliveries) = (Mutex::new(arrived), AtomicUsize::new(0));
    let (_release, released) = mpsc::channel::<()>();
    let released = Mutex::new(released);
    let peer = Peer::answering(move |_| {
        if deliveries.fetch_add(1, Ordering::Relaxed) > 0 {
            let _ = arrived.lock().expect("a lock").send(());
            // Until the test ends.
            let _ = released.lock().expect("a lock").recv();
        }
        PeerResponse::new(500)
    });
    let again = "  - deliver: welcome\n    retry: false\n    expect: { status: 2xx }\n";
    let folder = Folder::with_scenario(&format!("{SCENARIO}{again}"));
    let mut process = Command::new(env!("CARGO_BIN_EXE_aghook"))
        .args([
            "run",
            "scenario.yaml",
            "--until-failure",
            "--skip-setup-check",
        ])
        .args(["--report", "json=run.jsonl", "--target", &peer.url()])
        .current_dir(folder.root())
        .env("AGHOOK_SECRET", crate::support::SECRET)
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .expect("aghook starts");
    arrivals.recv().expect("a second delivery");
    interrupt(process.id());
    let mut errors = BufReader::new(process.stderr.take().expect("a pipe")).lines();
    let found = errors.any(|line| line.expect("text").contains("press Ctrl-C again"));
    assert!(found, "no note");
    interrupt(process.id());
    errors.by_ref().for_each(drop);
    assert_eq!(process.wait().expect("ends").code(), Some(130));
    let json = folder.read("run.jsonl");
    for event in ["run_started", "attempt_ended", "step_ended"] {
        let event = format!("\"event\":\"{event}\"");
        assert!(json.contains(&event), "no {event} in {json}");
    }
}

#[test]
fn the_repetitions_of_a_scenario_are_one_problem() {
    let (peer, _) = refusing_each(1);
    let (ran, _) = run(&peer, &["--repeat", "20"]);
    ran.ends_with(1)
        .says(&["✗ problem 1: ", ": 1 scenario, in 20 of 20 repetitions\n"])
        .does_not_say(&["also in"]);
    // Too few for a common problem.
    let (peer, _) = refusing_each(10);
    let (ran, _) = run(&peer, &["--repeat", "20"]);
    let text = ran.ends_with(1).stdout;
    assert!(text.contains("in 2 of 20 repetitions"), "{text}");
    let shown = text.rsplit_once("\n\n").map_or("", |(before, _)| before);
    assert_eq!(shown.matches("step 1: ").count(), 1, "{text}");
}
