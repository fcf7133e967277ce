//! Profile settings for receivers with limits: known players, a maximum rate, items that can be
//! held only once, and the path that a probe reads.

use std::collections::{BTreeSet, HashSet};
use std::sync::{Arc, Mutex};

use crate::support::{Folder, Game, PeerResponse, Transcript};
use serde_json::{Value, json};

const TWO_PLAYERS: &str = "name: two players\nevents:\n  one: {}\n  other: {}\nsteps:\n  \
                           - deliver: [one, other]\n    expect: { status: 2xx }\neffects:\n  \
                           - granted: one\n  - granted: other\n";

/// A game that grants only to its own players and refuses all others.
fn own_players(met: &Arc<Mutex<Vec<String>>>) -> Game {
    let met = Arc::clone(met);
    Game::new(move |event, inventories| {
        let player = event["event_data"]["player_id"]
            .as_str()
            .unwrap_or_default();
        met.lock().expect("no panic").push(player.to_owned());
        if !player.starts_with("tester-") {
            return PeerResponse::new(404);
        }
        Game::grant_item(inventories, event);
        PeerResponse::new(200)
    })
}

fn text(output: &[u8]) -> String {
    String::from_utf8_lossy(output).into_owned()
}

/// Runs both scenarios against a game with its own players, with this `players` value in the
/// profile.
fn run(players: &str, arguments: &[&str]) -> (Option<i32>, String, Vec<String>) {
    let met = Arc::new(Mutex::new(Vec::new()));
    let game = own_players(&met);
    let folder = Folder::new()
        .with("a.yaml", TWO_PLAYERS)
        .with("b.yaml", TWO_PLAYERS)
        .with("testers.txt", "tester-{1..2}\n\n tester-3 \ntester-4\n")
        .with(
            "aghook.yaml",
            game.config(&format!("    players: {players}\n")),
        );
    let arguments = [&["run", "a.yaml", "b.yaml"], arguments].concat();
    let output = folder.aghook(&arguments).output().expect("runs");
    let printed = [text(&output.stdout), text(&output.stderr)].concat();
    let met = met.lock().expect("no panic").clone();
    (output.status.code(), printed, met)
}

#[test]
fn every_event_gets_its_own_listed_player() {
    for players in [
        "'tester-{1..4}'",
        "[tester-1, 'tester-{2..9}']",
        "{ file: testers.txt }",
    ] {
        let (code, printed, met) = run(players, &[]);
        assert_eq!(code, Some(0), "{printed}");
        let expected = ["tester-1", "tester-2", "tester-3", "tester-4"];
        let met: BTreeSet<&str> = met.iter().map(String::as_str).collect();
        assert_eq!(met, BTreeSet::from(expected), "{players}");
        assert!(!printed.contains("run one after the other"), "{printed}");
    }
}

#[test]
fn scenarios_that_share_players_take_turns_with_a_note() {
    let (code, printed, met) = run("[tester-1, tester-2, tester-3]", &["--jobs", "8"]);
    assert_eq!((code, met.len()), (Some(0), 4), "{printed}");
    let note = "`players` lists 3 players, and the scenarios would use 4";
    assert!(printed.contains(note), "{printed}");
}

#[test]
fn a_scenario_without_enough_players_is_not_checked_and_sends_nothing() {
    let (code, printed, met) = run("tester-1", &[]);
    assert_eq!((code, met.len()), (Some(3), 0), "{printed}");
    assert!(printed.contains("needs 2 different players"), "{printed}");
    assert!(printed.contains("list at least 2 players"), "{printed}");
}

#[test]
fn a_player_with_the_suffix_is_taken_from_the_list() {
    let scenario = "name: an ending\nevents:\n  one: { player_id: { ending: -Zoë } }\nsteps:\n  \
                    - deliver: one\n    expect: { status: 2xx }\n";
    for (players, code, said) in [
        ("[tester-1, tester-Zoë]", 0, "1 passed"),
        ("[tester-1]", 3, "has the ID that the scenario needs"),
    ] {
        let met = Arc::default();
        let game = own_players(&met);
        let folder = Folder::with_scenario(scenario).with(
            "aghook.yaml",
            game.config(&format!("    players: {players}\n")),
        );
        let output = folder.run(&[]).output().expect("runs");
        let printed = text(&output.stdout);
        assert_eq!(output.status.code(), Some(code), "{printed}");
        assert!(printed.contains(said), "{printed}");
    }
}

