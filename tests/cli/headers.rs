//! Headers that a profile or `--header` adds to deliveries.

use std::sync::{Arc, Mutex, PoisonError};

use crate::support::{Folder, Peer, PeerRequest, PeerResponse, Transcript, expecting};

/// A receiver that keeps every request.
struct Recorder {
    peer: Peer,
    requests: Arc<Mutex<Vec<PeerRequest>>>,
}

impl Recorder {
    fn new() -> Self {
        let requests = Arc::new(Mutex::new(Vec::new()));
        let kept = Arc::clone(&requests);
        let peer = Peer::answering(move |request| {
            let mut kept = kept.lock().unwrap_or_else(PoisonError::into_inner);
            kept.push(request.clone());
            PeerResponse::new(200).body("{\"quantity\":0}")
        });
        Self { peer, requests }
    }

    /// The values of a header in the requests since the last call.
    fn take(&self, name: &str) -> Vec<String> {
        let mut requests = self.requests.lock().unwrap_or_else(PoisonError::into_inner);
        let values = requests.iter().map(|request| request.header(name));
        let values = values
            .map(|value| value.unwrap_or("none").to_owned())
            .collect();
        requests.clear();
        values
    }
}

#[test]
fn deliveries_forgeries_and_requests_to_the_same_server_have_the_headers() {
    let (receiver, other) = (Recorder::new(), Recorder::new());
    let scenario = format!(
        "name: headers\nevents:\n  welcome: {{}}\nsteps:\n  - deliver: welcome\n    expect: {{ status: 2xx }}\n  - deliver: welcome\n    \
         forge: wrong_secret\n  - request: {{ url: /health }}\n  - request: {{ url: /health, headers: \
         {{ x-key: own }} }}\n  - request: {{ url: \"http://{}/\" }}\n",
        other.peer.address
    );
    let config = format!(
        "profiles:\n  game:\n    target: {}\n    headers: {{ x-key: {{ env: KEY }}, x-two: a $KEY }}\n",
        receiver.peer.url()
    );
    let folder = Folder::with_scenario(&scenario).with("aghook.yaml", config);
    folder.run(&[]).env("KEY", "k1").assert().success();
    assert_eq!(receiver.take("X-Key"), ["k1", "k1", "k1", "own"]);
    assert_eq!(other.take("X-Key"), ["none"]);

    let line = [
        "fire",
        "--header",
        "X-Two: b $KEY",
        "--header",
        "X-Three: c",
    ];
    folder.aghook(&line).env("KEY", "k2").assert().success();
    assert_eq!(receiver.take("X-Two"), ["b k2"]);
    let load = "load --rate max --count 2 --drain 0s --duplicates 0% --header X-Key:$KEY";
    let load: Vec<&str> = load.split(' ').collect();
    folder.aghook(&load).env("KEY", "k3").assert().success();
    assert_eq!(receiver.take("X-Key"), ["k3", "k3"]);
}

#[test]
fn a_replay_sends_the_present_values() {
    let receiver = Recorder::new();
    let config = format!(
        "profiles:\n  game:\n    target: {}\n    headers: {{ x-key: $KEY }}\n",
        receiver.peer.url()
    );
    let folder = Folder::with_scenario(&expecting("{ status: 2xx }")).with("aghook.yaml", config);
    folder
        .run(&["--record", "kept"])
        .env("KEY", "old-key")
        .assert()
        .success();
    receiver.take("X-Key");
    for line in [vec!["replay", "kept"], vec!["replay", "kept", "--resign"]] {
        folder
            .aghook(&line)
            .env("KEY", "new-key")
            .assert()
            .success();
        assert_eq!(receiver.take("X-Key"), ["new-key"]);
    }
    // Without the header, the request can't be rebuilt.
    let target = receiver.peer.url();
    let folder = folder.with(
        "aghook.yaml",
        format!("profiles: {{ a: {{ target: {target} }} }}\n"),
    );
    Transcript::of(&mut folder.aghook(&["replay", "kept"]))
        .ends_with(3)
        .says(&["add it with `headers` in the profile or with `--header`"]);
}

#[test]
fn curl_gets_the_variables_instead_of_the_values() {
    let config = "profiles:\n  game:\n    target: http://127.0.0.1:9/hook\n    headers: { x-a: { env: KEY }, \
                  x-b: Bearer $KEY, x-c: plain-1234567, x-d: { file: \"a b.txt\" } }\n";
    let folder = Folder::new().with("aghook.yaml", config);
    let printed = Transcript::of(&mut folder.aghook(&["fire", "--dry-run", "--as", "curl"]))
        .ends_with(0)
        .does_not_say(&["plain-1234567"]);
    for expected in [
        "--header \"x-a: $KEY\"",
        "--header \"x-b: Bearer $KEY\"",
        "--header 'x-c: [secret not shown]'",
        "--header \"x-d: $(cat 'a b.txt')\"",
    ] {
        assert!(
            printed.stdout.contains(expected),
            "{expected}: {}",
            printed.stdout
        );
    }
}

#[test]
fn a_header_that_can_not_be_sent_is_an_error() {
    let folder = Folder::with_scenario(&expecting("{ status: 2xx }"));
    for (header, expected) in [
        (
            "Host: a",
            "the header `Host` can't be set: every delivery has its own",
        ),
        ("x-aghanim-signature: a", "every delivery has its own"),
        ("X-Key", "expected `Name: value`"),
        (
            "X-Key: $NOT_SET",
            "the header `X-Key` can't be sent: the environment variable NOT_SET is not set",
        ),
    ] {
        let line = ["--target", "http://127.0.0.1:9/", "--header", header];
        Transcript::of(&mut folder.run(&line))
            .ends_with(2)
            .says(&[expected]);
    }
    let profile =
        "profiles:\n  a:\n    target: http://127.0.0.1:9/\n    headers: { x: { file: no.txt } }\n";
    let folder = folder.with("aghook.yaml", profile);
    Transcript::of(&mut folder.run(&[])).ends_with(2).says(&[
        "the header `x` can't be sent: the file",
        "no.txt can't be read",
    ]);
}
