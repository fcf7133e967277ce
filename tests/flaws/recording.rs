//! Once.

use std::fmt::Write as _;

use aghook::receiver::Flaw;
use http::Method;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::peer::{NOW, PLAYER, Pair, Peer, QUANTITY, SKU, body_of, event, event_of, pair, signed};

const TWICE: &str = "960000";

/// Delivers these events one after the other; all are answered 200. What the player then holds.
async fn held_after(peer: Peer, events: &[&Value]) -> String {
    for event in events {
        assert_eq!(peer.deliver(event).await, 200);
    }
    peer.held(PLAYER, SKU).await
}

/// A second event that has nothing in common with the first but its player and what is at these
/// places.
fn sharing(first: &Value, pointers: &[&str]) -> Value {
    let mut second = event();
    for pointer in pointers {
        *second.pointer_mut(pointer).expect("there") =
            first.pointer(pointer).expect("there").clone();
    }
    second
}

/// Whatever else is wrong, a plain redelivery grants nothing, and another event does.
async fn assert_redelivery_and_next(flawed: Peer) {
    let first = event_of("next");
    for _ in 0..3 {
        assert_eq!(flawed.deliver(&first).await, 200);
    }
    assert_eq!(flawed.held("next", SKU).await, QUANTITY);
    assert_eq!(flawed.deliver(&event_of("next")).await, 200);
    assert_eq!(flawed.held("next", SKU).await, TWICE);
}

pub(crate) async fn dedupe_missing() {
    let Pair { sound, flawed } = pair(Flaw::DedupeMissing).await;
    let event = event();
    assert_eq!(held_after(sound, &[&event, &event]).await, QUANTITY);
    assert_eq!(held_after(flawed, &[&event, &event]).await, TWICE);
    assert_eq!(held_after(flawed, &[&event]).await, "1440000");
}

pub(crate) async fn dedupe_by_event_id() {
    let Pair { sound, flawed } = pair(Flaw::DedupeByEventId).await;
    let first = event();
    let retry = sharing(&first, &["/idempotency_key"]);
    assert_eq!(held_after(sound, &[&first, &retry]).await, QUANTITY);
    assert_eq!(held_after(flawed, &[&first, &retry]).await, TWICE);
    assert_redelivery_and_next(flawed).await;
}

pub(crate) async fn dedupe_by_transaction_id() {
    let Pair { sound, flawed } = pair(Flaw::DedupeByTransactionId).await;
    let first = event();
    let second = sharing(&first, &["/transaction_id"]);
    assert_eq!(held_after(sound, &[&first, &second]).await, TWICE);
    assert_eq!(held_after(flawed, &[&first, &second]).await, QUANTITY);
    assert_redelivery_and_next(flawed).await;
}

pub(crate) async fn dedupe_by_coupon_code() {
    let Pair { sound, flawed } = pair(Flaw::DedupeByCouponCode).await;
    let first = event();
    let mut second = sharing(&first, &["/event_data/coupon/code"]);
    second["event_data"]["player_id"] = json!("another");
    for peer in [sound, flawed] {
        assert_eq!(held_after(peer, &[&first, &second]).await, QUANTITY);
    }
    assert_eq!(sound.held("another", SKU).await, QUANTITY);
    assert_eq!(flawed.held("another", SKU).await, "0");
    assert_redelivery_and_next(flawed).await;
}

pub(crate) async fn dedupe_in_memory() {
    let Pair { sound, flawed } = pair(Flaw::DedupeInMemory).await;
    assert_redelivery_and_next(flawed).await;
    let event = event();
    for peer in [sound, flawed] {
        assert_eq!(held_after(peer, &[&event, &event]).await, QUANTITY);
        let reply = peer.request(Method::POST, "/debug/restart", "").await;
        assert_eq!(reply.status, 200);
    }
    assert_eq!(held_after(sound, &[&event]).await, QUANTITY);
    assert_eq!(held_after(flawed, &[&event]).await, TWICE);
}

/// How many deliveries of one event come at the same moment.
const TOGETHER: usize = 5;

/// Delivers an event several times: all requests are on the wire but for their last byte, and then
/// the last bytes follow at once.
async fn deliver_together(peer: Peer, event: &Value) {
    let request = signed(&body_of(event), NOW);
    let mut text = "POST /webhooks/aghanim HTTP/1.1\r\nConnection: close\r\n".to_owned();
    for (name, value) in &request.headers {
        write!(text, "{name}: {value}\r\n").expect("written");
    }
    write!(text, "Content-Length: {}\r\n\r\n", request.body.len()).expect("written");
    let bytes = [text.as_bytes(), &request.body].concat();
    let (last, rest) = bytes.split_last().expect("not empty");
    let mut streams = Vec::new();
    for _ in 0..TOGETHER {
        let mut stream = TcpStream::connect(peer.address).await.expect("connects");
        stream.set_nodelay(true).expect("set");
        stream.write_all(rest).await.expect("written");
        streams.push(stream);
    }
    for stream in &mut streams {
        stream.write_all(&[*last]).await.expect("written");
    }
    for mut stream in streams {
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.expect("read");
        assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
    }
}

pub(crate) async fn check_then_insert_race() {
    const TRIES: usize = 100;
    let Pair { sound, flawed } = pair(Flaw::CheckThenInsertRace).await;
    assert_redelivery_and_next(flawed).await;
    let mut doubled = 0;
    for number in 0..TRIES {
        let player = format!("player-{number}");
        let event = event_of(&player);
        deliver_together(sound, &event).await;
        assert_eq!(sound.held(&player, SKU).await, QUANTITY);
        deliver_together(flawed, &event).await;
        let held: usize = flawed.held(&player, SKU).await.parse().expect("a number");
        let times = held / 480_000;
        assert!(held.is_multiple_of(480_000) && (1..=TOGETHER).contains(&times));
        doubled += usize::from(times > 1);
        // Once it is there, it is there.
        assert_eq!(flawed.deliver(&event).await, 200);
        assert_eq!(flawed.held(&player, SKU).await, held.to_string());
    }
    println!("{TOGETHER} deliveries together: {doubled} of {TRIES} granted more than once");
    assert_ne!(doubled, 0);
}

/// A delivery that fails half-way and its retry.
async fn held_after_failure(peer: Peer) -> String {
    let event = event();
    peer.script(PLAYER, "[503]").await;
    assert_eq!(peer.deliver(&event).await, 503);
    held_after(peer, &[&event, &event]).await
}

pub(crate) async fn grant_before_key() {
    let Pair { sound, flawed } = pair(Flaw::GrantBeforeKey).await;
    assert_redelivery_and_next(flawed).await;
    assert_eq!(held_after_failure(sound).await, QUANTITY);
    assert_eq!(held_after_failure(flawed).await, TWICE);
    // It is no race.
    let event = event_of("together");
    deliver_together(flawed, &event).await;
    assert_eq!(flawed.held("together", SKU).await, QUANTITY);
}

pub(crate) async fn key_before_grant() {
    let Pair { sound, flawed } = pair(Flaw::KeyBeforeGrant).await;
    assert_redelivery_and_next(flawed).await;
    assert_eq!(held_after_failure(sound).await, QUANTITY);
    assert_eq!(held_after_failure(flawed).await, "0");
    let event = event_of("together");
    deliver_together(flawed, &event).await;
    assert_eq!(flawed.held("together", SKU).await, QUANTITY);
}
