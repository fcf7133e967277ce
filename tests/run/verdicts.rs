//! The verdicts of a run: small scenarios against receivers that are correct or wrong on purpose.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::fs;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Barrier, Mutex};

use crate::support::{
    Folder, Game, Inventories, Peer, PeerResponse, Transcript, expecting, normalised, with_effect,
};
use serde_json::{Value, json};

/// Runs a scenario against a receiver; returns the report and every check with subject, verdict,
/// expected and observed value.
fn checks(peer: &Peer, scenario: &str) -> (Transcript, String) {
    let folder = Folder::with_scenario(scenario);
    let options = ["--target", &peer.url(), "--report", "json=run.jsonl"];
    let transcript = Transcript::of(&mut folder.run(&options));
    assert!(transcript.code < 2, "{}", transcript.text());
    let mut listed = String::new();
    for line in folder.read("run.jsonl").lines() {
        let event: Value = serde_json::from_str(line).expect("JSON");
        let deliveries = event["deliveries"].as_array().into_iter().flatten();
        for check in deliveries.flat_map(|delivery| delivery["checks"].as_array().expect("a list"))
        {
            let word = |key: &str| check[key].as_str().expect("a text").to_owned();
            let [subject, verdict] = [word("subject"), word("verdict")];
            let [expected, observed] = [word("expected"), word("observed")];
            writeln!(
                listed,
                "{verdict}  {subject}\n    expected {expected}\n    observed {observed}"
            )
            .expect("written");
        }
    }
    (transcript, normalised(&listed))
}

/// Runs a scenario against a game.
fn run(game: &Game, scenario: &str) -> Transcript {
    run_with(game, scenario, "")
}

fn run_with(game: &Game, scenario: &str, config: &str) -> Transcript {
    let folder = Folder::with_scenario(scenario).with("aghook.yaml", game.config(config));
    Transcript::of(&mut folder.run(&[]))
}

/// A game that grants the item of every delivery `times` times.
fn granting(times: usize) -> Game {
    Game::new(move |event, inventories| {
        for _ in 0..times {
            Game::grant_item(inventories, event);
        }
        PeerResponse::new(200)
    })
}

/// An accepted event must be granted, and a refused one must not.
#[test]
fn a_grant_check_that_depends_on_the_response_passes_and_fails() {
    /// Not a valid status.
    const INVALID_STATUS: u16 = 99;
    let scenario = "name: x\nevents: { coupon: { item: { sku: gems, quantity: 5 } } }\nsteps:\n  \
                    - { deliver: coupon, retry: off, expect: { status: 2xx, level: should } }\n\
                    effects:\n  - { granted: coupon, if_delivered: true }\n";
    for (status, times, code, text) in [
        (200, 1, 0, "1 passed"),
        (200, 0, 1, "gems changed by 0 instead of 5"),
        (200, 2, 1, "gems changed by 10 instead of 5"),
        (422, 0, 0, "1 warned"),
        (422, 1, 1, "gems changed by 5 instead of 0"),
        (503, 1, 1, "gems changed by 5 instead of 0"),
        // An invalid response leaves the grant undecided.
        (INVALID_STATUS, 0, 0, "1 warned"),
        (INVALID_STATUS, 1, 0, "1 warned"),
        (INVALID_STATUS, 2, 1, "gems changed by 10"),
    ] {
        let game = Game::new(move |event, inventories| {
            for _ in 0..times {
                Game::grant_item(inventories, event);
            }
            PeerResponse::new(status)
        });
        run(&game, scenario).ends_with(code).says(&[text]);
    }
    let misplaced = scenario.replace("granted: coupon,", "not_granted: coupon,");
    Transcript::of(&mut Folder::with_scenario(&misplaced).aghook(&["check", "scenario.yaml"]))
        .ends_with(2)
        .says(&["`if_delivered` is only allowed with `granted`"]);
}

