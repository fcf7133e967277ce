//! Retries of failed deliveries in a load.

use super::*;

#[test]
fn failed_deliveries_are_retried_by_the_policy() {
    let answered = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&answered);
    let peer = Peer::answering(move |_| {
        let nth = counted.fetch_add(1, Ordering::SeqCst);
        PeerResponse::new(if nth < 30 { 503 } else { 200 })
    });
    let config = format!(
        "profiles:\n  x:\n    target: {}\n    retry: {{ attempts: 40, delays: [1ms] }}\n",
        peer.url()
    );
    let folder = Folder::new().with("aghook.yaml", config);
    let options = ["--rate", "max", "--count", "10", "--connections", "2"];
    let report = report(&folder, &options, 0);
    let counts = counts(&report);
    assert_eq!(number(counts, "acknowledged"), 10);
    assert_eq!(number(counts, "retries"), 30);
    assert_eq!(number(counts, "errors"), 30);
    assert_eq!(counts["statuses"]["503"], 30);
}

#[test]
fn deliveries_that_never_succeed_are_exhausted_and_fail() {
    let peer = Peer::answering(|_| PeerResponse::new(500));
    let config = format!(
        "profiles:\n  x:\n    target: {}\n    retry: {{ attempts: 3, delays: [1ms] }}\n",
        peer.url()
    );
    let folder = Folder::new().with("aghook.yaml", config);
    let counted = report(&folder, &["--rate", "max", "--count", "10"], 1);
    let counts = counts(&counted);
    assert_eq!(number(counts, "exhausted"), 10);
    assert_eq!(number(counts, "attempts"), 30);
    // An expectation of errors replaces the default check; one of latency does not.
    report(
        &folder,
        &[
            "--rate",
            "max",
            "--count",
            "10",
            "--expect",
            "errors = 100%",
        ],
        0,
    );
    report(
        &folder,
        &["--rate", "max", "--count", "10", "--expect", "p99 < 1s"],
        1,
    );
}

#[test]
fn retry_after_works_with_dates_and_seconds() {
    for asked in ["3600", "Fri, 31 Dec 2100 23:59:59 GMT"] {
        let peer = Peer::answering(move |_| PeerResponse::new(503).header("Retry-After", asked));
        let config = format!(
            "profiles:\n  x:\n    target: {}\n    retry: {{ attempts: 2, delays: [1ms], retry_after: \
             true }}\n",
            peer.url()
        );
        let folder = Folder::new().with("aghook.yaml", config);
        let options = ["--rate", "max", "--count", "5", "--drain", "50ms"];
        let expected = ["--expect", "unfinished = 5", "--expect", "retries = 0"];
        report(&folder, &[&options[..], &expected].concat(), 0);
    }
    // A date in the past causes no wait.
    let peer = Peer::answering(|_| {
        PeerResponse::new(503).header("Retry-After", "Sun, 06 Nov 1994 08:49:37 GMT")
    });
    let config = format!(
        "profiles:\n  x:\n    target: {}\n    retry: {{ attempts: 2, delays: [1ms], retry_after: true \
         }}\n",
        peer.url()
    );
    let folder = Folder::new().with("aghook.yaml", config);
    let options = ["--rate", "max", "--count", "5", "--expect", "exhausted = 5"];
    report(&folder, &options, 0);
}
