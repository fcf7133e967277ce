//! `aghook replay` of the failed events of a load: only these events are sent, each with its
//! verdict.

use super::*;

const FAILURES: &str = "aghook-failures.jsonl";

/// The head and the events of the failures file.
fn failures(folder: &Folder) -> (Value, Vec<Value>) {
    let text = folder.read(FAILURES);
    let mut lines = text
        .lines()
        .map(|line| serde_json::from_str(line).expect("JSON"));
    let head = lines.next().expect("a head");
    (head, lines.collect())
}

fn replay(folder: &Folder, arguments: &[&str], code: i32) -> Transcript {
    let words = [&["replay", FAILURES], arguments].concat();
    Transcript::of(&mut folder.aghook(&words)).ends_with(code)
}

/// The number of lines that start with `start` and contain `text`.
fn lines(transcript: &Transcript, start: &str, text: &str) -> u64 {
    let lines = transcript.stdout.lines();
    let found = lines.filter(|line| line.starts_with(start) && line.contains(text));
    found.count() as u64
}

/// A load of 200 events with some duplicates against a receiver without deduplication.
fn load_with_duplicates() -> (ReceiverProcess, Folder, u64) {
    let flawed = ReceiverProcess::new(&["--flaw", "dedupe_missing"]);
    let folder = Folder::new().with("aghook.yaml", flawed.config(""));
    let mix = ["--together", "5%", "--duplicates", "5%"];
    let length = ["--rate", "max", "--count", "200"];
    let report = report(
        &folder,
        &[&length[..], &mix, &["--check-effects", "all"]].concat(),
        1,
    );
    let wrong = report["effects"]["wrong"].as_array().expect("a list").len() as u64;
    assert!(wrong > 0, "{report}");
    (flawed, folder, wrong)
}

#[test]
fn the_deliveries_of_an_event_are_printed_in_their_order() {
    let (_flawed, folder, _) = load_with_duplicates();
    let printed = replay(&folder, &["--as-treated", "--verbose"], 1);
    let headings = printed.stdout.lines().filter_map(|line| {
        let (event, delivery) = line.strip_prefix("event ")?.split_once(", delivery ")?;
        Some((event.to_owned(), delivery.to_owned()))
    });
    let headings: Vec<_> = headings.collect();
    assert!(!headings.is_empty(), "{}", printed.stdout);
    for pair in headings.chunks(2) {
        let [(first, one), (second, two)] = pair else {
            panic!("{headings:?}");
        };
        assert_eq!(first, second);
        assert_eq!((one.as_str(), two.as_str()), ("1", "2"));
    }
}

#[test]
fn events_that_were_granted_twice_are_replayed_with_a_verdict_each() {
    let (flawed, folder, wrong) = load_with_duplicates();
    // The receiver still grants each delivery.
    let again = replay(&folder, &[], 1).says(&[
        &format!(
            "resending {wrong} of {wrong} failed events of a load on http://{}",
            flawed.address
        ),
        &format!("{wrong} events: 0 as expected, {wrong} unexpected, 0 undecided"),
    ]);
    assert_eq!(
        lines(&again, "✗ ", "3 times as much"),
        wrong,
        "{}",
        again.text()
    );
    assert_eq!(lines(&again, "    before: ", "2 times as much"), wrong);
    // A sound receiver with empty inventories grants each event once, whatever its treatment.
    for options in [&[][..], &["--as-treated"]] {
        let sound = ReceiverProcess::new(&[]);
        let config = folder.path("aghook.yaml");
        std::fs::write(config, sound.config("")).expect("written");
        let url = format!("http://{}/webhooks/aghanim", sound.address);
        let options = [&["--target", &url], options].concat();
        let right = replay(&folder, &options, 0).says(&[&format!(
            "{wrong} events: {wrong} as expected, 0 unexpected, 0 undecided"
        )]);
        let granted = right.stdout.matches(": 200; granted as expected");
        assert_eq!(granted.count() as u64, wrong, "{}", right.text());
        // Another replay, and each event is still granted once.
        replay(&folder, &options, 0);
    }
}

