//! Headers that a profile or `--header` adds to deliveries.

use std::sync::{Arc, Mutex, PoisonError};

use http::Version;

use crate::support::{
    Folder, HttpsReceiver, Peer, PeerRequest, PeerResponse, Transcript, expecting,
};

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

#[test]
fn http_2_carries_the_headers() {
    let receiver = HttpsReceiver::new("127.0.0.1", &[b"h2"]);
    let folder =
        Folder::with_scenario(&expecting("{ status: 200 }")).with("ca.pem", &receiver.certificate);
    let url = receiver.url();
    let options = [
        "--target",
        &url,
        "--cacert",
        "ca.pem",
        "--http-version",
        "2",
        "--header",
        "X-Key: k $KEY",
    ];
    let load = [
        "load",
        "--rate",
        "max",
        "--count",
        "1",
        "--drain",
        "0s",
        "--duplicates",
        "0%",
    ];
    let forged = [
        "load",
        "--rate",
        "max",
        "--count",
        "1",
        "--drain",
        "0s",
        "--forgeries",
        "100%",
    ];
    for (line, code) in [
        (&["run", "scenario.yaml"][..], 0),
        (&["fire", "--forge", "missing_signature"], 1),
        (&load, 0),
        (&forged, 1),
    ] {
        let mut command = folder.aghook(&[line, &options].concat());
        Transcript::of(command.env("KEY", "ключ")).ends_with(code);
    }
    let expected = (Version::HTTP_2, "k ключ".to_owned());
    assert_eq!(receiver.values("x-key"), vec![expected; 4]);
}

#[test]
fn probes_and_hooks_take_values_from_variables_and_files() {
    let receiver = Recorder::new();
    let scenario = "name: an effect\nevents:\n  welcome: {}\nsteps:\n  - script: { of: welcome, answers: [503] }\n  \
                    - deliver: welcome\n    expect: { status: 2xx }\neffects:\n  - not_granted: welcome\n";
    let (url, address) = (receiver.peer.url(), receiver.peer.address);
    let config = format!(
        "profiles:\n  game:\n    target: {url}\n    probes:\n      quantity:\n        http: GET \
         http://{address}/{{sku}}\n        read: $.quantity\n        headers: {{ X-Key: {{ file: key.txt }} }}\n    \
         script:\n      http: PUT http://{address}/{{player_id}}\n      headers: {{ X-Key: {{ env: KEY }} }}\n"
    );
    let folder = Folder::with_scenario(scenario)
        .with("aghook.yaml", config)
        .with("key.txt", "of the file\n");
    folder
        .run(&[])
        .env("KEY", "of the variable")
        .assert()
        .success();
    let values = receiver.take("X-Key");
    let count = |value: &str| values.iter().filter(|other| *other == value).count();
    assert_eq!(
        (count("of the variable"), count("none")),
        (1, 1),
        "{values:?}"
    );
    assert_eq!(count("of the file"), values.len() - 2);
    Transcript::of(&mut folder.run(&[]))
        .ends_with(2)
        .says(&["KEY is not set"]);
}

#[test]
fn curl_gets_the_way_to_the_target() {
    let printed = |options: &[&str]| {
        let line = [
            "fire",
            "--dry-run",
            "--as",
            "curl",
            "--target",
            "http://localhost/hook",
        ];
        Transcript::of(&mut Folder::new().aghook(&[&line, options].concat())).ends_with(0)
    };
    printed(&["--unix-socket", "a b.sock", "--insecure"])
        .says(&["--unix-socket 'a b.sock'", "--insecure"]);
    printed(&["--connect-to", "127.0.0.1:8443"]).says(&["--connect-to ::127.0.0.1:8443"]);
    printed(&[]).does_not_say(&["--connect-to", "--unix-socket", "--insecure"]);
}