#[test]
fn every_expectation_of_a_response_passes_and_fails() {
    let peer = Peer::answering(|_| {
        let body = json!({
            "status": "ok", "items": [1, 2], "n": 5.0, "none": null, "text": "granted 5 gems",
            "nested": { "a": 1, "b": 2 },
        });
        PeerResponse::new(200)
            .header("X-Request", "r-17")
            .json(&body)
    });
    let expectations = [
        "{ status: 200 }",
        "{ status: 2xx }",
        "{ status: [404, 200] }",
        "{ status: { not: 5xx } }",
        "{ status: 201 }",
        "{ status: [4xx, 5xx] }",
        "{ status: { not: [200, 3xx] } }",
        "{ headers: { content-type: application/json, X-REQUEST: { matches: \"^r-[0-9]+$\" } } }",
        "{ headers: { X-Request: r-18 } }",
        "{ headers: { X-Other: { absent: true }, X-Request: { absent: true } } }",
        "{ headers: { X-Other: x } }",
        "{ body: { $.status: ok, $.n: 5, $.items: [1, 2], $.none: null } }",
        "{ body: { $.status: OK, $.n: 6, $.items: [2, 1], $.none: 0 } }",
        "{ body: { $.text: { contains: gems }, $.items: { contains: 2 }, $.nested: { contains: { a: 1 } } } }",
        "{ body: { $.text: { contains: gold }, $.items: { contains: 3 }, $.nested: { contains: { a: 2 } } } }",
        "{ body: { $.text: { matches: \"^granted\" }, $.n: { type: integer }, $.items: { length: 1..2 } } }",
        "{ body: { $.text: { matches: \"^gems\" }, $.n: { type: string }, $.items: { length: 3.. } } }",
        "{ body: { $.missing: { absent: true }, $.none: { absent: false }, \"$.items[*]\": { type: number } } }",
        "{ body: { $.missing: { absent: false }, $.none: { absent: true }, \"$.items[*]\": 1 } }",
        "{ within: 1m }",
        "{ within: 1ns }",
        "{ attempts: 1, outcome: delivered }",
        "{ attempts: 2.., outcome: refused }",
    ];
    let list = expectations.join("\n      - ");
    let (transcript, listed) = checks(&peer, &expecting(&format!("\n      - {list}")));
    transcript.ends_with(1);
    insta::assert_snapshot!(listed);
}

#[test]
fn a_body_is_validated_against_a_schema() {
    let peer = Peer::answering(|_| PeerResponse::new(200).json(&json!({ "granted": 5 })));
    let schema = |kind: &str| json!({ "type": "object", "required": ["granted"], "properties": { "granted": { "type": kind } } });
    let folder = Folder::with_scenario(&expecting("{ schema: answer.json }"));
    let run = |folder: &Folder| Transcript::of(&mut folder.run(&["--target", &peer.url()]));
    let folder = folder.with("answer.json", schema("integer").to_string());
    run(&folder).ends_with(0);
    let folder = folder.with("answer.json", schema("string").to_string());
    run(&folder)
        .ends_with(1)
        .says(&["at `/granted`: 5 is not of type \"string\""]);
}

#[test]
fn attempts_and_outcome_reflect_retries() {
    let answering = |statuses: &'static [u16]| {
        let next = AtomicUsize::new(0);
        Peer::answering(move |_| {
            let next = next.fetch_add(1, Ordering::SeqCst);
            PeerResponse::new(statuses[next.min(statuses.len() - 1)])
        })
    };
    let assert_passing = |statuses, expectation: &str| {
        let (transcript, _) = checks(&answering(statuses), &expecting(expectation));
        transcript.ends_with(0);
    };
    assert_passing(
        &[503, 429, 204],
        "{ status: 204, attempts: 3, outcome: delivered }",
    );
    assert_passing(&[503], "{ status: 503, attempts: 5, outcome: exhausted }");
    assert_passing(
        &[503],
        "{ attempts: 2, outcome: exhausted }\n    retry: { attempts: 2 }",
    );
    assert_passing(
        &[503],
        "{ attempts: 1, outcome: exhausted }\n    retry: off",
    );
    assert_passing(&[403], "{ status: 403, attempts: 1, outcome: refused }");
    // A forgery is not retried unless the step has `retry`.
    assert_passing(&[503], "{ attempts: 1 }\n    forge: wrong_secret");
    assert_passing(
        &[503],
        "{ attempts: 5 }\n    forge: wrong_secret\n    retry: {}",
    );
    let (transcript, listed) = checks(&answering(&[503, 200]), &expecting("{ attempts: 1 }"));
    transcript.ends_with(1);
    assert!(
        listed.contains("failed  attempts\n    expected 1\n    observed 2"),
        "{listed}"
    );
}

