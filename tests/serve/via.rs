//! `aghook run --via`: the local Aghanim makes the deliveries of a run.

use serde_json::{Value, json};

use crate::local_aghanim::LocalAghanim;
use crate::support::{Folder, Peer, PeerResponse, SECRET, UNREACHABLE};

fn run(folder: &Folder, via: &str, scenario: &str) -> std::process::Output {
    let arguments = [
        "run",
        "--filter",
        scenario,
        "--skip-setup-check",
        "--via",
        via,
    ];
    folder.aghook(&arguments).output().expect("ended")
}

#[test]
fn a_run_is_judged_as_before_and_shown() {
    let folder = Folder::new();
    let aghanim = LocalAghanim::start(&folder, &[]);
    let via = format!("http://{}", aghanim.address);
    for (scenario, states) in [
        ("idempotency/redelivery.yaml", &["delivered"][..]),
        ("signature/wrong_secret.yaml", &["delivered", "refused"]),
        // The receiver is scripted to fail first, so a delivery has several attempts.
        ("retries/retry_after_503.yaml", &["delivered"]),
        // The connection that breaks is the run's own.
        ("faults/reset.yaml", &["delivered"]),
    ] {
        let ended = run(&folder, &via, scenario);
        let output = String::from_utf8_lossy(&ended.stdout).into_owned();
        assert!(ended.status.success(), "{scenario}: {output}");
        let list = aghanim.local("GET", "/deliveries", None).json;
        let list = list["deliveries"].as_array().expect("a list").clone();
        assert!(
            list.iter().all(|delivery| delivery["webhook_id"] == "run"),
            "{list:?}"
        );
        let has = |state: &&str| list.iter().any(|delivery| delivery["state"] == **state);
        assert!(states.iter().all(has), "{scenario}: {list:?}");
    }
    let list = aghanim.local("GET", "/deliveries?limit=100", None).json["deliveries"].clone();
    let list: Vec<Value> = list.as_array().expect("a list").clone();
    assert!(
        list.iter()
            .any(|delivery| delivery["forgery"] == "wrong_secret")
    );
    let retried = list
        .iter()
        .find(|delivery| delivery["attempts"] == json!(3));
    let retried = retried.expect("a delivery with two retries");
    let details = aghanim
        .local("GET", &format!("/deliveries/{}", retried["id"]), None)
        .json;
    assert_eq!(details["attempts"][0]["status"], 503);
    assert_eq!(details["attempts"][2]["status"], 200);
}

#[test]
fn the_secret_of_a_run_is_not_stored() {
    let folder = Folder::new();
    let aghanim = LocalAghanim::start(&folder, &[]);
    let leak = |_: &_| PeerResponse::new(200).header("X-Key", SECRET).body(SECRET);
    let receiver = Peer::answering(leak);
    let (via, target) = (format!("http://{}", aghanim.address), receiver.url());
    let scenario = "idempotency/redelivery.yaml";
    let options = ["--skip-setup-check", "--via", &via, "--target", &target];
    let arguments = [&["run", "--filter", scenario][..], &options].concat();
    folder.aghook(&arguments).output().expect("ended");
    assert!(aghanim.count("delivered") > 0);
    for entry in std::fs::read_dir(folder.root()).expect("a folder") {
        let path = entry.expect("an entry").path();
        let stored = std::fs::read(&path).expect("a file");
        let mut parts = stored.windows(SECRET.len());
        assert!(!parts.any(|part| part == SECRET.as_bytes()), "{path:?}");
    }
}

#[test]
fn a_local_aghanim_that_does_not_run_is_named() {
    let ended = run(&Folder::new(), UNREACHABLE, "idempotency/redelivery.yaml");
    let error = String::from_utf8_lossy(&ended.stderr).into_owned();
    assert_eq!(ended.status.code(), Some(3), "{error}");
    assert!(error.contains("start it with `aghook serve`"), "{error}");
}
