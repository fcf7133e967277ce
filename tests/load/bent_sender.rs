//! A sender that delivers through `aghook capture` to the built-in receiver: `aghook compare` names each
//! way in which it differs from aghook, and no other.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::thread;
use std::time::Duration;

use aghook::internals::generate::{EventShape, Generator, Seed, StartTime};
use aghook::internals::protocol::{SIGNATURE_HEADER, Secret, Signer, TIMESTAMP_HEADER};
use serde_json::{Value, json};

use super::ReceiverProcess;
use super::capture::Capture;
use super::support::{Folder, SECRET, Transcript};

/// The retries that are no difference. The last delay repeats. The jitter allows for a busy machine.
const PROFILE: &str = "
profiles:
  game:
    retry: { attempts: 4, delays: [1100ms, 2800ms], jitter: 30%, retry_on: [5xx] }
";
const FIRST: Duration = Duration::from_millis(1100);
const SECOND: Duration = Duration::from_millis(2800);

/// A request before it is sent.
#[derive(Clone)]
struct Request {
    method: &'static str,
    headers: Vec<(String, String)>,
    body: String,
    is_chunked: bool,
    signed_at: u64,
}

impl Request {
    fn new(event: &Value) -> Self {
        let names = [
            ("Content-Type", "application/json"),
            ("Host", "localhost"),
            ("User-Agent", "Aghanim/0.1.0"),
            (SIGNATURE_HEADER, ""),
            (TIMESTAMP_HEADER, ""),
            // As of a proxy, which is no difference.
            ("Connection", "close"),
        ];
        let mut request = Self {
            method: "POST",
            headers: names
                .map(|(name, value)| (name.to_owned(), value.to_owned()))
                .into(),
            body: event.to_string(),
            is_chunked: false,
            signed_at: StartTime::now().unix_seconds(),
        };
        request.sign();
        request
    }

    fn sign(&mut self) {
        let secret = Secret::new(SECRET).expect("a secret");
        let signature = Signer::new(&secret).sign(self.signed_at, self.body.as_bytes());
        *self.header(SIGNATURE_HEADER) = signature.to_string();
        *self.header(TIMESTAMP_HEADER) = self.signed_at.to_string();
    }

    fn header(&mut self, name: &str) -> &mut String {
        let header = self.headers.iter_mut().find(|(given, _)| given == name);
        &mut header.expect(name).1
    }

    /// Changes the text of the body and signs it.
    fn text(&mut self, change: impl FnOnce(&str) -> String) {
        self.body = change(&self.body);
        self.sign();
    }

    /// Changes the event and signs it.
    fn event(&mut self, change: impl FnOnce(&mut Value)) {
        self.text(|body| {
            let mut event = serde_json::from_str(body).expect("JSON");
            change(&mut event);
            event.to_string()
        });
    }

    fn bytes(&self) -> Vec<u8> {
        let (method, body, length) = (self.method, &self.body, self.body.len());
        let headers = self.headers.iter();
        let headers: Vec<String> = headers
            .map(|(name, value)| format!("{name}: {value}\r\n"))
            .collect();
        let headers = headers.concat();
        let rest = if self.is_chunked {
            format!("Transfer-Encoding: chunked\r\n\r\n{length:x}\r\n{body}\r\n0\r\n\r\n")
        } else {
            format!("Content-Length: {length}\r\n\r\n{body}")
        };
        format!("{method} /webhooks/aghanim HTTP/1.1\r\n{headers}{rest}").into_bytes()
    }
}

/// A way in which a sender differs from aghook.
struct Bend {
    /// Before each retry.
    waits: &'static [Duration],
    /// How the receiver responds at first.
    statuses: &'static [u16],
    /// Gets the request, which attempt it is, and the request of the first one.
    change: fn(&mut Request, usize, &Request),
    /// What `aghook compare` names.
    names: &'static [&'static str],
}

