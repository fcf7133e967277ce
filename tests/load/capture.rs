//! `aghook capture` between a sender and a receiver: bytes pass unchanged, and the capture has every
//! delivery without what identifies anyone.

use std::collections::BTreeSet;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

use serde_json::{Value, json};

use super::support::{Folder, Peer, SECRET, Transcript, UNREACHABLE};
use super::{ReceiverProcess, report};

/// `aghook capture`, which writes captured.jsonl.
pub(super) struct Capture {
    process: Child,
    pub(super) address: SocketAddr,
}

impl Capture {
    pub(super) fn start(folder: &Folder, forward: &str) -> Self {
        let mut process = Command::new(env!("CARGO_BIN_EXE_aghook"))
            .args(["capture", "--listen", "127.0.0.1:0", "--forward", forward])
            .current_dir(folder.root())
            .env("AGHOOK_SECRET", SECRET)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("runs");
        let mut line = String::new();
        let output = process.stdout.take().expect("a pipe");
        BufReader::new(output).read_line(&mut line).expect("a line");
        let (_, rest) = line.split_once("http://").expect("a URL");
        let (address, _) = rest.split_once(' ').expect("an address");
        let address = address.parse().expect("an address");
        Self { process, address }
    }

    /// Stops the proxy, and returns what it said and what it has written.
    pub(super) fn stop(mut self, folder: &Folder) -> (String, Vec<Value>) {
        let pid = self.process.id().to_string();
        let sent = Command::new("kill").args(["-INT", &pid]).status();
        assert!(sent.expect("kill").success());
        let mut said = String::new();
        let mut errors = self.process.stderr.take().expect("a pipe");
        errors.read_to_string(&mut said).expect("UTF-8");
        assert!(self.process.wait().expect("ended").success(), "{said}");
        let lines = folder.read("captured.jsonl");
        let parse = |line: &str| serde_json::from_str(line).expect("JSON");
        (said, lines.lines().map(parse).collect())
    }

    /// Sends these bytes on a connection, and returns what comes back until it is closed.
    pub(super) fn exchange(&self, bytes: &[u8]) -> Vec<u8> {
        let mut stream = TcpStream::connect(self.address).expect("connects");
        stream.write_all(bytes).expect("sent");
        stream.shutdown(Shutdown::Write).expect("shut down");
        let mut received = Vec::new();
        stream.read_to_end(&mut received).expect("received");
        received
    }
}

/// What was sent and received on a connection.
type Bytes = (Vec<u8>, Vec<u8>);

/// Forwards connections to another address and keeps the bytes of both directions.
struct Tap {
    address: SocketAddr,
    connections: Arc<Mutex<Vec<Bytes>>>,
}

impl Tap {
    fn before(target: SocketAddr) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let address = listener.local_addr().expect("an address");
        let connections = Arc::new(Mutex::new(Vec::new()));
        let kept = Arc::clone(&connections);
        thread::spawn(move || {
            for sender in listener.incoming().map_while(Result::ok) {
                let receiver = TcpStream::connect(target).expect("connects");
                let kept = Arc::clone(&kept);
                thread::spawn(move || {
                    let copies = [&sender, &receiver].map(|end| end.try_clone().expect("cloned"));
                    let [sender_copy, receiver_copy] = copies;
                    let sent = thread::spawn(move || forward(sender_copy, receiver_copy));
                    let answered = forward(receiver, sender);
                    let bytes = (sent.join().expect("forwarded"), answered);
                    kept.lock()
                        .unwrap_or_else(PoisonError::into_inner)
                        .push(bytes);
                });
            }
        });
        Self {
            address,
            connections,
        }
    }

    /// The connections, once all of them are closed.
    fn bytes(&self, count: impl Fn(&[Bytes]) -> bool) -> Vec<Bytes> {
        loop {
            let kept = self
                .connections
                .lock()
                .unwrap_or_else(PoisonError::into_inner);
            if count(&kept) {
                let mut kept = kept.clone();
                kept.sort();
                return kept;
            }
            drop(kept);
            thread::yield_now();
        }
    }
}

fn forward(mut from: TcpStream, mut to: TcpStream) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut buffer = [0; 4096];
    while let Ok(count @ 1..) = from.read(&mut buffer) {
        bytes.extend_from_slice(&buffer[..count]);
        if to.write_all(&buffer[..count]).is_err() {
            break;
        }
    }
    let _ = to.shutdown(Shutdown::Write);
    bytes
}

fn requests(connections: &[Bytes]) -> usize {
    let text = |bytes: &Bytes| String::from_utf8_lossy(&bytes.0).into_owned();
    let heads = connections
        .iter()
        .map(|bytes| text(bytes).matches("POST /").count());
    heads.sum()
}

/// Deliveries with retries, bundles and contexts, and what the profile says about retries.
const SCENARIO: &str = "
name: coupons are granted once after a failure
matrix:
  number: [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20]
events:
  plain: {}
  chest:
    item: { bundle: [{}, { bundle: [{}] }], fallback: {} }
    context: { player: true, order: true }
    request_id: true
  late: { sandbox: true, trigger: test }
