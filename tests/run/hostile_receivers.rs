//! Receivers that answer what no receiver should: a run survives them all, and tells what it got.

use std::io::{BufReader, Write as _};

use crate::support::{Folder, Peer, Response, Transcript, expecting, normalised, read_request};

/// Runs one delivery without retries, which must fail, and returns the whole report.
#[track_caller]
fn report(peer: &Peer, expectation: &str) -> Transcript {
    let folder = Folder::with_scenario(&expecting(&format!("{expectation}\n    retry: off")));
    Transcript::of(&mut folder.run(&["--target", &peer.url()])).ends_with(1)
}

/// What stands in the report from the failed check to the end of the answer.
fn story(report: &Transcript) -> String {
    let text = normalised(&report.stdout);
    let from = text.find("  step 1").unwrap_or_default();
    let to = text.rfind("\n\n1 scenario").unwrap_or(text.len());
    text[from..to].to_owned()
}

/// Reads the request, and then writes the same bytes until the sender has had enough.
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
    insta::assert_snapshot!(story(&report(&peer, "{ status: 2xx }")));
}

#[test]
fn headers_without_an_end() {
    let peer = endless(b"HTTP/1.1 200 OK\r\n", b"X-More: and more\r\n");
    insta::assert_snapshot!(story(&report(&peer, "{ status: 2xx }")));
}

#[test]
fn a_header_without_an_end() {
    let peer = endless(b"HTTP/1.1 200 OK\r\nX-Long: ", &[b'x'; 4096]);
    insta::assert_snapshot!(story(&report(&peer, "{ status: 2xx }")));
}

#[test]
fn a_body_without_an_end() {
    let peer = endless(
        b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n",
        &[b' '; 16384],
    );
    let report = report(&peer, "{ status: 2xx, body: { $.status: ok } }");
    report.says(&["the body is too long to be read"]);
}

#[test]
fn a_body_that_is_cut() {
    let peer = Peer::answering_bytes("HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n{\"status\":");
    insta::assert_snapshot!(story(&report(&peer, "{ status: 2xx }")));
}

#[test]
fn a_connection_closed_after_the_request() {
    let peer = Peer::answering_bytes("");
    insta::assert_snapshot!(story(&report(&peer, "{ status: 2xx }")));
}

#[test]
fn a_connection_closed_at_once() {
    let peer = Peer::raw(|stream, _| drop(stream));
    // Closed or reset: which of the two the sender sees is the operating system's choice.
    report(&peer, "{ status: 2xx }").says(&["no answer: the receiver", "look for a crash"]);
}

#[test]
fn a_redirect_is_not_followed() {
    let elsewhere = Peer::answering(|_| Response::new(200));
    let location = elsewhere.url();
    let peer = Peer::answering(move |_| Response::new(302).header("Location", &location));
    insta::assert_snapshot!(story(&report(&peer, "{ status: 2xx, outcome: delivered }")));
    assert_eq!(elsewhere.connections(), 0);
}

#[test]
fn json_that_is_deeper_than_any_reader_follows() {
    let peer = Peer::answering(|_| {
        Response::new(200)
            .header("Content-Type", "application/json")
            .body("[".repeat(100_000))
    });
    report(&peer, "{ body: { $.status: ok } }").says(&["the body is not JSON"]);
}

#[test]
fn escapes_for_the_terminal() {
    let peer = Peer::answering(|_| {
        let body =
            "\u{1b}[2J\u{1b}]0;owned\u{7}\u{9b}31m\u{202e}gnp.exe\r\u{8}{\"a\": \"\u{1b}[1m\"}";
        Response::new(500).header("X-C1", "\u{9b}31m").body(body)
    });
    let steers =
        |character: char| character.is_control() && character != '\n' || character == '\u{202e}';
    let shown = report(&peer, "{ status: 2xx, body: { $.a: x } }");
    assert!(!shown.stdout.contains(steers), "{:?}", shown.stdout);
    assert!(!shown.stderr.contains(steers), "{:?}", shown.stderr);
    insta::assert_snapshot!("escapes_in_text", story(&shown));

    // In JSON that is pretty in the report, and in the value that a check names.
    let peer = Peer::answering(|_| {
        let body = r#"{"a": "\u001b[2J\u009b31m", "\u001b[1m": 1}"#;
        Response::new(200).body(body)
    });
    let shown = report(&peer, "{ body: { $.a: x } }");
    assert!(!shown.stdout.contains(steers), "{:?}", shown.stdout);
    insta::assert_snapshot!("escapes_in_json", story(&shown));
}
