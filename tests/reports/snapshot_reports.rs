//! Snapshot reports: those of the bundled suite, and those of a game whose receiver changes.

use std::collections::BTreeMap;
use std::fs;
use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU16, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use crate::support::{
    Folder, Game, Peer, PeerResponse, SECRET, Transcript, UNREACHABLE, normalised,
};
use aghook::internals::snapshots::SnapshotFile;
use serde_json::{Value, json};
use walkdir::WalkDir;

/// The hint after a change of the bundled suite, the generator or the built-in receiver.
const UPDATE_HINT: &str = "if the change is intended: cargo run -- run --snapshots snapshots \
                       --snapshots-mode always --delete-unreferenced, and review git diff";

/// All snapshots in a folder, by path.
fn snapshots(folder: &Path) -> BTreeMap<String, String> {
    let files = WalkDir::new(folder).into_iter().filter_map(|entry| {
        let entry = entry.expect("an entry");
        let path = entry.path().strip_prefix(folder).expect("below").to_owned();
        let text = || fs::read_to_string(entry.path()).expect("a text");
        let file = entry.file_type().is_file();
        file.then(|| (path.to_str().expect("UTF-8").replace('\\', "/"), text()))
    });
    files.collect()
}

fn bundled() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/snapshots"))
}

/// `aghook` without the environment variables that affect snapshots.
fn run(folder: &Folder, arguments: &[&str]) -> assert_cmd::Command {
    let mut command = folder.aghook(arguments);
    for variable in [
        "CI",
        "TF_BUILD",
        "INSTA_UPDATE",
        "GITHUB_ACTIONS",
        "TZ",
        "LANG",
        "LC_ALL",
    ] {
        command.env_remove(variable);
    }
    command
}

#[test]
fn the_bundled_suite_matches_its_snapshots_with_any_jobs_and_locale() {
    let folder = Folder::new();
    let kept = bundled().to_str().expect("UTF-8");
    let compare = [
        "run",
        "--snapshots",
        kept,
        "--snapshots-mode",
        "no",
        "-q",
        "--jobs",
    ];
    for (jobs, zone, language) in [
        ("1", "UTC", "C"),
        ("8", "Asia/Kathmandu", "tr_TR.UTF-8"),
        ("3", "America/St_Johns", "ar_EG.UTF-8"),
    ] {
        let mut command = run(&folder, &[&compare[..], &[jobs]].concat());
        let locale = [("TZ", zone), ("LANG", language), ("LC_ALL", language)];
        let ran = Transcript::of(command.envs(locale));
        assert_eq!(ran.code, 0, "{}\n{UPDATE_HINT}", ran.text());
        assert!(
            !ran.text().contains("no scenario uses"),
            "{}\n{UPDATE_HINT}",
            ran.text()
        );
    }
}

#[test]
fn a_run_in_another_folder_writes_the_same_bytes() {
    let folder = Folder::new();
    let write = [
        "run",
        "-q",
        "--snapshots",
        "made/here",
        "--snapshots-mode",
        "always",
    ];
    Transcript::of(&mut run(&folder, &write)).ends_with(0);
    let (made, kept) = (snapshots(&folder.path("made/here")), snapshots(bundled()));
    assert!(made.keys().eq(kept.keys()), "{UPDATE_HINT}");
    for (file, text) in made {
        assert_eq!(text, kept[&file], "{file}: {UPDATE_HINT}");
    }
}

/// A receiver process with a ledger that outlives a run.
struct DurableReceiver {
    process: Child,
    base: String,
}

impl DurableReceiver {
    fn start(folder: &Folder) -> Self {
        let mut process = Command::new(env!("CARGO_BIN_EXE_aghook"))
            .args(["receive", "--listen", "127.0.0.1:0", "--store", "ledger.db"])
            .current_dir(folder.root())
            .env("AGHOOK_SECRET", SECRET)
            .stdout(Stdio::piped())
            .spawn()
            .expect("starts");
        let output = process.stdout.take().expect("an output");
        let mut line = String::new();
        BufReader::new(output).read_line(&mut line).expect("a line");
        let url = line.split_whitespace().last().expect("a URL");
        let base = url.trim_end_matches("/webhooks/aghanim").to_owned();
        Self { process, base }
    }
}