steps:
  - script: { of: plain, answers: [503, 500] }
  - deliver: plain
    expect: { status: 2xx, attempts: 3 }
  - deliver: [chest, late]
    times: 4
    expect: { status: 2xx }
effects:
  - granted: plain
";

fn config(target: SocketAddr, receiver: &str) -> String {
    format!(
        "profiles:\n  game:\n    target: http://{target}/webhooks/aghanim\n    \
         script: {{ http: 'PUT http://{receiver}/debug/players/{{player_id}}/respond' }}\n    \
         probes:\n      quantity:\n        \
         http: GET http://{receiver}/debug/players/{{player_id}}/items/{{sku}}\n        \
         read: $.quantity\n    \
         policy: {{ bundles: nested, sandbox: ignore, test: ignore }}\n    \
         retry: {{ attempts: 4, delays: [1100ms, 1200ms] }}\n"
    )
}

#[test]
fn a_thousand_deliveries_pass_unchanged_and_differ_in_nothing() {
    let receiver = ReceiverProcess::new(&[]);
    let behind = Tap::before(receiver.address.parse().expect("an address"));
    let folder = Folder::new().with("scenario.yaml", SCENARIO);
    let capture = Capture::start(&folder, &format!("http://{}", behind.address));
    let before = Tap::before(capture.address);
    let folder = folder.with("aghook.yaml", config(before.address, &receiver.address));

    let run = Transcript::of(&mut folder.run(&["--real-time", "--jobs", "20"])).ends_with(0);
    drop(run);
    let load = ["--rate", "400", "--count", "760", "--duplicates", "5%"];
    report(&folder, &load, 0);
    let sent = before.bytes(|connections| requests(connections) >= 1000);
    let passed = behind.bytes(|connections| connections.len() >= sent.len());
    assert!(sent == passed, "the bytes differ");

    let (said, deliveries) = capture.stop(&folder);
    assert_eq!(deliveries.len(), requests(&sent), "{said}");
    let matching = deliveries
        .iter()
        .filter(|delivery| delivery["signature"] == "matches");
    assert_eq!(matching.count(), deliveries.len());
    let retries = deliveries
        .iter()
        .filter(|delivery| delivery["previous"]["status"] == 503);
    assert_eq!(retries.count(), 20);
    is_anonymous(&folder, &sent);
    Transcript::of(&mut folder.aghook(&["compare", "captured.jsonl"]))
        .ends_with(0)
        .says(&["no difference", " 40 retries"]);
}

/// No file has the secret, a signature, a player, or a value of a context.
#[track_caller]
fn is_anonymous(folder: &Folder, connections: &[Bytes]) {
    let captured = folder.read("captured.jsonl");
    let mut values = vec![SECRET.to_owned()];
    for (sent, _) in connections {
        let sent = String::from_utf8_lossy(sent);
        for line in sent.lines() {
            values.extend(
                line.strip_prefix("X-Aghanim-Signature: ")
                    .map(str::to_owned),
            );
            // The next request begins on the line on which a body ends.
            let body = line.find("POST /").map_or(line, |end| &line[..end]);
            let Ok(event) = serde_json::from_str::<Value>(body) else {
                continue;
            };
            let data = &event["event_data"];
            let context = &event["context"];
            let texts = [
                &data["player_id"],
                &data["coupon"]["code"],
                &event["idempotency_key"],
                &event["event_id"],
                &context["order"]["receipt_email"],
                &context["order"]["id"],
            ];
            let texts = texts.into_iter().filter_map(Value::as_str);
            values.extend(texts.map(str::to_owned));
            // A shorter name can be the replacement of another by chance.
            let name = context["player"]["name"].as_str();
            let name = name.filter(|name| name.chars().count() > 6);
            values.extend(name.map(str::to_owned));
        }
    }
    assert!(values.len() > 4000, "{}", values.len());
    let secret = values.remove(0);
    assert!(!captured.contains(&secret));
    // Each value that was replaced is a whole string.
    let written: BTreeSet<&str> = captured.split(['"', '\\']).collect();
    for value in values {
        assert!(!written.contains(value.as_str()), "{value}");
    }
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        let metadata = std::fs::metadata(folder.path("captured.jsonl")).expect("a file");
        assert_eq!(metadata.permissions().mode() & 0o777, 0o600);
    }
}

