//! Invalid journals are refused with a hint, and existing ones are never overwritten.

use std::fs;

use serde_json::json;

use crate::support::{Folder, Peer, PeerResponse, Transcript, expecting};

/// A folder with a recorded run in `kept`.
fn recorded() -> (Folder, Peer) {
    let peer = Peer::answering(|_| PeerResponse::new(200));
    let folder = Folder::with_scenario(&expecting("{ status: 200 }"));
    let options = ["--target", &peer.url(), "--record", "kept"];
    Transcript::of(&mut folder.run(&options)).ends_with(0);
    (folder, peer)
}

/// Asserts that both commands refuse a journal with this text and send and write nothing.
#[track_caller]
fn assert_refused(journal: &str, words: &[&str]) {
    let (folder, peer) = recorded();
    fs::write(folder.path("kept/run.jsonl"), journal).expect("written");
    let before = peer.connections();
    let report = ["report", "kept", "--report", "junit=junit.xml"];
    for line in [&report[..], &["replay", "kept"]] {
        Transcript::of(&mut folder.aghook(line))
            .ends_with(2)
            .says(words)
            .says(&["help: "]);
    }
    assert!(!folder.path("junit.xml").exists());
    assert_eq!(peer.connections(), before);
}

#[test]
fn a_journal_is_never_overwritten() {
    let (folder, peer) = recorded();
    let before = folder.read("kept/run.jsonl");
    let connections = peer.connections();
    let options = ["--target", &peer.url(), "--record", "kept"];
    Transcript::of(&mut folder.run(&options))
        .ends_with(2)
        .says(&[
            "already exists, and a recorded run is never overwritten",
            "record to another folder",
        ]);
    assert_eq!(folder.read("kept/run.jsonl"), before);
    // At most one connection, to check that the target is reachable; nothing is sent.
    assert!(peer.connections() <= connections + 1);
}

/// A journal may come from a pull request. A separate line would be a command for a CI system.
#[test]
fn a_journal_gives_a_ci_system_no_command() {
    let (folder, _peer) = recorded();
    let journal = folder.read("kept/run.jsonl");
    let renamed = journal.replacen(
        "\"name\":\"",
        "\"name\":\"x\\n::error title=a::b\\u001b[31m",
        1,
    );
    assert_ne!(renamed, journal);
    let unknown = format!(
        "{}\n",
        json!({ "event": format!("\n::error::{}", "x".repeat(9_999)) })
    );
    let unreadable = journal.replacen('\n', &format!("\n{unknown}"), 1);
    for (journal, code) in [(renamed, 0), (unreadable, 2)] {
        fs::write(folder.path("kept/run.jsonl"), journal).expect("written");
        let reported = Transcript::of(&mut folder.aghook(&["report", "kept"])).ends_with(code);
        let printed = format!("{}\n{}", reported.stdout, reported.stderr);
        assert!(printed.len() < 2_000, "{printed}");
        assert!(!printed.contains('\u{1b}'), "{printed}");
        let mut lines = printed.lines();
        assert!(
            !lines.any(|line| line.trim_start().starts_with("::")),
            "{printed}"
        );
    }
}

#[test]
fn an_unwritable_folder_is_refused_before_the_run() {
    let (folder, peer) = recorded();
    let options = ["--target", &peer.url(), "--record", "scenario.yaml/kept"];
    Transcript::of(&mut folder.run(&options))
        .ends_with(2)
        .says(&["failed to record the run in", "use a writable folder"])
        .does_not_say(&["1 scenario"]);
}

#[test]
fn a_missing_journal_is_reported() {
    let folder = Folder::new();
    fs::create_dir(folder.path("empty")).expect("a folder");
    for (path, message) in [
        ("nowhere", "no recorded run at nowhere"),
        (
            "empty",
            "the folder empty has no recorded run: run.jsonl is missing",
        ),
    ] {
        for command in ["report", "replay"] {
            Transcript::of(&mut folder.aghook(&[command, path]))
                .ends_with(2)
                .says(&[message, "aghook run --record DIR"]);
        }
    }
}

#[test]
fn a_file_that_is_not_a_journal_is_refused() {
    assert_refused("", &["run.jsonl has no complete line"]);
    assert_refused("{\"event\":\"run_sta", &["has no complete line"]);
    assert_refused("name: a scenario\n", &["run.jsonl:1: not a recorded run"]);
    let (folder, _peer) = recorded();
    let journal = folder.read("kept/run.jsonl");
    let without_first = journal.split_once('\n').expect("lines").1;
    assert_refused(without_first, &["run.jsonl:1: not a recorded run"]);
}

#[test]
fn another_version_is_reported() {
    let (folder, _peer) = recorded();
    let journal = folder.read("kept/run.jsonl");
    let newer = journal
        .replacen("\"format_version\":1", "\"format_version\":2", 1)
        .replacen(
            concat!("\"", env!("CARGO_PKG_VERSION"), "\""),
            "\"9.8.7\"",
            1,
        );
    assert_refused(
        &newer,
        &["recorded by aghook 9.8.7 in format version 2, but this aghook reads version 1"],
    );
}

#[test]
fn a_corrupt_line_is_reported() {
    let (folder, _peer) = recorded();
    let journal = folder.read("kept/run.jsonl");
    let lines: Vec<&str> = journal.lines().collect();
    let with = |number: usize, line: &str| {
        let mut lines = lines.clone();
        lines[number - 1] = line;
        lines.join("\n") + "\n"
    };
    assert_refused(
        &with(3, &lines[2][..40]),
        &["run.jsonl:3: ", "EOF while parsing", "(column 40)"],
    );
    assert_refused(
        &with(2, "{\"event\":\"run_paused\"}"),
        &["run.jsonl:2: ", "unknown variant `run_paused`"],
    );
    assert_refused(
        &with(2, lines[0]),
        &["run.jsonl:2: ", "another run starts here"],
    );
    // A complete last line that can't be parsed is an error, not a torn line.
    assert_refused(
        &with(lines.len(), "nonsense"),
        &[&format!("run.jsonl:{}: ", lines.len())],
    );
    let twice = format!("{journal}{}\n", lines[1]);
    assert_refused(&twice, &["it follows the end of the run"]);
}

/// The numbers of a damaged journal can be as large as the format allows.
#[test]
fn a_journal_with_huge_numbers_is_reported() {
    let peer = Peer::answering(|_| PeerResponse::new(200));
    let folder = Folder::with_scenario(&expecting("{ status: 200 }"));
    let options = ["--repeat", "2", "--record", "kept", "--target", &peer.url()];
    Transcript::of(&mut folder.run(&options)).ends_with(0);
    let journal = folder.read("kept/run.jsonl");
    for (key, number) in [
        ("took_seconds", "1e308"),
        ("scenario", "18446744073709551615"),
    ] {
        let key = format!("\"{key}\":");
        let mut parts = journal.split(&key);
        let mut changed = parts.next().unwrap_or_default().to_owned();
        for part in parts {
            let rest = part.trim_start_matches(|character: char| !",}".contains(character));
            changed += &[key.as_str(), number, rest].concat();
        }
        fs::write(folder.path("kept/run.jsonl"), changed).expect("written");
        let kinds = ["junit=x.xml", "html=x.html", "markdown=x.md", "har=x.har"];
        let reports = kinds.iter().flat_map(|kind| ["--report", kind]);
        let line: Vec<&str> = ["report", "kept"].into_iter().chain(reports).collect();
        Transcript::of(&mut folder.aghook(&line)).ends_with(0);
    }
}
