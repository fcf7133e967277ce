//! The files that reports are written to: never an earlier report, an input or a pipe.

use std::fs;

use quick_xml::events::Event;
use quick_xml::reader::Reader;
use serde_json::Value;

use crate::support::{Folder, Peer, PeerResponse, Transcript, UNREACHABLE, expecting};

const SUCCEEDS: &str = "{ status: 2xx }";

fn receiver() -> Peer {
    Peer::answering(|_| PeerResponse::new(200))
}

#[test]
fn reports_that_would_overwrite_a_file_are_refused_before_anything_is_sent() {
    let folder = Folder::with_scenario(&expecting(SUCCEEDS)).with("players.txt", "P-1\n");
    let config = format!(
        "profiles:\n  game:\n    target: {UNREACHABLE}\n    players: {{ file: players.txt }}\n"
    );
    let folder = folder.with("aghook.yaml", config).with("secret.txt", "s");
    let scenario = folder.read("scenario.yaml");
    for (reports, message) in [
        (
            &["junit=x", "html=./x"][..],
            "two reports have the same path",
        ),
        (&["junit=scenario.yaml"], "would overwrite scenario.yaml"),
        (
            &["html=../NAME/scenario.yaml"],
            "would overwrite scenario.yaml",
        ),
        (&["json=aghook.yaml"], "would overwrite aghook.yaml"),
        (&["har=players.txt"], "would overwrite players.txt"),
        (&["har=secret.txt"], "would overwrite secret.txt"),
    ] {
        let name = folder.root().file_name().expect("a name").to_string_lossy();
        let mut words = vec!["--secret-file".to_owned(), "secret.txt".to_owned()];
        for report in reports {
            words.extend(["--report".to_owned(), report.replace("NAME", &name)]);
        }
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        let transcript = Transcript::of(&mut folder.run(&words));
        transcript.ends_with(2).says(&[message]);
    }
    assert_eq!(folder.read("scenario.yaml"), scenario);
    assert_eq!(folder.read("players.txt"), "P-1\n");
}

#[cfg(unix)]
#[test]
fn a_named_pipe_is_refused_before_anything_is_sent() {
    let folder = Folder::with_scenario(&expecting(SUCCEEDS));
    let made = std::process::Command::new("mkfifo")
        .arg(folder.path("pipe"))
        .status();
    assert!(made.expect("mkfifo").success());
    for kind in ["junit", "json", "terminal"] {
        let report = format!("{kind}=pipe");
        let words = ["--report", &report, "--target", UNREACHABLE];
        let transcript = Transcript::of(&mut folder.run(&words));
        transcript.ends_with(2).says(&["it is a pipe, not a file"]);
    }
}

#[test]
fn an_earlier_report_does_not_stay_if_the_run_can_not_start() {
    let peer = receiver();
    let folder = Folder::with_scenario(&expecting(SUCCEEDS)).with("broken.yaml", "name: [");
    let reports = ["--report", "junit=j.xml", "--report", "html=r.html"];
    let run = |scenario: &str, target: &str, code: i32| {
        let words = [&["run", scenario, "--target", target][..], &reports].concat();
        Transcript::of(&mut folder.aghook(&words)).ends_with(code);
        (folder.read("j.xml"), folder.read("r.html"))
    };
    let (passed, _) = run("scenario.yaml", &peer.url(), 0);
    assert!(passed.contains("a delivery"), "{passed}");
    for (scenario, target, code) in [
        ("scenario.yaml", UNREACHABLE, 3),
        ("broken.yaml", UNREACHABLE, 2),
    ] {
        run("scenario.yaml", &peer.url(), 0);
        let (junit, html) = run(scenario, target, code);
        assert!(junit.contains("<error"), "{junit}");
        assert!(!junit.contains("a delivery"), "{junit}");
        assert!(html.contains("</html>"), "{html}");
    }
    let left = fs::read_dir(folder.root()).expect("a folder");
    let names = left.map(|entry| entry.expect("an entry").file_name().into_string());
    assert!(!names.flatten().any(|name| name.contains(".part")));
}