#[test]
fn unusual_requests_pass_unchanged_and_are_recorded_as_they_came() {
    const BODY: &str = r#"{"event_type": "coupon.redeemed", "idempotency_key": "k1"}"#;
    let received = Arc::new(Mutex::new(Vec::new()));
    let kept = Arc::clone(&received);
    let response = b"HTTP/1.1 202 Fine\r\nx-OWN: 1\r\n\r\n{\"status\":\"ok\"}";
    let peer = Peer::raw(move |mut stream, _| {
        let mut bytes = Vec::new();
        stream.read_to_end(&mut bytes).expect("read");
        kept.lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(bytes);
        let _ = stream.write_all(response);
    });
    let folder = Folder::new();
    let capture = Capture::start(&folder, &format!("http://{}", peer.address));
    let chunked = format!(
        "POST /hook HTTP/1.1\r\nhOsT: x\r\nx-aghanim-SIGNATURE: ab\r\nTransfer-Encoding: chunked\r\n\r\n\
         {:x}\r\n{BODY}\r\n0\r\n\r\n",
        BODY.len()
    );
    let other = "GET /health HTTP/1.1\r\nHost: x\r\n\r\n".to_owned();
    let not_http = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0".to_owned();
    let sent = [chunked, other, not_http];
    for bytes in &sent {
        assert_eq!(capture.exchange(bytes.as_bytes()), response, "{bytes}");
    }
    let received = received.lock().unwrap_or_else(PoisonError::into_inner);
    assert_eq!(*received, sent.map(String::into_bytes));

    let (said, deliveries) = capture.stop(&folder);
    assert!(
        said.contains("1 deliveries recorded, 0 of them again; 1 other requests; 1 connections"),
        "{said}"
    );
    let [delivery] = deliveries.as_slice() else {
        panic!("{deliveries:?}");
    };
    let request = &delivery["request"];
    assert_eq!(request["chunked"], true);
    assert_eq!(request["headers"][0][0], "hOsT");
    assert_eq!(request["headers"][1][0], "x-aghanim-SIGNATURE");
    assert_eq!(request["body"]["length"], BODY.len());
    assert_eq!(delivery["response"]["status"], 202);
    assert_eq!(delivery["response"]["body"]["text"], r#"{"status":"ok"}"#);
}

#[test]
fn broken_deliveries_are_recorded_with_the_reason() {
    let folder = Folder::new();
    let silent = Peer::raw(|mut stream, _| {
        let _ = stream.read(&mut [0; 4096]);
    });
    let body = json!({ "event_type": "coupon.redeemed", "idempotency_key": "k" }).to_string();
    let request = format!(
        "POST / HTTP/1.1\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    );
    for (forward, expected) in [
        (
            format!("http://{}", silent.address),
            "the receiver closed the connection",
        ),
        (
            UNREACHABLE.replace("/hook", ""),
            "the receiver could not be reached",
        ),
    ] {
        let _ = std::fs::remove_file(folder.path("captured.jsonl"));
        let capture = Capture::start(&folder, &forward);
        let mut stream = TcpStream::connect(capture.address).expect("connects");
        stream.write_all(request.as_bytes()).expect("sent");
        // The proxy closes the connection, too; whether with a reset is not its choice.
        let _ = stream.read_to_end(&mut Vec::new());
        let (_, deliveries) = capture.stop(&folder);
        assert_eq!(deliveries.len(), 1);
        let failure = deliveries[0]["failure"].as_str().expect("a failure");
        assert!(failure.contains(expected), "{failure}");
        assert_eq!(deliveries[0]["response"], Value::Null);
    }
}

#[test]
fn other_hosts_paths_and_existing_captures_are_refused() {
    let folder = Folder::new().with("captured.jsonl", "{}\n");
    for (arguments, words) in [
        (
            &["--forward", "https://game.example.com"][..],
            "--allow-host game.example.com",
        ),
        (
            &["--forward", "http://127.0.0.1:1/hook"],
            "requests keep their own",
        ),
        (
            &["--forward", "http://127.0.0.1:1"],
            "captured.jsonl exists",
        ),
        (
            &["--forward", "http://127.0.0.1:1", "--listen", "0.0.0.0:0"],
            "--allow-remote",
        ),
    ] {
        let arguments = [&["capture"], arguments].concat();
        Transcript::of(&mut folder.aghook(&arguments))
            .ends_with(2)
            .says(&[words]);
    }
    assert_eq!(folder.read("captured.jsonl"), "{}\n");
}

#[test]
fn a_response_streams_through() {
    let folder = Folder::new();
    let (waits, goes_on) = std::sync::mpsc::channel::<()>();
    let goes_on = Mutex::new(goes_on);
    let peer = Peer::raw(move |mut stream, _| {
        let _ = stream.read(&mut [0; 4096]);
        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\no");
        // The rest follows only after the sender has the beginning.
        let _ = goes_on
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .recv();
        let _ = stream.write_all(b"k");
    });
    let capture = Capture::start(&folder, &format!("http://{}", peer.address));
    let mut stream = TcpStream::connect(capture.address).expect("connects");
    let request = b"POST / HTTP/1.1\r\nX-Aghanim-Signature: a\r\nContent-Length: 2\r\n\r\n{}";
    stream.write_all(request).expect("sent");
    let mut beginning = [0; 39];
    stream.read_exact(&mut beginning).expect("received");
    waits.send(()).expect("waits");
    let mut rest = Vec::new();
    stream.read_to_end(&mut rest).expect("received");
    assert_eq!(rest, b"k");
    let (_, deliveries) = capture.stop(&folder);
    assert_eq!(deliveries[0]["response"]["status"], 200);
}