const fn bent(change: fn(&mut Request, usize, &Request), names: &'static [&'static str]) -> Bend {
    Bend {
        waits: &[],
        statuses: &[],
        change,
        names,
    }
}

const fn on_retry(
    change: fn(&mut Request, usize, &Request),
    names: &'static [&'static str],
) -> Bend {
    Bend {
        waits: &[FIRST],
        statuses: &[503],
        change,
        names,
    }
}

const STRAIGHT: [Bend; 2] = [
    bent(|_, _, _| {}, &[]),
    Bend {
        waits: &[FIRST, SECOND],
        statuses: &[503, 500],
        change: |_, _, _| {},
        names: &[],
    },
];

const BENDS: [Bend; 26] = [
    bent(
        |request, _, _| request.event(|event| event["event_type"] = json!("order.paid")),
        &["event_type order.paid"],
    ),
    bent(
        |request, _, _| request.event(|event| event["event_data"]["item"]["rarity"] = json!(5)),
        &["unknown_key event_data.item.rarity"],
    ),
    bent(
        |request, _, _| request.event(|event| drop(removed(event, "game_id"))),
        &["missing_key game_id"],
    ),
    bent(
        |request, _, _| request.event(|event| event["transaction_id"] = Value::Null),
        &["null_value transaction_id"],
    ),
    bent(
        |request, _, _| request.event(|event| event["sandbox"] = json!("no")),
        &["value_type sandbox"],
    ),
    bent(
        |request, _, _| {
            request.event(|event| {
                let first = removed(event, "event_type");
                event["event_type"] = first;
            });
        },
        &["key_order"],
    ),
    bent(
        |request, _, _| {
            request.event(|event| {
                event["idempotency_key"] = json!("d1593e9c-c291-4004-8846-6679c2e5810b");
            });
        },
        &["id_form idempotency_key"],
    ),
    bent(
        |request, _, _| request.text(|body| body.replace(",\"", ", \"")),
        &["whitespace"],
    ),
    bent(
        |request, _, _| {
            request.text(|body| body.replace("\"name\":\"", "\"name\":\"\\u00e9"));
        },
        &["escapes"],
    ),
    bent(
        |request, _, _| request.text(|body| format!("{body}\n")),
        &["surrounding_space"],
    ),
    bent(|request, _, _| request.method = "PUT", &["method PUT"]),
    bent(|request, _, _| request.is_chunked = true, &["transfer"]),
    bent(
        |request, _, _| request.headers.push(("Accept".into(), "*/*".into())),
        &["unknown_header accept"],
    ),
    bent(
        |request, _, _| drop(request.headers.remove(2)),
        &["missing_header User-Agent"],
    ),
    bent(
        |request, _, _| request.headers[0].0.make_ascii_lowercase(),
        &["header_case Content-Type"],
    ),
    bent(
        |request, _, _| request.headers.swap(1, 2),
        &["header_order"],
    ),
    bent(
        |request, _, _| *request.header("User-Agent") = "Aghanim/2".into(),
        &["header_value user-agent"],
    ),
    bent(
        |request, _, _| *request.header(SIGNATURE_HEADER) = "ab".repeat(32),
        &["signature"],
    ),
    bent(
        |request, _, _| request.header(SIGNATURE_HEADER).make_ascii_uppercase(),
        &["signature_form"],
    ),
    bent(
        |request, _, _| {
            request.signed_at *= 1000;
            request.sign();
        },
        &["timestamp_form"],
    ),
    Bend {
        waits: &[FIRST],
        statuses: &[400],
        change: |_, _, _| {},
        names: &["retried_status 400"],
    },
    Bend {
        waits: &[],
        statuses: &[503],
        change: |_, _, _| {},
        names: &["not_retried 503"],
    },
    Bend {
        waits: &[FIRST, SECOND, Duration::ZERO, Duration::ZERO],
        statuses: &[503, 503, 503, 503],
        change: |_, _, _| {},
        names: &["retry_delay retry 3", "retry_attempts"],
    },
    on_retry(
        |request, _, first| *request = first.clone(),
        &["retry_signature"],
    ),
    on_retry(
        |request, attempt, _| {
            request.event(|event| event["event_id"] = json!(format!("whevt_{attempt:026}")));
        },
        &["retry_event_id", "id_form event_id"],
    ),
    on_retry(
        |request, attempt, _| request.event(|event| event["trigger"] = json!(attempt.to_string())),
        &["retry_body"],
    ),
];