#[cfg(unix)]
#[test]
fn only_the_owner_can_read_recorded_traffic() {
    use std::os::unix::fs::PermissionsExt as _;
    let peer = Peer::answering(|_| PeerResponse::new(500));
    let folder = Folder::with_scenario(&expecting(SUCCEEDS)).with("run.jsonl", "");
    let url = peer.url();
    let run = [
        "--report",
        "json=run.jsonl",
        "--report",
        "html=r.html",
        "--report",
        "har=r.har",
        "--target",
        &url,
    ];
    Transcript::of(&mut folder.run(&run));
    let load = [
        "load",
        "--count",
        "3",
        "--rate",
        "max",
        "--skip-setup-check",
        "--target",
        &url,
    ];
    Transcript::of(&mut folder.aghook(&load));
    for name in ["run.jsonl", "r.html", "r.har", "aghook-failures.jsonl"] {
        let mode = fs::metadata(folder.path(name))
            .expect(name)
            .permissions()
            .mode();
        assert_eq!(mode & 0o777, 0o600, "{name}");
    }
}

#[cfg(unix)]
fn ignores_hang_up() -> bool {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let ignored = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    ignored.is_some_and(|mask| {
        !mask
            .trim()
            .ends_with(['0', '2', '4', '6', '8', 'a', 'c', 'e'])
    })
}

/// As the command `timeout` does it.
#[cfg(unix)]
#[test]
fn a_terminated_run_reports_what_is_there() {
    for (signal, code) in [("-INT", 130), ("-TERM", 143), ("-HUP", 129)] {
        // A program that `nohup` started goes on, and so do its children.
        if signal == "-HUP" && ignores_hang_up() {
            continue;
        }
        let (arrived, arrivals) = std::sync::mpsc::channel::<()>();
        let arrived = std::sync::Mutex::new(arrived);
        let peer = Peer::answering(move |_| {
            let _ = arrived.lock().expect("a lock").send(());
            // Longer than the test.
            std::thread::park();
            PeerResponse::new(200)
        });
        let folder = Folder::with_scenario(&expecting(SUCCEEDS)).with("j.xml", "earlier");
        let mut run = std::process::Command::new(env!("CARGO_BIN_EXE_aghook"))
            .args([
                "run",
                "scenario.yaml",
                "--report",
                "junit=j.xml",
                "--target",
                &peer.url(),
            ])
            .current_dir(folder.root())
            .env("AGHOOK_SECRET", crate::support::SECRET)
            .stdout(std::process::Stdio::null())
            .stderr(std::process::Stdio::null())
            .spawn()
            .expect("started");
        arrivals.recv().expect("a delivery");
        let sent = std::process::Command::new("kill")
            .args([signal, &run.id().to_string()])
            .status();
        assert!(sent.expect("kill").success());
        assert_eq!(run.wait().expect("ends").code(), Some(code), "{signal}");
        let junit = folder.read("j.xml");
        assert!(junit.contains("1 scenario not run"), "{junit}");
    }
}

#[test]
fn a_scenario_has_one_name_in_the_list_and_in_every_report() {
    let scenario = expecting(SUCCEEDS).replace(
        "name: a delivery",
        "name: \"a\\tdelivery [[ATTACHMENT|\\uFFFF\"\nmatrix:\n  \
         text: [\"\\uFFFE\\uFFFF\", \"\\e[1m\\x85\\u202E\", \"<&>]]>\\n'\"]",
    );
    let scenario = scenario.replace("welcome: {}", "welcome: { coupon: { code: \"${text}\" } }");
    let folder = Folder::with_scenario(&scenario);
    let list = folder.aghook(&["list", "scenario.yaml", "--json"]).output();
    let list = String::from_utf8(list.expect("runs").stdout).expect("UTF-8");
    let listed: Vec<Value> = list
        .lines()
        .map(|line| serde_json::from_str(line).expect("JSON"))
        .collect();
    let listed: Vec<&str> = listed
        .iter()
        .filter_map(|one| one["name"].as_str())
        .collect();
    assert_eq!(listed.len(), 3, "{list}");

    let peer = receiver();
    let reports = ["--report", "junit=junit.xml", "--report", "json=run.jsonl"];
    let target = ["--target", &peer.url()];
    Transcript::of(&mut folder.run(&[&reports[..], &target].concat())).ends_with(0);
    let xml = folder.read("junit.xml");
    let mut reader = Reader::from_str(&xml);
    let mut names = Vec::new();
    loop {
        match reader.read_event().expect("XML") {
            Event::Eof => break,
            Event::Start(element) | Event::Empty(element)
                if element.name().as_ref() == b"testcase" =>
            {
                let name = element.try_get_attribute("name").expect("valid");
                let name = name.expect("a name").value;
                let name = std::str::from_utf8(&name).expect("UTF-8").to_owned();
                names.push(
                    quick_xml::escape::unescape(&name)
                        .expect("text")
                        .into_owned(),
                );
            }
            _ => {}
        }
    }
    assert_eq!(names, listed);
    let json = folder.read("run.jsonl");
    for name in listed {
        let name = Value::from(name).to_string();
        assert!(json.contains(&name), "{name}");
    }
}

