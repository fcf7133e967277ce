//! A load against a wrong set-up stops early and blames no receiver; a busy receiver does not stop it.

use super::*;

use serde_json::json;

/// A long load: it ends soon only if it is stopped.
const LONG: [&str; 6] = ["--rate", "500", "--count", "20000", "--connections", "4"];

fn load(config: &str, arguments: &[&str]) -> (Transcript, Value) {
    let folder = Folder::new().with("aghook.yaml", config);
    let words = [
        &["load", "--report", "json=load.json", "--report", "terminal"],
        arguments,
    ];
    let transcript = Transcript::of(&mut folder.aghook(&words.concat()));
    let report = serde_json::from_str(&folder.read("load.json")).expect("JSON");
    (transcript, report)
}

fn config(target: &str) -> String {
    format!("profiles:\n  game:\n    target: {target}\n    settle: 0s\n")
}

/// Loads a target that is no receiver, and expects `words` in the first ten lines.
#[track_caller]
fn is_stopped(target: &str, words: &[&str]) {
    let (transcript, report) = load(&config(target), &LONG);
    let transcript = transcript.ends_with(3);
    let lines = transcript.stdout.lines().chain(transcript.stderr.lines());
    let first: Vec<&str> = lines.take(10).collect();
    let first = first.join(" ");
    for words in words {
        assert!(
            first.contains(words),
            "no `{words}` in {}",
            transcript.text()
        );
    }
    let events = number(counts(&report), "events");
    assert!(events < 10_000, "{events} events were sent");
    assert_eq!(report["effects"], Value::Null);
}

#[track_caller]
fn response_is_named(response: PeerResponse, words: &[&str]) {
    let peer = Peer::answering(move |_| response.clone());
    is_stopped(&peer.url(), words);
}

#[test]
fn a_wrong_path_is_named() {
    let receiver = ReceiverProcess::new(&[]);
    let target = format!("http://{}/webhook", receiver.address);
    let help = "check the path in the profile's `target`";
    is_stopped(&target, &["no handler at this path (404)", help]);
}

#[test]
fn another_secret_is_named() {
    let response = PeerResponse::new(403).body("{\"error\":\"invalid signature\"}");
    let words = "every genuine delivery was refused (403: {\"error\":\"invalid signature\"})";
    response_is_named(
        response,
        &[words, "check that the receiver has the same secret"],
    );
}

/// The message shows the beginning of the body, which ends within the secret.
#[test]
fn the_secret_of_a_refusal_is_not_shown() {
    let body = format!("{} {SECRET} and more", "x".repeat(105));
    let peer = Peer::answering(move |_| PeerResponse::new(400).body(body.as_str()));
    let (transcript, _) = load(&config(&peer.url()), &LONG);
    let transcript = transcript
        .ends_with(3)
        .says(&["every genuine delivery was refused (400: xxx"]);
    let shown = transcript.text();
    assert!(!shown.contains(&SECRET[..8]), "{shown}");
}

/// Before a load, with colors, as a CI system often asks for.
#[test]
fn a_probe_can_not_control_the_terminal() {
    let peer = Peer::answering(|request| {
        if request.method == "POST" {
            return PeerResponse::new(200);
        }
        PeerResponse::new(400).body("\u{1b}[2J\u{9b}31m \r all checks passed")
    });
    let probe = format!(
        "    probes: {{ quantity: {{ http: 'GET {}/{{player_id}}/{{sku}}', read: $.quantity }} }}\n",
        peer.url()
    );
    let config = format!("{}{probe}", config(&peer.url()));
    let words = [
        "--color",
        "always",
        "--count",
        "3",
        "--check-effects",
        "all",
    ];
    let (transcript, _) = load(&config, &words);
    let note = "returned 400 (\\u{1b}[2J\\u{9b}31m \\r all checks passed)";
    assert!(transcript.stderr.contains(note), "{}", transcript.text());
}

#[test]
fn a_page_in_front_is_named() {
    let page = "<!doctype html><html><head><title>Sign in</title></head></html>";
    let words = ["the HTML page “Sign in” answered 200"];
    response_is_named(PeerResponse::new(200).body(page), &words);
    let login = PeerResponse::new(302).header("Location", "/login");
    response_is_named(login, &["a login is in front"]);
}

#[test]
fn a_proxy_without_a_receiver_is_named() {
    let words = ["a proxy answered 502: it can't reach the receiver"];
    response_is_named(PeerResponse::new(502), &words);
}