/// The responses by delivery, the exit code and a text in the report.
type RedeliveryCase = (fn(usize) -> PeerResponse, i32, &'static str);

#[test]
fn same_response_compares_a_redelivery_with_the_first_delivery() {
    let answering = |answers: fn(usize) -> PeerResponse| {
        let next = AtomicUsize::new(0);
        Peer::answering(move |_| answers(next.fetch_add(1, Ordering::SeqCst)))
    };
    let scenario = expecting("{ same_response: true }\n    times: 2");
    let cases: [RedeliveryCase; 5] = [
        (
            |_| PeerResponse::new(200).json(&json!({ "a": 1, "b": 2 })),
            0,
            "1 passed",
        ),
        (
            |n| {
                PeerResponse::new(200).json(&if n == 0 {
                    json!({ "a": 1, "b": 2 })
                } else {
                    json!({ "b": 2.0, "a": 1 })
                })
            },
            0,
            "1 passed",
        ),
        (
            |n| PeerResponse::new(if n == 0 { 200 } else { 409 }),
            1,
            "status 409 instead of 200",
        ),
        (
            |n| PeerResponse::new(200).json(&json!({ "n": n })),
            1,
            "body {\"n\":1} instead of {\"n\":0}",
        ),
        (
            |n| {
                PeerResponse::new(200).header(
                    "Content-Type",
                    if n == 0 { "text/plain" } else { "text/html" },
                )
            },
            1,
            "content type text/html instead of text/plain",
        ),
    ];
    for (answers, code, said) in cases {
        let (transcript, _) = checks(&answering(answers), &scenario);
        transcript.ends_with(code).says(&[said]);
    }
}

#[test]
fn a_failing_should_is_a_warning_next_to_a_passing_must() {
    let peer = Peer::answering(|_| PeerResponse::new(400));
    let scenario = expecting("[{ status: 4xx }, { status: [401, 403], level: should }]");
    let (transcript, listed) = checks(&peer, &scenario);
    transcript.ends_with(0).says(&[
        "1 scenario: 0 passed, 1 warned",
        "2 checks: 1 passed, 1 warned",
    ]);
    assert!(listed.starts_with("passed  status"), "{listed}");
}

#[test]
fn granted_means_exactly_once() {
    let scenario = with_effect("granted: welcome");
    run(&granting(1), &scenario).ends_with(0);
    run(&granting(0), &scenario)
        .ends_with(1)
        .says(&["gems changed by 0 instead of 5"]);
    run(&granting(2), &scenario)
        .ends_with(1)
        .says(&["gems changed by 10 instead of 5 (2 times as much)"]);
    let twice = with_effect("{ granted: welcome, times: 2 }");
    run(&granting(2), &twice).ends_with(0);
    run(&granting(1), &twice)
        .ends_with(1)
        .says(&["gems changed by 5 instead of 10"]);
}

#[test]
fn not_granted_means_never() {
    let scenario = with_effect("not_granted: welcome");
    run(&granting(0), &scenario).ends_with(0);
    run(&granting(1), &scenario)
        .ends_with(1)
        .says(&["gems changed by 5 instead of 0"]);
}

#[test]
fn a_redelivery_must_not_grant_again() {
    let scenario = with_effect("granted: welcome")
        .replace("- deliver: welcome", "- deliver: welcome\n    times: 3");
    let idempotent = |key: &'static str| {
        let seen = Mutex::new(BTreeSet::new());
        Game::new(move |event, inventories| {
            if seen
                .lock()
                .expect("one at a time")
                .insert(event[key].to_string())
            {
                Game::grant_item(inventories, event);
            }
            PeerResponse::new(200)
        })
    };
    run(&idempotent("idempotency_key"), &scenario).ends_with(0);
    run(&granting(1), &scenario)
        .ends_with(1)
        .says(&["3 times as much"]);
}

#[test]
fn earlier_items_of_the_player_do_not_matter() {
    let game = Game::with_probe(
        |request, inventories| {
            Game::grant_item(inventories, &request.json());
            PeerResponse::new(200)
        },
        |quantity| {
            PeerResponse::new(200).json(&json!({ "quantity": (quantity + 100).to_string() }))
        },
    );
    run(&game, &with_effect("granted: welcome")).ends_with(0);
    run(
        &game,
        &with_effect("{ probe: quantity, of: welcome, after: 105 }"),
    )
    .ends_with(0);
}

