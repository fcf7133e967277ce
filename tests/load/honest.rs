//! A load reports only what it observed: no statistics without samples, no effects that were not
//! required, and an error for files that can't be written.

use super::*;

/// A receiver that refuses everything, with a probe that always reads 0.
fn refusing() -> (Peer, Folder) {
    let peer = Peer::answering(|request| {
        if request.method == "GET" {
            PeerResponse::new(200).body(r#"{"quantity":0}"#)
        } else {
            PeerResponse::new(403)
        }
    });
    let url = peer.url();
    let config = format!(
        "profiles:\n  x:\n    target: {url}\n    settle: 0s\n    probes:\n      quantity:\n        http: \
         GET {url}/{{player_id}}/{{sku}}\n        read: $.quantity\n"
    );
    (peer, Folder::new().with("aghook.yaml", config))
}

#[test]
fn no_grant_proves_nothing_if_no_event_was_acknowledged() {
    let (_peer, folder) = refusing();
    let options = [
        "load",
        "--rate",
        "max",
        "--count",
        "10",
        "--skip-setup-check",
    ];
    let expected = ["--expect", "errors = 100%", "--check-effects", "all"];
    let words = [
        &options[..],
        &expected,
        &["--report", "json=load.json", "--report", "terminal"],
    ];
    Transcript::of(&mut folder.aghook(&words.concat()))
        .ends_with(3)
        .says(&[
            "? granted as expected: undecided for all 10 checked events",
            "none of their deliveries got a 2xx response",
            "latency      not measured",
        ])
        .does_not_say(&["✓ granted", "p50 0"]);
    let report: Value = serde_json::from_str(&folder.read("load.json")).expect("JSON");
    assert_eq!(report["effects"]["acknowledged"], 0);
    let markdown = [&options[..], &["--report", "markdown"]].concat();
    Transcript::of(&mut folder.aghook(&markdown))
        .ends_with(1)
        .says(&["| latency | – | – | – | – | – |"])
        .does_not_say(&["0 µs"]);
}

#[test]
fn checked_events_are_acknowledged_or_forged() {
    let folder = Folder::new();
    let options = ["--rate", "max", "--count", "300", "--check-effects", "all"];
    let report = report(
        &folder,
        &[&options[..], &["--forgeries", "10%"]].concat(),
        0,
    );
    let effects = &report["effects"];
    assert_eq!(effects["forged"], counts(&report)["forgeries"]);
    let checked = number(effects, "acknowledged") + number(effects, "forged");
    assert_eq!(checked, 300);
}

#[test]
fn an_expectation_without_a_sample_is_not_checked() {
    let folder = Folder::new();
    // Only forgeries: expectations about deliveries have no sample.
    let options = ["--rate", "max", "--count", "20", "--forgeries", "100%"];
    report(&folder, &options, 0);
    for expected in ["undelivered = 0", "errors = 0", "dropped = 0", "p99 < 1s"] {
        let open = report(
            &folder,
            &[&options[..], &["--expect", expected]].concat(),
            3,
        );
        assert!(open["expectations"][0]["holds"].is_null(), "{open}");
    }
    // With so few events, none is drawn as a forgery.
    let few = ["load", "--rate", "max", "--count", "2", "--forgeries", "1%"];
    Transcript::of(&mut folder.aghook(&few))
        .ends_with(0)
        .says(&["none among so few events, so none was checked"]);
    let single = ["--rate", "max", "--count", "1"];
    for expected in ["rate > 1", "accepted_forgeries = 0", "late_p99 < 1s"] {
        report(&folder, &[&single[..], &["--expect", expected]].concat(), 3);
    }
}

#[test]
fn a_percentile_of_too_few_responses_has_a_note() {
    let folder = Folder::new();
    let options = ["load", "--rate", "max", "--count", "50"];
    let words = [&options[..], &["--expect", "p99.9 < 1h"]].concat();
    Transcript::of(&mut folder.aghook(&words))
        .ends_with(0)
        .says(&[
            "✓ p99.9 < 1h",
            "only 50 responses, so this is the longest one",
        ]);
}

#[test]
fn unwritable_files_are_detected_before_sending() {
    let requests = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&requests);
    let peer = Peer::answering(move |_| {
        counted.fetch_add(1, Ordering::SeqCst);
        PeerResponse::new(200)
    });
    let folder = Folder::new()
        .with("file", "")
        .with("old.json", "what was there");
    let url = peer.url();
    let load = ["load", "--target", &url, "--rate", "max", "--count", "5"];
    for (options, said) in [
        (
            &["--failures", "file/x.jsonl"][..],
            "could not be written to file/x.jsonl",
        ),
        (
            &["--report", "json=old.json", "--report", "html=file/x.html"],
            "can't write the report file/x.html",
        ),
    ] {
        let words = [&load[..], options].concat();
        Transcript::of(&mut folder.aghook(&words))
            .ends_with(3)
            .says(&[said]);
    }
    assert_eq!(requests.load(Ordering::SeqCst), 0);
    // Nobody takes an earlier report for this load's.
    let report: Value = serde_json::from_str(&folder.read("old.json")).expect("JSON");
    let reason = report["setup_problem"]["reason"]
        .as_str()
        .expect("a reason");
    assert!(reason.contains("file/x.html"), "{reason}");
    assert!(!folder.path("aghook-failures.jsonl").exists());
    let words = [&load[..], &["--report", "json=old.json"]].concat();
    Transcript::of(&mut folder.aghook(&words)).ends_with(0);
    let report: Value = serde_json::from_str(&folder.read("old.json")).expect("JSON");
    assert_eq!(counts(&report)["events"], 5);
}

#[test]
fn a_failures_file_of_an_earlier_load_is_kept_and_mentioned() {
    let earlier = "{\"format\":\"aghook load failures\"}\n";
    let folder = Folder::new().with("aghook-failures.jsonl", earlier);
    let words = ["load", "--rate", "max", "--count", "5"];
    Transcript::of(&mut folder.aghook(&words))
        .ends_with(0)
        .says(&["aghook-failures.jsonl is from an earlier load"]);
    assert_eq!(folder.read("aghook-failures.jsonl"), earlier);
}

#[test]
fn the_failures_file_never_overwrites_another_file() {
    let folder = Folder::new().with("mine.yaml", "name: mine\n");
    let words = ["load", "--rate", "max", "--count", "5", "--failures"];
    Transcript::of(&mut folder.aghook(&[&words[..], &["mine.yaml"]].concat()))
        .ends_with(2)
        .says(&["mine.yaml exists and is not a failures file"]);
    assert_eq!(folder.read("mine.yaml"), "name: mine\n");
    let both = ["same.jsonl", "--report", "json=same.jsonl"];
    Transcript::of(&mut folder.aghook(&[&words[..], &both].concat()))
        .ends_with(2)
        .says(&["would both be written to same.jsonl"]);
}

#[test]
fn an_expectation_of_latency_does_not_excuse_failed_deliveries() {
    let refusing = Peer::answering(|_| PeerResponse::new(422));
    let url = refusing.url();
    let load = |expected: &str| {
        let words = ["load", "--target", &url, "--rate", "max", "--count", "9"];
        let words = [&words[..], &["--skip-setup-check", "--expect", expected]].concat();
        Transcript::of(&mut Folder::new().aghook(&words))
    };
    // One of the nine is a sandbox event, which may be refused.
    load("max < 60s")
        .ends_with(1)
        .says(&["undelivered = 0: observed 8"]);
    load("refused = 100%").ends_with(0);
}
