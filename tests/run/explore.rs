//! `aghook explore`: it blames no sound receiver, and turns a bug into a small scenario that fails.

use std::collections::{HashMap, HashSet, VecDeque};
use std::fs;
use std::path::PathBuf;
#[cfg(unix)]
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, mpsc};

use aghook::internals::explore::Kind;
use serde_json::{Value, json};

use crate::support::{Folder, Game, Peer, PeerResponse, Transcript, check_section};

/// A game that knows no signatures and no percent-encoding, and grants an item, or a bundle by its own SKU.
const PROFILE: &str = "    policy: { bundles: sku }\n";
const UNSIGNED: &str =
    "player_text,forgery,other_type,item_remove,chunked,slow_body,timeout_overlap";

/// A receiver that grants each coupon once, except that it remembers only so many keys of a player.
fn remembering(keys: usize) -> Game {
    let players = Mutex::new(HashMap::<String, VecDeque<String>>::new());
    Game::new(move |event, inventories| {
        let key = event["idempotency_key"].to_string();
        let mut players = players.lock().expect("a lock");
        let player = event["event_data"]["player_id"].to_string();
        let seen = players.entry(player).or_default();
        if !seen.contains(&key) {
            seen.push_back(key);
            if seen.len() > keys {
                seen.pop_front();
            }
            Game::grant_item(inventories, event);
        }
        PeerResponse::new(200)
    })
}

/// A receiver that grants each coupon once, except that it remembers only so many keys.
fn remembering_of_all_players(keys: usize) -> Game {
    let seen = Mutex::new(VecDeque::new());
    Game::new(move |event, inventories| {
        let key = event["idempotency_key"].to_string();
        let mut seen = seen.lock().expect("a lock");
        if !seen.contains(&key) {
            seen.push_back(key);
            if seen.len() > keys {
                seen.pop_front();
            }
            Game::grant_item(inventories, event);
        }
        PeerResponse::new(200)
    })
}

/// A receiver that grants every fourth coupon twice, and says when it has done so.
fn doubling_every_fourth(doubled: mpsc::Sender<()>) -> Game {
    let (seen, doubled) = (Mutex::new(HashSet::new()), Mutex::new(doubled));
    Game::new(move |event, inventories| {
        let mut seen = seen.lock().expect("a lock");
        if seen.insert(event["idempotency_key"].to_string()) {
            Game::grant_item(inventories, event);
            if seen.len().is_multiple_of(4) {
                Game::grant_item(inventories, event);
                // The test may no longer listen.
                let _ = doubled.lock().expect("a lock").send(());
            }
        }
        PeerResponse::new(200)
    })
}

/// A receiver that grants each coupon twice after the first five since a restart. The peer restarts it.
fn doubling_after_five() -> (Game, Peer) {
    let handled = Arc::new(AtomicU32::new(0));
    let since_restart = Arc::clone(&handled);
    let restarting = Peer::answering(move |_| {
        since_restart.store(0, Ordering::SeqCst);
        PeerResponse::new(204)
    });
    let seen = Mutex::new(HashSet::new());
    let game = Game::new(move |event, inventories| {
        let mut seen = seen.lock().expect("a lock");
        if seen.insert(event["idempotency_key"].to_string()) {
            Game::grant_item(inventories, event);
            if handled.fetch_add(1, Ordering::SeqCst) >= 5 {
                Game::grant_item(inventories, event);
            }
        }
        PeerResponse::new(200)
    });
    (game, restarting)
}

/// A receiver that grants each coupon once, without the spaces at the end of a player's ID.
fn trimming_players() -> Game {
    let seen = Mutex::new(HashSet::new());
    Game::new(move |event, inventories| {
        let mut seen = seen.lock().expect("a lock");
        if seen.insert(event["idempotency_key"].to_string()) {
            let player = event["event_data"]["player_id"].as_str();
            let trimmed = json!(player.map(str::trim_end));
            let mut event = event.clone();
            event["event_data"]["player_id"] = trimmed;
            Game::grant_item(inventories, &event);
        }
        PeerResponse::new(200)
    })
}

/// A receiver that loses every player's fifth coupon.
fn losing_the_fifth() -> Game {
    let counts = Mutex::new(HashMap::<String, u32>::new());
    let sound = Mutex::new(HashSet::new());
    Game::new(move |event, inventories| {
        if sound
            .lock()
            .expect("a lock")
            .insert(event["idempotency_key"].to_string())
        {
            let mut counts = counts.lock().expect("a lock");
            let count = counts
                .entry(event["event_data"]["player_id"].to_string())
                .or_default();
            *count += 1;
            if *count != 5 {
                Game::grant_item(inventories, event);
            }
        }
        PeerResponse::new(200)
    })
}

