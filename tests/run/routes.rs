//! Other ways to a target: another address, and Unix sockets.

use std::sync::{Arc, Mutex};

use crate::support::{Folder, Peer, PeerResponse, Transcript, expecting};

#[test]
fn another_address_gets_the_host_of_the_target() {
    let hosts = Arc::new(Mutex::new(Vec::new()));
    let seen = Arc::clone(&hosts);
    let peer = Peer::answering(move |request| {
        let host = request.header("Host").unwrap_or_default().to_owned();
        seen.lock().expect("a lock").push(host);
        PeerResponse::new(200)
    });
    let config = format!(
        "profiles:\n  a:\n    target: http://game.localhost:1/hook\n    connect_to: \"{}\"\n",
        peer.address
    );
    let folder = Folder::with_scenario(&expecting("{ status: 200 }")).with("aghook.yaml", config);
    Transcript::of(&mut folder.run(&[])).ends_with(0);
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
    Transcript::of(&mut folder.aghook(&load)).ends_with(0);
    assert_eq!(*hosts.lock().expect("a lock"), ["game.localhost:1"; 2]);

    // Both names must be allowed.
    let line = ["--connect-to", "game.example:443"];
    Transcript::of(&mut folder.run(&line))
        .ends_with(2)
        .says(&["`connect_to` can't be used", "--allow-host game.example"]);
    let address = peer.address.to_string();
    let line = ["--target", "http://game.example/", "--connect-to", &address];
    Transcript::of(&mut folder.run(&line))
        .ends_with(2)
        .says(&["--allow-host game.example"]);
    Transcript::of(&mut folder.run(&["--connect-to", "game"]))
        .ends_with(2)
        .says(&["expected HOST:PORT"]);
}

#[cfg(unix)]
#[test]
fn a_receiver_can_listen_on_a_unix_socket() {
    use std::os::unix::net::UnixListener;

    use crate::support::serve_requests;

    let folder = Folder::with_scenario(&expecting("{ status: 200 }\n    times: 2")).with(
        "aghook.yaml",
        "profiles:\n  a:\n    target: http://localhost/hook\n    unix_socket: game.sock\n    probes:\n      \
         quantity: { http: \"GET http://localhost/{sku}\", read: $.quantity }\n",
    );
    Transcript::of(&mut folder.run(&[])).ends_with(3).says(&[
        "nobody listens on the Unix socket game.sock",
        "listens on this socket",
    ]);
    let listener = UnixListener::bind(folder.path("game.sock")).expect("a socket");
    std::thread::spawn(move || {
        for stream in listener.incoming().map_while(Result::ok) {
            std::thread::spawn(move || {
                serve_requests(stream, |request| {
                    let is_known = request.header("Host") == Some("localhost");
                    PeerResponse::new(if is_known { 200 } else { 400 }).body("{\"quantity\":0}")
                });
            });
        }
    });
    Transcript::of(&mut folder.run(&["--record", "kept", "--report", "har=run.har"])).ends_with(0);
    Transcript::of(&mut folder.aghook(&["replay", "kept"])).ends_with(0);
    let fault = "name: faults\nevents:\n  welcome: {}\nsteps:\n  - deliver: welcome\n    fault: lost_ack\n    \
                 expect: { status: 200 }\n  - deliver: welcome\n    times: 2\n    together: true\n    expect: \
                 { status: 200 }\neffects:\n  - not_granted: welcome\n";
    let folder = folder.with("scenario.yaml", fault);
    Transcript::of(&mut folder.run(&[])).ends_with(0);
    let load = "load --rate max --count 5 --drain 0s --check-effects none";
    let load: Vec<&str> = load.split(' ').collect();
    Transcript::of(&mut folder.aghook(&load)).ends_with(0);
}
