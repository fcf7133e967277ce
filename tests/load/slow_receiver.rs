//! Receivers that are too slow for a load: it ends, and says what never left.

use std::time::{Duration, Instant};

use super::*;

#[test]
fn a_load_against_a_hung_receiver_ends_and_reports_what_never_left() {
    let peer = Peer::raw(|stream, _| {
        std::thread::sleep(Duration::from_mins(10));
        drop(stream);
    });
    let url = peer.url();
    let config = format!(
        "profiles:\n  x:\n    target: {url}\n    retry: {{ attempts: 1, timeout: 200ms }}\n"
    );
    let folder = Folder::new().with("aghook.yaml", config);
    let began = Instant::now();
    let words = "load --rate 2000 --count 4000 --connections 5 --drain 200ms --report json=load.json \
                 --report terminal --skip-setup-check";
    let words: Vec<&str> = words.split(' ').collect();
    Transcript::of(&mut folder.aghook(&words))
        .ends_with(1)
        .says(&[
            "events that were due, because all connections were busy",
            "✗ unsent = 0",
            "the receiver handled only",
            "of the 2000.0/s that were asked for, over 5 connections",
        ])
        .does_not_say(&["this machine is too busy"]);
    // Sending all of them would take 160 s.
    assert!(began.elapsed() < Duration::from_secs(100));
    let report: Value = serde_json::from_str(&folder.read("load.json")).expect("JSON");
    let counts = counts(&report);
    assert_eq!(number(counts, "events") + number(counts, "unsent"), 4000);
    assert_eq!(number(counts, "events"), number(counts, "timeouts"));
}

#[test]
fn a_probe_that_can_not_be_read_is_not_read_for_every_event() {
    let peer = Peer::answering(|request| match request.method.as_str() {
        "GET" => PeerResponse::new(503),
        _ => PeerResponse::new(200),
    });
    let url = peer.url();
    let config = format!(
        "profiles:\n  x:\n    target: {url}\n    probes:\n      quantity:\n        http: \
         GET {url}/{{player_id}}/{{sku}}\n        read: $.quantity\n"
    );
    let folder = Folder::new().with("aghook.yaml", config);
    let words = "load --rate max --count 500 --check-effects all --report json=load.json \
                 --skip-setup-check";
    let words: Vec<&str> = words.split(' ').collect();
    Transcript::of(&mut folder.aghook(&words)).ends_with(3);
    let report: Value = serde_json::from_str(&folder.read("load.json")).expect("JSON");
    let effects = &report["effects"];
    assert_eq!(effects["undecided"], effects["checked"]);
    assert!(number(effects, "checked") < 200, "{effects}");
}
