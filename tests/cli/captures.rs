//! `aghook import`, and `aghook compare` with deliveries that are bent in one way each.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};

use aghook::internals::generate::{EventShape, Generator, Seed, StartTime};
use aghook::internals::protocol::{SIGNATURE_HEADER, Secret, Signer, TIMESTAMP_HEADER};
use serde_json::{Value, json};

use crate::support::{Folder, Peer, PeerResponse, SECRET, Transcript, transcript};

/// The time of the first delivery, in Unix seconds.
const START: u32 = 1_796_079_852;

/// A delivery as a log has it.
#[derive(Clone)]
struct Delivery {
    at: u32,
    method: &'static str,
    headers: Vec<(String, String)>,
    body: String,
    status: u16,
}

impl Delivery {
    fn new(body: String, at: u32, status: u16) -> Self {
        let header = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        let length = body.len().to_string();
        let delivery = Self {
            at,
            method: "POST",
            headers: vec![
                header("Content-Type", "application/json"),
                header("Host", "game.example.com"),
                header("User-Agent", "Aghanim/0.1.0"),
                header(SIGNATURE_HEADER, ""),
                header(TIMESTAMP_HEADER, ""),
                header("Content-Length", &length),
                // What a tunnel adds is no difference.
                header("X-Forwarded-For", "203.0.113.7"),
            ],
            body,
            status,
        };
        delivery.signed()
    }

    fn signed(mut self) -> Self {
        let timestamp = u64::from(self.at);
        let secret = Secret::new(SECRET).expect("a secret");
        let signature = Signer::new(&secret).sign(timestamp, self.body.as_bytes());
        self.set(SIGNATURE_HEADER, &signature.to_string());
        self.set(TIMESTAMP_HEADER, &timestamp.to_string());
        self
    }

    fn set(&mut self, name: &str, value: &str) {
        let header = self.headers.iter_mut().find(|(given, _)| given == name);
        value.clone_into(&mut header.expect(name).1);
    }

    fn json(&self) -> Value {
        json!({
            "at": self.at, "method": self.method, "path": "/hook", "headers": self.headers,
            "raw_body": self.body, "status": self.status,
        })
    }
}

/// Deliveries as aghook makes them, with the retries of the default policy: each fifth succeeds only at
/// the third attempt.
fn genuine() -> Vec<Delivery> {
    let start: StartTime = START.to_string().parse().expect("a time");
    let mut generator = Generator::new(Seed::of_text("captures"), start);
    let shapes = [
        json!({}),
        json!({ "item": { "bundle": [{}, {}] }, "context": { "player": true, "order": true } }),
    ];
    let shapes: Vec<EventShape> = shapes
        .into_iter()
        .map(|shape| serde_json::from_value(shape).expect("a shape"))
        .collect();
    let mut deliveries = Vec::new();
    for number in 0..40_u32 {
        let event = generator.event(&shapes[usize::from(number % 2 == 1)]);
        let body = String::from_utf8(event.to_json().expect("JSON")).expect("UTF-8");
        let at = START + number * 60;
        let attempts = match number % 5 {
            0 => vec![(at, 503), (at + 1, 500), (at + 6, 200)],
            _ => vec![(at, 200)],
        };
        let attempts = attempts.into_iter();
        deliveries.extend(attempts.map(|(at, status)| Delivery::new(body.clone(), at, status)));
    }
    deliveries
}

/// Imports the deliveries and compares them. Returns the differences as `name place`.
fn differences(deliveries: &[Delivery], code: i32) -> BTreeSet<String> {
    let log: Vec<Value> = deliveries.iter().map(Delivery::json).collect();
    let folder = Folder::new().with("log.json", Value::from(log).to_string());
    Transcript::of(&mut folder.aghook(&["import", "log.json"])).ends_with(0);
    let compared = Transcript::of(&mut folder.aghook(&["compare", "captured.jsonl", "--json"]));
    let compared = compared.ends_with(code);
    let result: Value = serde_json::from_str(&compared.stdout).expect("JSON");
    let found = result["differences"].as_array().expect("a list").iter();
    let named = found.map(|found| {
        assert!(found["seen"].as_u64() > Some(0) && found["seen"].as_u64() <= found["of"].as_u64());
        let text = |key: &str| found[key].as_str().expect("text");
        format!("{} {}", text("name"), text("place"))
            .trim_end()
            .to_owned()
    });
    named.collect()
}