impl Drop for DurableReceiver {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

#[test]
fn repeated_runs_against_one_ledger_match_the_snapshots() {
    let folder = Folder::new();
    let receiver = DurableReceiver::start(&folder);
    let base = &receiver.base;
    let profile =
        include_str!("../../src/api/receiver-profile.yaml").replace("http://BUILT-IN", base);
    // One process is both instances.
    let profile = profile.replace("http://SECOND", base);
    let keys = format!(
        "built-in:\n    target: {base}/webhooks/aghanim\n    expired_secret_env: OLD_SECRET\n"
    );
    let folder = folder.with("aghook.yaml", profile.replace("built-in:\n", &keys));
    let kept = bundled().to_str().expect("UTF-8");
    let compare = ["run", "-q", "--snapshots", kept, "--snapshots-mode", "no"];
    for _ in 0..2 {
        let mut command = run(&folder, &compare);
        let ran = Transcript::of(command.env("OLD_SECRET", "whsec_of_old"));
        assert_eq!(ran.code, 0, "{}\n{UPDATE_HINT}", ran.text());
    }
}

#[test]
fn insta_can_read_the_snapshots() {
    for (name, text) in snapshots(bundled()) {
        let (below, name) = name.rsplit_once('/').unwrap_or(("", &name));
        let name = name.strip_suffix(".snap").expect("a snapshot").to_owned();
        let file = SnapshotFile::parse(&text);
        assert!(file.source.is_some() && file.expression.is_some(), "{name}");
        let mut settings = insta::Settings::clone_current();
        settings.set_snapshot_path(bundled().join(below));
        settings.set_prepend_module_to_snapshot(false);
        // This fails if insta can't find or read the file.
        settings.bind(|| insta::assert_snapshot!(name, file.contents));
    }
}

/// A game with a changeable response status.
struct ChangeableGame {
    game: Game,
    status: Arc<AtomicU16>,
}

impl ChangeableGame {
    fn new() -> Self {
        let status = Arc::new(AtomicU16::new(200));
        let current_status = Arc::clone(&status);
        let known = Mutex::new(Vec::<Value>::new());
        let game = Game::new(move |event, inventories| {
            let mut known = known.lock().unwrap_or_else(PoisonError::into_inner);
            if !known.contains(&event["idempotency_key"]) {
                known.push(event["idempotency_key"].clone());
                Game::grant_item(inventories, event);
            }
            let player = &event["event_data"]["player_id"];
            let body = json!({ "player": player, "receipt": known.len() });
            PeerResponse::new(current_status.load(Ordering::SeqCst)).json(&body)
        });
        Self { game, status }
    }

    fn answer_with(&self, status: u16) {
        self.status.store(status, Ordering::SeqCst);
    }

    /// A folder with the game's profile and a scenario in `scenarios/`.
    fn folder(&self) -> Folder {
        self.folder_with_mask("$.receipt")
    }

    fn folder_with_mask(&self, mask: &str) -> Folder {
        let folder = Folder::new();
        fs::create_dir(folder.path("scenarios")).expect("a folder");
        let config = self
            .game
            .config(&format!("    snapshots: {{ mask: [{mask}] }}\n"));
        folder
            .with("aghook.yaml", config)
            .with("scenarios/welcome.yaml", WELCOME)
    }
}

const WELCOME: &str = "name: a coupon is granted once\nevents:\n  welcome: { coupon: { code: WELCOME } }\n\
                       steps:\n  - deliver: welcome\n    times: 2\n    expect: { status: 2xx }\n\
                       effects:\n  - granted: welcome\n";

const RUN: [&str; 4] = ["run", "scenarios", "--snapshots", "snapshots"];

const REVIEWED: &str = "snapshots/welcome.snap";
const WAITING: &str = "snapshots/welcome.snap.new";

fn more<'a>(arguments: &[&'a str]) -> Vec<&'a str> {
    [&RUN[..], arguments].concat()
}

#[test]
fn a_change_is_shown_and_accepted() {
    let game = ChangeableGame::new();
    let folder = game.folder();
    let run = |arguments: &[&str]| Transcript::of(&mut run(&folder, arguments));

    run(&RUN)
        .ends_with(1)
        .says(&["a reviewed snapshot", "accept snapshots/welcome.snap"]);
    assert!(!folder.path(REVIEWED).exists());
    run(&["snapshots", "status"])
        .ends_with(1)
        .says(&["new      snapshots", "1 pending snapshot:"]);
    run(&["snapshots", "accept"])
        .ends_with(0)
        .says(&["accepted snapshots"]);
    assert!(!folder.path(WAITING).exists());
    run(&["snapshots", "status"])
        .ends_with(0)
        .says(&["no pending snapshots"]);
    run(&RUN)
        .ends_with(0)
        .says(&["1 snapshot in snapshots: 1 unchanged"]);
    run(&more(&["--jobs", "1"])).ends_with(0);

    game.answer_with(202);
    let changed = run(&RUN).ends_with(1);
    insta::assert_snapshot!("a_change_at_a_terminal", normalised(&changed.text()));
    let pending = run(&["snapshots", "status", "snapshots/welcome.snap", "--diff"]).ends_with(1);
    insta::assert_snapshot!("a_change_that_waits", pending.text());

    run(&["snapshots", "reject", WAITING])
        .ends_with(0)
        .says(&["rejected"]);
    assert!(!folder.path(WAITING).exists());
    run(&RUN).ends_with(1);
    run(&["snapshots", "accept", REVIEWED]).ends_with(0);
    run(&RUN).ends_with(0);

    // A pending snapshot is deleted when the receiver behaves as before.
    game.answer_with(200);
    run(&RUN).ends_with(1);
    assert!(folder.path(WAITING).exists());
    game.answer_with(202);
    run(&RUN).ends_with(0);
    assert!(!folder.path(WAITING).exists());
}

