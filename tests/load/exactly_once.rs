//! Checks that each event of a load is granted once, and that violations are caught.

use super::*;

#[test]
fn a_receiver_that_grants_twice_is_caught_and_its_events_are_saved() {
    let flawed = ReceiverProcess::new(&["--flaw", "dedupe_missing"]);
    let folder = Folder::new().with("aghook.yaml", flawed.config(""));
    let options = [
        "--rate",
        "max",
        "--count",
        "200",
        "--together",
        "10%",
        "--duplicates",
        "10%",
        "--check-effects",
        "all",
    ];
    let report = report(&folder, &options, 1);
    let counts = counts(&report);
    let effects = &report["effects"];
    let wrong = effects["wrong"].as_array().expect("a list");
    // Sandbox events are not granted, so they can't be granted twice.
    let repeated = number(counts, "together") + number(counts, "duplicates");
    assert!(
        !wrong.is_empty() && wrong.len() as u64 <= repeated,
        "{effects}"
    );
    assert_eq!(number(effects, "right") + wrong.len() as u64, 200);
    for one in wrong {
        let problem = one["problem"].as_str().expect("text");
        assert!(problem.contains("2 times as much"), "{problem}");
    }
    let failures = folder.read("aghook-failures.jsonl");
    let lines: Vec<Value> = failures
        .lines()
        .map(|line| serde_json::from_str(line).expect("JSON"))
        .collect();
    let (head, lines) = lines.split_first().expect("a head");
    assert_eq!(number(head, "events"), wrong.len() as u64);
    assert_eq!(lines.len(), wrong.len());
    for (line, one) in lines.iter().zip(wrong) {
        let body: Value = serde_json::from_str(line["body"].as_str().expect("text")).expect("JSON");
        assert_eq!(body["event_id"], one["event_id"]);
        assert_eq!(body["event_data"]["player_id"], one["player_id"]);
    }
}

#[test]
fn a_receiver_that_accepts_forgeries_is_caught() {
    let flawed = ReceiverProcess::new(&["--flaw", "signature_not_checked"]);
    let folder = Folder::new().with("aghook.yaml", flawed.config(""));
    let options = [
        "--rate",
        "max",
        "--count",
        "300",
        "--forgeries",
        "10%",
        "--check-effects",
        "all",
        "--expect",
        "refused_forgeries = 100%",
    ];
    let report = report(&folder, &options, 1);
    assert!(number(counts(&report), "accepted_forgeries") > 0);
    assert_eq!(report["expectations"][0]["holds"], false);
    assert!(
        !report["effects"]["wrong"]
            .as_array()
            .expect("a list")
            .is_empty()
    );
    assert!(
        folder
            .read("aghook-failures.jsonl")
            .contains("a forgery was accepted")
    );
}

#[test]
fn thousands_of_events_are_granted_once_despite_duplicates_and_lost_responses() {
    let folder = Folder::new();
    let options = [
        "--rate",
        "max",
        "--count",
        "5000",
        "--duplicates",
        "10%",
        "--lost-acks",
        "5%",
        "--check-effects",
        "all",
    ];
    let report = report(&folder, &options, 0);
    let counts = counts(&report);
    assert_eq!(number(counts, "events"), 5_000);
    // The expected numbers are 500 and 250.
    assert!(number(counts, "duplicates") > 300, "{counts}");
    assert!(number(counts, "lost_acks") > 150, "{counts}");
    assert_eq!(counts["acknowledged"], counts["deliveries"]);
    assert_eq!(report["effects"]["right"], 5_000);
}

#[test]
fn a_race_is_caught_by_simultaneous_deliveries() {
    let flawed = ReceiverProcess::new(&["--flaw", "check_then_insert_race"]);
    let folder = Folder::new().with("aghook.yaml", flawed.config(""));
    let options = [
        "--rate",
        "max",
        "--count",
        "200",
        "--together",
        "100%",
        "--check-effects",
        "all",
    ];
    let report = report(&folder, &options, 1);
    assert_eq!(number(counts(&report), "together"), 200);
    let wrong = report["effects"]["wrong"].as_array().expect("a list");
    assert!(!wrong.is_empty());
    for one in wrong {
        assert_eq!(one["treatment"], "delivered twice simultaneously");
    }
}