/// Changes bodies and signs them again.
fn bodies(deliveries: &mut [Delivery], change: impl Fn(&str) -> String) {
    for delivery in deliveries {
        delivery.body = change(&delivery.body);
        let length = delivery.body.len().to_string();
        delivery.set("Content-Length", &length);
        *delivery = delivery.clone().signed();
    }
}

fn events(deliveries: &mut [Delivery], change: impl Fn(&mut Value)) {
    bodies(deliveries, |body| {
        let mut event: Value = serde_json::from_str(body).expect("JSON");
        change(&mut event);
        event.to_string()
    });
}

/// Changes all deliveries without signing them again.
fn each(deliveries: &mut [Delivery], change: impl Fn(&mut Delivery)) {
    for delivery in deliveries {
        change(delivery);
    }
}

fn spaced(body: &str) -> String {
    body.replace("\":", "\": ")
        .replace(",\"", ", \"")
        .replace("},{", "}, {")
}

type Bend = (
    &'static str,
    fn(&mut Vec<Delivery>),
    &'static [&'static str],
);

const BENDS: [Bend; 24] = [
    ("nothing", |_| {}, &[]),
    (
        "a layout with spaces",
        |all| bodies(all, spaced),
        &["whitespace"],
    ),
    (
        "escaped characters",
        |all| {
            bodies(all, |body| {
                body.replace("\"name\":\"", "\"name\":\"\\u00e9")
            });
        },
        &["escapes"],
    ),
    (
        "a line break after the body",
        |all| bodies(all, |body| format!("{body}\n")),
        &["surrounding_space"],
    ),
    (
        "another order of keys",
        |all| {
            events(all, |event| {
                let keys = event.as_object_mut().expect("an object");
                let first = keys.shift_remove("event_type").expect("a type");
                keys.insert("event_type".to_owned(), first);
            });
        },
        &["key_order"],
    ),
    (
        "an unknown key",
        |all| {
            events(all, |event| {
                event["event_data"]["item"]["rarity"] = json!("epic");
            });
        },
        &["unknown_key event_data.item.rarity"],
    ),
    (
        "a missing key",
        |all| {
            events(all, |event| {
                drop(
                    event
                        .as_object_mut()
                        .expect("an object")
                        .shift_remove("game_id"),
                );
            });
        },
        &["missing_key game_id"],
    ),
    (
        "null instead of a value",
        |all| events(all, |event| event["transaction_id"] = Value::Null),
        &["null_value transaction_id"],
    ),
    (
        "text instead of a number",
        |all| {
            events(all, |event| {
                event["event_data"]["item"]["quantity"] = json!("5");
            });
        },
        &["value_type event_data.item.quantity"],
    ),
    (
        "a decimal time",
        |all| events(all, |event| event["event_time"] = json!(1_796_079_852.25)),
        &["value_type event_time"],
    ),
    (
        "an unknown key in a context",
        |all| {
            events(all, |event| {
                if event["context"]["player"].is_object() {
                    event["context"]["player"]["guild"] = json!("Wolves");
                }
            });
        },
        &["unknown_key context.player.guild"],
    ),
    (
        "UUIDs as idempotency keys",
        |all| {
            events(all, |event| {
                let bytes = event["idempotency_key"].as_str().expect("a key").as_bytes();
                let last = &hex::encode(&bytes[26..38])[12..];
                event["idempotency_key"] = json!(format!("d1593e9c-c291-4004-8846-{last}"));
            });
        },
        &["id_form idempotency_key"],
    ),
    (
        "header names in lower case",
        |all| each(all, |one| one.headers[2].0.make_ascii_lowercase()),
        &["header_case User-Agent"],
    ),
    (
        "another order of headers",
        |all| each(all, |one| one.headers.swap(0, 1)),
        &["header_order"],
    ),
    (
        "more headers",
        |all| each(all, |one| one.headers.push(("Accept".into(), "*/*".into()))),
        &["unknown_header accept"],
    ),
    (
        "another content type",
        |all| {
            each(all, |one| {
                one.set("Content-Type", "application/json; charset=utf-8");
            });
        },
        &["header_value content-type"],
    ),
    (
        "no re-signing",
        |all| {
            for index in 1..all.len() {
                let first = all[index - 1].clone();
                if all[index].body == first.body {
                    all[index].headers = first.headers;
                }
            }
        },
        &["retry_signature"],
    ),
    (
        "another schedule",
        |all| {
            for (index, one) in all.iter_mut().enumerate() {
                // The second and third attempts.
                one.at += if index % 7 == 1 || index % 7 == 2 {
                    20
                } else {
                    0
                };
                *one = one.clone().signed();
            }
        },
        &["retry_delay retry 1"],
    ),
    (
        "retries of refusals",
        |all| {
            each(all, |one| {
                one.status = if one.status == 503 { 400 } else { one.status };
            });
        },
        &["retried_status 400"],
    ),
    (
        "no retries",
        |all| {
            let mut seen = BTreeSet::new();
            all.retain(|one| seen.insert(one.body.clone()));
        },
        &["not_retried 503"],
    ),
    (
        "more attempts than the policy has",
        |all| {
            let last = all.pop().expect("a delivery");
            let start = last.at;
            for (number, wait) in [0, 1, 6, 36, 336, 636].into_iter().enumerate() {
                let status = if number == 5 { 200 } else { 503 };
                all.push(Delivery::new(last.body.clone(), start + wait, status));
            }
        },
        &["retry_attempts"],
    ),
    (
        "new event IDs on retries",
        |all| {
            for (index, one) in all.iter_mut().enumerate() {
                if index % 7 == 1 || index % 7 == 2 {
                    let mut event: Value = serde_json::from_str(&one.body).expect("JSON");
                    event["event_id"] = json!(format!("whevt_{index:026}"));
                    one.body = event.to_string();
                    *one = one.clone().signed();
                }
            }
        },
        &["retry_event_id", "id_form event_id"],
    ),
    (
        "a forged signature",
        |all| all[3].set(SIGNATURE_HEADER, &"ab".repeat(32)),
        &["signature"],
    ),
    (
        "another method",
        |all| each(all, |one| one.method = "PUT"),
        &["method PUT"],
    ),
];