fn removed(event: &mut Value, key: &str) -> Value {
    let keys = event.as_object_mut().expect("an object");
    keys.shift_remove(key).expect(key)
}

/// Sends a request on its own connection. Returns when the response is complete.
fn exchange(address: impl std::net::ToSocketAddrs, request: &[u8]) -> String {
    let mut stream = TcpStream::connect(address).expect("connects");
    stream.write_all(request).expect("sent");
    let mut response = String::new();
    stream.read_to_string(&mut response).expect("received");
    response
}

/// Sends an event and its retries, bent.
fn deliver(bend: &Bend, event: &Value, capture: &Capture, receiver: &ReceiverProcess) {
    let player = event["event_data"]["player_id"].as_str().expect("a player");
    let statuses = json!(bend.statuses).to_string();
    let length = statuses.len();
    let script = format!(
        "PUT /debug/players/{player}/respond HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\
         Content-Length: {length}\r\n\r\n{statuses}"
    );
    let response = exchange(receiver.address.as_str(), script.as_bytes());
    assert!(response.starts_with("HTTP/1.1 2"), "{response}");
    let first = Request::new(event);
    for attempt in 0..=bend.waits.len() {
        if let Some(wait) = attempt.checked_sub(1).map(|retry| bend.waits[retry]) {
            // The sender's schedule, not a wait for something.
            thread::sleep(wait);
        }
        let mut request = Request::new(event);
        (bend.change)(&mut request, attempt, &first);
        exchange(capture.address, &request.bytes());
    }
}

/// Delivers an event for each bend through a capture. Returns the folder with the capture.
fn captured(bends: &[Bend]) -> Folder {
    let receiver = ReceiverProcess::new(&[]);
    let folder = Folder::new().with("aghook.yaml", PROFILE);
    let capture = Capture::start(&folder, &format!("http://{}", receiver.address));
    let mut generator = Generator::new(Seed::of_text("bent"), StartTime::now());
    let shape = json!({ "context": { "player": true, "order": true } });
    let shape: EventShape = serde_json::from_value(shape).expect("a shape");
    thread::scope(|scope| {
        for bend in bends {
            let event = serde_json::to_value(generator.event(&shape)).expect("JSON");
            let (capture, receiver) = (&capture, &receiver);
            scope.spawn(move || deliver(bend, &event, capture, receiver));
        }
    });
    let sent: usize = bends.iter().map(|bend| bend.waits.len() + 1).sum();
    let (said, deliveries) = capture.stop(&folder);
    assert_eq!(deliveries.len(), sent, "{said}");
    folder
}

#[test]
fn a_sender_as_aghook_differs_in_nothing() {
    let folder = captured(&STRAIGHT);
    Transcript::of(&mut folder.aghook(&["compare", "captured.jsonl"]))
        .ends_with(0)
        .says(&["4 deliveries compared", " 2 retries", "no difference"]);
}

#[test]
fn each_bend_of_a_sender_is_named() {
    let mut bends = Vec::from(BENDS);
    // The first attempt of the other key has no retry.
    bends.push(on_retry(
        |request, attempt, _| {
            let key = format!("idmpt_{attempt:032}");
            request.event(|event| event["idempotency_key"] = json!(key));
        },
        &["retry_key", "not_retried 503", "id_form idempotency_key"],
    ));
    bends.extend(STRAIGHT);
    let folder = captured(&bends);
    let compared = Transcript::of(&mut folder.aghook(&["compare", "captured.jsonl", "--json"]));
    let result: Value = serde_json::from_str(&compared.ends_with(1).stdout).expect("JSON");
    let found = result["differences"].as_array().expect("a list").iter();
    let found: BTreeSet<String> = found
        .map(|found| {
            let text = |key: &str| found[key].as_str().expect("text");
            let named = format!("{} {}", text("name"), text("place"));
            named.trim_end().to_owned()
        })
        .collect();
    let names = bends.iter().flat_map(|bend| bend.names);
    let expected: BTreeSet<String> = names.map(|name| (*name).to_owned()).collect();
    assert_eq!(found, expected);
}

