//! Exit codes of a run: 0 if every check passed, 1 if a check failed, 2 for invalid input, 3 if the
//! run could not be completed. A run that checked nothing never exits with 0.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::support::{
    Folder, Game, Peer, PeerResponse, Transcript, UNREACHABLE, expecting, with_effect,
};

/// Runs a scenario against a receiver that always responds with 200.
#[track_caller]
fn run(scenario: &str, options: &[&str], code: i32) -> Transcript {
    let peer = Peer::answering(|_| PeerResponse::new(200));
    let folder = Folder::with_scenario(scenario);
    let mut command = folder.run(&["--target", &peer.url()]);
    Transcript::of(command.args(options)).ends_with(code)
}

#[test]
fn all_checks_passed_is_0() {
    run(&expecting("{ status: 2xx }"), &[], 0).says(&["1 scenario: 1 passed, 0 failed"]);
    run(&expecting("{ status: 2xx }"), &["--strict"], 0);
}

#[test]
fn a_failed_check_is_1() {
    run(&expecting("{ status: 4xx }"), &[], 1).says(&["1 scenario: 0 passed, 1 failed"]);
}

#[test]
fn an_invalid_file_is_2_and_nothing_is_sent() {
    let peer = Peer::answering(|_| PeerResponse::new(200));
    let folder = Folder::with_scenario(&expecting("{ status: 2xx }")).with("wrong.yaml", "name: x");
    let words = [
        "run",
        "scenario.yaml",
        "wrong.yaml",
        "--target",
        &peer.url(),
    ];
    Transcript::of(&mut folder.aghook(&words)).ends_with(2);
    assert_eq!(peer.connections(), 0);
}

#[test]
fn an_invalid_command_line_is_2() {
    run(&expecting("{ status: 2xx }"), &["--no-such-option"], 2);
}

#[test]
fn an_unreachable_target_is_3() {
    let folder = Folder::with_scenario(&expecting("{ status: 2xx }"));
    Transcript::of(&mut folder.run(&["--target", UNREACHABLE])).ends_with(3);
}

#[test]
fn a_warning_is_0_or_1_if_strict() {
    let scenario = expecting("{ status: 403, level: should }");
    run(&scenario, &[], 0).says(&["0 passed, 1 warned, 0 failed"]);
    run(&scenario, &["--strict"], 1).says(&["0 passed, 1 failed"]);
}

/// The delivery succeeds, but its effect can't be checked.
#[test]
fn nothing_checked_is_3_or_1_if_strict() {
    let scenario = with_effect("granted: welcome");
    run(&scenario, &[], 3).says(&[
        "1 not checked",
        "the profile has no probe `quantity`",
        "add `probes: { quantity: … }` to the profile",
    ]);
    run(&scenario, &["--strict"], 1);
}

#[test]
fn a_passed_check_decides_even_if_another_is_not_checked() {
    let scenario = with_effect("granted: welcome").replace(
        "- deliver: welcome",
        "- deliver: welcome\n    expect: { status: 2xx }",
    );
    run(&scenario, &[], 0).says(&["1 scenario: 1 passed", "1 passed, 0 failed, 1 not checked"]);
    run(&scenario, &["--strict"], 1);
}

#[test]
fn a_scenario_with_a_script_is_not_checked_without_the_hook() {
    let scenario = expecting("{ status: 2xx }").replace(
        "steps:\n",
        "steps:\n  - script: { of: welcome, answers: [503] }\n",
    );
    run(&scenario, &[], 3).says(&["the profile has no `script`"]);
    run(&scenario, &["--strict"], 1);
}

#[test]
fn a_broken_probe_is_3() {
    let game = Game::with_probe(|_, _| PeerResponse::new(200), |_| PeerResponse::new(500));
    let with = |scenario: &str| {
        let folder = Folder::with_scenario(scenario).with("aghook.yaml", game.config(""));
        Transcript::of(&mut folder.run(&[]))
    };
    with(&with_effect("granted: welcome"))
        .ends_with(3)
        .says(&["1 broken", "returned 500"]);
    // A failed check takes precedence over a broken one.
    let failing = with_effect("granted: welcome").replace(
        "- deliver: welcome",
        "- deliver: welcome\n    expect: { status: 4xx }",
    );
    with(&failing)
        .ends_with(1)
        .says(&["0 passed, 1 failed, 1 broken"]);
}