#[test]
fn each_bend_is_named_and_nothing_else() {
    for (what, bend, expected) in BENDS {
        let mut deliveries = genuine();
        bend(&mut deliveries);
        let code = i32::from(!expected.is_empty());
        let found = differences(&deliveries, code);
        let expected: BTreeSet<String> = expected.iter().map(|name| (*name).to_owned()).collect();
        assert_eq!(found, expected, "{what}");
    }
}

#[test]
fn all_bends_are_named_at_once_and_the_profile_adopts_what_it_can() {
    let mut deliveries = genuine();
    bodies(&mut deliveries, spaced);
    for (index, one) in deliveries.iter_mut().enumerate() {
        one.at += if index % 7 == 1 || index % 7 == 2 {
            20
        } else {
            0
        };
        if one.status == 503 {
            one.status = 409;
        }
        one.headers.push(("Accept".to_owned(), "*/*".to_owned()));
    }
    for index in 1..deliveries.len() {
        let first = deliveries[index - 1].clone();
        if deliveries[index].body == first.body {
            deliveries[index].headers = first.headers;
        }
    }
    let log: Vec<Value> = deliveries.iter().map(Delivery::json).collect();
    let folder = Folder::new().with("log.json", Value::from(log).to_string());
    Transcript::of(&mut folder.aghook(&["import", "log.json"])).ends_with(0);
    let compare = ["compare", "captured.jsonl", "--write-profile", "seen.yaml"];
    insta::assert_snapshot!(transcript(&mut folder.aghook(&compare)));
    let profile = folder.read("seen.yaml");
    // The replacements of the values in contexts are random.
    let lines = profile.lines().map(|line| match line.split_once(": {") {
        Some((part, _)) => format!("{part}: {{…}}\n"),
        None => format!("{line}\n"),
    });
    insta::assert_snapshot!(lines.collect::<String>());
    Transcript::of(&mut folder.aghook(&["check", "--config", "seen.yaml"])).ends_with(0);
    let again = ["compare", "captured.jsonl", "--config", "seen.yaml"];
    Transcript::of(&mut folder.aghook(&again))
        .ends_with(1)
        .says(&["unknown_header accept", "1 difference"]);
}

