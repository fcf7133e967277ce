//! Receivers with malformed responses: a run handles all of them and reports what it received.

use std::io::{BufReader, Write as _};

use crate::support::{Folder, Peer, PeerResponse, Transcript, expecting, normalised, read_request};

/// Runs one delivery without retries, which must fail, and returns its output.
#[track_caller]
fn report(peer: &Peer, expectation: &str) -> Transcript {
    let folder = Folder::with_scenario(&expecting(&format!("{expectation}\n    retry: off")));
    Transcript::of(&mut folder.run(&["--target", &peer.url()])).ends_with(1)
}

/// The part of the report from the failed check to the end of the response.
fn failure_block(report: &Transcript) -> String {
    let text = normalised(&report.stdout);
    let from = text.find("  step 1").unwrap_or_default();
    let to = text.rfind("\n\n1 scenario").unwrap_or(text.len());
    text[from..to].to_owned()
}

/// Reads the request and writes `again` after `start` until the sender closes the connection.
fn endless(start: &'static [u8], again: &'static [u8]) -> Peer {
    Peer::raw(move |mut stream, _| {
        if read_request(&mut BufReader::new(&mut stream)).is_none() {
            return;
        }
        let mut written = stream.write_all(start);
        while written.is_ok() {
            written = stream.write_all(again);
        }
    })
}

#[test]
fn garbage() {
    let peer = Peer::answering_bytes(&b"\x00\xffnonsense\x1b[2J\r\n\r\n"[..]);
    insta::assert_snapshot!(failure_block(&report(&peer, "{ status: 2xx }")));
}

#[test]
fn headers_without_an_end() {
    let peer = endless(b"HTTP/1.1 200 OK\r\n", b"X-More: and more\r\n");
    insta::assert_snapshot!(failure_block(&report(&peer, "{ status: 2xx }")));
}

#[test]
fn a_header_without_an_end() {
    let peer = endless(b"HTTP/1.1 200 OK\r\nX-Long: ", &[b'x'; 4096]);
    insta::assert_snapshot!(failure_block(&report(&peer, "{ status: 2xx }")));
}

#[test]
fn a_body_without_an_end() {
    let peer = endless(
        b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n",
        &[b' '; 16384],
    );
    let report = report(&peer, "{ status: 2xx, body: { $.status: ok } }");
    report.says(&["no response: the response is too long: its body has more than 16 MiB"]);
}

#[test]
fn long_responses_do_not_fill_a_report() {
    let peer = Peer::answering(|_| {
        PeerResponse::new(200)
            .header("X-Long", &"h".repeat(4096))
            .body("x".repeat(250_000))
    });
    let scenario = expecting("{ status: 2xx }\n    times: 50");
    let folder = Folder::with_scenario(&scenario);
    let options = ["--target", &peer.url(), "--report", "json=run.jsonl"];
    Transcript::of(&mut folder.run(&options)).ends_with(0);
    let report = folder.read("run.jsonl");
    assert_eq!(
        report
            .matches("\"length\":250000,\"truncated\":true")
            .count(),
        50
    );
    assert!(report.len() < 500_000, "{} bytes", report.len());
}

#[test]
fn a_body_that_is_cut() {
    let peer = Peer::answering_bytes("HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n{\"status\":");
    insta::assert_snapshot!(failure_block(&report(&peer, "{ status: 2xx }")));
}

#[test]
fn a_connection_closed_after_the_request() {
    let peer = Peer::answering_bytes("");
    insta::assert_snapshot!(failure_block(&report(&peer, "{ status: 2xx }")));
}

#[test]
fn a_connection_closed_at_once() {
    let peer = Peer::raw(|stream, _| drop(stream));
    // Whether the sender sees a close or a reset depends on the operating system.
    report(&peer, "{ status: 2xx }").says(&["no response: the receiver", "look for a crash"]);
}

#[test]
fn a_redirect_is_not_followed() {
    let elsewhere = Peer::answering(|_| PeerResponse::new(200));
    let location = elsewhere.url();
    let peer = Peer::answering(move |_| PeerResponse::new(302).header("Location", &location));
    insta::assert_snapshot!(failure_block(&report(
        &peer,
        "{ status: 2xx, outcome: delivered }"
    )));
    assert_eq!(elsewhere.connections(), 0);
}

#[test]
fn json_that_is_too_deeply_nested() {
    let peer = Peer::answering(|_| {
        PeerResponse::new(200)
            .header("Content-Type", "application/json")
            .body("[".repeat(60_000))
    });
    report(&peer, "{ body: { $.status: ok } }").says(&["the body is not JSON"]);
}

#[test]
fn terminal_escapes_are_removed() {
    let peer = Peer::answering(|_| {
        let body =
            "\u{1b}[2J\u{1b}]0;owned\u{7}\u{9b}31m\u{202e}gnp.exe\r\u{8}{\"a\": \"\u{1b}[1m\"}";
        PeerResponse::new(500)
            .header("X-C1", "\u{9b}31m")
            .body(body)
    });
    let is_escape =
        |character: char| character.is_control() && character != '\n' || character == '\u{202e}';
    let shown = report(&peer, "{ status: 2xx, body: { $.a: x } }");
    assert!(!shown.stdout.contains(is_escape), "{:?}", shown.stdout);
    assert!(!shown.stderr.contains(is_escape), "{:?}", shown.stderr);
    insta::assert_snapshot!("escapes_in_text", failure_block(&shown));

    // Also in pretty-printed JSON and in the observed value of a check.
    let peer = Peer::answering(|_| {
        let body = r#"{"a": "\u001b[2J\u009b31m", "\u001b[1m": 1}"#;
        PeerResponse::new(200).body(body)
    });
    let shown = report(&peer, "{ body: { $.a: x } }");
    assert!(!shown.stdout.contains(is_escape), "{:?}", shown.stdout);
    insta::assert_snapshot!("escapes_in_json", failure_block(&shown));
}
