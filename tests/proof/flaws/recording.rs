//! Flaws in granting each event once.

use aghook::internals::receiver::Flaw;
use futures_util::future::join_all;
use http::Method;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::peer::{
    NOW, PLAYER, Pair, QUANTITY, ReceiverAddress, SKU, body_of, bundle, bytes_of, event, event_of,
    nested, pair, signed,
};

const TWICE: &str = "960000";

/// Delivers these events one after the other, all with a response of 200; returns what the player
/// then holds.
async fn held_after(peer: ReceiverAddress, events: &[&Value]) -> String {
    for event in events {
        assert_eq!(peer.deliver(event).await, 200);
    }
    peer.held(PLAYER, SKU).await
}

/// A new event that shares only its player and the values at these JSON pointers with the first.
fn sharing(first: &Value, pointers: &[&str]) -> Value {
    let mut second = event();
    for pointer in pointers {
        *second.pointer_mut(pointer).expect("a value") =
            first.pointer(pointer).expect("a value").clone();
    }
    second
}

/// The flawed receiver still grants nothing for a plain redelivery, and grants the next event.
async fn assert_redelivery_and_next(flawed: ReceiverAddress) {
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

/// The number of simultaneous deliveries of one event.
const TOGETHER: usize = 5;
/// The maximum number of tries until a race shows.
const TRIES_UNTIL_HIT: usize = 50;

/// Delivers an event several times simultaneously, all with a response of 200.
async fn deliver_together(peer: ReceiverAddress, event: &Value) {
    let statuses = statuses_together(peer, &[event; TOGETHER]).await;
    assert!(
        statuses.iter().all(|status| status == "200"),
        "{statuses:?}"
    );
}

/// Delivers events simultaneously: first sends all requests without their last bytes, then all last
/// bytes at once.
pub(crate) async fn statuses_together(peer: ReceiverAddress, events: &[&Value]) -> Vec<String> {
    let mut streams = Vec::new();
    for event in events {
        let bytes = bytes_of(&signed(&body_of(event), NOW));
        let (last, rest) = bytes.split_last().expect("not empty");
        let mut stream = TcpStream::connect(peer.address).await.expect("connects");
        stream.set_nodelay(true).expect("set");
        stream.write_all(rest).await.expect("written");
        streams.push((stream, *last));
    }
    for (stream, last) in &mut streams {
        stream.write_all(&[*last]).await.expect("written");
    }
    let mut statuses = Vec::new();
    for (mut stream, _) in streams {
        let mut response = String::new();
        stream.read_to_string(&mut response).await.expect("read");
        let status = response.split(' ').nth(1).expect("a status");
        statuses.push(status.to_owned());
    }
    statuses
}

pub(crate) async fn dedupe_by_signature() {
    let Pair { sound, flawed } = pair(Flaw::DedupeBySignature).await;
    let body = body_of(&event());
    for (peer, held) in [(sound, QUANTITY), (flawed, TWICE)] {
        for timestamp in [NOW, NOW - 60, NOW] {
            let reply = peer.send(signed(&body, timestamp)).await;
            assert_eq!(reply.expect("answered").status, 200);
        }
        assert_eq!(peer.held(PLAYER, SKU).await, held);
    }
    assert_redelivery_and_next(flawed).await;
}

pub(crate) async fn last_key_only() {
    let Pair { sound, flawed } = pair(Flaw::LastKeyOnly).await;
    assert_redelivery_and_next(flawed).await;
    let (first, second) = (event(), event());
    for (peer, held) in [(sound, TWICE), (flawed, "1440000")] {
        assert_eq!(held_after(peer, &[&first, &second, &first]).await, held);
    }
}

pub(crate) async fn last_keys_of_player() {
    let Pair { sound, flawed } = pair(Flaw::LastKeysOfPlayer).await;
    assert_redelivery_and_next(flawed).await;
    for (peer, again) in [(sound, 0), (flawed, 1)] {
        let first = event();
        assert_eq!(peer.deliver(&first).await, 200);
        for others in [9, 0] {
            for _ in 0..others {
                assert_eq!(peer.deliver(&event()).await, 200);
            }
            assert_eq!(held_after(peer, &[&first]).await, times(10));
        }
        assert_eq!(
            held_after(peer, &[&event(), &first]).await,
            times(11 + again)
        );
    }
}

fn times(count: u64) -> String {
    let quantity: u64 = QUANTITY.parse().expect("a number");
    (quantity * count).to_string()
}

pub(crate) async fn keys_lost_in_snapshot() {
    let Pair { sound, flawed } = pair(Flaw::KeysLostInSnapshot).await;
    assert_redelivery_and_next(flawed).await;
    for (peer, held) in [(sound, QUANTITY), (flawed, TWICE)] {
        let first = event();
        assert_eq!(held_after(peer, &[&first]).await, QUANTITY);
        for others in [63, 1] {
            for _ in 0..others {
                assert_eq!(peer.deliver(&event_of("another")).await, 200);
            }
            assert_eq!(held_after(peer, &[&first]).await, QUANTITY);
            let reply = peer.request(Method::POST, "/debug/restart", "").await;
            assert_eq!(reply.status, 200);
        }
        assert_eq!(held_after(peer, &[&first]).await, held);
    }
}

pub(crate) async fn coupons_limited() {
    let Pair { sound, flawed } = pair(Flaw::CouponsLimited).await;
    assert_redelivery_and_next(flawed).await;
    for (peer, granted) in [(sound, 16), (flawed, 15)] {
        let events: [Value; 16] = std::array::from_fn(|_| event());
        assert_eq!(held_after(peer, &events.each_ref()).await, times(granted));
        assert_eq!(held_after(peer, &[&events[0]]).await, times(granted));
    }
}

pub(crate) async fn once_per_item() {
    let Pair { sound, flawed } = pair(Flaw::OncePerItem).await;
    for (peer, granted) in [(sound, 2), (flawed, 1)] {
        let (first, second) = (event(), event());
        assert_eq!(
            held_after(peer, &[&first, &first, &second]).await,
            times(granted)
        );
        assert_eq!(peer.deliver(&event_of("another")).await, 200);
        assert_eq!(peer.held("another", SKU).await, QUANTITY);
    }
}

pub(crate) async fn recent_keys_only() {
    let Pair { sound, flawed } = pair(Flaw::RecentKeysOnly).await;
    assert_redelivery_and_next(flawed).await;
    let first = event();
    for (peer, held) in [(sound, QUANTITY), (flawed, TWICE)] {
        assert_eq!(held_after(peer, &[&first]).await, QUANTITY);
        for _ in 0..255 {
            assert_eq!(peer.deliver(&event_of("another")).await, 200);
        }
        assert_eq!(held_after(peer, &[&first]).await, QUANTITY);
        assert_eq!(peer.deliver(&event_of("another")).await, 200);
        assert_eq!(held_after(peer, &[&first]).await, held);
    }
}

pub(crate) async fn key_written_last() {
    let Pair { sound, flawed } = pair(Flaw::KeyWrittenLast).await;
    assert_redelivery_and_next(flawed).await;
    for number in 0..TRIES_UNTIL_HIT {
        let player = format!("player-{number}");
        let event = event_of(&player);
        deliver_together(sound, &event).await;
        assert_eq!(sound.held(&player, SKU).await, QUANTITY);
        deliver_together(flawed, &event).await;
        if flawed.held(&player, SKU).await != QUANTITY {
            return;
        }
    }
    panic!("no event was granted more than once");
}

pub(crate) async fn claim_expires_during_work() {
    let Pair { sound, flawed } = pair(Flaw::ClaimExpiresDuringWork).await;
    assert_redelivery_and_next(flawed).await;
    // A small event is done before its claim expires.
    let small = event_of("small");
    deliver_together(flawed, &small).await;
    assert_eq!(flawed.held("small", SKU).await, QUANTITY);
    let parts: Vec<Value> = (0..150).map(|_| nested(SKU, 1, None)).collect();
    for (peer, expected) in [(sound, "150"), (flawed, "300")] {
        let large = bundle(&json!(parts));
        // The second delivery waits for the claim and gets it when it expires.
        let statuses = statuses_together(peer, &[&large; 2]).await;
        assert_eq!(statuses, ["200"; 2]);
        assert_eq!(peer.held(PLAYER, SKU).await, expected);
    }
}

pub(crate) async fn stopped_by_hangup() {
    let Pair { sound, flawed } = pair(Flaw::StoppedByHangup).await;
    assert_redelivery_and_next(flawed).await;
    for number in 0..TRIES_UNTIL_HIT {
        let player = format!("player-{number}");
        let event = event_of(&player);
        for peer in [sound, flawed] {
            let bytes = bytes_of(&signed(&body_of(&event), NOW));
            let mut stream = TcpStream::connect(peer.address).await.expect("connects");
            stream.write_all(&bytes).await.expect("written");
            // Hangs up after the grant is stored and before the key is.
            while peer.held(&player, SKU).await == "0" {}
            drop(stream);
            assert_eq!(peer.deliver(&event).await, 200);
        }
        assert_eq!(sound.held(&player, SKU).await, QUANTITY);
        if flawed.held(&player, SKU).await == TWICE {
            return;
        }
    }
    panic!("no event was granted twice");
}

pub(crate) async fn lost_update() {
    let Pair { sound, flawed } = pair(Flaw::LostUpdate).await;
    assert_redelivery_and_next(flawed).await;
    for number in 0..TRIES_UNTIL_HIT {
        let player = format!("player-{number}");
        let events = [(); 4].map(|()| event_of(&player));
        let all: Vec<&Value> = events.iter().collect();
        for peer in [sound, flawed] {
            let statuses = statuses_together(peer, &all).await;
            assert!(
                statuses.iter().all(|status| status == "200"),
                "{statuses:?}"
            );
        }
        assert_eq!(sound.held(&player, SKU).await, "1920000");
        if flawed.held(&player, SKU).await != "1920000" {
            return;
        }
    }
    panic!("no update was lost");
}

pub(crate) async fn lock_removed_too_early() {
    let Pair { sound, flawed } = pair(Flaw::LockRemovedTooEarly).await;
    assert_redelivery_and_next(flawed).await;
    for number in 0..TRIES_UNTIL_HIT {
        let player = format!("player-{number}");
        let events = [(); 24].map(|()| event_of(&player));
        let all = (QUANTITY.parse::<u64>().expect("a number") * 24).to_string();
        for peer in [sound, flawed] {
            // Each of four senders delivers the next event as soon as its last one is granted.
            let senders = events.chunks(6).map(async |events| {
                for event in events {
                    assert_eq!(peer.deliver(event).await, 200);
                }
            });
            join_all(senders).await;
        }
        assert_eq!(sound.held(&player, SKU).await, all);
        if flawed.held(&player, SKU).await != all {
            return;
        }
    }
    panic!("no update was lost");
}

pub(crate) async fn older_event_dropped() {
    let Pair { sound, flawed } = pair(Flaw::OlderEventDropped).await;
    assert_redelivery_and_next(flawed).await;
    let [newer, mut older, other] = [event(), event(), event_of("other")];
    older["event_time"] = json!(newer["event_time"].as_u64().expect("a number") - 20);
    let events = [&newer, &older, &other];
    assert_eq!(held_after(sound, &events).await, TWICE);
    assert_eq!(held_after(flawed, &events).await, QUANTITY);
    assert_eq!(flawed.held("other", SKU).await, QUANTITY);
}

pub(crate) async fn busy_player_acked() {
    let Pair { sound, flawed } = pair(Flaw::BusyPlayerAcked).await;
    assert_redelivery_and_next(flawed).await;
    let events = [(); 4].map(|()| event());
    let all: Vec<&Value> = events.iter().collect();
    let mut held = Vec::new();
    for peer in [sound, flawed] {
        assert_eq!(statuses_together(peer, &all).await, ["200"; 4]);
        held.push(peer.held(PLAYER, SKU).await);
    }
    assert_eq!(held, ["1920000", QUANTITY]);
    // None of their keys is recorded.
    assert_eq!(held_after(flawed, &all).await, "1920000");
}

pub(crate) async fn full_queue_drops() {
    let Pair { sound, flawed } = pair(Flaw::FullQueueDrops).await;
    assert_redelivery_and_next(flawed).await;
    let players: Vec<String> = (0..20).map(|number| format!("player-{number}")).collect();
    let events: Vec<Value> = players.iter().map(|player| event_of(player)).collect();
    let all: Vec<&Value> = events.iter().collect();
    let mut granted = Vec::new();
    for peer in [sound, flawed] {
        assert_eq!(statuses_together(peer, &all).await, ["200"; 20]);
        let mut count = 0;
        for player in &players {
            count += usize::from(peer.held(player, SKU).await == QUANTITY);
        }
        granted.push(count);
    }
    assert_eq!(granted[0], 20);
    assert!((12..20).contains(&granted[1]), "{granted:?}");
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
        // Later redeliveries grant nothing.
        assert_eq!(flawed.deliver(&event).await, 200);
        assert_eq!(flawed.held(&player, SKU).await, held.to_string());
    }
    println!("{TOGETHER} deliveries together: {doubled} of {TRIES} granted more than once");
    assert_ne!(doubled, 0);
}

/// What the player holds after a delivery that fails half-way and its retries.
async fn held_after_failure(peer: ReceiverAddress) -> String {
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
    // The flaw is not a race.
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