#[test]
fn fail_fast_skips_the_remaining_scenarios() {
    let deliveries = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&deliveries);
    let peer = Peer::answering(move |_| {
        counted.fetch_add(1, Ordering::SeqCst);
        PeerResponse::new(500)
    });
    let scenario = expecting("{ status: 2xx }\n    retry: off");
    let folder = ["1.yaml", "2.yaml", "3.yaml"]
        .into_iter()
        .fold(Folder::new(), |folder, name| folder.with(name, &scenario));
    let words = ["run", ".", "--jobs", "1", "--target", &peer.url()];
    Transcript::of(&mut folder.aghook(&words))
        .ends_with(1)
        .says(&["3 scenarios: 0 passed, 3 failed"]);
    assert_eq!(deliveries.swap(0, Ordering::SeqCst), 3);
    Transcript::of(folder.aghook(&words).arg("--fail-fast"))
        .ends_with(1)
        .says(&["3 scenarios: 0 passed, 1 failed, 2 not run"]);
    assert_eq!(deliveries.load(Ordering::SeqCst), 1);
}

#[cfg(unix)]
mod interrupted {
    use std::io::{BufRead as _, BufReader, Read as _};
    use std::process::{Child, Command, Stdio};
    use std::sync::Mutex;
    use std::sync::mpsc::{Receiver, Sender, channel};

    use super::*;
    use crate::support::SECRET;

    /// A run of two scenarios; the receiver holds the response to the first delivery until the test
    /// releases it.
    struct HeldRun {
        run: Child,
        stderr: BufReader<std::process::ChildStderr>,
        release: Sender<()>,
        _folder: Folder,
    }

    impl HeldRun {
        fn new() -> Self {
            let (arrived, arrivals): (Sender<()>, Receiver<()>) = channel();
            let (release, releases) = channel::<()>();
            let (arrived, releases) = (Mutex::new(arrived), Mutex::new(releases));
            let peer = Peer::answering(move |_| {
                let _ = arrived.lock().expect("one at a time").send(());
                let _ = releases.lock().expect("one at a time").recv();
                PeerResponse::new(200)
            });
            let scenario = expecting("{ status: 2xx }\n    retry: off");
            let folder = Folder::new()
                .with("1.yaml", &scenario)
                .with("2.yaml", &scenario);
            let mut run = Command::new(env!("CARGO_BIN_EXE_aghook"))
                .current_dir(folder.root())
                .args(["run", ".", "--jobs", "1", "--target", &peer.url()])
                .env("AGHOOK_SECRET", SECRET)
                .stdout(Stdio::piped())
                .stderr(Stdio::piped())
                .spawn()
                .expect("runs");
            arrivals.recv().expect("a delivery");
            let stderr = BufReader::new(run.stderr.take().expect("a pipe"));
            Self {
                run,
                stderr,
                release,
                _folder: folder,
            }
        }

        /// Presses Ctrl-C and waits until the program acknowledges it.
        fn interrupt(&mut self) {
            self.press();
            let mut line = String::new();
            self.stderr.read_line(&mut line).expect("a line");
            assert!(line.starts_with("stopping: "), "{line}");
        }

        fn press(&self) {
            let pid = self.run.id().to_string();
            let sent = Command::new("kill").args(["-INT", &pid]).status();
            assert!(sent.expect("kill").success());
        }

        fn end(mut self) -> (Option<i32>, String) {
            let mut stdout = String::new();
            let mut pipe = self.run.stdout.take().expect("a pipe");
            pipe.read_to_string(&mut stdout).expect("UTF-8");
            (self.run.wait().expect("ends").code(), stdout)
        }
    }

    #[test]
    fn the_active_scenario_finishes_and_the_others_are_not_run() {
        let mut held = HeldRun::new();
        held.interrupt();
        held.release.send(()).expect("the receiver waits");
        let (code, stdout) = held.end();
        assert_eq!(code, Some(130), "{stdout}");
        assert!(
            stdout.contains("2 scenarios: 1 passed, 0 failed, 1 not run"),
            "{stdout}"
        );
    }

    #[test]
    fn a_second_ctrl_c_ends_at_once() {
        let mut held = HeldRun::new();
        held.interrupt();
        held.press();
        let (code, stdout) = held.end();
        assert_eq!(code, Some(130), "{stdout}");
        assert!(
            stdout.contains("2 scenarios: 0 passed, 0 failed, 2 not run"),
            "{stdout}"
        );
    }
}