/// A game whose probe returns these quantities in turn and then repeats the last. The first is read
/// before the delivery.
fn reading(quantities: &'static [i64]) -> Game {
    let reads = AtomicUsize::new(0);
    Game::with_probe(
        |_, _| PeerResponse::new(202),
        move |_| {
            let read = reads.fetch_add(1, Ordering::SeqCst);
            let quantity = quantities[read.min(quantities.len() - 1)];
            PeerResponse::new(200).json(&json!({ "quantity": quantity }))
        },
    )
}

/// The receiver responds first and grants later. An empty `settle` means the default.
#[test]
fn a_run_waits_for_late_grants() {
    let scenario = with_effect("granted: welcome");
    let late = || reading(&[0, 0, 0, 0, 5]);
    run_with(&late(), &scenario, "    settle:\n").ends_with(0);
    run_with(&late(), &scenario, "    settle: 0s\n")
        .ends_with(1)
        .says(&["gems changed by 0 instead of 5"]);
}

/// A game that grants, but whose probe fails at these readings, counted from 0.
fn failing_readings(readings: &'static [usize]) -> Game {
    let reads = AtomicUsize::new(0);
    Game::with_probe(
        |request, inventories| {
            Game::grant_item(inventories, &request.json());
            PeerResponse::new(200)
        },
        move |quantity| {
            if readings.contains(&reads.fetch_add(1, Ordering::SeqCst)) {
                return PeerResponse::new(503);
            }
            PeerResponse::new(200).json(&json!({ "quantity": quantity }))
        },
    )
}

/// The receiver restarts while its probe is read.
#[test]
fn a_run_waits_for_a_probe_that_recovers() {
    let scenario = with_effect("granted: welcome");
    run_with(&failing_readings(&[1, 2]), &scenario, "    settle:\n").ends_with(0);
    run_with(&failing_readings(&[1, 2]), &scenario, "    settle: 0s\n").ends_with(3);
    // The reading before the first step can't be repeated later, so the run waits for it only if
    // the profile sets `settle`.
    run_with(&failing_readings(&[0, 1]), &scenario, "    settle: 300ms\n").ends_with(0);
    run_with(&failing_readings(&[0, 1]), &scenario, "    settle:\n")
        .ends_with(3)
        .says(&["returned 503"]);
}

/// An explicit `settle` is waited out completely, since a second grant may come late.
#[test]
fn an_explicit_settle_catches_a_late_second_grant() {
    let scenario = with_effect("{ granted: welcome, settle: 200ms }");
    run(&reading(&[0, 5]), &scenario).ends_with(0);
    run(&reading(&[0, 5, 10]), &scenario)
        .ends_with(1)
        .says(&["2 times as much"]);
    let scenario = with_effect("{ not_granted: welcome, settle: 200ms }");
    run(&reading(&[0, 0, 5]), &scenario).ends_with(1);
}

#[test]
fn an_effect_can_be_checked_with_an_explicit_probe() {
    let with = |effect: &str| run(&granting(1), &with_effect(effect));
    with("{ probe: quantity, of: welcome, change: 5 }").ends_with(0);
    with("{ probe: quantity, of: welcome, change: 4 }")
        .ends_with(1)
        .says(&["0 before, 5 after"]);
    with("{ probe: quantity, of: welcome, after: 5 }").ends_with(0);
    with("{ probe: quantity, of: welcome, after: 0 }").ends_with(1);
    with("{ probe: quantity, of: welcome, sku: gold, change: 0 }").ends_with(0);
}

#[test]
fn a_probe_may_return_404_if_the_profile_sets_missing() {
    let game = Game::with_probe(|_, _| PeerResponse::new(200), |_| PeerResponse::new(404));
    let scenario = with_effect("not_granted: welcome");
    run(&game, &scenario)
        .ends_with(3)
        .says(&["check its URL, and add `missing: 0` only if"]);
    let config = game
        .config("")
        .replace("read: $.quantity", "read: $.quantity\n        missing: 0");
    let folder = Folder::with_scenario(&scenario).with("aghook.yaml", config);
    Transcript::of(&mut folder.run(&[])).ends_with(0);
}