#[test]
fn aghook_sends_what_was_captured_with_the_profile_that_compare_writes() {
    let seen = captured(&[
        bent(as_another_sender, &[]),
        Bend {
            waits: &[FIRST],
            statuses: &[503],
            change: as_another_sender,
            names: &[],
        },
    ]);
    let compare = ["compare", "captured.jsonl", "--write-profile", "seen.yaml"];
    Transcript::of(&mut seen.aghook(&compare))
        .ends_with(1)
        .says(&[
            "unknown_key context.player.guild",
            "id_form idempotency_key",
            "escapes",
        ]);
    let profile = seen.read("seen.yaml");
    let key = r#"idempotency_key: {"form":"hex","prefix":"evt_","length":40}"#;
    for part in [
        "layout: spaced_escaped",
        key,
        r#"{"id":"{player_id}","guild":"#,
    ] {
        assert!(profile.contains(part), "{part}\n{profile}");
    }
    assert!(!profile.contains("no key for"), "{profile}");

    let receiver = ReceiverProcess::new(&[]);
    let folder = Folder::new()
        .with("seen.yaml", &profile)
        .with("scenario.yaml", AS_CAPTURED);
    let capture = Capture::start(&folder, &format!("http://{}", receiver.address));
    let target = format!("http://{}/webhooks/aghanim", capture.address);
    let seen = ["--config", "seen.yaml"];
    let run = ["run", "scenario.yaml", "--target", &target];
    Transcript::of(&mut folder.aghook(&[&run[..], &seen].concat())).ends_with(0);
    let (_, deliveries) = capture.stop(&folder);
    assert_eq!(deliveries.len(), 2);
    for delivery in deliveries {
        let event = delivery["request"]["body"]["text"].as_str().expect("text");
        let event: Value = serde_json::from_str(event).expect("JSON");
        assert_eq!(
            event["context"]["player"]["id"],
            event["event_data"]["player_id"]
        );
    }
    let compare = ["compare", "captured.jsonl"];
    Transcript::of(&mut folder.aghook(&[&compare[..], &seen].concat()))
        .ends_with(0)
        .says(&["2 deliveries compared", "no difference"]);
}

/// As a back end in Python that has its own contexts and keys.
fn as_another_sender(request: &mut Request, _: usize, _: &Request) {
    request.event(|event| {
        let player = &event["event_data"]["player_id"];
        event["context"]["player"] =
            json!({ "id": player, "guild": "Zo\u{eb}'s", "friends": [{ "level": 7 }] });
        let key = event["idempotency_key"].as_str().expect("a key");
        event["idempotency_key"] = format!("evt_{}", &hex::encode(key)[20..60]).into();
    });
    request.text(|body| {
        let spaced = body
            .replace("\":", "\": ")
            .replace(",\"", ", \"")
            .replace("},{", "}, {");
        let mut escaped = String::new();
        for unit in spaced.encode_utf16() {
            match u8::try_from(unit) {
                Ok(byte @ b' '..=b'~') => escaped.push(char::from(byte)),
                _ => write!(escaped, "\\u{unit:04x}").expect("a string"),
            }
        }
        escaped
    });
}

const AS_CAPTURED: &str = "
name: deliveries as captured
events:
  one: { context: { player: true, order: true } }
  two: { context: { player: true } }
steps:
  - deliver: [one, two]
    expect: { status: 2xx }
";
