//! The journal of a killed run contains everything that had ended before.

use std::process::{Child, Command, Stdio};
use std::sync::Mutex;
use std::sync::mpsc::{Receiver, Sender, channel};

use aghook::internals::run::RunEvent;

use super::events;
use crate::support::{Folder, Peer, PeerResponse, SECRET, Transcript};

/// The number of deliveries with a response, before one that never gets one.
const ANSWERED: usize = 3;

const ANSWERED_SCENARIO: &str = "\
name: the first
events: { welcome: {} }
steps:
  - { deliver: welcome, times: 2, expect: { status: 2xx } }
";

const HELD_SCENARIO: &str = "\
name: the second
events: { welcome: {} }
steps:
  - { deliver: welcome, times: 5, expect: { status: 2xx } }
";

/// The folder of a run that was killed while it waited for a response.
fn killed() -> Folder {
    let (arrived, arrivals): (Sender<()>, Receiver<()>) = channel();
    let (_never, nothing) = channel::<()>();
    let served = Mutex::new((0, arrived, nothing));
    let peer = Peer::answering(move |_| {
        let mut served = served.lock().expect("one at a time");
        served.0 += 1;
        if served.0 > ANSWERED {
            let _ = served.1.send(());
            let _ = served.2.recv();
        }
        PeerResponse::new(200)
    });
    let folder = Folder::new()
        .with("1.yaml", ANSWERED_SCENARIO)
        .with("2.yaml", HELD_SCENARIO);
    let mut run: Child = Command::new(env!("CARGO_BIN_EXE_aghook"))
        .current_dir(folder.root())
        .args(["run", ".", "--jobs", "1", "--record", "kept"])
        .args(["--target", &peer.url()])
        .env("AGHOOK_SECRET", SECRET)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("runs");
    // A delivery is only sent after the previous one has ended and is in the journal.
    arrivals.recv().expect("a delivery");
    run.kill().expect("killed");
    run.wait().expect("ended");
    folder
}

fn attempts(events: &[RunEvent]) -> usize {
    let attempts = events
        .iter()
        .filter(|event| matches!(event, RunEvent::AttemptEnded(_)));
    attempts.count()
}

#[test]
fn everything_that_had_ended_is_in_the_journal() {
    let folder = killed();
    let journal = folder.read("kept/run.jsonl");
    assert!(journal.ends_with('\n'));
    let kept = events(&journal);
    assert!(matches!(kept.first(), Some(RunEvent::RunStarted(_))));
    assert!(!matches!(kept.last(), Some(RunEvent::RunEnded(_))));
    assert_eq!(attempts(&kept), ANSWERED);

    let reports = [
        ["--report", "junit=junit.xml"],
        ["--report", "har=run.har"],
        ["--report", "json=later.jsonl"],
    ];
    let words = [&["report", "kept"], reports.concat().as_slice()].concat();
    Transcript::of(&mut folder.aghook(&words))
        .ends_with(3)
        .says(&[
            "incomplete: this run was interrupted or is still running: 1 of 2 scenarios completed",
            "not completed: the second (completed attempts: 1)",
            "2 scenarios: 1 passed, 0 failed, 1 not run",
        ])
        .does_not_say(&["incomplete line"]);
    let junit = folder.read("junit.xml");
    assert!(junit.contains("name=\"the first\""), "{junit}");
    assert!(junit.contains("<skipped"), "{junit}");
    assert!(folder.read("run.har").contains("\"title\": \"the first\""));
    // The JSON report contains only what happened.
    assert_eq!(folder.read("later.jsonl"), journal);
}

#[test]
fn a_torn_last_line_is_skipped_with_a_note() {
    let folder = killed();
    let journal = folder.read("kept/run.jsonl");
    let last = journal.lines().last().expect("a line");
    let torn = &journal[..journal.len() - last.len() / 2];
    std::fs::write(folder.path("kept/run.jsonl"), torn).expect("written");
    let line = journal.lines().count();
    Transcript::of(&mut folder.aghook(&["report", "kept"]))
        .ends_with(3)
        .says(&[
            &format!("run.jsonl:{line}: ignored the last"),
            "bytes, which are an incomplete line",
        ]);
    // Only the final newline is missing, so the event is complete.
    std::fs::write(folder.path("kept/run.jsonl"), journal.trim_end()).expect("written");
    Transcript::of(&mut folder.aghook(&["report", "kept"]))
        .ends_with(3)
        .does_not_say(&["incomplete line"]);
}

#[test]
fn an_incomplete_run_can_be_replayed() {
    let folder = killed();
    let peer = Peer::answering(|_| PeerResponse::new(200));
    let words = ["replay", "kept", "--target", &peer.url()];
    Transcript::of(&mut folder.aghook(&words))
        .ends_with(0)
        .says(&[
            "3 requests of 2 scenarios: 3 same, 0 different",
            "incomplete: ",
        ]);
}
