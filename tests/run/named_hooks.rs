//! Hooks that a profile names: their values, what runs on its own, and what a failing one says.

use std::sync::{Arc, Mutex};

use crate::support::{Folder, Peer, PeerResponse, Transcript};

/// A peer that records the method and path of each request, and its signed timestamp if it is a
/// delivery.
fn recording(seen: &Arc<Mutex<Vec<String>>>) -> Peer {
    let seen = Arc::clone(seen);
    Peer::answering(move |request| {
        let mut line = format!("{} {}", request.method, request.path);
        if let Some(timestamp) = request.header("x-aghanim-signature-timestamp") {
            let timestamp: u64 = timestamp.parse().expect("seconds");
            let event_time = request.json()["event_time"].as_u64().expect("seconds");
            let hours = timestamp.saturating_sub(event_time) / 3600;
            line = format!("delivery, {hours} h ahead");
        }
        seen.lock().expect("not poisoned").push(line);
        PeerResponse::new(200)
    })
}

fn profile(peer: &Peer, hooks: &str) -> String {
    let base = format!("http://{}", peer.address);
    let hooks = hooks.replace("BASE", &base);
    format!("profiles:\n  p:\n    target: {base}/hook\n    hooks:\n{hooks}")
}

fn run(scenario: &str, hooks: &str) -> (Transcript, Vec<String>) {
    let seen = Arc::default();
    let peer = recording(&seen);
    let folder = Folder::with_scenario(scenario).with("aghook.yaml", profile(&peer, hooks));
    let transcript = Transcript::of(&mut folder.run(&[]));
    let seen = seen.lock().expect("not poisoned").clone();
    (transcript, seen)
}

const DELIVERED: &str = "name: delivered
events:
  pack:
    player_id: P1
    item: { sku: pack, bundle: [{ sku: gem }, { sku: gold, quantity: 7 }] }
steps:
  - deliver: pack
    expect: { status: 2xx }
";

#[test]
fn a_hook_gets_values_of_an_event_and_of_the_step() {
    let scenario = format!(
        "{DELIVERED}  - hook: fill\n    of: pack\n    with:\n      \
         room: 3\n      part: {{ at: /event_data/item/nested_items/1/sku }}\n      \
         amount: {{ at: /event_data/item/nested_items/1/quantity }}\n"
    );
    let hooks =
        "      fill: { http: \"PUT BASE/fill/{player_id}/{sku}/{part}/{amount}/{room}\" }\n";
    let (transcript, seen) = run(&scenario, hooks);
    transcript.ends_with(0);
    assert_eq!(seen, ["delivery, 0 h ahead", "PUT /fill/P1/pack/gold/7/3"]);
}

#[test]
fn some_hooks_run_on_their_own() {
    let hooks = "      before_run: { http: POST BASE/start }\n      \
                 before_scenario: { http: \"POST BASE/player/{player_id}\" }\n      \
                 after_run: { http: POST BASE/end }\n";
    let (transcript, seen) = run(DELIVERED, hooks);
    transcript.ends_with(0);
    let expected = [
        "POST /start",
        "POST /player/P1",
        "delivery, 0 h ahead",
        "POST /end",
    ];
    assert_eq!(seen, expected);
}

#[test]
fn a_hook_before_each_scenario_runs_once_without_placeholders() {
    let two = DELIVERED.replace("events:\n", "events:\n  other: {}\n");
    let (transcript, seen) = run(&two, "      before_scenario: { http: POST BASE/reset }\n");
    transcript.ends_with(0);
    assert_eq!(seen, ["POST /reset", "delivery, 0 h ahead"]);
}

#[test]
fn a_hook_that_moves_the_receivers_clock_moves_the_senders_and_both_back() {
    let scenario = format!(
        "{DELIVERED}  - {{ hook: shift, advances: 1d }}\n  - {{ hook: shift, advances: 12h }}\n  \
         - deliver: pack\n    expect: {{ status: 5xx }}\n"
    );
    let (transcript, seen) = run(
        &scenario,
        "      shift: { http: \"POST BASE/clock/{seconds}\" }\n",
    );
    transcript.ends_with(1);
    let expected = [
        "delivery, 0 h ahead",
        "POST /clock/86400",
        "POST /clock/129600",
        "delivery, 36 h ahead",
        "POST /clock/0",
    ];
    assert_eq!(seen, expected);
}