/// A game that never answers a player's fourth coupon, nor those after it, but still says what players
/// hold.
fn hanging_at_the_fourth() -> Peer {
    let counts = Mutex::new(HashMap::<String, u32>::new());
    let held = Mutex::new(HashMap::<String, i64>::new());
    Peer::answering(move |request| {
        if request.path.starts_with("/players/") {
            let held = held.lock().expect("a lock");
            let quantity = held.get(&request.path).copied().unwrap_or_default();
            return PeerResponse::new(200).json(&json!({ "quantity": quantity }));
        }
        let event = request.json();
        let (data, item) = (&event["event_data"], &event["event_data"]["item"]);
        let player = data["player_id"].as_str().expect("a player");
        let count = {
            let mut counts = counts.lock().expect("a lock");
            let count = counts.entry(player.to_owned()).or_default();
            *count += 1;
            *count
        };
        if count > 3 {
            // Longer than the test.
            std::thread::park();
        }
        let holding = format!("/players/{player}/{}", item["sku"].as_str().expect("a SKU"));
        let mut held = held.lock().expect("a lock");
        *held.entry(holding).or_default() += item["quantity"].as_i64().expect("a quantity");
        PeerResponse::new(200)
    })
}

fn explore(folder: &Folder, arguments: &str) -> Transcript {
    let arguments = format!("explore --seed 1 {arguments}");
    let arguments: Vec<&str> = arguments.split(' ').collect();
    Transcript::of(&mut folder.aghook(&arguments))
}

fn saved(folder: &Folder) -> Vec<PathBuf> {
    let Ok(files) = fs::read_dir(folder.path("explored")) else {
        return Vec::new();
    };
    files.map(|file| file.expect("a file").path()).collect()
}

#[test]
fn the_built_in_receiver_passes() {
    let folder = Folder::new();
    explore(&folder, "--cases 60 --without slow_body")
        .ends_with(0)
        .says(&["60 scenarios: 60 passed", "explored 60 cases"]);
    assert_eq!(saved(&folder), [] as [PathBuf; 0]);
}

#[test]
fn a_bug_that_needs_a_history_becomes_a_scenario_that_fails() {
    for (flawed, kinds, says, most_events) in [
        (
            remembering(3),
            "redelivery,same_player",
            "too much is granted",
            5,
        ),
        (
            losing_the_fifth(),
            "same_player,code",
            "too little is granted",
            5,
        ),
    ] {
        let folder = Folder::new().with("aghook.yaml", flawed.config(PROFILE));
        explore(&folder, &format!("--fail-fast --only {kinds}"))
            .ends_with(1)
            .says(&[says, "aghook explore --seed"]);
        let [file] = saved(&folder).try_into().expect("one scenario");
        let file = file.to_str().expect("a path").to_owned();
        let scenario = fs::read_to_string(&file).expect("a scenario");
        assert!(
            scenario.matches("  coupon").count() <= most_events,
            "{scenario}"
        );
        Transcript::of(&mut folder.aghook(&["run", &file])).ends_with(1);
        let sound = Folder::new().with("aghook.yaml", remembering(usize::MAX).config(PROFILE));
        Transcript::of(&mut sound.aghook(&["run", &file])).ends_with(0);
    }
}

/// Such a receiver costs the sender its whole timeout at each attempt, so an exploration learns how long
/// responses usually take.
#[test]
fn an_exploration_of_a_receiver_that_hangs_ends_and_says_so() {
    let game = hanging_at_the_fourth();
    let config = format!(
        "profiles:\n  game:\n    target: {}\n    probes:\n      quantity:\n        http: GET \
         http://{}/players/{{player_id}}/{{sku}}\n        read: $.quantity\n{PROFILE}    retry: {{ attempts: 1, timeout: 3s }}\n",
        game.url(),
        game.address
    );
    let folder = Folder::new().with("aghook.yaml", config);
    explore(&folder, "--budget 2s --fail-fast --only same_player,code")
        .ends_with(1)
        .says(&["a delivery gets no response"]);
    assert_eq!(saved(&folder).len(), 1);
}

