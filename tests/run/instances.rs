//! Several instances of the receiver: which of them gets which attempt.

use std::sync::{Arc, Mutex};

use crate::support::{Folder, Peer, PeerResponse, Transcript};

type Seen = Arc<Mutex<Vec<&'static str>>>;

/// An instance that records its name for each delivery, and answers the first one with `first`.
fn instance(name: &'static str, first: u16, seen: &Seen) -> Peer {
    let seen = Arc::clone(seen);
    Peer::answering(move |request| {
        let mut seen = seen.lock().expect("not poisoned");
        let host = request.header("host").expect("a host").to_owned();
        assert!(host.starts_with("127.0.0.1:"), "{host}");
        let status = if seen.contains(&name) { 200 } else { first };
        seen.push(name);
        PeerResponse::new(status)
    })
}

fn run(steps: &str, options: &[&str]) -> (Transcript, Vec<&'static str>) {
    let seen = Seen::default();
    let [a, b] = [instance("a", 503, &seen), instance("b", 200, &seen)];
    let profile = format!(
        "profiles:\n  p:\n    targets: {{ a: '{}', b: '{}' }}\n",
        a.url(),
        b.url()
    );
    let scenario = format!("name: n\nevents: {{ one: {{}}, two: {{}} }}\nsteps:\n{steps}");
    let folder = Folder::with_scenario(&scenario).with("aghook.yaml", profile);
    let transcript = Transcript::of(&mut folder.run(options));
    let seen = seen.lock().expect("not poisoned").clone();
    (transcript, seen)
}

#[test]
fn deliveries_and_retries_take_turns() {
    let spread = "  - { deliver: [one, two], times: 2, spread: true, expect: { status: 200 } }\n";
    let (transcript, seen) = run(spread, &[]);
    transcript.ends_with(0);
    // The first attempt fails, and its retry goes to the other instance.
    assert_eq!(seen, ["a", "b", "b", "a", "b"]);
}

#[test]
fn a_step_chooses_its_instance_and_others_use_the_first() {
    let steps = "  - { deliver: one, target: b, expect: { status: 200 } }\n  \
                 - { deliver: two, expect: { status: 200 } }\n";
    let (transcript, seen) = run(steps, &[]);
    transcript.ends_with(0);
    assert_eq!(seen, ["b", "a", "a"]);
}

#[test]
fn without_the_instances_the_scenario_is_not_checked() {
    let other = Peer::answering(|_| PeerResponse::new(200));
    for (step, options, words) in [
        (
            "{ deliver: one, target: c, expect: { status: 200 } }",
            &[][..],
            ["the profile has no target `c`", "add `targets: { c: URL }`"],
        ),
        (
            "{ deliver: one, spread: true, expect: { status: 200 } }",
            &["--target", &other.url()],
            [
                "the profile's `targets` list fewer",
                "share their data, list them all",
            ],
        ),
    ] {
        let (transcript, seen) = run(&format!("  - {step}\n"), options);
        transcript.ends_with(3).says(&words);
        assert!(seen.is_empty());
    }
}

#[test]
fn every_instance_must_be_allowed() {
    let profile =
        "profiles: { p: { targets: { a: 'http://127.0.0.1:1/', b: 'https://example.com/' } } }";
    let folder = Folder::new().with("aghook.yaml", profile);
    let words = ["profiles.p.targets.b", "--allow-host example.com"];
    Transcript::of(&mut folder.aghook(&["check"]))
        .ends_with(2)
        .says(&words);
    let (transcript, _) = run("  - { deliver: one, target: a, spread: true }\n", &[]);
    transcript
        .ends_with(2)
        .says(&["`spread` uses all of them", "remove one of them"]);
}
