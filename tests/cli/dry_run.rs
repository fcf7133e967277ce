//! `aghook run --dry-run`: shows what would be sent and checked, without sending anything.

use crate::support::{Folder, Peer, PeerResponse, Transcript};

const SCENARIO: &str = "\
name: a bundle, forged and redelivered
events:
  welcome: { player_id: P1, coupon: { code: WELCOME }, item: { sku: gems, quantity: 5 } }
  pack:
    item: { sku: pack, bundle: [{ sku: gems, quantity: 3 }], fallback: { sku: gold, quantity: 9 } }
    trigger: test
  broken: { raw: '{' }
steps:
  - { deliver: welcome, times: 3, together: true, expect: [{ status: 2xx }, { within: 2s }] }
  - { deliver: [welcome, broken], fault: duplicate }
  - { request: { url: /debug } }
  - { script: { of: welcome, answers: [503] } }
  - { deliver: welcome, forge: expired_secret, expect: { status: 4xx } }
effects:
  - granted: welcome
";

/// A dry run of the scenario without a secret, with `more` lines in the profile.
fn dry_run(more: &str) -> Transcript {
    let peer = Peer::answering(|_| PeerResponse::new(200));
    let config = format!("profiles:\n  game:\n    target: {}\n{more}", peer.url());
    let folder = Folder::with_scenario(SCENARIO).with("aghook.yaml", config);
    let mut command = folder.run(&["--dry-run"]);
    let printed = Transcript::of(command.env_remove("AGHOOK_SECRET"));
    assert_eq!(peer.connections(), 0);
    printed.ends_with(0)
}

#[test]
fn a_dry_run_shows_what_would_be_sent_and_checked() {
    dry_run(
        "    expired_secret_env: OLD_SECRET\n    script: { http: 'PUT http://127.0.0.1:1/s' }\n    \
         probes: { quantity: { http: 'GET http://127.0.0.1:1/q', read: $.q } }\n",
    )
    .says(&[
        "a bundle, forged and redelivered  scenario.yaml:1\n",
        "    welcome: 5 gems for player P1, coupon WELCOME, ",
        ", a bundle of 3 gems, fallback 9 gold, test, ",
        "    broken: invalid event, 1 bytes\n",
        "    1. deliver welcome 3 times together, 3 deliveries\n       expects status: 2xx\n       \
         expects within: at most 2s\n",
        "    2. deliver welcome, broken with fault duplicate, 4 deliveries\n",
        "    3. GET /debug\n",
        "    4. script 503 for welcome\n",
        "    5. deliver welcome with forgery expired_secret\n       expects status: 4xx\n",
        "    1. grant of `welcome`: 5 gems (probe `quantity`)\n",
        "1 scenario; steps and effects that would not be checked: 0\n",
    ]);
}

#[test]
fn a_dry_run_shows_what_would_not_be_checked_and_why() {
    // Without the `script` hook the scenario would stop there.
    dry_run("").says(&[
        "    4. script 503 for welcome\n       ? not checked: the profile has no `script`",
        "         → uncomment `script` in aghook.yaml, or add `script: { http: PUT … }` to the profile; docs/profiles.md ",
        "1 scenario; steps and effects that would not be checked: 3\n",
    ]);
    dry_run("    script: { http: 'PUT http://127.0.0.1:1/s' }\n").says(&[
        "expects status: 4xx\n       ? not checked: the profile does not name the expired secret",
        "that would not be checked: 2\n",
    ]);
    let printed = dry_run(
        "    script: { http: 'PUT http://127.0.0.1:1/s' }\n    expired_secret_env: OLD_SECRET\n",
    );
    printed.says(&[
        "? not checked: the profile has no probe `quantity`",
        "→ add `probes: { quantity: … }` to the profile",
        "that would not be checked: 1\n",
    ]);
}

#[test]
fn a_restart_without_a_hook_is_shown_and_stops_the_scenario() {
    let scenario = "name: x\nevents: { a: {} }\nsteps:\n  - { deliver: a }\n  - { restart: true }\n  \
                    - { deliver: a, expect: { status: 2xx } }\neffects:\n  - granted: a\n";
    for (hook, printed, count) in [
        (
            "",
            "\n       ? not checked: the profile has no `restart`",
            3,
        ),
        (
            "    restart: { http: 'POST http://127.0.0.1:1/r' }\n",
            "",
            0,
        ),
    ] {
        let config = format!(
            "profiles:\n  game:\n    target: http://127.0.0.1:1/hook\n    probes: {{ quantity: \
             {{ http: 'GET http://127.0.0.1:1/q', read: $.q }} }}\n{hook}"
        );
        let folder = Folder::with_scenario(scenario).with("aghook.yaml", config);
        Transcript::of(&mut folder.run(&["--dry-run"]))
            .ends_with(0)
            .says(&[
                &format!("    2. restart the receiver{printed}"),
                &format!("that would not be checked: {count}\n"),
            ]);
    }
}

/// A run does what the dry run announced.
#[test]
fn a_run_skips_the_same_checks_as_its_dry_run() {
    let peer = Peer::answering(|_| PeerResponse::new(200));
    let scenario = "name: x\nevents: { a: {} }\nsteps:\n  - { deliver: a, expect: { status: 2xx } }\n\
                    effects:\n  - granted: a\n";
    let folder = Folder::with_scenario(scenario);
    let target = ["--target", &peer.url()];
    let reason = "the profile has no probe `quantity`";
    Transcript::of(folder.run(&target).arg("--dry-run"))
        .ends_with(0)
        .says(&[reason, "that would not be checked: 1\n"]);
    Transcript::of(&mut folder.run(&target))
        .ends_with(0)
        .says(&[reason, "1 not checked"]);
}

#[test]
fn the_built_in_receiver_allows_every_check_of_the_bundled_suite() {
    let folder = Folder::new();
    Transcript::of(&mut folder.aghook(&["run", "--dry-run"]))
        .ends_with(0)
        .says(&["that would not be checked: 0\n"]);
    Transcript::of(&mut folder.aghook(&["run", "--dry-run", "--report", "json"])).ends_with(2);
    Transcript::of(&mut folder.aghook(&["run", "--dry-run", "--record", "x"])).ends_with(2);
    let http2 = ["run", "--dry-run", "--http-version", "2", "--tag", "faults"];
    Transcript::of(&mut folder.aghook(&http2))
        .ends_with(0)
        .says(&["needs HTTP/1.1: over HTTP/2"]);
}