#[test]
fn shards_of_a_run_use_shards_of_the_list() {
    let (_, first, _) = run("'tester-{1..8}'", &["--partition", "1/2", "--dry-run"]);
    let (_, second, _) = run("'tester-{1..8}'", &["--partition", "2/2", "--dry-run"]);
    for (printed, players) in [
        (first, ["tester-1", "tester-3"]),
        (second, ["tester-2", "tester-4"]),
    ] {
        for player in players {
            assert!(
                printed.contains(&format!("for player {player},")),
                "{printed}"
            );
        }
    }
}

#[test]
fn mistakes_in_a_player_list_are_reported() {
    for (players, said) in [
        ("'tester-{9..1}'", "the range {9..1} starts after its end"),
        ("[]", "the list of players is empty"),
        ("7", "expected an ID or a pattern"),
        ("{ file: nowhere.txt }", "can't read nowhere.txt"),
    ] {
        let (code, printed, _) = run(players, &[]);
        assert_eq!(code, Some(2), "{players}: {printed}");
        assert!(printed.contains(said), "{players}: {printed}");
        let folder = Folder::new().with(
            "aghook.yaml",
            format!("profiles:\n  game:\n    players: {players}\n"),
        );
        let output = folder.aghook(&["check"]).output().expect("runs");
        assert_eq!(output.status.code(), Some(2), "{players}");
    }
}

#[test]
fn fire_takes_listed_players_in_turn() {
    let folder = Folder::new().with("aghook.yaml", "profiles: { a: { players: [anna, ben] } }\n");
    let arguments = ["fire", "--dry-run", "--as", "json", "--count", "3"];
    let output = folder.aghook(&arguments).output().expect("runs");
    let players: Vec<Value> = text(&output.stdout)
        .lines()
        .map(|line| {
            serde_json::from_str::<Value>(line).expect("JSON")["event_data"]["player_id"].clone()
        })
        .collect();
    assert_eq!(players, ["anna", "ben", "anna"]);
}

/// Runs these steps and returns the signature timestamp of each delivery.
fn timestamps(steps: &str) -> Vec<String> {
    let seen = Arc::new(Mutex::new(Vec::new()));
    let recorded = Arc::clone(&seen);
    let game = Game::with_probe(
        move |request, _| {
            let timestamp = request.header("X-Aghanim-Signature-Timestamp");
            let mut seen = recorded.lock().expect("no panic");
            seen.push(timestamp.unwrap_or_default().to_owned());
            PeerResponse::new(if seen.len() == 1 { 503 } else { 200 })
        },
        |_| PeerResponse::new(404),
    );
    let scenario = format!("name: signed\nevents:\n  one: {{}}\nsteps:\n{steps}");
    let folder = Folder::with_scenario(&scenario).with("aghook.yaml", game.config(""));
    let output = folder.run(&[]).output().expect("runs");
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stdout));
    let seen = seen.lock().expect("no panic");
    seen.clone()
}

#[test]
fn no_body_is_signed_twice_with_the_same_timestamp() {
    let steps = "  - deliver: one\n    times: 8\n    expect: { status: 2xx }\n  \
                 - deliver: one\n    times: 8\n    together: true\n    expect: { status: 2xx }\n";
    let seen = timestamps(steps);
    let distinct: HashSet<&String> = seen.iter().collect();
    assert_eq!((seen.len(), distinct.len()), (17, 17), "{seen:?}");
}

#[test]
fn without_resign_the_signature_is_repeated() {
    let steps = "  - deliver: one\n    retry: { resign: false }\n    expect: { status: 2xx }\n";
    let seen = timestamps(steps);
    assert!(seen.len() == 2 && seen[0] == seen[1], "{seen:?}");
}

#[test]
fn a_maximum_rate_delays_deliveries_and_the_delay_is_reported() {
    let scenario = "name: many\nevents:\n  one: {}\nsteps:\n  - deliver: one\n    times: 5\n    \
                    together: true\n    expect: { status: 2xx }\n";
    let game = Game::new(|_, _| PeerResponse::new(200));
    let folder =
        Folder::with_scenario(scenario).with("aghook.yaml", game.config("    max_rate: 3/s\n"));
    let output = folder.run(&["--report", "json"]).output().expect("runs");
    assert_eq!(output.status.code(), Some(0));
    let printed = text(&output.stdout);
    let last: Value = serde_json::from_str(printed.lines().last().expect("lines")).expect("JSON");
    let held_back = last["held_back_seconds"].as_f64().expect("a number");
    // The second group of deliveries has to wait for the next second.
    assert!(held_back >= 0.9, "{last}");
    assert!(last["took_seconds"].as_f64() >= Some(0.9), "{last}");
}

