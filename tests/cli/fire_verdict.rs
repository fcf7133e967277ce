//! `aghook fire` prints the result of a delivery and what to do next.

use std::sync::atomic::{AtomicU16, AtomicU64, AtomicUsize, Ordering};

use crate::support::{Folder, Game, Peer, PeerResponse, Transcript};

/// Fires at a receiver that responds with the statuses that `status` returns.
fn fired(status: impl Fn() -> u16 + Send + Sync + 'static, arguments: &[&str]) -> Transcript {
    let peer = Peer::answering(move |_| PeerResponse::new(status()));
    let url = peer.url();
    let folder = Folder::new();
    let words = [&["fire", "--target", &url], arguments].concat();
    Transcript::of(&mut folder.aghook(&words))
}

#[test]
fn a_genuine_event_is_accepted_or_there_is_a_hint() {
    fired(|| 204, &[])
        .ends_with(0)
        .says(&["\n✓ accepted: 204\n"]);
    fired(|| 403, &[]).ends_with(1).says(&[
        "\n✗ refused: 403\n  → check that the receiver has the secret in AGHOOK_SECRET; if it has, log",
        "`aghook verify BODY --timestamp SECONDS --signature HEX`",
    ]);
    fired(|| 404, &[]).ends_with(3).says(&[
        "\n‼ no handler at this path (404)\n  → check the path in the profile's `target`\n",
    ]);
    fired(|| 500, &["--no-retry"])
        .ends_with(1)
        .says(&["\n✗ failed: 500\n  → look for the reason in the receiver's log\n"]);
}

#[test]
fn a_forgery_that_is_not_refused_is_reported() {
    let forge = ["--forge", "tampered_body"];
    fired(|| 403, &forge)
        .ends_with(0)
        .says(&["\n✓ forgery refused as expected: 403 for tampered_body\n"]);
    fired(|| 200, &forge)
        .ends_with(1)
        .says(&["\n✗ forgery accepted: 200 for tampered_body\n  → anyone who knows the URL"]);
    fired(|| 500, &forge)
        .ends_with(1)
        .says(&["\n✗ forgery not refused: 500 for tampered_body does not reject the signature\n"]);
}

#[test]
fn a_timeout_is_reported() {
    // This receiver never responds, so only the profile's timeout ends the attempt.
    let peer = Peer::raw(|mut stream, _| {
        let _ = std::io::copy(&mut stream, &mut std::io::sink());
    });
    let config = "profiles: { local: { retry: { timeout: 50ms } } }\n";
    let folder = Folder::new().with("aghook.yaml", config);
    let words = ["fire", "--no-retry", "--target", &peer.url()];
    Transcript::of(&mut folder.aghook(&words))
        .ends_with(1)
        .says(&["\n✗ timed out: there was no response within 50ms\n"]);
}

#[test]
fn the_request_is_shown_once_for_all_attempts() {
    let turns = AtomicU16::new(0);
    let printed = fired(
        move || match turns.fetch_add(1, Ordering::Relaxed) {
            0 | 1 => 503,
            _ => 200,
        },
        &["--verbose"],
    );
    let printed = printed
        .ends_with(0)
        .says(&["\n✓ accepted: 200, after 3 attempts\n"]);
    let text = printed.stdout;
    assert_eq!(text.matches("→ POST ").count(), 1, "{text}");
    assert_eq!(text.matches("\"event_type\"").count(), 1, "{text}");
    assert_eq!(text.matches("→ same request").count(), 2, "{text}");
    assert_eq!(text.matches("← 503").count(), 2, "{text}");
}

