//! `--wait`: a receiver that is still starting.

use std::time::Instant;

use crate::support::{
    Folder, Peer, PeerResponse, Transcript, UNREACHABLE, expecting, serve_requests,
};

#[test]
fn a_receiver_that_is_still_starting_is_waited_for() {
    // The proxy of a container accepts connections, and closes them until the receiver runs.
    for line in [
        "run scenario.yaml --wait 60s",
        "fire --no-retry --wait 60s",
        "load --rate max --count 2 --drain 0s --connections 1 --wait 60s",
    ] {
        let peer = Peer::raw(|stream, number| {
            if number > 3 {
                serve_requests(stream, |_| PeerResponse::new(200));
            }
        });
        let scenario = expecting("{ status: 2xx }\n    retry: off");
        let folder = Folder::with_scenario(&scenario);
        let arguments: Vec<&str> = line.split(' ').collect();
        let mut command = folder.aghook(&arguments);
        Transcript::of(command.args(["--target", &peer.url()])).ends_with(0);
    }
}

#[test]
fn doctor_waits_too() {
    let peer = Peer::raw(|stream, number| {
        if number > 3 {
            serve_requests(stream, |_| PeerResponse::new(401));
        }
    });
    let folder = Folder::with_scenario(&expecting("{ status: 2xx }"));
    let words = ["doctor", "--wait", "60s", "--target", &peer.url()];
    Transcript::of(&mut folder.aghook(&words)).says(&["401"]);
}

#[test]
fn a_receiver_that_does_not_start_is_an_error() {
    let folder = Folder::with_scenario(&expecting("{ status: 2xx }"));
    let started = Instant::now();
    Transcript::of(&mut folder.run(&["--target", UNREACHABLE, "--wait", "300ms"]))
        .ends_with(3)
        .says(&["can't be reached", "refused the connection"]);
    assert!(started.elapsed().as_millis() >= 200);
    Transcript::of(&mut folder.run(&["--target", UNREACHABLE, "--wait", "soon"])).ends_with(2);
}
