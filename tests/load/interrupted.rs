//! A load stopped by Ctrl-C.

use std::sync::mpsc::{Receiver, Sender, channel};

use super::*;

/// A load against a receiver that holds each response until the test releases it.
struct HeldLoad {
    load: Child,
    stderr: BufReader<std::process::ChildStderr>,
    release: Sender<()>,
    folder: Folder,
}

impl HeldLoad {
    fn new() -> Self {
        let (arrived, arrivals): (Sender<()>, Receiver<()>) = channel();
        let (release, releases) = channel::<()>();
        let (arrived, releases) = (Mutex::new(arrived), Mutex::new(releases));
        let peer = Peer::answering(move |_| {
            let _ = arrived.lock().expect("one at a time").send(());
            let _ = releases.lock().expect("one at a time").recv();
            PeerResponse::new(200)
        });
        let folder = Folder::new();
        let mut load = Command::new(env!("CARGO_BIN_EXE_aghook"))
            .current_dir(folder.root())
            .args([
                "load",
                "--rate",
                "max",
                "--count",
                "100000",
                "--connections",
                "2",
            ])
            .args([
                "--report",
                "json=load.json",
                "--report",
                "terminal=load.txt",
            ])
            .args(["--target", &peer.url()])
            .env("AGHOOK_SECRET", SECRET)
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .expect("runs");
        // Both connections have sent a delivery.
        for _ in 0..2 {
            arrivals.recv().expect("a delivery");
        }
        let stderr = BufReader::new(load.stderr.take().expect("a pipe"));
        Self {
            load,
            stderr,
            release,
            folder,
        }
    }

    /// Presses Ctrl-C.
    fn press(&self) {
        let pid = self.load.id().to_string();
        let sent = Command::new("kill").args(["-INT", &pid]).status();
        assert!(sent.expect("kill").success());
    }

    /// Presses Ctrl-C and waits until the program acknowledges it.
    fn interrupt(&mut self) {
        self.press();
        let mut line = String::new();
        self.stderr.read_line(&mut line).expect("a line");
        assert!(line.starts_with("stopping: "), "{line}");
    }

    fn end(mut self) -> (Option<i32>, Value, Folder) {
        let code = self.load.wait().expect("ends").code();
        let mut rest = String::new();
        self.stderr.read_to_string(&mut rest).expect("UTF-8");
        let report = serde_json::from_str(&self.folder.read("load.json"));
        let report = report.unwrap_or_else(|_| panic!("no report: {rest}"));
        (code, report, self.folder)
    }
}

#[test]
fn active_deliveries_finish_and_are_counted() {
    let mut held = HeldLoad::new();
    held.interrupt();
    for _ in 0..2 {
        held.release.send(()).expect("the receiver waits");
    }
    let (code, report, folder) = held.end();
    assert_eq!(code, Some(130), "{report}");
    assert_eq!(report["interrupted"], true);
    let printed = folder.read("load.txt");
    assert!(
        printed.contains("not checked: the load was stopped early"),
        "{printed}"
    );
    let counts = counts(&report);
    assert_eq!(number(counts, "events"), 2);
    assert_eq!(number(counts, "acknowledged"), 2);
    assert_eq!(number(counts, "unfinished"), 0);
}

#[test]
fn a_second_ctrl_c_ends_at_once_and_everything_is_counted() {
    let mut held = HeldLoad::new();
    held.interrupt();
    held.press();
    let (code, report, folder) = held.end();
    assert_eq!(code, Some(130), "{report}");
    let counts = counts(&report);
    assert_eq!(number(counts, "events"), 2);
    assert_eq!(number(counts, "unfinished"), 2);
    // Unfinished events are saved for a replay.
    let failures = folder.read("aghook-failures.jsonl");
    assert_eq!(failures.matches("it was not acknowledged").count(), 2);
}
