//! Probes that read nothing, the wrong thing, or not at all, and hooks at a wrong URL.

use std::net::TcpListener;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::mistake::{GameServer, SetUp};
use crate::support::{Peer, PeerResponse};

/// A correct game whose probe is this instead.
#[track_caller]
fn probed(probe: &str, words: &str) {
    let game = GameServer::new();
    let lines = probe.lines().map(|line| format!("    {line}\n"));
    let profile = format!(
        "target: {}\nsettle: 100ms\nprobes:\n  quantity:\n{}",
        game.url(),
        lines.collect::<String>().replace("BASE", &game.base())
    );
    SetUp::new(&profile).is_named(3, words, "probes");
}

#[track_caller]
fn answering(response: PeerResponse, more: &str, words: &str) {
    let peer = Peer::answering(move |_| response.clone());
    probed(
        &format!("http: GET {}/{{player_id}}/{{sku}}\n{more}", peer.url()),
        words,
    );
}

#[test]
fn a_wrong_url_with_a_number_for_missing_items() {
    probed(
        "http: GET BASE/debug/player/{player_id}/items/{sku}\nread: $.quantity\nmissing: 0\n",
        "has never returned a value: GET http://127.0.0.1:",
    );
}

#[test]
fn a_server_that_accepts_connections_and_sends_nothing() {
    let game = GameServer::new();
    let silent = TcpListener::bind(("127.0.0.1", 0)).expect("a port");
    let address = silent.local_addr().expect("an address").to_string();
    let probes = game.probes().replace(&game.address(), &address);
    let set_up = SetUp::new(&format!("target: {}\n{probes}", game.url()));
    set_up.is_named_by_doctor(3, "there was no response within 4s", "probes");
}

#[test]
fn a_wrong_url() {
    probed(
        "http: GET BASE/debug/player/{player_id}/items/{sku}\nread: $.quantity\n",
        "returned 404",
    );
}

#[test]
fn a_mistyped_path_with_a_number_for_missing_items() {
    probed(
        "http: GET BASE/debug/players/{player_id}/items/{sku}\nread: $.quantiy\nmissing: 0\n",
        "`$.quantiy` has never matched: no `quantiy` in",
    );
}

#[test]
fn a_mistyped_path() {
    probed(
        "http: GET BASE/debug/players/{player_id}/items/{sku}\nread: $.quantiy\n",
        "$.quantiy matches 0 values instead of one",
    );
}

#[test]
fn a_port_on_which_nothing_listens() {
    probed(
        "http: GET http://127.0.0.1:1/{player_id}/{sku}\nread: $.quantity\n",
        "127.0.0.1:1 refused the connection",
    );
}

#[test]
fn a_page_instead_of_json() {
    let body = "<!doctype html><html><head><title>My Game</title></head></html>";
    answering(
        PeerResponse::new(200).body(body),
        "read: $.quantity\n",
        "the HTML page “My Game”",
    );
}

#[test]
fn credentials_that_are_missing() {
    answering(
        PeerResponse::new(401).body("{\"error\":\"no token\"}"),
        "read: $.quantity\n",
        "returned 401 ({\"error\":\"no token\"})",
    );
}

#[test]
fn a_text_that_is_not_a_number() {
    answering(
        PeerResponse::new(200).body("{\"quantity\":\"many\"}"),
        "read: $.quantity\n",
        "$.quantity is not a whole number",
    );
}

#[test]
fn another_players_inventory() {
    let peer = Peer::answering(|_| PeerResponse::new(200).body("{\"quantity\":7}"));
    let game = GameServer::new();
    let profile = game.profile().replace(
        &format!("{}/debug/", game.base()),
        &format!("{}/", peer.url()),
    );
    let set_up = SetUp::new(&profile);
    set_up.is_named_by_doctor(3, "accepted, but nothing changed", "items");
    set_up.is_named_by_run(3, "no probe shows any change");
}

#[test]
fn a_program_that_does_not_exist() {
    probed(
        "command: [no-such-program-here, '{player_id}']\n",
        "no-such-program-here",
    );
}

#[test]
fn a_variable_of_a_header_that_is_not_set() {
    let game = GameServer::new();
    let profile = format!(
        "{}    headers: {{ Authorization: Bearer $NO_SUCH_TOKEN }}\n",
        game.profile()
    );
    SetUp::new(&profile).is_named(2, "NO_SUCH_TOKEN is not set", "");
}

#[cfg(unix)]
#[test]
fn a_program_that_fails() {
    probed(
        "command: [sh, -c, 'echo first >&2; echo second >&2; exit 4']\n",
        "sh failed with exit status: 4: first ⏎ second (command: sh -c",
    );
}

#[cfg(unix)]
#[test]
fn a_program_that_prints_no_number() {
    probed(
        "command: [echo, five]\n",
        "echo did not print a whole number",
    );
}

#[test]
fn hooks_at_a_wrong_url() {
    let game = GameServer::new();
    let item = format!("{}/debug/players/{{player_id}}/items/{{sku}}", game.base());
    for (hooks, words, key) in [
        (
            format!("script: {{ http: 'PUT {}/debug/script' }}\n", game.base()),
            "hook `script`: ",
            "script",
        ),
        (
            format!(
                "hooks: {{ fill_inventory: {{ http: 'PUT {item}/fill' }}, free_inventory: {{ http: \
                 'DELETE {item}/full' }} }}\n"
            ),
            "hook `fill_inventory`: ",
            "hooks",
        ),
    ] {
        let set_up = SetUp::new(&format!("{}{hooks}", game.profile()));
        set_up.is_named_by_doctor(3, words, key);
    }
    let restart = format!("restart: {{ http: 'POST {}/nowhere' }}\n", game.base());
    SetUp::new(&format!("{}{restart}", game.profile()))
        .aghook(&["doctor"])
        .ends_with(0)
        .says(&[
            "? hooks: not called, because they could disturb others",
            "`restart`",
        ]);
}

#[test]
fn hooks_that_never_respond_are_waited_for_once() {
    let calls = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&calls);
    let silent = Peer::answering(move |_| {
        counted.fetch_add(1, Ordering::Relaxed);
        loop {
            std::thread::park();
        }
    });
    let (game, url) = (GameServer::new(), silent.url());
    let hooks = format!(
        "script: {{ http: 'PUT {url}' }}\nhooks: {{ fill_inventory: {{ http: 'PUT {url}' }}, free_inventory: \
         {{ http: 'PUT {url}' }} }}\n"
    );
    let set_up = SetUp::new(&format!("{}{hooks}", game.profile()));
    set_up.is_named_by_doctor(
        3,
        "hook `script`: there was no response within 4s",
        "script",
    );
    assert_eq!(calls.load(Ordering::Relaxed), 1);
}

#[test]
fn a_hook_whose_program_is_missing() {
    let game = GameServer::new();
    let restart = "restart: { command: [bin/restart-the-game, now] }\n";
    SetUp::new(&format!("{}{restart}", game.profile())).is_named_by_doctor(
        3,
        "hook `restart`: failed to run bin/restart-the-game: there is no such program in ",
        "restart",
    );
}
