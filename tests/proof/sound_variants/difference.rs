//! Checks that a variant differs from the plain receiver; otherwise it would prove nothing.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use aghook::internals::protocol::{SIGNATURE_HEADER, Secret, Signer, TIMESTAMP_HEADER};
use aghook::internals::receiver::Variant;
use serde_json::{Value, json};
use tokio::runtime::Runtime;

use super::receivers::{SECRET, start};

/// The maximum number of tries for a difference that depends on timing.
const TRIES: usize = 50;

/// Whether the variant differs from the plain receiver.
pub(crate) fn differs(runtime: &Runtime, variant: Variant) -> bool {
    let receiver = RawClient::to(runtime, &[variant]);
    let took = |least: u64| {
        let started = Instant::now();
        receiver.deliver(&event("k", "P", "gem"));
        started.elapsed() >= Duration::from_millis(least)
    };
    match variant {
        Variant::UnhurriedAnswers => took(150),
        Variant::EarlyRefusal => {
            let head =
                "POST /webhooks/aghanim HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9\r\n\r\n";
            receiver.exchange(head.as_bytes()).contains(" 403 ")
        }
        Variant::AsynchronousGrants => (0..TRIES).any(|number| {
            let player = format!("P{number}");
            receiver.deliver(&event(&player, &player, "gem"));
            receiver.held(&player, "gem").contains(":0}")
        }),
        Variant::RateLimited => (0..TRIES).any(|number| {
            let key = format!("k{number}");
            receiver.deliver(&event(&key, "P", "gem")).contains(" 429 ")
        }),
        Variant::GrantedSignatureRefused => {
            let event = event("k", "P", "gem").to_string();
            let request = receiver.signed(&event, now());
            let responses = [(); 2].map(|()| receiver.exchange(request.as_bytes()));
            responses[0].contains(" 200 ") && responses[1].contains(" 403 ")
        }
        Variant::InProgress409 => took(300) && receiver.overlaps(" 409 "),
        Variant::InProgress503 => took(300) && receiver.overlaps(" 503 "),
        Variant::KeysKeptADay => {
            receiver.deliver(&event("k", "P", "gem"));
            let once = receiver.held("P", "gem");
            receiver.exchange(b"POST /debug/clock/90000 HTTP/1.1\r\nHost: localhost\r\n\r\n");
            let body = event("k", "P", "gem").to_string();
            let later = receiver.signed(&body, now() + 90_000);
            receiver.exchange(later.as_bytes());
            receiver.held("P", "gem") != once
        }
        Variant::BundlePartsBySku => {
            let mut event = event("k", "P", "chest");
            let part = &mut event["event_data"]["item"]["nested_items"][0];
            part["nested_items"] = json!([part.clone()]);
            part["type"] = "bundle".into();
            part["sku"] = "pouch".into();
            receiver.deliver(&event);
            !receiver.held("P", "pouch").contains(":0}")
        }
        _ => receiver.transcript() != RawClient::to(runtime, &[]).transcript(),
    }
}

/// Exchanges raw bytes with a receiver.
struct RawClient {
    address: String,
    signer: Signer,
    _started: super::receivers::Started,
}

/// An event with a bundle of two, and a fallback.
fn event(key: &str, player: &str, sku: &str) -> Value {
    let nested = json!({
        "id": "itm_1", "name": "Gem", "description": null, "sku": sku, "quantity": 3,
        "type": "item", "nested_items": null,
    });
    let mut fallback = nested.clone();
    fallback["sku"] = "coin".into();
    json!({
        "event_type": "coupon.redeemed",
        "event_data": {
            "player_id": player,
            "coupon": { "code": "W", "sku": "chest", "redeemed_at": 1_725_548_450 },
            "item": {
                "id": "itm_2", "name": "Chest", "description": null, "sku": "chest",
                "quantity": 2, "type": "bundle", "nested_items": [nested],
                "fallback_item": fallback,
            },
        },
        "event_time": 1_725_548_450, "event_id": "whevt_1", "idempotency_key": key,
        "request_id": null, "sandbox": false, "trigger": null, "transaction_id": "whtx_1",
        "context": null, "game_id": "gm_1",
    })
}

/// The `item.add` or `item.remove` event of a redemption.
fn item_event(event_type: &str, key: &str, player: &str) -> Value {
    let mut item_event = event(key, player, "gem");
    let item = item_event["event_data"]["item"].take();
    item_event["event_type"] = event_type.into();
    item_event["event_data"] = json!({ "player_id": player, "items": [item], "reason": "R" });
    item_event
}

impl RawClient {
    fn to(runtime: &Runtime, variants: &[Variant]) -> Self {
        let started = start(runtime, variants, &[]);
        let address = started.debug.trim_start_matches("http://");
        Self {
            address: address.trim_end_matches("/debug").to_owned(),
            signer: Signer::new(&Secret::new(SECRET).expect("not empty")),
            _started: started,
        }
    }

