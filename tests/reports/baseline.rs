//! `aghook run --baseline`: what changed since an earlier run.

use crate::support::{Folder, Peer, PeerResponse, Transcript, expecting};

/// A folder with three scenarios and a JSON report of a run against a receiver that fails the first two.
fn folder() -> (Folder, Peer) {
    // The order of the responses, since the scenarios run one after the other.
    let statuses = [400, 400, 200, 200, 400, 400];
    let responses = std::sync::atomic::AtomicUsize::new(0);
    let peer = Peer::answering(move |_| {
        let number = responses.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        PeerResponse::new(statuses[number % statuses.len()])
    });
    let text = expecting("{ status: 200 }");
    let named = |name: &str| text.replace("name: a delivery", &format!("name: {name}"));
    let folder = Folder::new()
        .with("one.yaml", named("the first"))
        .with("three.yaml", named("the third"))
        .with("two.yaml", named("the second"));
    (folder, peer)
}

fn run(folder: &Folder, peer: &Peer, more: &[&str]) -> Transcript {
    let target = peer.url();
    let arguments = [
        "run",
        "one.yaml",
        "three.yaml",
        "two.yaml",
        "--target",
        &target,
    ];
    let mut command =
        folder.aghook(&[&arguments[..], &["--jobs", "1", "--skip-setup-check"], more].concat());
    Transcript::of(&mut command)
}

#[test]
fn a_run_says_what_changed_since_the_baseline() {
    let (folder, peer) = folder();
    run(&folder, &peer, &["--report", "json=before.jsonl"]).ends_with(1);
    let reports = ["--report", "terminal", "--report", "json=now.jsonl"];
    let more = ["--report", "markdown=now.md", "--report", "html=now.html"];
    let baseline = ["--baseline", "before.jsonl"];
    run(&folder, &peer, &[&reports[..], &more, &baseline].concat())
        .ends_with(1)
        .says(&[
            "compared with the baseline: 1 new, 1 still failing, 1 fixed\n  new: the second\n  \
             still failing: the third\n  fixed: the first\n",
        ]);
    let json = folder.read("now.jsonl");
    let changes = r#""since_baseline":{"new":["the second"],"still_failing":["the third"],"fixed":["the first"],"undecided":[]}"#;
    assert!(json.contains(changes), "{json}");
    let markdown = folder.read("now.md");
    assert!(markdown.contains("| fixed | the first |"), "{markdown}");
    let page = folder.read("now.html");
    assert!(page.contains("<li>new: the second</li>"), "{page}");
}

#[test]
fn a_baseline_that_is_no_run_is_an_error_before_anything_is_sent() {
    let (folder, peer) = folder();
    let folder = folder.with("notes.txt", "not a run\n");
    run(&folder, &peer, &["--baseline", "notes.txt"])
        .ends_with(2)
        .says(&["notes.txt"]);
    run(&folder, &peer, &["--baseline", "missing.jsonl"])
        .ends_with(2)
        .says(&["missing.jsonl"]);
    let same = [
        "--baseline",
        "before.jsonl",
        "--report",
        "json=before.jsonl",
    ];
    run(&folder.with("before.jsonl", ""), &peer, &same).ends_with(2);
    assert_eq!(peer.connections(), 0);
}