#[test]
fn a_short_load_names_it_at_its_end() {
    let peer = Peer::answering(|_| PeerResponse::new(404));
    let (transcript, report) = load(&config(&peer.url()), &["--count", "3"]);
    transcript
        .ends_with(3)
        .says(&["? the set-up does not work: no handler at this path (404)"]);
    assert_eq!(number(counts(&report), "events"), 3);
    let folder = Folder::new();
    let words = ["load", "--count", "3", "--target", &peer.url()];
    Transcript::of(&mut folder.aghook(&words)).ends_with(3);
    assert!(!folder.path("aghook-failures.jsonl").exists());
}

#[test]
fn without_the_check_a_receiver_that_refuses_everything_fails() {
    let peer = Peer::answering(|_| PeerResponse::new(403));
    let words = ["--count", "50", "--rate", "max", "--skip-setup-check"];
    let (transcript, report) = load(&config(&peer.url()), &words);
    transcript.ends_with(1).says(&["✗ undelivered = 0"]);
    assert_eq!(number(counts(&report), "events"), 50);
}

#[test]
fn a_receiver_that_is_busy_at_first_is_not_stopped() {
    let deliveries = AtomicUsize::new(0);
    let peer = Peer::answering(move |_| {
        let number = deliveries.fetch_add(1, Ordering::Relaxed);
        PeerResponse::new(if number < 200 { 503 } else { 200 })
    });
    let config = format!("{}    retry: {{ delays: [10ms] }}\n", config(&peer.url()));
    let words = ["--count", "400", "--rate", "max", "--connections", "4"];
    let (transcript, report) = load(
        &config,
        &[&words[..], &["--expect", "errors < 90%"]].concat(),
    );
    transcript.ends_with(0);
    assert_eq!(number(counts(&report), "events"), 400);
}

/// Two instances behind one address, of which one is wrong.
#[test]
fn a_mistake_that_not_all_responses_show_stops_nothing() {
    let deliveries = AtomicUsize::new(0);
    let peer = Peer::answering(move |_| {
        let number = deliveries.fetch_add(1, Ordering::Relaxed);
        PeerResponse::new(if number.is_multiple_of(2) { 404 } else { 200 })
    });
    let words = ["--count", "100", "--rate", "max", "--connections", "1"];
    let (transcript, report) = load(&config(&peer.url()), &words);
    transcript.ends_with(1).says(&["✗ undelivered = 0"]);
    assert_eq!(number(counts(&report), "events"), 100);
}

/// Answers so many deliveries, and then refuses connections.
#[test]
fn a_receiver_that_stops_is_named() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
    let url = format!("http://{}/hook", listener.local_addr().expect("an address"));
    std::thread::spawn(move || {
        let mut left = 20;
        while left > 0 {
            let (stream, _) = listener.accept().expect("a connection");
            let mut connection = BufReader::new(stream);
            while left > 0 && support::read_request(&mut connection).is_some() {
                let response = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n";
                std::io::Write::write_all(connection.get_mut(), response).expect("sent");
                left -= 1;
            }
        }
    });
    let config = format!("{}    retry: off\n", config(&url));
    let words = ["--count", "100", "--rate", "max", "--connections", "1"];
    // The expectation alone would allow it.
    let words = [&words[..], &["--expect", "errors < 100%"]].concat();
    let (transcript, report) = load(&config, &words);
    transcript.ends_with(1).says(&[
        "✗ the receiver keeps running: the receiver stopped at ",
        "and refused all connections from then on",
    ]);
    let stops = report["receiver_stops"].as_array().expect("a list");
    assert_eq!(stops.len(), 1, "{stops:?}");
    assert_eq!(stops[0]["seconds"], Value::Null);
}

/// A game with the inventories of the players in `known`; a player that it does not know is answered
/// with 404.
fn probed(probe: &str, target: &str) -> String {
    format!(
        "{}    probes: {{ quantity: {{ {probe} }} }}\n",
        config(target)
    )
}

#[test]
fn a_probe_that_can_work_for_no_player_is_named_before_the_load() {
    let peer = Peer::answering(|_| PeerResponse::new(200));
    let refusing = Peer::answering(|_| PeerResponse::new(401).body("no token"));
    for (probe, words) in [
        (
            "http: \"GET http://127.0.0.1:1/{player_id}/{sku}\"".to_owned(),
            "127.0.0.1:1 refused the connection",
        ),
        (
            format!("http: \"GET {}/{{player_id}}\"", refusing.url()),
            "returned 401 (no token)",
        ),
        (
            "command: [no-such-program-here]".to_owned(),
            "no-such-program-here",
        ),
    ] {
        let before = peer.connections();
        let folder = Folder::new().with("aghook.yaml", probed(&probe, &peer.url()));
        Transcript::of(&mut folder.aghook(&["load", "--count", "20000", "--rate", "500"]))
            .ends_with(3)
            .says(&["probe `quantity` failed: ", words, "--check-effects none"]);
        // Only the check that the target accepts connections.
        assert_eq!(peer.connections(), before + 1);
    }
}