#[test]
fn without_the_hook_the_scenario_is_not_checked() {
    let scenario = format!("{DELIVERED}  - hook: fill_inventory\n");
    for (hooks, hint) in [
        (
            "      other: { command: [a] }\n",
            "add `hooks: { fill_inventory: ",
        ),
        (
            "      fill_inventry: { command: [a] }\n",
            "did you mean its hook `fill_inventry`?",
        ),
    ] {
        let (transcript, seen) = run(&scenario, hooks);
        let missing = "the profile has no hook `fill_inventory`";
        transcript
            .ends_with(0)
            .says(&["1 not checked", missing, hint]);
        assert_eq!(seen.len(), 1);
    }
}

/// Filling an inventory that can't be freed would disturb other scenarios.
#[test]
fn all_hooks_that_are_missing_are_named_before_the_first_runs() {
    let scenario = format!(
        "{DELIVERED}  - hook: fill_inventory\n    of: pack\n  - hook: free_inventory\n    of: pack\n"
    );
    let fill = "      fill_inventory: { http: \"PUT BASE/fill/{player_id}/{sku}\" }\n";
    let (transcript, seen) = run(&scenario, fill);
    transcript
        .ends_with(0)
        .says(&["the profile has no hook `free_inventory`", "add `hooks: {"])
        .does_not_say(&["did you mean"]);
    assert_eq!(seen, ["delivery, 0 h ahead"]);
    let (transcript, _) = run(&scenario, "      other: { command: [a] }\n");
    transcript.ends_with(0).says(&[
        "the profile has no hooks `fill_inventory` and `free_inventory`",
        "uncomment `hooks` in aghook.yaml, or add `hooks: {",
        "free_inventory: {",
    ]);
}

#[cfg(unix)]
#[test]
fn a_hook_that_fails_is_broken_and_shows_its_errors_without_secrets() {
    let script = "echo whoops >&2; echo $FILL_TOKEN >&2; exit 3";
    let hooks = format!(
        "      fill: {{ command: [sh, -c, '{}', $FILL_TOKEN] }}\n",
        script.replace('$', "$$")
    );
    let scenario = format!("{DELIVERED}  - hook: fill\n");
    let seen = Arc::default();
    let peer = recording(&seen);
    let folder = Folder::with_scenario(&scenario).with("aghook.yaml", profile(&peer, &hooks));
    let mut command = folder.run(&["--report", "json=run.jsonl"]);
    Transcript::of(command.env("FILL_TOKEN", "tok_12345678"))
        .ends_with(3)
        .says(&[
            "broken",
            "sh failed with exit status: 3: whoops",
            "[secret not shown]",
        ])
        .does_not_say(&["tok_12345678"]);
    assert!(!folder.read("run.jsonl").contains("tok_12345678"));
}

#[test]
fn a_failing_hook_of_the_run_leaves_it_undecided() {
    let failing = "{ command: [aghook-has-no-such-program] }";
    for (name, deliveries) in [("before_run", 0), ("before_scenario", 0), ("after_run", 1)] {
        let (transcript, seen) = run(DELIVERED, &format!("      {name}: {failing}\n"));
        transcript
            .ends_with(3)
            .says(&[name, "aghook-has-no-such-program"]);
        assert_eq!(seen.len(), deliveries, "{name}");
    }
}