/// The retries need permits, too, which the simultaneous deliveries must not keep.
#[test]
fn simultaneous_deliveries_that_use_up_the_rate_are_retried() {
    let scenario = "name: many\nevents:\n  one: {}\nsteps:\n  - deliver: one\n    times: 2\n    \
                    together: true\n    expect: { status: 2xx }\n";
    let refused = Mutex::new(0);
    let game = Game::new(move |_, _| {
        let mut refused = refused.lock().expect("no panic");
        *refused += 1;
        PeerResponse::new(if *refused <= 2 { 503 } else { 200 })
    });
    let folder =
        Folder::with_scenario(scenario).with("aghook.yaml", game.config("    max_rate: 2/s\n"));
    let arguments = ["--skip-setup-check"];
    Transcript::of(&mut folder.run(&arguments)).ends_with(0);
}

/// Delivers one event to a game whose probe responds with the JSON that `respond` returns.
fn probed(read: &str, grants: bool, respond: fn(i64) -> Value) -> (Option<i32>, String) {
    let game = Game::with_probe(
        move |request, inventories| {
            if grants {
                Game::grant_item(inventories, &request.json());
            }
            PeerResponse::new(200)
        },
        move |quantity| PeerResponse::new(200).json(&respond(quantity)),
    );
    let config = game.config("").replace(
        "read: $.quantity",
        &format!("read: {read}\n        missing: 0"),
    );
    let folder = Folder::with_scenario(&crate::support::with_effect("granted: welcome"));
    let output = folder.with("aghook.yaml", config).run(&[]).output();
    let output = output.expect("runs");
    (output.status.code(), text(&output.stdout))
}

#[test]
fn a_typo_in_the_probe_path_is_not_blamed_on_the_receiver() {
    let always = |quantity| json!({ "player": "P", "quantity": quantity });
    let (code, printed) = probed("$.quantiy", true, always);
    assert_eq!(code, Some(3), "{printed}");
    let printed = printed.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(
        printed.contains("`$.quantiy` has never matched"),
        "{printed}"
    );
    assert!(
        printed.contains("no `quantiy` in {\"player\":\"P\",\"quantity\":5}"),
        "{printed}"
    );
    assert_eq!(probed("$.quantity", true, always).0, Some(0));
    assert_eq!(probed("$.quantity", false, always).0, Some(1));
}

#[test]
fn a_probe_may_omit_items_that_are_not_held() {
    let if_any = |quantity| match quantity {
        0 => json!({ "items": [] }),
        _ => json!({ "items": [{ "count": quantity }] }),
    };
    assert_eq!(probed("'$.items[0].count'", true, if_any).0, Some(0));
    let (code, printed) = probed("'$.items[0].count'", false, if_any);
    assert_eq!(code, Some(1), "{printed}");
    let (code, printed) = probed("'$.itmes[0].count'", true, if_any);
    assert_eq!(code, Some(3), "{printed}");
}

#[test]
fn an_item_that_was_held_before_is_not_checked() {
    let scenario = "name: a hat\nevents:\n  one: { player_id: P1 }\nsteps:\n  - deliver: one\n    \
                    expect: { status: 2xx }\neffects:\n  - granted: one\n";
    let game = Game::new(|event, inventories| {
        let player = ("P1".to_owned(), "hat".to_owned());
        inventories.insert(player, 1);
        assert_eq!(event["event_data"]["item"]["quantity"], 1);
        PeerResponse::new(200)
    });
    let items = "    items: [{ sku: hat, stackable: false }]\n";
    let folder = Folder::with_scenario(scenario).with("aghook.yaml", game.config(items));
    let first = folder.run(&[]).output().expect("runs");
    assert_eq!(first.status.code(), Some(0), "{}", text(&first.stdout));
    assert!(
        text(&first.stdout).contains("2 checks: 2 passed"),
        "{}",
        text(&first.stdout)
    );
    let again = folder.run(&[]).output().expect("runs");
    let printed = text(&again.stdout);
    assert!(
        printed.contains("the player already holds hat"),
        "{printed}"
    );
    assert!(
        printed.contains("1 passed") && printed.contains("1 not checked"),
        "{printed}"
    );
}
