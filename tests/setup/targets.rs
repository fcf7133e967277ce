//! A wrong URL, and something else than the receiver behind the right one.

use std::net::TcpListener;

use crate::mistake::{GameServer, SetUp};
use crate::support::{HttpsReceiver, Peer, PeerResponse, UNREACHABLE};

#[track_caller]
fn is_named(game: &GameServer, target: &str, words: &str, key: &str) {
    let profile = game.profile().replace(&game.url(), target);
    let set_up = SetUp::new(&profile);
    set_up.is_named(3, words, key);
    set_up.is_named_by_load(3, words);
}

/// A server that answers every delivery like this; the probe is right.
#[track_caller]
fn answering(response: PeerResponse, words: &str, key: &str) {
    let game = GameServer::new();
    let peer = Peer::answering(move |_| response.clone());
    is_named(&game, &peer.url(), words, key);
}

fn page(title: &str) -> String {
    format!("<!doctype html><html><head><title>{title}</title></head><body></body></html>")
}

#[test]
fn a_port_on_which_nothing_listens() {
    let game = GameServer::new();
    is_named(&game, UNREACHABLE, "refused the connection", "target");
    let profile = game.profile().replace(&game.url(), UNREACHABLE);
    SetUp::new(&profile)
        .aghook(&["doctor"])
        .says(&["`--wait 30s`"]);
}

#[test]
fn a_server_that_accepts_connections_and_sends_nothing() {
    let game = GameServer::new();
    let silent = TcpListener::bind(("127.0.0.1", 0)).expect("a port");
    let target = format!("http://{}/", silent.local_addr().expect("an address"));
    let set_up = SetUp::new(&game.profile().replace(&game.url(), &target));
    set_up.is_named_by_doctor(3, "there was no response within 4s", "target");
}

#[test]
fn a_wrong_path() {
    let game = GameServer::new();
    let target = format!("{}/webhook/aghanim", game.base());
    is_named(&game, &target, "no handler at this path (404)", "target");
}

#[test]
fn a_path_that_accepts_only_other_methods() {
    let game = GameServer::new();
    let target = format!("{}/debug/players/p1/items/gem", game.base());
    is_named(
        &game,
        &target,
        "the path does not accept POST (405)",
        "target",
    );
}

#[test]
fn https_on_a_plain_port() {
    let game = GameServer::new();
    let target = game.url().replace("http://", "https://");
    is_named(&game, &target, "plain HTTP", "target");
}

/// Node.js closes a plain connection to its TLS port without a word.
#[test]
fn plain_http_to_a_port_that_only_closes_the_connection() {
    use std::io::{Read as _, Write as _};
    let peer = Peer::raw(|mut stream, _| {
        let mut first = [0];
        if stream.read_exact(&mut first).is_ok() && first == [0x16] {
            let _ = stream.write_all(b"\x15\x03\x03\0\x02\x02\x28");
        }
    });
    is_named(
        &GameServer::new(),
        &peer.url(),
        "this port speaks TLS; use https://",
        "target",
    );
}

#[test]
fn an_untrusted_certificate() {
    let receiver = HttpsReceiver::new("127.0.0.1", &[b"http/1.1"]);
    let words = "certificate is not trusted";
    is_named(&GameServer::new(), &receiver.url(), words, "cacert");
}

#[test]
fn a_certificate_of_another_host() {
    let receiver = HttpsReceiver::new("other.example", &[b"http/1.1"]);
    let game = GameServer::new();
    let profile = game.profile().replace(&game.url(), &receiver.url());
    let set_up = SetUp::new(&format!("{profile}cacert: other.pem\n"));
    let set_up = set_up.with_file("other.pem", &receiver.certificate);
    set_up.is_named(3, "it is for another host", "cacert");
}

#[test]
fn a_name_that_does_not_resolve() {
    let game = GameServer::new();
    let profile = game
        .profile()
        .replace(&game.url(), "http://game.invalid/hook");
    let set_up = SetUp::new(&format!("{profile}allow_hosts: [game.invalid]\n"));
    set_up.is_named(3, "the name game.invalid could not be resolved", "target");
}

#[test]
fn a_host_that_is_not_allowed() {
    let game = GameServer::new();
    let profile = game
        .profile()
        .replace(&game.url(), "http://game.example/hook");
    SetUp::new(&profile).is_named(2, "game.example", "");
}

#[test]
fn http2_to_a_server_without_it() {
    let receiver = HttpsReceiver::new("127.0.0.1", &[b"http/1.1"]);
    let game = GameServer::new();
    let profile = game.profile().replace(&game.url(), &receiver.url());
    let set_up = SetUp::new(&format!("{profile}http_version: 2\ncacert: own.pem\n"));
    let set_up = set_up.with_file("own.pem", &receiver.certificate);
    set_up.is_named(
        3,
        "does not offer the requested HTTP version",
        "http_version",
    );
}

#[test]
fn a_redirect_to_a_slash() {
    let response = PeerResponse::new(308).header("Location", "/hook/");
    answering(response, "redirect to /hook/", "target");
}

#[test]
fn a_redirect_to_https() {
    let response = PeerResponse::new(301).header("Location", "https://127.0.0.1/hook");
    answering(response, "redirect to https://127.0.0.1/hook", "target");
}

#[test]
fn a_redirect_to_an_access_login() {
    let login = "https://team.cloudflareaccess.com/cdn-cgi/access/login/game";
    let response = PeerResponse::new(302).header("Location", login);
    answering(response, "a login is in front", "headers");
}

#[test]
fn a_session_that_redirects_to_the_login_page() {
    let response = PeerResponse::new(302).header("Location", "/users/sign_in");
    answering(response, "a login is in front", "headers");
}

#[test]
fn a_single_page_app_that_answers_200_to_everything() {
    let response = PeerResponse::new(200).body(page("My Game"));
    answering(response, "the HTML page “My Game” answered 200", "target");
}

#[test]
fn a_login_page_that_answers_200() {
    let response = PeerResponse::new(200).body(page("Sign in · Game"));
    answering(
        response,
        "the HTML page “Sign in · Game” answered 200",
        "target",
    );
}

#[test]
fn a_bearer_token_that_a_gateway_wants() {
    let response = PeerResponse::new(401).header("WWW-Authenticate", "Bearer realm=\"staging\"");
    answering(response, "Bearer credentials are required", "headers");
}

#[test]
fn a_gateway_without_an_answer() {
    answering(PeerResponse::new(504), "a proxy answered 504", "target");
}

#[test]
fn a_host_name_that_the_server_does_not_serve() {
    let response =
        PeerResponse::new(403).body("Blocked request. This host (127.0.0.1) is not allowed.");
    answering(
        response,
        "the server does not serve this host name",
        "target",
    );
}

#[test]
fn a_tunnel_that_is_closed() {
    let response = PeerResponse::new(404).body(page("Tunnel not found ERR_NGROK_3200"));
    answering(
        response,
        "the server does not serve this host name",
        "target",
    );
}

#[test]
fn a_content_type_that_is_not_accepted() {
    answering(
        PeerResponse::new(415),
        "`application/json` is not accepted (415)",
        "target",
    );
}

#[test]
fn a_rate_limit_of_the_framework() {
    let response = PeerResponse::new(429).body("Too Many Requests");
    answering(
        response,
        "the request rate seems to be limited (429)",
        "max_rate",
    );
}

#[test]
fn the_clock_of_the_receiver() {
    let response = PeerResponse::new(401).body("{\"error\":\"timestamp is too old\"}");
    answering(response, "the clocks differ", "target");
}