#[test]
fn mistakes_are_found_before_anything_is_sent() {
    let steps = |step: &str| format!("{DELIVERED}  - {step}\n");
    let fill = "      fill: { http: \"PUT BASE/{player_id}/{room}\" }\n";
    for (step, hooks, words) in [
        (
            "{ hook: fill, with: { room: 1 } }",
            fill,
            ["has the placeholder `{player_id}`", "add `of: EVENT`"],
        ),
        (
            "{ hook: fill, of: pack }",
            fill,
            ["has the placeholder `{room}`", "add `with: { room: … }`"],
        ),
        (
            "{ hook: fill, of: pack, with: { room: { at: /event_data/item/nested_items/9/sku } } }",
            fill,
            ["`pack` has no text or number at", "9/sku"],
        ),
        (
            "{ hook: fill, of: pack, with: { room: 1 }, advances: 1d }",
            fill,
            ["does not use `{seconds}`", "remove `advances`"],
        ),
        (
            "{ hook: fill, advances: 1d, with: { seconds: 1 } }",
            "      fill: { http: \"PUT BASE/{seconds}\" }\n",
            ["`advances` already gives", "remove one of them"],
        ),
        (
            "{ hook: fill, with: { a: { at: /x } } }",
            fill,
            ["`at` needs `of`", "add the event"],
        ),
        (
            "{ hook: before_run }",
            fill,
            ["`before_run` runs on its own", "another name"],
        ),
        (
            "{ hook: restart }",
            fill,
            ["`restart` is a step of its own", "write `restart: "],
        ),
        (
            "{ hook: fill, of: pakc }",
            fill,
            ["unknown event `pakc`", "did you mean `pack`?"],
        ),
        (
            "{ pause: 1s, of: pack }",
            fill,
            ["`of` is only allowed with `hook`", "scenario.yaml:"],
        ),
        (
            "{ hook: fill, with: { \"a-b\": 1 } }",
            fill,
            ["can't be the name", "only letters"],
        ),
        (
            "{ pause: 1s }",
            "      after_run: { http: \"PUT BASE/{player_id}\" }\n",
            [
                "`after_run`: unknown placeholder `{player_id}`",
                "placeholders aren't allowed",
            ],
        ),
        (
            "{ pause: 1s }",
            "      restart: { http: PUT BASE/ }\n",
            [
                "`restart` is a key of the profile",
                "move it out of `hooks`",
            ],
        ),
    ] {
        let (transcript, seen) = run(&steps(step), hooks);
        transcript.ends_with(2).says(&words);
        assert!(seen.is_empty(), "{step}");
    }
}

#[test]
fn the_dry_run_lists_hooks() {
    let scenario =
        format!("{DELIVERED}  - {{ hook: fill, of: pack }}\n  - {{ hook: shift, advances: 1d }}\n");
    let seen = Arc::default();
    let peer = recording(&seen);
    let hooks = "      fill: { http: \"PUT BASE/{sku}\" }\n";
    let folder = Folder::with_scenario(&scenario).with("aghook.yaml", profile(&peer, hooks));
    Transcript::of(&mut folder.run(&["--dry-run"]))
        .ends_with(0)
        .says(&[
            "hook fill for pack",
            "hook shift, which moves the receiver's clock ahead by 1d",
            "the profile has no hook `shift`",
        ]);
}

/// A receiver may have forgotten it, and one that has not must not be moved twice as far.
#[test]
fn a_clock_is_set_again_after_each_restart() {
    let scenario = format!(
        "{DELIVERED}  - {{ hook: shift, advances: 90m }}\n  - restart: true\n  \
         - {{ deliver: pack, fault: restart_in_flight }}\n  - deliver: pack\n"
    );
    let hooks = "      shift: { http: \"POST BASE/clock/{seconds}\" }\n    \
                 restart: { http: POST BASE/restart }\n";
    let (transcript, seen) = run(&scenario, hooks);
    transcript.ends_with(0);
    let (deliveries, of_hooks): (Vec<_>, Vec<_>) =
        seen.iter().partition(|line| line.starts_with("delivery"));
    let expected = [
        "POST /clock/5400",
        "POST /restart",
        "POST /clock/5400",
        "POST /restart",
        "POST /clock/5400",
        "POST /clock/0",
    ];
    assert_eq!(of_hooks, expected);
    assert_eq!(
        deliveries.last().expect("a delivery"),
        &"delivery, 1 h ahead"
    );
}