#[test]
fn lost_events_are_granted_when_replayed_to_a_sound_receiver() {
    let losing = Peer::answering(|request| match request.method.as_str() {
        "GET" => PeerResponse::new(200).body(r#"{"quantity":0}"#),
        _ => PeerResponse::new(200),
    });
    let config = |url: &str, probe: &str| {
        format!(
            "profiles:\n  x:\n    target: {url}\n    settle: 0s\n    policy: {{ bundles: nested, \
             sandbox: ignore, test: ignore }}\n    probes:\n      quantity:\n        http: GET \
             {probe}/{{player_id}}/items/{{sku}}\n        read: $.quantity\n"
        )
    };
    let lost = config(&losing.url(), &losing.url());
    let folder = Folder::new().with("aghook.yaml", lost);
    let options = ["--rate", "max", "--count", "40", "--check-effects", "all"];
    let options = [&options[..], &["--skip-setup-check"]].concat();
    let report = report(&folder, &options, 1);
    let effects = &report["effects"];
    let wrong = effects["wrong"].as_array().expect("a list").len() as u64;
    assert!(wrong > 20, "{effects}");
    assert_eq!(wrong + number(effects, "right"), 40);
    // A response of 200 without a grant is not enough.
    let still = replay(&folder, &[], 1).says(&[&format!("0 as expected, {wrong} unexpected")]);
    assert_eq!(lines(&still, "✗ ", ": 200; "), wrong, "{}", still.text());
    let sound = ReceiverProcess::new(&[]);
    let base = format!("http://{}", sound.address);
    let (url, players) = (
        format!("{base}/webhooks/aghanim"),
        format!("{base}/debug/players"),
    );
    std::fs::write(folder.path("aghook.yaml"), config(&url, &players)).expect("written");
    replay(&folder, &["--target", &url], 0).says(&[&format!("{wrong} as expected, 0 unexpected")]);
}

#[test]
fn the_original_treatment_reveals_the_flaw_again() {
    let (_flawed, folder, wrong) = load_with_duplicates();
    let other = ReceiverProcess::new(&["--flaw", "dedupe_missing"]);
    std::fs::write(folder.path("aghook.yaml"), other.config("")).expect("written");
    let url = format!("http://{}/webhooks/aghanim", other.address);
    let target = ["--target", &url, "--as-treated"];
    let again = replay(&folder, &target, 1);
    assert_eq!(
        lines(&again, "✗ ", "2 times as much"),
        wrong,
        "{}",
        again.text()
    );
}

#[test]
fn a_replay_sends_the_same_bytes_with_a_fresh_signature() {
    let status = Arc::new(AtomicUsize::new(503));
    let seen: Arc<Mutex<Vec<crate::support::PeerRequest>>> = Arc::default();
    let (answered, kept) = (Arc::clone(&status), Arc::clone(&seen));
    let peer = Peer::answering(move |request| {
        let status = answered.load(Ordering::SeqCst);
        let mut kept = kept.lock().unwrap_or_else(PoisonError::into_inner);
        kept.push(request.clone());
        PeerResponse::new(u16::try_from(status).expect("a status"))
    });
    let config = format!(
        "profiles:\n  x:\n    target: {}\n    retry: {{ attempts: 1 }}\n",
        peer.url()
    );
    let folder = Folder::new().with("aghook.yaml", config);
    report(&folder, &["--rate", "max", "--count", "7"], 1);
    let (head, events) = failures(&folder);
    assert_eq!((number(&head, "events"), events.len()), (7, 7));
    for event in &events {
        assert_eq!(event["problem"], "it was not acknowledged");
    }
    let then = std::mem::take(&mut *seen.lock().expect("not poisoned"));
    replay(&folder, &[], 1).says(&[
        "7 events: 0 as expected, 7 unexpected, 0 undecided",
        ": 503",
    ]);
    seen.lock().expect("not poisoned").clear();
    status.store(200, Ordering::SeqCst);
    replay(&folder, &[], 0).says(&[
        "7 events: 7 as expected, 0 unexpected, 0 undecided",
        "grants were not checked: the profile has no probe `quantity`",
    ]);
    let now = std::mem::take(&mut *seen.lock().expect("not poisoned"));
    let bodies = |requests: &[crate::support::PeerRequest]| -> BTreeSet<Vec<u8>> {
        requests
            .iter()
            .map(|request| request.body.clone())
            .collect()
    };
    assert_eq!(now.len(), 7);
    assert_eq!(bodies(&now), bodies(&then));
    let request = &now[0];
    let header = |name: &str| {
        let mut headers = request.headers.iter();
        let found = headers.find(|(other, _)| other.eq_ignore_ascii_case(name));
        found.expect(name).1.clone()
    };
    let signer = aghook::internals::protocol::Signer::new(
        &aghook::internals::protocol::Secret::new(SECRET).expect("one"),
    );
    let timestamp = header("X-Aghanim-Signature-Timestamp");
    let signature = signer.sign(timestamp.parse().expect("seconds"), &request.body);
    assert_eq!(header("X-Aghanim-Signature"), signature.to_string());
    // Only one of them.
    let id = events[3]["event_id"].as_str().expect("text");
    replay(&folder, &["--filter", id], 0).says(&[
        "1 of 7 failed events",
        "1 event: 1 as expected, 0 unexpected, 0 undecided",
    ]);
    replay(&folder, &["--filter", "nobody"], 2).says(&["none of the 7 events", "--filter"]);
}

#[test]
fn an_accepted_forgery_is_replayed_as_a_forgery() {
    let flawed = ReceiverProcess::new(&["--flaw", "signature_not_checked"]);
    let folder = Folder::new().with("aghook.yaml", flawed.config(""));
    let options = ["--rate", "max", "--count", "100", "--forgeries", "10%"];
    let counted = report(&folder, &options, 1);
    let accepted = number(counts(&counted), "accepted_forgeries");
    assert!(accepted > 0, "{counted}");
    let (head, _) = failures(&folder);
    assert_eq!(number(&head, "events"), accepted);
    replay(&folder, &[], 1).says(&[
        &format!("0 as expected, {accepted} unexpected"),
        "(forged: ",
    ]);
    let sound = ReceiverProcess::new(&[]);
    std::fs::write(folder.path("aghook.yaml"), sound.config("")).expect("written");
    let url = format!("http://{}/webhooks/aghanim", sound.address);
    replay(&folder, &["--target", &url], 0)
        .says(&[&format!("{accepted} as expected, 0 unexpected")]);
}

#[test]
fn an_invalid_failures_file_is_refused_without_sending() {
    let peer = Peer::answering(|_| PeerResponse::new(503));
    let config =
        |url: &str| format!("profiles:\n  x:\n    target: {url}\n    retry: {{ attempts: 1 }}\n");
    let folder = Folder::new().with("aghook.yaml", config(&peer.url()));
    report(&folder, &["--rate", "max", "--count", "3"], 1);
    let whole = folder.read(FAILURES);
    let connections = peer.connections();
    let with = |text: &str, said: &[&str]| {
        std::fs::write(folder.path(FAILURES), text).expect("written");
        replay(&folder, &[], 2).says(said).says(&["help: "]);
    };
    with(&whole[..whole.len() - 10], &["line 4 is incomplete"]);
    let three = whole.lines().take(3).map(|line| format!("{line}\n"));
    with(
        &three.collect::<String>(),
        &["says 3 events, but it contains 2"],
    );
    with(
        &whole.replacen("\"event_id\"", "\"event\"", 1),
        &["line 2 can't be read: missing field `event_id`"],
    );
    with(
        &whole.replacen("\"format_version\":1", "\"format_version\":9", 1),
        &["format version 9"],
    );
    with(
        "",
        &[
            "has no complete line",
            "; it is not a failures file of a load either",
        ],
    );
    with(
        "{}\n",
        &[
            "not a recorded run",
            "; it is not a failures file of a load either",
        ],
    );
    std::fs::write(folder.path(FAILURES), &whole).expect("written");
    replay(&folder, &["--compare", "status"], 2).says(&["`--compare` needs a recorded run"]);
    let missing = ["replay", "nothing.jsonl"];
    Transcript::of(&mut folder.aghook(&missing))
        .ends_with(2)
        .says(&["no recorded run at nothing.jsonl; it is not a failures file of a load either"]);
    // The profile now has another target.
    let other = Peer::answering(|_| PeerResponse::new(200));
    std::fs::write(folder.path("aghook.yaml"), config(&other.url())).expect("written");
    replay(&folder, &[], 2).says(&[&peer.url(), &other.url(), "--target"]);
    assert_eq!((peer.connections(), other.connections()), (connections, 0));
    replay(&folder, &["--target", &other.url()], 0).says(&["3 as expected"]);
}

#[test]
fn an_unreachable_target_gives_no_verdict_on_the_events() {
    let peer = Peer::answering(|_| PeerResponse::new(503));
    let url = peer.url();
    let config = format!("profiles:\n  x:\n    target: {url}\n    retry: {{ attempts: 1 }}\n");
    let folder = Folder::new().with("aghook.yaml", config);
    report(&folder, &["--rate", "max", "--count", "3"], 1);
    replay(&folder, &["--target", crate::support::UNREACHABLE], 3).says(&["can't be reached"]);
}
