//! A correct set-up, and a receiver with a bug in one: `doctor` tells them from a wrong set-up.

use std::io::{Read as _, Write as _};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use crate::mistake::{GameServer, SetUp};
use crate::support::{Folder, Game, Peer, PeerResponse, Transcript};

#[test]
fn a_correct_set_up_works() {
    let game = GameServer::new();
    SetUp::new(&game.profile()).works(&["the set-up works", "grant: ", "0 → "]);
}

#[test]
fn a_bug_of_the_receiver_is_not_a_mistake_in_the_set_up() {
    let game = Game::new(|event, inventories| {
        Game::grant_item(inventories, event);
        PeerResponse::new(200)
    });
    let folder = Folder::new().with("aghook.yaml", game.config(""));
    Transcript::of(&mut folder.aghook(&["doctor"]))
        .ends_with(1)
        .says(&[
            "✗ forgery: expected 4xx, observed 200",
            "✗ grant: ",
            "the set-up works, and the receiver has a bug",
        ]);
}

#[test]
fn a_body_that_is_decoded_before_it_is_verified_is_a_bug() {
    let peer = Peer::answering(|request| {
        let is_refused = request.method == "POST" && !request.body.is_ascii();
        PeerResponse::new(if is_refused { 403 } else { 200 })
    });
    let set_up = SetUp::new(&format!("target: {}\n", peer.url()));
    set_up.aghook(&["doctor"]).ends_with(1).says(&[
        "✗ genuine delivery: accepts ASCII, refuses other characters (403): the body is decoded",
        "→ verify the signature over the raw bytes",
        "the set-up works, and the receiver has a bug",
    ]);
}

#[test]
fn a_probe_that_finds_nothing_before_the_grant_works() {
    let is_granted = AtomicBool::new(false);
    let peer = Peer::answering(move |request| {
        if request.method == "POST" {
            is_granted.store(true, Ordering::Relaxed);
            return PeerResponse::new(200);
        }
        if is_granted.load(Ordering::Relaxed) {
            PeerResponse::new(200).body("7")
        } else {
            PeerResponse::new(404)
        }
    });
    let profile = format!(
        "target: {0}\nsettle: 0s\nprobes: {{ quantity: {{ http: 'GET {0}/{{player_id}}/{{sku}}', read: $, \
         missing: 0 }} }}\n",
        peer.url()
    );
    SetUp::new(&profile)
        .aghook(&["doctor"])
        .says(&["✓ probe `quantity`: nothing found before the grant, 7 after it"])
        .does_not_say(&["has never returned a value"]);
}

#[test]
fn a_start_time_that_was_used_before() {
    let game = GameServer::new();
    let folder = SetUp::new(&game.profile());
    let again = ["run", "suite", "--start-time", "1763889831"];
    folder.aghook(&again).ends_with(0);
    let words = "their idempotency keys were";
    folder
        .aghook(&again)
        .ends_with(3)
        .says(&[words, "leave out `--start-time`"]);
}

/// `json.dumps(json.loads(body))` in Python has spaces and escapes, so a compact body is never the same.
#[test]
fn a_verification_of_json_that_is_written_anew_is_a_bug() {
    let peer = Peer::answering(|request| {
        let body = String::from_utf8_lossy(&request.body);
        let is_same = body.contains("\": ") && body.contains(", \"") && !body.contains('\n');
        let is_refused = request.method == "POST" && !(is_same && body.is_ascii());
        PeerResponse::new(if is_refused { 403 } else { 200 })
    });
    let set_up = SetUp::new(&format!("target: {}\n", peer.url()));
    set_up.aghook(&["doctor"]).ends_with(1).says(&[
        "✗ genuine delivery: the receiver accepts the event if its JSON has a space after `:` and `,` \
         (403 otherwise): it verifies re-serialized JSON",
        "→ verify the signature over the raw bytes",
        "the set-up works, and the receiver has a bug",
    ]);
    set_up.is_named_by_run(3, "`aghook doctor` tries what the receiver accepts");
}

/// `JSON.stringify(JSON.parse(body))` in JavaScript is compact, as the events usually are.
#[test]
fn a_verification_of_json_that_is_written_anew_as_it_came_is_a_bug() {
    let peer = Peer::answering(|request| {
        let body = String::from_utf8_lossy(&request.body);
        PeerResponse::new(if body.contains("\": ") { 403 } else { 200 })
    });
    for (layout, words) in [
        ("", "JSON with a space after `:` and `,` is refused (403)"),
        ("layout: escaped\n", "JSON with a space after"),
    ] {
        let set_up = SetUp::new(&format!("target: {}\n{layout}", peer.url()));
        set_up.aghook(&["doctor"]).ends_with(1).says(&[
            &format!("✗ JSON layout: {words}"),
            "the receiver verifies re-serialized JSON",
            "→ verify the signature over the raw bytes",
            "the set-up works, and the receiver has a bug",
        ]);
    }
}

/// A server that responds with 404 to a GET request for one of these paths, and otherwise closes the
/// connection, as some servers do when a handler throws an exception.
fn closing_except(paths: &'static [&'static str]) -> Peer {
    Peer::raw(move |mut stream, _| {
        let (mut head, mut byte) = (String::new(), [0]);
        while !head.ends_with("\r\n\r\n") && stream.read_exact(&mut byte).is_ok() {
            head.push(char::from(byte[0]));
        }
        let path = head
            .strip_prefix("GET ")
            .and_then(|rest| rest.split(' ').next());
        if path.is_some_and(|path| paths.contains(&path)) {
            let _ = stream.write_all(b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n");
        }
    })
}

#[test]
fn a_handler_that_fails_for_every_delivery_is_a_bug() {
    let peers = [
        closing_except(&["/hook"]),
        closing_except(&["/"]),
        Peer::answering(|request| {
            PeerResponse::new(if request.method == "POST" { 500 } else { 404 })
        }),
    ];
    for peer in peers {
        let set_up = SetUp::new(&format!("target: {}\n", peer.url()));
        set_up.aghook(&["doctor"]).ends_with(1).says(&[
            "✗ genuine delivery: ",
            "the handler fails",
            "in the receiver's log",
            "the set-up works, and the receiver has a bug",
        ]);
    }
}

#[test]
fn a_port_that_does_not_speak_http_is_a_mistake_in_the_set_up() {
    let set_up = SetUp::new(&format!("target: {}\n", closing_except(&[]).url()));
    set_up.is_named_by_doctor(3, "responds to no HTTP request", "target");
}

#[test]
fn a_handler_that_never_responds_is_waited_for_once() {
    let deliveries = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&deliveries);
    let peer = Peer::answering(move |request| {
        if request.method == "POST" {
            counted.fetch_add(1, Ordering::Relaxed);
            loop {
                std::thread::park();
            }
        }
        PeerResponse::new(404)
    });
    let set_up = SetUp::new(&format!("target: {}\n", peer.url()));
    set_up.aghook(&["doctor"]).ends_with(1).says(&[
        "✗ genuine delivery: there was no response within 4s",
        "the handler fails",
    ]);
    assert_eq!(deliveries.load(Ordering::Relaxed), 1);
}