#[test]
fn a_player_whom_the_game_does_not_know_yet_stops_nothing() {
    let held = Mutex::new(std::collections::HashMap::new());
    let peer = Peer::answering(move |request| {
        let mut held = held.lock().expect("a lock");
        if request.path == "/hook" {
            let data = &request.json()["event_data"];
            let player = data["player_id"].as_str().expect("a player").to_owned();
            let item = data["item"].clone();
            held.entry(player).or_insert_with(Vec::new).push(item);
            return PeerResponse::new(200);
        }
        let mut parts = request.path.rsplit('/');
        let (sku, player) = (
            parts.next().expect("a SKU"),
            parts.next().expect("a player"),
        );
        let Some(items) = held.get(player) else {
            return PeerResponse::new(404);
        };
        let items = items.iter().filter(|item: &&Value| item["sku"] == sku);
        let sum: i64 = items.filter_map(|item| item["quantity"].as_i64()).sum();
        PeerResponse::new(200).json(&json!(sum))
    });
    let probe = format!(
        "http: \"GET http://{}/{{player_id}}/{{sku}}\"",
        peer.address
    );
    let config = format!(
        "{}    policy: {{ bundles: sku }}\n",
        probed(&probe, &peer.url())
    );
    let (transcript, _) = load(&config, &["--count", "40", "--rate", "max"]);
    transcript.ends_with(0).says(&[
        "returned 404",
        "The load goes on",
        "✓ granted as expected: 40 of 40 checked events",
        "checked all 40 events; expected of 40 acknowledged: granted once",
    ]);
}

#[test]
fn events_that_change_nothing_are_undecided() {
    let peer = Peer::answering(|_| PeerResponse::new(200).json(&json!(0)));
    let probe = format!(
        "http: \"GET http://{}/{{player_id}}/{{sku}}\"",
        peer.address
    );
    let config = probed(&probe, &peer.url());
    let words = ["--count", "20", "--rate", "max"];
    let (transcript, _) = load(&config, &words);
    transcript
        .ends_with(3)
        .says(&["but no probe shows any change"]);
    let again = [&words[..], &["--start-time", "1763889831"]].concat();
    let (transcript, _) = load(&config, &again);
    transcript
        .ends_with(3)
        .says(&["their idempotency keys were probably used before"]);
    let (transcript, _) = load(&config, &[&words[..], &["--skip-setup-check"]].concat());
    transcript
        .ends_with(1)
        .says(&["✗ granted as expected: ", "changed by 0 instead of"])
        .does_not_say(&["no probe shows any change"]);
}

/// 250 players are read in three requests.
#[test]
fn lists_read_many_players_at_once() {
    let (granted, requests) = (
        Mutex::new(serde_json::Map::new()),
        Arc::new(AtomicUsize::new(0)),
    );
    let readings = Arc::clone(&requests);
    let peer = Peer::answering(move |request| {
        let mut granted = granted.lock().expect("a lock");
        if request.path != "/hook" {
            readings.fetch_add(1, Ordering::Relaxed);
            return PeerResponse::new(200).json(&Value::Object(granted.clone()));
        }
        let data = &request.json()["event_data"];
        let (player, item) = (data["player_id"].as_str().expect("a player"), &data["item"]);
        let held = granted.entry(player).or_insert_with(|| json!({}));
        let sku = item["sku"].as_str().expect("a SKU");
        let sum = held[sku].as_i64().unwrap_or(0) + item["quantity"].as_i64().unwrap_or(0);
        held[sku] = json!(sum);
        PeerResponse::new(200)
    });
    let probe = format!(
        "http: \"GET http://{}/held?players={{player_ids}}\", missing: 0, \
         read: \"$['{{player_id}}']['{{sku}}']\"",
        peer.address
    );
    let config = format!(
        "{}    policy: {{ bundles: sku }}\n",
        probed(&probe, &peer.url())
    );
    let (transcript, _) = load(
        &config,
        &["--count", "300", "--rate", "max", "--check-effects", "250"],
    );
    transcript.ends_with(0).says(&[
        "✓ granted as expected: 250 of 250 checked events",
        "checked 250 of 300 events, a sample (`--check-effects all` checks every event)",
    ]);
    // One before the load, and perhaps events of players whom several events share.
    let requests = requests.load(Ordering::Relaxed);
    assert!((4..=8).contains(&requests), "{requests}");
}
