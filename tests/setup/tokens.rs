//! An access token that something in front of the handler demands, with a response of its own.

use crate::mistake::SetUp;
use crate::support::{Peer, PeerResponse};

fn protected(body: &'static str) -> Peer {
    Peer::answering(move |request| {
        let has_key = request.header("x-staging-key") == Some("open");
        PeerResponse::new(if has_key { 200 } else { 401 }).body(body)
    })
}

#[test]
fn a_key_that_the_response_names() {
    let peer = protected("{\"err\": \"staging key\"}");
    let set_up = SetUp::new(&format!("target: {}\n", peer.url()));
    let words =
        "an access token in front is missing: add it under `headers` in the profile; otherwise";
    set_up.is_named(3, words, "headers");
    set_up.aghook(&["fire"]).says(&[words]);
}

#[test]
fn a_token_that_the_response_does_not_name() {
    let peer = protected("{\"err\": 17}");
    let set_up = SetUp::new(&format!("target: {}\n", peer.url()));
    let words = "or an access token in front is missing: add it under `headers` in the profile";
    set_up.is_named_by_doctor(3, words, "");
    set_up.is_named_by_run(3, words);
    set_up.aghook(&["fire"]).says(&[words]);
}

#[test]
fn a_wrong_token() {
    let peer = protected("{\"err\": \"staging key\"}");
    let profile = format!(
        "target: {}\nheaders: {{ X-Staging-Key: shut }}\n",
        peer.url()
    );
    let set_up = SetUp::new(&profile);
    let words = "an access token in front is missing or wrong: check `headers` in the profile (X-Staging-Key)";
    set_up.is_named(3, words, "headers");
    set_up.aghook(&["fire"]).says(&[words]);
}