#[test]
fn the_mask_of_a_value_that_is_new_in_each_run_is_offered() {
    let game = ChangeableGame::new();
    let folder = game.folder_with_mask("$.trace");
    Transcript::of(&mut run(&folder, &more(&["--snapshots-mode", "always"]))).ends_with(0);
    let hint = "if these values are new in each run, mask them in the profile: `snapshots: { \
                mask: [$.trace, $.receipt] }`";
    let differs = Transcript::of(&mut run(&folder, &RUN)).ends_with(1);
    let shown: Vec<&str> = differs.stdout.split_whitespace().collect();
    assert!(shown.join(" ").contains(hint), "{}", differs.text());
    game.answer_with(202);
    let folder = game.folder_with_mask("$.receipt");
    Transcript::of(&mut run(&folder, &more(&["--snapshots-mode", "always"]))).ends_with(0);
    game.answer_with(200);
    Transcript::of(&mut run(&folder, &RUN))
        .ends_with(1)
        .does_not_say(&["mask them"]);
}

#[test]
fn every_report_shows_a_difference() {
    let game = ChangeableGame::new();
    let folder = game.folder();
    let always = more(&["--snapshots-mode", "always"]);
    Transcript::of(&mut run(&folder, &always))
        .ends_with(0)
        .says(&["1 written"]);
    game.answer_with(202);
    let reports = [
        "--report",
        "json=run.jsonl",
        "--report",
        "junit=junit.xml",
        "--report",
        "markdown=run.md",
    ];
    Transcript::of(&mut run(&folder, &more(&reports))).ends_with(1);
    for report in ["junit.xml", "run.md"] {
        let text = folder.read(report);
        for line in [
            "+      ← 202 application/json",
            "-      ← 200 application/json",
        ] {
            assert!(text.contains(line), "{report}: {text}");
        }
    }
    let lines = folder.read("run.jsonl");
    let events: Vec<Value> = lines
        .lines()
        .map(|line| serde_json::from_str(line).expect("JSON"))
        .collect();
    let names: Vec<&str> = events
        .iter()
        .filter_map(|event| event["event"].as_str())
        .collect();
    let last = [
        "snapshot_compared",
        "scenario_ended",
        "snapshots_ended",
        "run_ended",
    ];
    assert!(names.ends_with(&last), "{names:?}");
    let event_named = |name: &str| {
        events
            .iter()
            .find(|event| event["event"] == name)
            .expect(name)
    };
    assert_eq!(event_named("snapshot_compared")["outcome"], "differs");
    assert_eq!(event_named("scenario_ended")["verdict"], "failed");
    assert_eq!(event_named("run_ended")["scenarios"]["failed"], 1);
    assert_eq!(event_named("snapshots_ended")["different"], 1);
}

#[test]
fn ci_writes_nothing_by_default() {
    let game = ChangeableGame::new();
    let folder = game.folder();
    let in_ci = |arguments: &[&str], update: &str| {
        let mut command = run(&folder, arguments);
        Transcript::of(command.env("CI", "true").env("INSTA_UPDATE", update))
    };
    in_ci(&RUN, "")
        .ends_with(1)
        .says(&["a reviewed snapshot", "without `CI`"]);
    in_ci(&RUN, "auto").ends_with(1);
    in_ci(&more(&["--snapshots-mode", "no"]), "always").ends_with(1);
    assert!(!folder.path("snapshots").exists());
    in_ci(&RUN, "new").ends_with(1);
    assert!(folder.path(WAITING).exists() && !folder.path(REVIEWED).exists());
    in_ci(&RUN, "unseen").ends_with(0);
    assert!(!folder.path(WAITING).exists() && folder.path(REVIEWED).exists());
    game.answer_with(202);
    in_ci(&RUN, "unseen").ends_with(1);
    assert!(folder.path(WAITING).exists());
    in_ci(&RUN, "always").ends_with(0);
    assert!(folder.read(REVIEWED).contains("← 202"));
    in_ci(&RUN, "sometimes")
        .ends_with(2)
        .says(&["INSTA_UPDATE", "`sometimes`"]);
    in_ci(&["run", "--snapshots-mode", "new"], "").ends_with(2);
}

