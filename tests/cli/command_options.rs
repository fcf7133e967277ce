//! The effect of options of `run` and `fire` on what is sent, on the exit code, and on existing
//! files.

use crate::support::{Folder, Peer, PeerResponse, Transcript, expecting};

#[test]
fn only_a_4xx_counts_as_refusing_a_forgery() {
    for (status, code) in [(401, 0), (422, 0), (200, 1), (302, 1), (500, 1), (503, 1)] {
        let peer = Peer::answering(move |_| PeerResponse::new(status));
        let folder = Folder::new();
        let words = ["fire", "--forge", "wrong_secret", "--target", &peer.url()];
        Transcript::of(&mut folder.aghook(&words)).ends_with(code);
    }
}

#[test]
fn the_forgery_expired_secret_needs_the_old_secret() {
    let peer = Peer::answering(|_| PeerResponse::new(401));
    let fire = ["fire", "--forge", "expired_secret", "--target", &peer.url()];
    Transcript::of(&mut Folder::new().aghook(&fire))
        .ends_with(2)
        .says(&["`expired_secret_env`"]);
    assert_eq!(peer.connections(), 0);
    let config = "profiles: { local: { expired_secret_env: OLD_SECRET } }\n";
    let folder = Folder::new().with("aghook.yaml", config);
    let mut known = folder.aghook(&fire);
    Transcript::of(known.env("OLD_SECRET", "whsec_old")).ends_with(0);
}

#[test]
fn forgeries_and_single_attempts_use_the_timeout_of_the_profile() {
    // This receiver never responds, so only the profile's timeout ends the attempt.
    let peer = Peer::raw(|mut stream, _| {
        let _ = std::io::copy(&mut stream, &mut std::io::sink());
    });
    let config = "profiles: { local: { retry: { timeout: 50ms } } }\n";
    let folder = Folder::new().with("aghook.yaml", config);
    for option in ["--no-retry", "--forge=wrong_secret"] {
        let words = ["fire", option, "--target", &peer.url()];
        Transcript::of(&mut folder.aghook(&words))
            .ends_with(1)
            .says(&["no response within 50ms"]);
    }
}

#[test]
fn a_body_needs_no_target() {
    let folder = Folder::new().with("aghook.yaml", "profiles: { local: {} }\n");
    let body = ["fire", "--dry-run", "--as", "json"];
    Transcript::of(&mut folder.aghook(&body)).ends_with(0);
    for words in [&["fire"][..], &["fire", "--dry-run"], &["run"]] {
        Transcript::of(&mut folder.aghook(words))
            .ends_with(2)
            .says(&["the profile `local` has no target"]);
    }
}

#[test]
fn a_run_that_can_not_start_replaces_the_old_reports() {
    let (old, nowhere) = ("an old report\n", ["--target", "http://127.0.0.1:9/hook"]);
    let reports = ["--report", "json=old.jsonl", "--report", "junit=old.xml"];
    for (has_secret, code) in [(false, 2), (true, 3)] {
        let folder = Folder::with_scenario(&expecting("{ status: 2xx }"))
            .with("old.jsonl", old)
            .with("old.xml", old);
        let mut run = folder.run(&reports);
        if !has_secret {
            run.env_remove("AGHOOK_SECRET");
        }
        Transcript::of(run.args(nowhere)).ends_with(code);
        assert!(!folder.read("old.jsonl").contains(old), "{code}");
        assert!(folder.read("old.xml").contains("<error"), "{code}");
    }
}

#[test]
fn titles_from_reports_and_globs_work_as_filters() {
    let matrix = expecting("{ status: 2xx }").replace("a delivery", "\"a [fast] delivery\"")
        + "matrix: { n: [1, 2, [3, 4]] }\ntags: [smoke]\n";
    let folder = Folder::with_scenario(&matrix);
    let listed = |words: &[&str]| {
        let words = [&["list", "scenario.yaml"], words].concat();
        let listed = Transcript::of(&mut folder.aghook(&words)).ends_with(0);
        listed
            .stdout
            .lines()
            .filter(|line| line.starts_with("a ["))
            .count()
    };
    assert_eq!(listed(&["--filter", "a [fast] delivery [n=2]"]), 1);
    assert_eq!(listed(&["--filter", "a [fast] delivery [n=[3,4]]"]), 1);
    assert_eq!(listed(&["--filter", "delivery [n="]), 3);
    assert_eq!(listed(&["--filter", "a * delivery*n=[12]?"]), 2);
    let words = ["list", "scenario.yaml", "--tag", "smoke", "--tag", "smoek"];
    Transcript::of(&mut folder.aghook(&words))
        .ends_with(2)
        .says(&["no scenario has the tag `smoek`", "did you mean `smoke`?"]);
}