#[test]
fn the_result_is_on_the_first_screen() {
    let turns = AtomicU16::new(0);
    let responds = move || match turns.fetch_add(1, Ordering::Relaxed) {
        0 | 1 => 503,
        _ => 200,
    };
    let printed = fired(responds, &["--bundle", "--fallback"]).ends_with(0);
    let lines: Vec<&str> = printed.stdout.lines().collect();
    assert!(lines.len() <= 12, "{}", printed.stdout);
    printed
        .says(&[
            " (bundle), or else ",
            ", idempotency_key idmpt_",
            "\n← 503 after ",
            "\n→ attempt 2 at +",
            " s of virtual time\n← 503 after ",
            "\n✓ accepted: 200, after 3 attempts\n",
        ])
        .does_not_say(&["X-Aghanim-Signature"]);
    let page = format!("<html>{}</html>", "<p>text</p>\n".repeat(200));
    let peer = Peer::answering(move |_| PeerResponse::new(500).body(page.clone()));
    let words = ["fire", "--no-retry", "--target", &peer.url()];
    let printed = Transcript::of(&mut Folder::new().aghook(&words)).ends_with(1);
    let lines = printed.stdout.lines().count();
    assert!(lines <= 12, "{}", printed.stdout);
}

/// The hint works as it is copied, in the folder where it was printed and with the options that were
/// given.
#[test]
fn the_hint_to_verify_names_the_secret() {
    let peer = Peer::answering(|_| PeerResponse::new(403));
    let config = format!(
        "profiles: {{ local: {{ target: \"{}\", secret_env: WEBHOOK_KEY }} }}\n",
        peer.url()
    );
    let folder = Folder::new()
        .with("aghook.yaml", config)
        .with("body.bin", "{}")
        .with("secret.txt", "whsec_of_a_file");
    let fire = |arguments: &[&str]| {
        let mut command = folder.aghook(&[&["fire", "--no-retry"], arguments].concat());
        Transcript::of(command.env("WEBHOOK_KEY", "whsec_of_a_variable"))
    };
    fire(&[]).says(&["--timestamp SECONDS --signature HEX --secret-env WEBHOOK_KEY` to find"]);
    fire(&["--secret-file", "secret.txt"]).says(&["--signature HEX --secret-file secret.txt`"]);
    fire(&["--secret-env", "AGHOOK_SECRET"]).says(&["--signature HEX` to find"]);
    let words = ["sign", "body.bin", "--as", "signature", "--timestamp", "5"];
    let mut sign = folder.aghook(&words);
    let signed = Transcript::of(sign.env("WEBHOOK_KEY", "whsec_of_a_variable")).ends_with(0);
    let words = ["verify", "body.bin", "--timestamp", "5", "--signature"];
    let verify = [&words[..], &[signed.stdout.trim()]].concat();
    let mut verify = folder.aghook(&verify);
    let verified = verify.env("WEBHOOK_KEY", "whsec_of_a_variable");
    Transcript::of(verified).ends_with(0);
}

#[test]
fn a_probe_that_finds_nothing_is_not_taken_for_a_receiver_that_grants_nothing() {
    let peer = Peer::answering(|request| {
        let status = if request.method == "GET" { 404 } else { 200 };
        PeerResponse::new(status).body("no such route")
    });
    let (url, address) = (peer.url(), peer.address);
    let config = format!(
        "profiles: {{ local: {{ settle: 0s, target: \"{url}\", probes: {{ quantity: {{ missing: 0, \
         http: 'GET http://{address}/{{player_id}}/{{sku}}', read: $.quantity }} }} }} }}\n"
    );
    let folder = Folder::new().with("aghook.yaml", config);
    let options = ["fire", "--player", "P1", "--sku", "gold"];
    Transcript::of(&mut folder.aghook(&options))
        .ends_with(3)
        .says(&[
            "  gold 0 → 0\n  ‼ probe `quantity` has never returned a value: GET http://",
            "/P1/gold returned 404 (no such route); check the probe's URL",
        ]);
}