    /// The responses to one of each request that a variant may handle differently.
    fn transcript(&self) -> Vec<String> {
        let mut unknown = event("unknown", "P1", "gem");
        unknown["event_type"] = "a.type".into();
        let mut sandbox = event("sandbox", "P2", "gem");
        sandbox["sandbox"] = true.into();
        let mut currency = event("currency", "P6", "gem");
        currency["event_data"]["item"]["type"] = "currency".into();
        let body = event("yesterday", "P3", "gem").to_string();
        let yesterday = self.signed(&body, now() - 86_400);
        let forged = yesterday.replace("P3", "P4");
        let body = event("ahead", "P6", "gem").to_string();
        let ahead = self.signed(&body, now() + 30);
        let script = "PUT /debug/players/P5/respond HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\n\r\n[503]";
        let fill = |method: &str| {
            let path = "/debug/players/P11/items/gem/full";
            self.exchange(format!("{method} {path} HTTP/1.1\r\nHost: localhost\r\n\r\n").as_bytes())
        };
        let mut responses = vec![
            fill("PUT"),
            self.deliver(&event("kept", "P11", "gem")),
            fill("DELETE"),
            self.deliver(&event("first", "P1", "gem")),
            self.deliver(&event("first", "P1", "gem")),
            self.deliver(&unknown),
            self.deliver(&sandbox),
            self.deliver(&currency),
            self.deliver(&event("beyond ASCII", "Zoë", "gem")),
            self.deliver(&event("known player", "player-7", "gem")),
            self.exchange(yesterday.as_bytes()),
            self.exchange(forged.as_bytes()),
            self.exchange(ahead.as_bytes()),
            self.exchange(script.as_bytes()),
            self.deliver(&event("failing", "P5", "gem")),
            self.deliver(&item_event("item.add", "added", "P6")),
            self.deliver(&item_event("item.remove", "removed", "P6")),
            self.deliver(&item_event("item.add", "added first", "P7")),
            self.deliver(&event("redeemed later", "P7", "gem")),
            self.deliver(&event("redeemed alone", "P8", "gem")),
            self.deliver(&item_event("item.add", "added alone", "P10")),
        ];
        for player in ["P1", "p1", "P2", "P7", "P8", "P9", "P10", "P11"] {
            responses.extend(["gem", "coin", "chest"].map(|sku| self.held(player, sku)));
        }
        responses
    }

    /// Whether one of two simultaneous deliveries gets this status.
    fn overlaps(&self, status: &str) -> bool {
        (0..TRIES).any(|number| {
            let event = event(&format!("overlap{number}"), "P", "gem");
            let responses = std::thread::scope(|scope| {
                let other = scope.spawn(|| self.deliver(&event));
                [self.deliver(&event), other.join().expect("no panic")]
            });
            responses.iter().any(|response| response.contains(status))
        })
    }

    fn deliver(&self, event: &Value) -> String {
        self.exchange(self.signed(&event.to_string(), now()).as_bytes())
    }

    fn held(&self, player: &str, sku: &str) -> String {
        let path = format!("/debug/players/{player}/items/{sku}");
        self.exchange(format!("GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n").as_bytes())
    }

    fn signed(&self, body: &str, timestamp: u64) -> String {
        let signature = self.signer.sign(timestamp, body.as_bytes());
        format!(
            "POST /webhooks/aghanim HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n\
             {SIGNATURE_HEADER}: {signature}\r\n{TIMESTAMP_HEADER}: {timestamp}\r\n\
             Content-Length: {}\r\n\r\n{body}",
            body.len()
        )
    }

    /// Sends bytes and returns the response without its date.
    fn exchange(&self, request: &[u8]) -> String {
        let mut stream = TcpStream::connect(&self.address).expect("listens");
        stream.write_all(request).expect("written");
        let mut stream = BufReader::new(stream);
        let mut response = String::new();
        let mut length = 0;
        let mut chunked = false;
        loop {
            let mut line = String::new();
            stream.read_line(&mut line).expect("a line");
            let lower = line.to_lowercase();
            if let Some(value) = lower.strip_prefix("content-length: ") {
                length = value.trim().parse().expect("a number");
            }
            chunked |= lower.starts_with("transfer-encoding: chunked");
            if !lower.starts_with("date: ") {
                response.push_str(&line);
            }
            if line.trim().is_empty() {
                break;
            }
        }
        let mut body = vec![0; length];
        stream.read_exact(&mut body).expect("the body");
        while chunked && !body.ends_with(b"0\r\n\r\n") {
            let mut byte = [0];
            stream.read_exact(&mut byte).expect("the body");
            body.push(byte[0]);
        }
        response + &String::from_utf8_lossy(&body)
    }
}

fn now() -> u64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH);
    now.expect("after 1970").as_secs()
}