/// A small version of `benches/exactly_once`.
#[test]
fn a_small_load_with_duplicates_catches_a_race() {
    let flawed = ReceiverProcess::new(&["--flaw", "check_then_insert_race"]);
    let folder = Folder::new().with("aghook.yaml", flawed.config(""));
    let options = ["--rate", "max", "--count", "3000", "--check-effects", "all"];
    let mix = ["--duplicates", "10%", "--lost-acks", "5%"];
    let caught = report(&folder, &[&options[..], &mix].concat(), 1);
    let counts = counts(&caught);
    // The expected numbers are 60 and 240: a fifth of the duplicates are simultaneous.
    assert!((20..120).contains(&number(counts, "together")), "{counts}");
    assert!(
        (160..320).contains(&number(counts, "duplicates")),
        "{counts}"
    );
    let wrong = caught["effects"]["wrong"].as_array().expect("a list");
    assert!(!wrong.is_empty() && wrong.len() as u64 <= number(counts, "together"));
    for one in wrong {
        assert_eq!(one["treatment"], "delivered twice simultaneously");
    }
    assert_eq!(caught["mix"]["together"], "2%");
    assert_eq!(caught["mix"]["duplicates"], "8%");
    // An explicit `--together` overrides the default fifth.
    let later_only = ["--duplicates", "10%", "--together", "0%"];
    let length = ["--rate", "max", "--count", "200", "--seed", "2"];
    let missed = report(&folder, &[&length[..], &later_only].concat(), 0);
    assert_eq!(number(self::counts(&missed), "together"), 0);
}

/// A full disk only causes an error when writing.
#[cfg(target_os = "linux")]
#[test]
fn the_results_are_shown_even_if_the_failed_events_can_not_be_written() {
    let flawed = ReceiverProcess::new(&["--flaw", "dedupe_missing"]);
    let folder = Folder::new().with("aghook.yaml", flawed.config(""));
    let options = ["load", "--rate", "max", "--count", "50"];
    let faults = ["--duplicates", "50%", "--check-effects", "all"];
    let words = [&options[..], &faults, &["--failures", "/dev/full"]].concat();
    Transcript::of(&mut folder.aghook(&words))
        .ends_with(3)
        .says(&["granted as expected", "can't write the failed events to"]);
}

/// Sound receivers may refuse a signature that they granted before, or an overlapping delivery.
/// Each delivery of an event has its own signature, and a 409 for one of two simultaneous
/// deliveries is not a failure.
#[test]
fn allowed_refusals_are_not_blamed() {
    for (variant, option) in [
        ("granted_signature_refused", "--duplicates"),
        ("granted_signature_refused", "--together"),
        ("granted_signature_refused", "--lost-acks"),
        ("in_progress_409", "--together"),
    ] {
        let receiver = ReceiverProcess::new(&["--variant", variant]);
        let config = receiver.config("    retry: { delays: [100ms, 100ms] }\n");
        let folder = Folder::new().with("aghook.yaml", config);
        let options = ["--rate", "200", "--count", "100", "--check-effects", "all"];
        let report = report(&folder, &[&options[..], &[option, "30%"]].concat(), 0);
        assert_eq!(report["effects"]["right"], 100, "{variant} {option}");
    }
}

#[test]
fn server_errors_for_forgeries_do_not_count_as_refusals() {
    let flawed = ReceiverProcess::new(&["--flaw", "forgery_answered_500"]);
    let folder = Folder::new().with("aghook.yaml", flawed.config(""));
    let options = ["--rate", "max", "--count", "100", "--forgeries", "20%"];
    let report = report(&folder, &options, 1);
    let wrong = report["expectations"].as_array().expect("a list").iter();
    let wrong: Vec<&Value> = wrong.filter(|one| one["holds"] == false).collect();
    assert_eq!(wrong.len(), 1, "{wrong:?}");
    assert_eq!(wrong[0]["expected"], "refused_forgeries = 100%");
}