/// Each command writes its ID and that of its child to `processes`.
#[cfg(unix)]
#[test]
fn a_command_that_times_out_leaves_no_process() {
    const BOTH: &str = "sleep 7781 & echo $! >>processes; echo $$ >>processes; wait";
    const BACKGROUND: &str = "sleep 7781 & echo $! >>processes; echo 1";
    for (script, message) in [
        (BOTH, "sh timed out after 1s"),
        (BACKGROUND, "still had its output open"),
    ] {
        let peer = Peer::answering(|_| PeerResponse::new(200));
        let config = format!(
            "profiles:\n  game:\n    target: {}\n    settle: 0s\n    probes:\n      quantity: {{ command: {}, \
             timeout: 1s }}\n",
            peer.url(),
            json!(["sh", "-c", script])
        );
        let folder =
            Folder::with_scenario(&with_effect("granted: welcome")).with("aghook.yaml", config);
        let transcript = Transcript::of(&mut folder.run(&[]));
        transcript.ends_with(3).says(&[message]);
        for process in folder.read("processes").lines() {
            wait_for_end(process);
        }
    }
}

#[cfg(unix)]
#[test]
fn ctrl_c_leaves_no_process_of_a_command() {
    for signal in ["-INT", "-TERM"] {
        let peer = Peer::answering(|_| PeerResponse::new(200));
        let script = "sleep 7781 & echo $! >>processes; echo $$ >>processes; echo >started; wait";
        let config = format!(
            "profiles:\n  game:\n    target: {}\n    probes:\n      quantity: {{ command: {}, timeout: 1h }}\n",
            peer.url(),
            json!(["sh", "-c", script])
        );
        let folder =
            Folder::with_scenario(&with_effect("granted: welcome")).with("aghook.yaml", config);
        let mut run = std::process::Command::new(assert_cmd::cargo::cargo_bin("aghook"))
            .args(["run", "scenario.yaml"])
            .current_dir(folder.root())
            .env("AGHOOK_SECRET", "whsec_x")
            .stdout(std::process::Stdio::null())
            .stderr(std::process::Stdio::null())
            .spawn()
            .expect("started");
        while !folder.path("started").exists() {
            std::thread::yield_now();
        }
        let send = || {
            let id = run.id().to_string();
            let sent = std::process::Command::new("kill")
                .args([signal, &id])
                .status();
            assert!(sent.expect("kill").success());
        };
        send();
        send();
        run.wait().expect("ends");
        for process in folder.read("processes").lines() {
            wait_for_end(process);
        }
    }
}

/// Waits until a process has ended. The test's own time limit ends a wait in vain.
#[cfg(unix)]
fn wait_for_end(process: &str) {
    let is_running = || {
        let state = std::process::Command::new("ps")
            .args(["-o", "stat=", "-p", process])
            .output();
        let state = state.expect("ps").stdout;
        !state.is_empty() && !state.starts_with(b"Z")
    };
    while is_running() {
        std::thread::yield_now();
    }
}

/// The receiver keeps the quantity in a file, and a command prints it.
#[test]
fn a_command_can_be_a_probe() {
    let folder = Folder::with_scenario(&with_effect("granted: welcome")).with("gems", "2");
    let file = folder.path("gems");
    let (kept, shown) = (file.clone(), file.to_str().expect("UTF-8"));
    let peer = Peer::answering(move |request| {
        let quantity = request.json()["event_data"]["item"]["quantity"]
            .as_i64()
            .expect("a number");
        fs::write(&kept, format!("{}\n", quantity + 2)).expect("written");
        PeerResponse::new(200)
    });
    let config = |command: &[&str]| {
        format!(
            "profiles:\n  game:\n    target: {}\n    settle: 0s\n    probes:\n      quantity: {{ command: {} }}\n",
            peer.url(),
            json!(command)
        )
    };
    let print: &[&str] = if cfg!(windows) {
        &["cmd", "/c", "type"]
    } else {
        &["cat"]
    };
    let folder = folder.with("aghook.yaml", config(&[print, &[shown]].concat()));
    Transcript::of(&mut folder.run(&[])).ends_with(0);

    let text: &[&str] = if cfg!(windows) {
        &["cmd", "/c", "echo"]
    } else {
        &["echo"]
    };
    for (command, said) in [
        (
            [text, &["{sku}"]].concat(),
            "did not print a whole number: \"gems\"",
        ),
        (vec!["aghook-has-no-such-program"], "failed to run"),
        (
            [print, &["aghook-has-no-such-file"]].concat(),
            "failed with",
        ),
    ] {
        let folder = Folder::with_scenario(&with_effect("granted: welcome"))
            .with("aghook.yaml", config(&command));
        Transcript::of(&mut folder.run(&[]))
            .ends_with(3)
            .says(&[said]);
    }
}