/// Fires at a receiver that grants `granted` for each delivery, `later` deliveries of its probe
/// after it.
fn fired_with_probe(granted: u64, later: usize, arguments: &[&str]) -> Transcript {
    let (held, reads) = (AtomicU64::new(0), AtomicUsize::new(0));
    let peer = Peer::answering(move |request| {
        if request.method == "GET" {
            let is_late = reads.fetch_add(1, Ordering::Relaxed) <= later;
            let held = if is_late {
                0
            } else {
                held.load(Ordering::Relaxed)
            };
            return PeerResponse::new(200).json(&serde_json::json!({ "quantity": held }));
        }
        held.fetch_add(granted, Ordering::Relaxed);
        PeerResponse::new(200)
    });
    let (url, address) = (peer.url(), peer.address);
    let probe = format!("http: 'GET http://{address}/{{player_id}}/{{sku}}', read: $.quantity");
    let config = format!(
        "profiles: {{ local: {{ settle: 1s, target: \"{url}\", probes: {{ quantity: {{ {probe} }} }} }} }}\n"
    );
    let folder = Folder::new().with("aghook.yaml", config);
    Transcript::of(&mut folder.aghook(&[&["fire"], arguments].concat()))
}

#[test]
fn the_held_quantities_are_shown() {
    let options = ["--player", "P1", "--sku", "gold", "--quantity", "5"];
    fired_with_probe(5, 0, &options).ends_with(0).says(&[
        "coupon.redeemed for P1: 5 gold\n  event_id whevt_",
        "\n✓ accepted: 200\n  gold 0 → 5\n--verbose shows",
    ]);
    fired_with_probe(5, 3, &options)
        .ends_with(0)
        .says(&["\n  gold 0 → 5\n"]);
    fired_with_probe(0, 0, &options)
        .ends_with(0)
        .says(&["\n  gold 0 → 0\n"]);
    let twice = [&options[..], &["--times", "2"]].concat();
    fired_with_probe(5, 0, &twice)
        .ends_with(0)
        .says(&["\n  gold 0 → 10\n"])
        .does_not_say(&["gold 0 → 5"]);
}

#[test]
fn a_probe_that_fails_leaves_it_undecided() {
    let peer = Peer::answering(|request| {
        PeerResponse::new(if request.method == "GET" { 500 } else { 200 })
    });
    let probe = format!("http: 'GET {}/{{player_id}}', read: $", peer.url());
    let config = format!(
        "profiles: {{ local: {{ target: \"{}\", probes: {{ quantity: {{ {probe} }} }} }} }}\n",
        peer.url()
    );
    let folder = Folder::new().with("aghook.yaml", config);
    Transcript::of(&mut folder.aghook(&["fire"]))
        .ends_with(3)
        .says(&[
            "✓ accepted: 200",
            "quantities not read: probe `quantity` failed: ",
        ]);
}

#[test]
fn it_says_why_quantities_are_not_read() {
    fired(|| 204, &[])
        .ends_with(0)
        .says(&["\n  quantities not read: the profile has no probe `quantity`\n"]);
    fired_with_probe(5, 0, &["--unset", "/event_data/item"])
        .says(&["\n  quantities not read: the body is not a valid event\n"]);
}

#[test]
fn several_deliveries_have_a_summary() {
    let turns = AtomicU16::new(0);
    fired(
        move || match turns.fetch_add(1, Ordering::Relaxed) {
            0 => 200,
            _ => 409,
        },
        &["--times", "3"],
    )
    .ends_with(1)
    .says(&["3 responses: 1 as expected, 2 unexpected; grants are not checked\n"]);
}

/// `--target` is enough, so no profile is used.
#[test]
fn without_a_default_profile_a_target_is_enough() {
    let peer = Peer::answering(|_| PeerResponse::new(200));
    let config = "profiles: { local: {}, staging: {} }\n";
    let folder = Folder::new().with("aghook.yaml", config);
    let url = peer.url();
    let words = ["fire", "--target", &url];
    Transcript::of(&mut folder.aghook(&words))
        .ends_with(0)
        .says(&[
            "note: no profile is used",
            "choose one with `--profile NAME`: local, staging",
        ]);
    // An explicit config file must be usable.
    let asked_for = [&words[..], &["--config", "aghook.yaml"]].concat();
    for words in [&asked_for[..], &["fire"]] {
        Transcript::of(&mut folder.aghook(words))
            .ends_with(2)
            .says(&["several profiles, and none is named `default`"]);
    }
}