#[test]
fn a_failure_that_needs_other_players_becomes_a_scenario_with_them() {
    let forgetful = remembering_of_all_players(3);
    let folder = Folder::new().with("aghook.yaml", forgetful.config(PROFILE));
    explore(&folder, "--fail-fast --only times")
        .ends_with(1)
        .says(&["too much is granted", "in 5 of 5 tries"]);
    let [file] = saved(&folder).try_into().expect("one scenario");
    let file = file.to_str().expect("a path").to_owned();
    Transcript::of(&mut folder.aghook(&["run", &file])).ends_with(1);
}

/// Otherwise the scenario would be one delivery, and pass on a receiver that has just started.
#[test]
fn a_failure_that_needs_earlier_deliveries_becomes_a_scenario_with_them() {
    let (game, restarting) = doubling_after_five();
    let restart = format!(
        "{PROFILE}    restart: {{ http: \"POST {}\" }}\n",
        restarting.url()
    );
    let folder = Folder::new().with("aghook.yaml", game.config(&restart));
    explore(&folder, "--fail-fast --only code")
        .ends_with(1)
        .says(&["too much is granted", "in 5 of 5 tries"]);
    let [file] = saved(&folder).try_into().expect("one scenario");
    let scenario = fs::read_to_string(&file).expect("a scenario");
    assert_eq!(scenario.matches("granted: coupon").count(), 6, "{scenario}");
}

#[test]
fn a_failure_is_reported_although_the_receiver_can_not_be_restarted() {
    let game = remembering(0);
    let failing = Peer::answering(|_| PeerResponse::new(500));
    let restart = format!(
        "{PROFILE}    restart: {{ http: \"POST {}\" }}\n",
        failing.url()
    );
    let folder = Folder::new().with("aghook.yaml", game.config(&restart));
    explore(&folder, "--fail-fast --only times")
        .ends_with(1)
        .says(&["too much is granted", "in 5 of 5 tries"]);
}

/// A warning is no failure: the search goes on, and then the warning becomes a scenario, too.
#[test]
fn a_warning_is_reported_after_the_search() {
    let game = trimming_players();
    let folder = Folder::new().with("aghook.yaml", game.config(PROFILE));
    explore(&folder, "--cases 20 --fail-fast --only similar_player")
        .ends_with(0)
        .says(&[
            "what players hold may be wrong",
            "1 warned, 0 failed",
            "more failing cases are like the failures above",
        ]);
    assert_eq!(saved(&folder).len(), 1);
}

#[test]
fn a_failure_that_shows_sometimes_is_reported_with_how_often() {
    let game = doubling_every_fourth(mpsc::channel().0);
    let folder = Folder::new().with("aghook.yaml", game.config(PROFILE));
    fs::create_dir(folder.path("corpus")).expect("created");
    let once = r#"{ "seed": 1, "events": { "a": {} }, "steps": [{ "deliver": "a" }] }"#;
    // The plain deliveries at the start are the first three.
    let folder = folder.with("corpus/once.json", once);
    explore(&folder, "--cases 1 --corpus corpus").ends_with(1);
    let [file] = saved(&folder).try_into().expect("one scenario");
    let scenario = fs::read_to_string(file).expect("a scenario");
    let says = ["in 1 of ", "in 2 of ", "in 3 of ", "in 4 of "];
    assert!(
        says.iter().any(|says| scenario.contains(says)),
        "{scenario}"
    );
}

#[cfg(unix)]
#[test]
fn an_interrupted_exploration_reports_what_was_found() {
    let (doubled, was_doubled) = mpsc::channel();
    let game = doubling_every_fourth(doubled);
    let folder = Folder::new().with("aghook.yaml", game.config(PROFILE));
    let arguments = ["explore", "--seed", "1", "--budget", "1h", "--only", "code"];
    let process = Command::new(env!("CARGO_BIN_EXE_aghook"))
        .args(arguments)
        .current_dir(folder.root())
        .env("AGHOOK_SECRET", crate::support::SECRET)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("aghook starts");
    was_doubled.recv().expect("a coupon was granted twice");
    let sent = Command::new("kill")
        .args(["-INT", &process.id().to_string()])
        .status();
    assert!(sent.expect("kill runs").success());
    let ended = process.wait_with_output().expect("ends");
    assert_eq!(ended.status.code(), Some(130), "{ended:?}");
    assert_eq!(saved(&folder).len(), 1);
}