#[test]
fn an_earlier_report_does_not_stay_if_another_command_can_not_start() {
    let folder = Folder::new();
    let other = ["--target", UNREACHABLE];
    for (command, kinds, code) in [
        (&["load"][..], &["junit", "html", "json", "hdr"][..], 3),
        (&["load", "--profile", "missing"], &["junit"], 2),
        (&["explore"], &["junit", "html", "har"], 3),
    ] {
        let mut words = [command, &other].concat();
        let reports: Vec<String> = kinds
            .iter()
            .map(|kind| format!("{kind}=r.{kind}"))
            .collect();
        for (kind, report) in kinds.iter().zip(&reports) {
            fs::write(folder.path(&format!("r.{kind}")), "earlier").expect("written");
            words.extend(["--report", report]);
        }
        Transcript::of(&mut folder.aghook(&words)).ends_with(code);
        for kind in kinds {
            let text = folder.read(&format!("r.{kind}"));
            assert!(!text.contains("earlier"), "{command:?} {kind}: {text}");
            assert!(
                *kind != "junit" || text.contains("<error"),
                "{command:?}: {text}"
            );
        }
    }
}

#[test]
fn no_command_replaces_its_input() {
    let folder = Folder::with_scenario(&expecting(SUCCEEDS))
        .with("aghook.yaml", "profiles: {}\n")
        .with("run.jsonl", "{}\n");
    for (line, name) in [
        ("load --report json=aghook.yaml", "aghook.yaml"),
        (
            "load --mix scenario.yaml --report junit=scenario.yaml",
            "scenario.yaml",
        ),
        ("explore --report html=aghook.yaml", "aghook.yaml"),
        ("report run.jsonl --report html=run.jsonl", "run.jsonl"),
        ("report . --report json=run.jsonl", "run.jsonl"),
    ] {
        let before = folder.read(name);
        let words: Vec<&str> = line.split(' ').collect();
        let transcript = Transcript::of(&mut folder.aghook(&words));
        transcript.ends_with(2).says(&["would overwrite"]);
        assert_eq!(folder.read(name), before, "{line}");
    }
}

#[cfg(unix)]
#[test]
fn an_interrupted_replay_says_what_was_sent() {
    let recorded = receiver();
    let folder = Folder::with_scenario(&expecting(SUCCEEDS));
    let words = ["--report", "json=run.jsonl", "--target", &recorded.url()];
    Transcript::of(&mut folder.run(&words)).ends_with(0);
    let event = "{\"event_type\":\"coupon.redeemed\",\"idempotency_key\":\"k\"}";
    let folder = folder.with("log", format!("POST / HTTP/1.1\n\n{event}"));
    Transcript::of(&mut folder.aghook(&["import", "log"])).ends_with(0);
    for (file, words) in [
        ("run.jsonl", "interrupted there: what follows was not sent"),
        ("captured.jsonl", "0 deliveries: 0 with the recorded status"),
    ] {
        for (signal, code) in [("-INT", 130), ("-TERM", 143)] {
            let (arrived, arrivals) = std::sync::mpsc::channel::<()>();
            let arrived = std::sync::Mutex::new(arrived);
            let peer = Peer::answering(move |_| {
                let _ = arrived.lock().expect("a lock").send(());
                // Longer than the test.
                std::thread::park();
                PeerResponse::new(200)
            });
            let mut replay = std::process::Command::new(env!("CARGO_BIN_EXE_aghook"))
                .args(["replay", file, "--target", &peer.url()])
                .current_dir(folder.root())
                .env("AGHOOK_SECRET", crate::support::SECRET)
                .stdout(std::process::Stdio::piped())
                .spawn()
                .expect("started");
            arrivals.recv().expect("a delivery");
            let sent = std::process::Command::new("kill")
                .args([signal, &replay.id().to_string()])
                .status();
            assert!(sent.expect("kill").success());
            let mut stdout = String::new();
            let mut pipe = replay.stdout.take().expect("a pipe");
            std::io::Read::read_to_string(&mut pipe, &mut stdout).expect("UTF-8");
            assert_eq!(replay.wait().expect("ends").code(), Some(code), "{signal}");
            assert!(stdout.contains(words), "{stdout}");
        }
    }
}