/// The receiver responds only after all requests have arrived, so a sender that waits for a
/// response before its next request would never get one.
#[test]
fn together_means_simultaneously() {
    let all = Barrier::new(8);
    let peer = Peer::answering(move |_| {
        all.wait();
        PeerResponse::new(200)
    });
    let scenario = expecting("{ status: 200, attempts: 1 }\n    times: 8\n    together: true");
    let (transcript, listed) = checks(&peer, &scenario);
    transcript.ends_with(0);
    assert_eq!(listed.matches("passed  status").count(), 8, "{listed}");
}

#[test]
fn a_shuffled_order_depends_on_the_seed() {
    let order = |seed: &str| {
        let seen = Arc::new(Mutex::new(Vec::new()));
        let recorded = Arc::clone(&seen);
        let peer = Peer::answering(move |request| {
            let code = request.json()["event_data"]["coupon"]["code"].to_string();
            recorded.lock().expect("one at a time").push(code);
            PeerResponse::new(200)
        });
        let events = ["a", "b", "c", "d", "e", "f"];
        let specs = events.map(|name| format!("  {name}: {{ coupon: {{ code: {name} }} }}\n"));
        let scenario = format!(
            "name: x\nevents:\n{}steps:\n  - deliver: [{}]\n    shuffle: true\n    expect: {{ status: 200 }}\n",
            specs.concat(),
            events.join(", ")
        );
        let folder = Folder::with_scenario(&scenario);
        Transcript::of(&mut folder.run(&["--seed", seed, "--target", &peer.url()])).ends_with(0);
        let seen = seen.lock().expect("one at a time");
        assert_eq!(seen.iter().collect::<BTreeSet<_>>().len(), events.len());
        seen.clone()
    };
    assert_eq!(order("1"), order("1"));
    assert_ne!(order("1"), order("2"));
}