#[test]
fn failed_runs_never_replace_a_reviewed_snapshot() {
    let game = ChangeableGame::new();
    let folder = game.folder();
    let always = more(&["--snapshots-mode", "always"]);
    Transcript::of(&mut run(&folder, &always)).ends_with(0);
    let reviewed = folder.read(REVIEWED);

    // The scenario itself failed: its snapshot is written next to the reviewed one.
    game.answer_with(500);
    Transcript::of(&mut run(&folder, &always)).ends_with(1);
    assert_eq!(folder.read(REVIEWED), reviewed);
    assert!(folder.path(WAITING).exists());
    Transcript::of(&mut run(&folder, &["snapshots", "reject"])).ends_with(0);

    // Undecided, since the probe fails.
    game.answer_with(200);
    let broken = Peer::answering(|_| PeerResponse::new(500));
    let profile = folder.read("aghook.yaml");
    let probe = profile
        .lines()
        .find(|line| line.contains("GET http"))
        .expect("a probe");
    let elsewhere = format!("        http: GET {}/{{player_id}}/{{sku}}", broken.url());
    let folder = folder.with("aghook.yaml", profile.replace(probe, &elsewhere));
    Transcript::of(&mut run(&folder, &always)).ends_with(3);
    assert_eq!(folder.read(REVIEWED), reviewed);
    assert!(!folder.path(WAITING).exists());

    // A snapshot that is a folder can't be read.
    let folder = folder.with("aghook.yaml", profile);
    fs::rename(folder.path(REVIEWED), folder.path("kept")).expect("moved");
    fs::create_dir(folder.path(REVIEWED)).expect("a folder");
    let unusable = Transcript::of(&mut run(&folder, &RUN)).ends_with(3);
    unusable.says(&["can be read and written", "check snapshots/welcome.snap"]);
    fs::remove_dir(folder.path(REVIEWED)).expect("removed");
    fs::rename(folder.path("kept"), folder.path(REVIEWED)).expect("moved");

    // The target is unreachable.
    let unreachable = [&always[..], &["--target", UNREACHABLE]].concat();
    Transcript::of(&mut run(&folder, &unreachable)).ends_with(3);
    assert_eq!(folder.read(REVIEWED), reviewed);
}

#[test]
fn snapshots_without_a_scenario_are_listed_and_can_be_deleted() {
    let game = ChangeableGame::new();
    let matrix = WELCOME
        .replace("steps:", "matrix: { count: [1, 2] }\nsteps:")
        .replace("times: 2", "times: ${count}");
    let folder = game.folder().with("scenarios/old.yaml", matrix);
    let run = |arguments: &[&str]| Transcript::of(&mut run(&folder, arguments));
    let always = more(&["--snapshots-mode", "always"]);
    run(&always).ends_with(0).says(&["3 written"]);
    let one = "snapshots/old@count=1.snap";
    assert!(folder.path(one).exists());
    // Not from this suite: another file and another suite's snapshot.
    fs::write(folder.path("snapshots/note.snap"), "a note").expect("written");
    let other = folder
        .read(REVIEWED)
        .replace("scenarios/welcome.yaml", "other/x.yaml");
    fs::write(folder.path("snapshots/x.snap"), other).expect("written");

    fs::remove_file(folder.path("scenarios/old.yaml")).expect("removed");
    let names = ["no scenario uses these", one, "snapshots/old@count=2.snap"];
    run(&RUN)
        .ends_with(0)
        .says(&names)
        .does_not_say(&["note.snap", "x.snap"]);
    run(&more(&["--filter", "coupon"]))
        .ends_with(0)
        .does_not_say(&["old@"]);
    run(&more(&["--delete-unreferenced"]))
        .ends_with(0)
        .says(&["deleted, since", one]);
    run(&RUN).ends_with(0).does_not_say(&["no scenario uses"]);
    let left: Vec<String> = snapshots(&folder.path("snapshots")).into_keys().collect();
    assert_eq!(left, ["note.snap", "welcome.snap", "x.snap"]);
}

#[test]
fn mistakes_are_reported_before_sending() {
    let game = ChangeableGame::new();
    let folder = game
        .folder()
        .with("scenarios/welcome.yml", WELCOME)
        .with("file", "");
    let run = |arguments: &[&str]| Transcript::of(&mut run(&folder, arguments));
    run(&RUN)
        .ends_with(2)
        .says(&["have the same snapshot", "welcome.snap"]);
    run(&["run", "--snapshots", "file"])
        .ends_with(2)
        .says(&["file is a file"]);
    run(&["run", "--snapshots", "x", "--snapshots-mode", "never"]).ends_with(2);
    run(&["run", "--delete-unreferenced"]).ends_with(2);
    let filtered = [
        "run",
        "--snapshots",
        "x",
        "--delete-unreferenced",
        "--tag",
        "smoke",
    ];
    run(&filtered).ends_with(2);
    run(&["snapshots", "accept", "nowhere"])
        .ends_with(2)
        .says(&["nowhere"]);
}
