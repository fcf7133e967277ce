//! Scenarios that wait until all others have ended.

use std::sync::{Arc, Mutex};

use crate::hooks::SUCCEEDS;
use crate::support::{Folder, Game, PeerResponse, Transcript};

const WAITING: &str = "name: waits
events: { a: { coupon: { code: waits } } }
steps:
  - { deliver: a, expect: { status: 2xx } }
  - after_others: true
  - { deliver: a, expect: { status: 2xx } }
";
const OTHER: &str = "name: another
events: { a: { coupon: { code: another } } }
steps: [{ deliver: a, times: 2, expect: { status: 2xx } }]
";

const RESTARTING: &str = "name: restarts
events: { a: { coupon: { code: restarts } } }
steps:
  - { deliver: a, expect: { status: 2xx } }
  - after_others: true
  - restart: true
  - { deliver: a, expect: { status: 2xx } }
";

/// Runs scenarios against a game, to whose profile `profile` is added. Returns the codes of the deliveries, in
/// their order.
fn run(scenarios: &[&str], profile: &str, options: &[&str]) -> (Transcript, Vec<String>) {
    let codes: Arc<Mutex<Vec<String>>> = Arc::default();
    let seen = Arc::clone(&codes);
    let game = Game::new(move |event, _| {
        let code = event["event_data"]["coupon"]["code"].as_str();
        let mut seen = seen.lock().expect("not poisoned");
        seen.push(code.expect("a code").to_owned());
        PeerResponse::new(200)
    });
    let mut folder = Folder::new().with("aghook.yaml", game.config(profile));
    let mut files = Vec::new();
    for (number, text) in scenarios.iter().enumerate() {
        let name = format!("{number}.yaml");
        folder = folder.with(&name, text);
        files.push(name);
    }
    let files = files.iter().map(String::as_str);
    let arguments: Vec<&str> = ["run"]
        .into_iter()
        .chain(files)
        .chain(options.iter().copied())
        .collect();
    let transcript = Transcript::of(&mut folder.aghook(&arguments));
    let codes = codes.lock().expect("not poisoned").clone();
    (transcript, codes)
}

#[test]
fn the_rest_of_a_scenario_comes_after_all_others() {
    for jobs in ["1", "2", "8"] {
        let scenarios = [OTHER, WAITING, OTHER, OTHER, WAITING, OTHER];
        let (transcript, codes) = run(&scenarios, "", &["--jobs", jobs]);
        transcript.ends_with(0).says(&["6 scenarios: 6 passed"]);
        assert_eq!(codes.len(), 12);
        assert_eq!(codes[10..], ["waits", "waits"], "{codes:?}");
        if jobs == "1" {
            assert_eq!(codes[..2], ["waits", "waits"], "{codes:?}");
        }
    }
    run(&[WAITING], "", &[]).0.ends_with(0);
}

#[test]
fn a_scenario_whose_players_others_need_does_not_wait() {
    let players = "    players: [ann, bob]\n";
    let (transcript, codes) = run(&[WAITING, OTHER, OTHER], players, &[]);
    transcript.ends_with(0).says(&[
        "2 passed",
        "1 not checked",
        "this scenario waits for the others, but they use its players",
        "list more players",
    ]);
    assert_eq!(codes.iter().filter(|code| *code == "another").count(), 4);
    let players = "    players: [ann, bob, cas]\n";
    let (transcript, _) = run(&[WAITING, OTHER, OTHER], players, &[]);
    transcript.ends_with(0).says(&["3 scenarios: 3 passed"]);
}

#[test]
fn what_restarts_the_receiver_comes_last() {
    let restart = format!("    restart: {{ command: {SUCCEEDS} }}\n");
    for jobs in ["1", "8"] {
        let scenarios = [RESTARTING, WAITING, RESTARTING, OTHER, WAITING];
        let (transcript, codes) = run(&scenarios, &restart, &["--jobs", jobs]);
        transcript.ends_with(0).says(&["5 scenarios: 5 passed"]);
        let last = ["waits", "waits", "restarts", "restarts"];
        assert_eq!(codes[6..], last, "{codes:?}");
    }
}