#[test]
fn a_log_becomes_scenarios_that_a_receiver_passes() {
    let log: Vec<Value> = genuine().iter().map(Delivery::json).collect();
    let folder = Folder::new().with("log.json", Value::from(log).to_string());
    let import = ["import", "log.json", "--scenarios", "again"];
    Transcript::of(&mut folder.aghook(&import))
        .ends_with(0)
        .says(&["40 scenarios with 56 deliveries"]);
    assert!(!folder.path("captured.jsonl").exists());
    Transcript::of(&mut folder.aghook(&["run", "again"]))
        .ends_with(0)
        .says(&["40 scenarios: 40 passed"]);
    Transcript::of(&mut folder.aghook(&import))
        .ends_with(2)
        .says(&["exists"]);
}

#[test]
fn a_capture_is_sent_again_with_new_identities() {
    let received = Arc::new(Mutex::new(Vec::new()));
    let kept = Arc::clone(&received);
    let peer = Peer::answering(move |request| {
        kept.lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(request.json());
        let player = request.json()["event_data"]["player_id"].clone();
        PeerResponse::new(if player == "refused" { 400 } else { 200 })
    });
    let mut deliveries = genuine();
    bodies(&mut deliveries, spaced);
    let log: Vec<Value> = deliveries.iter().map(Delivery::json).collect();
    let folder = Folder::new().with("log.json", Value::from(log).to_string());
    Transcript::of(&mut folder.aghook(&["import", "log.json"])).ends_with(0);
    let replay = ["replay", "captured.jsonl", "--target", &peer.url()];
    for _ in 0..2 {
        Transcript::of(&mut folder.aghook(&replay))
            .ends_with(0)
            .says(&["56 deliveries: 40 with the recorded status, 0 with another, 16 not compared"]);
    }
    let sent = received.lock().unwrap_or_else(PoisonError::into_inner);
    let keys: BTreeSet<&str> = sent
        .iter()
        .filter_map(|event| event["idempotency_key"].as_str())
        .collect();
    let known: BTreeSet<String> = deliveries
        .iter()
        .map(|one| serde_json::from_str::<Value>(&one.body).expect("JSON"))
        .filter_map(|event| event["idempotency_key"].as_str().map(str::to_owned))
        .collect();
    assert_eq!((sent.len(), keys.len()), (112, 80));
    assert!(keys.iter().all(|key| !known.contains(*key)));
    drop(sent);
    let config = format!(
        "profiles: {{ a: {{ target: '{}', players: [refused] }} }}",
        peer.url()
    );
    let folder = folder.with("aghook.yaml", config);
    Transcript::of(&mut folder.aghook(&["replay", "captured.jsonl"]))
        .ends_with(1)
        .says(&["delivery 3: recorded 200, now 400"]);
}

#[test]
fn files_without_deliveries_are_refused() {
    let folder = Folder::new()
        .with("empty.txt", "")
        .with("other.http", "GET / HTTP/1.1\nHost: x\n\n")
        .with("broken.json", "{\"log\": ");
    for (arguments, code, words) in [
        (
            &["import", "empty.txt"][..],
            2,
            "not a complete HTTP request",
        ),
        (&["import", "broken.json"], 2, "invalid JSON"),
        (&["import", "missing.json"], 2, "can't read missing.json"),
        (
            &["import", "other.http"],
            3,
            "no deliveries in these files; 1 other requests",
        ),
        (&["compare", "broken.json"], 2, "not a recorded delivery"),
        (&["compare", "empty.txt"], 3, "has no deliveries"),
    ] {
        Transcript::of(&mut folder.aghook(arguments))
            .ends_with(code)
            .says(&[words]);
    }
    assert!(!folder.path("captured.jsonl").exists());
}