#[test]
fn other_requests_can_be_sent() {
    let seen = Arc::new(Mutex::new(None));
    let recorded = Arc::clone(&seen);
    let peer = Peer::answering(move |request| {
        if request.method == "PUT" {
            *recorded.lock().expect("one at a time") = Some(request.clone());
            return PeerResponse::new(201);
        }
        PeerResponse::new(200)
    });
    let scenario = "name: x
events: { welcome: { player_id: a/b, item: { sku: gems } } }
steps:
  - request:
      method: PUT
      url: /players/{player_id}/{sku}?x=1
      of: welcome
      headers: { X-Reset: \"yes\" }
      body: { gems: 0 }
    expect: { status: 201 }
  - request: { url: /health }
    expect: { status: 201 }
";
    let (transcript, listed) = checks(&peer, scenario);
    transcript.ends_with(1);
    assert!(
        listed.contains("failed  status\n    expected 201\n    observed 200"),
        "{listed}"
    );
    let seen = seen
        .lock()
        .expect("one at a time")
        .take()
        .expect("a request");
    assert_eq!(seen.path, "/players/a%2Fb/gems?x=1");
    assert_eq!(seen.header("X-Reset"), Some("yes"));
    assert_eq!(seen.header("X-Aghanim-Signature"), None);
    assert_eq!(seen.json(), json!({ "gems": 0 }));
}

#[test]
fn a_pause_takes_no_real_time() {
    let peer = Peer::answering(|_| PeerResponse::new(200));
    let scenario = expecting("{ status: 200 }").replace("steps:\n", "steps:\n  - pause: 30d\n");
    checks(&peer, &scenario).0.ends_with(0);
}

#[test]
fn every_case_of_a_matrix_has_its_own_verdict() {
    let peer = Peer::answering(|request| {
        let quantity = request.json()["event_data"]["item"]["quantity"].as_i64();
        PeerResponse::new(if quantity == Some(2) { 500 } else { 200 })
    });
    let scenario = "name: x\nmatrix: { n: [1, 2, 3] }\nevents: { a: { item: { quantity: \"${n}\" } } }\n\
                    steps:\n  - deliver: a\n    retry: off\n    expect: { status: 200 }\n";
    let (transcript, _) = checks(&peer, scenario);
    transcript
        .ends_with(1)
        .says(&["3 scenarios: 2 passed, 1 failed", "failed: x [n=2]"]);
}

/// Sound receivers must not be blamed for their choices.
mod false_alarms {
    use super::*;

    fn item(spec: &str) -> String {
        with_effect("granted: welcome").replace("{ sku: gems, quantity: 5 }", spec)
    }

    /// A game that grants these quantities for every event.
    fn granting_these(grants: &'static [(&'static str, i64)]) -> Game {
        Game::new(move |event, inventories: &mut Inventories| {
            for (sku, quantity) in grants {
                Game::grant(inventories, event, sku, *quantity);
            }
            PeerResponse::new(200)
        })
    }

    #[test]
    fn any_2xx_is_success() {
        for status in [200, 201, 202, 204, 299] {
            let game = Game::new(move |event, inventories| {
                Game::grant_item(inventories, event);
                PeerResponse::new(status)
            });
            let expected =
                "- deliver: welcome\n    expect: { status: 2xx, outcome: delivered, attempts: 1 }";
            let scenario = with_effect("granted: welcome").replace("- deliver: welcome", expected);
            run(&game, &scenario).ends_with(0);
        }
    }

    #[test]
    fn a_bundle_is_granted_by_its_own_sku_or_by_its_contents() {
        let bundle = item(
            "{ sku: chest, quantity: 1, bundle: [{ sku: gems, quantity: 3 }, { sku: gold, quantity: 2 }] }",
        );
        let nested = granting_these(&[("gems", 3), ("gold", 2)]);
        let own = granting_these(&[("chest", 1)]);
        for policy in ["", "    policy: { bundles: nested }\n"] {
            run_with(&nested, &bundle, policy).ends_with(0);
        }
        for policy in ["", "    policy: { bundles: sku }\n"] {
            run_with(&own, &bundle, policy).ends_with(0);
        }
        run_with(&nested, &bundle, "    policy: { bundles: sku }\n").ends_with(1);
        run_with(&own, &bundle, "    policy: { bundles: nested }\n").ends_with(1);
        run(
            &granting_these(&[("chest", 1), ("gems", 3), ("gold", 2)]),
            &bundle,
        )
        .ends_with(1);
        run(&granting_these(&[("gems", 3)]), &bundle)
            .ends_with(1)
            .says(&["gold changed by 0 instead of 2"]);
    }

    #[test]
    fn a_fallback_is_granted_instead_of_the_item() {
        let scenario = item("{ sku: hat, quantity: 1, fallback: { sku: gems, quantity: 9 } }");
        run(&granting_these(&[("hat", 1)]), &scenario).ends_with(0);
        run(&granting_these(&[("gems", 9)]), &scenario).ends_with(0);
        run(&granting_these(&[("hat", 1), ("gems", 9)]), &scenario).ends_with(1);
        run(&granting_these(&[]), &scenario).ends_with(1);
    }

    #[test]
    fn a_sandbox_or_test_event_is_granted_or_not() {
        for key in ["sandbox: true", "trigger: test"] {
            let scenario =
                with_effect("granted: welcome").replace("{ item:", &format!("{{ {key}, item:"));
            run(&granting(1), &scenario).ends_with(0);
            run(&granting(0), &scenario).ends_with(0);
            run(&granting(2), &scenario).ends_with(1);
            let ignoring = "    policy: { sandbox: ignore, test: ignore }\n";
            run_with(&granting(1), &scenario, ignoring).ends_with(1);
            let granted = "    policy: { sandbox: grant, test: grant }\n";
            run_with(&granting(0), &scenario, granted).ends_with(1);
        }
    }

    #[test]
    fn events_of_one_player_add_up() {
        let scenario = "name: x
events:
  first: { item: { sku: gems, quantity: 5 } }
  second: { player_id: { same_as: first }, item: { sku: gems, quantity: 7 } }
  forged: { player_id: { same_as: first }, item: { sku: gems, quantity: 11 } }
steps:
  - deliver: [first, second]
    together: true
  - deliver: forged
    forge: wrong_secret
effects:
  - granted: first
  - granted: second
  - not_granted: forged
";
        let below = |limit: i64| {
            Game::new(move |event, inventories| {
                if event["event_data"]["item"]["quantity"].as_i64() < Some(limit) {
                    Game::grant_item(inventories, event);
                }
                PeerResponse::new(200)
            })
        };
        run(&below(10), scenario).ends_with(0);
        run(&below(20), scenario)
            .ends_with(1)
            .says(&["gems changed by 23 instead of 12"]);
        run(&below(6), scenario)
            .ends_with(1)
            .says(&["gems changed by 5 instead of 12"]);
    }
}