#[test]
fn an_invalid_listen_address_is_explained() {
    Transcript::of(&mut Folder::new().aghook(&["receive", "--listen", "game.example:80"]))
        .ends_with(2)
        .says(&["such as `127.0.0.1:8090`, `localhost:8090` or `[::1]:8090`"]);
}

#[test]
fn verify_without_headers_explains_both_options() {
    for (arguments, missing) in [
        (
            &["verify"][..],
            "the signature and the timestamp are missing",
        ),
        (&["verify", "--timestamp", "1"], "the signature is missing"),
        (&["verify", "--signature", "00"], "the timestamp is missing"),
    ] {
        Transcript::of(&mut Folder::new().aghook(arguments))
            .ends_with(2)
            .says(&[
                missing,
                "--signature HEX --timestamp SECONDS`, or `--headers FILE`",
            ]);
    }
}

/// A game that grants the contents of a bundle, all of them or all but one.
fn granting_parts(skipped: usize) -> Game {
    Game::new(move |event, inventories| {
        let parts = event["event_data"]["item"]["nested_items"].as_array();
        for part in parts.into_iter().flatten().skip(skipped) {
            let times = part["quantity"].as_i64().unwrap_or_default();
            let inner = part["nested_items"].as_array().into_iter().flatten();
            let inner: Vec<_> = inner.map(|item| (item, times)).collect();
            for (item, times) in if inner.is_empty() {
                vec![(part, 1)]
            } else {
                inner
            } {
                let sku = item["sku"].as_str().unwrap_or_default();
                let quantity = item["quantity"].as_i64().unwrap_or_default() * times;
                Game::grant(inventories, event, sku, quantity);
            }
        }
        PeerResponse::new(200)
    })
}

#[test]
fn the_contents_of_a_bundle_are_checked() {
    let fired = |skipped| {
        let game = granting_parts(skipped);
        let folder = Folder::new().with("aghook.yaml", game.config(""));
        Transcript::of(&mut folder.aghook(&["fire", "--bundle", "--fallback", "--seed", "1"]))
    };
    fired(0).ends_with(0).says(&[
        "\n✓ contents: ",
        ", or else ",
        "; the item was granted as expected; its fallback was not needed, so it was not tested\n",
    ]);
    fired(1)
        .ends_with(1)
        .says(&[
            "\n✗ contents: ",
            " changed by 0 instead of ",
            "\n  → grant every item of a bundle or none: walk `nested_items` recursively",
            "`policy: { bundles: sku }`",
        ])
        .does_not_say(&["granted as expected", ", not 0 or "]);
}

/// It may be a bug or the game's choice, and only the profile says which.
#[test]
fn a_bundle_in_a_bundle_that_is_not_opened_is_pointed_out() {
    let game = Game::new(|event, inventories| {
        let parts = event["event_data"]["item"]["nested_items"].as_array();
        for part in parts.into_iter().flatten() {
            let sku = part["sku"].as_str().unwrap_or_default();
            let quantity = part["quantity"].as_i64().unwrap_or_default();
            Game::grant(inventories, event, sku, quantity);
        }
        PeerResponse::new(200)
    });
    let fired = |policy| {
        let folder = Folder::new().with("aghook.yaml", game.config(policy));
        Transcript::of(&mut folder.aghook(&["fire", "--bundle", "--seed", "1"])).ends_with(0)
    };
    fired("")
        .says(&[
            "! contents: ",
            "granted by the SKU of a bundle that was not opened",
        ])
        .does_not_say(&["granted as expected"]);
    fired("    policy: { bundles: parts }\n").says(&["✓ contents: ", "; granted as expected"]);
}