#[test]
fn a_corpus_keeps_cases_and_is_tried_first() {
    let game = remembering(0);
    let folder = Folder::new().with("aghook.yaml", game.config(PROFILE));
    let twice =
        r#"{ "seed": 1, "events": { "a": {} }, "steps": [{ "deliver": "a", "times": 2 }] }"#;
    fs::create_dir(folder.path("corpus")).expect("created");
    let folder = folder.with("corpus/twice.json", twice);
    explore(&folder, "--cases 1 --corpus corpus")
        .ends_with(1)
        .says(&["too much is granted"]);
    explore(
        &folder,
        &format!("--cases 9 --corpus corpus --without {UNSIGNED}"),
    )
    .ends_with(1);
    let files = fs::read_dir(folder.path("corpus")).expect("a folder");
    assert!(files.count() > 1);
    let broken = folder.with("corpus/broken.json", "{ \"seed\": 1, \"events\": {} }");
    explore(&broken, "--cases 1 --corpus corpus")
        .ends_with(2)
        .says(&[
            "broken.json is not a history of a corpus",
            "missing field `steps`",
        ]);
}

#[test]
fn every_report_has_the_failures_and_what_was_tried() {
    let game = remembering(0);
    let folder = Folder::new().with("aghook.yaml", game.config(PROFILE));
    let reports = "--report json=run.jsonl --report html=run.html --report markdown=run.md \
                   --report junit=run.xml --cases 30";
    explore(&folder, &format!("{reports} --without {UNSIGNED}")).ends_with(1);
    let events = folder.read("run.jsonl");
    let events = events
        .lines()
        .map(|line| serde_json::from_str(line).expect("JSON"));
    let events: Vec<Value> = events.collect();
    let ended = events.last().expect("an end");
    assert_eq!(ended["explored"]["seed"], 1, "{ended}");
    assert!(
        ended["explored"]["kinds"]
            .as_array()
            .is_some_and(|kinds| !kinds.is_empty())
    );
    assert!(folder.read("run.html").contains("Coverage"));
    assert!(
        folder
            .read("run.md")
            .contains("### Kinds of events and steps")
    );
    assert!(folder.read("run.xml").contains("<failure"));
    // The failure of the same name is kept.
    let before = saved(&folder);
    explore(&folder, &format!("--cases 5 --without {UNSIGNED}")).ends_with(1);
    assert!(saved(&folder).len() > before.len());
}

#[test]
fn a_wrong_set_up_is_no_failure_of_the_receiver() {
    let page = Peer::answering(|_| {
        let page = "<html><title>Sign in</title></html>";
        PeerResponse::new(200)
            .header("content-type", "text/html")
            .body(page)
    });
    let url = page.url();
    let config = format!(
        "profiles:\n  game:\n    target: {url}\n    probes: {{ quantity: {{ http: GET {url} }} }}\n"
    );
    let folder = Folder::new();
    let without_probe = format!("--target {url}");
    explore(&folder, &without_probe)
        .ends_with(2)
        .says(&["needs the probe `quantity`"]);
    explore(&folder, "--target http://127.0.0.1:1/hook").ends_with(3);
    let folder = folder.with("aghook.yaml", config);
    explore(&folder, "--budget 10s")
        .ends_with(3)
        .says(&["Sign in"]);
    assert_eq!(saved(&folder), [] as [PathBuf; 0]);
}

#[test]
fn an_unknown_kind_is_an_error() {
    let folder = Folder::new();
    explore(&folder, "--only bundel")
        .ends_with(2)
        .says(&["bundel", "'bundle'"]);
    explore(&folder, "--cases 0")
        .ends_with(2)
        .says(&["a whole number of cases from 1"]);
}

#[test]
fn the_word_restart_means_a_restart_in_flight_too() {
    let folder = Folder::new();
    let kinds = |option: &str| {
        let report = format!("--cases 1 --report json=run.jsonl {option}");
        explore(&folder, &report).ends_with(0);
        let text = folder.read("run.jsonl");
        let ended: Value =
            serde_json::from_str(text.lines().last().expect("an end")).expect("JSON");
        ended["explored"]["kinds"].to_string()
    };
    let only = kinds("--only restart");
    assert!(
        only.contains(r#""restart""#) && only.contains(r#""restart_in_flight""#),
        "{only}"
    );
    let without = kinds("--without restart");
    assert!(!without.contains("restart"), "{without}");
}

#[test]
fn the_document_lists_the_kinds() {
    let rows = Kind::ALL
        .iter()
        .map(|kind| format!("| `{kind}` | {} |", kind.about()));
    let rows: Vec<String> = rows.collect();
    let table = format!("| kind | meaning |\n| --- | --- |\n{}", rows.join("\n"));
    check_section(
        "docs/explore.md",
        "kinds",
        &table,
        |old, new| old == new,
        "run explore",
    );
}
