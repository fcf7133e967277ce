//! The ways in which a request can be written on the wire, as a receiver reads the bytes.

use bytes::Bytes;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use super::server::{Server, ServerAction, listen};
use super::*;
use crate::policy::{HttpVersion, WireForm};

const RESPONSE: &[u8] = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n";

fn form(json: &str) -> WireForm {
    serde_json::from_str(json).expect("a form")
}

/// A request for the target with a body of some letters.
fn request(target: &Target, wire: &str) -> OutgoingRequest {
    post(target)
        .header("Content-Type", "application/json")
        .expect("a header")
        .body("aéz")
        .with_wire(form(wire))
}

/// Reads until the bytes end with these.
async fn read_until(stream: &mut TcpStream, end: &str) -> String {
    let mut bytes = Vec::new();
    while !bytes.ends_with(end.as_bytes()) {
        let count = stream.read_buf(&mut bytes).await.expect("read");
        assert_ne!(count, 0, "{}", String::from_utf8_lossy(&bytes));
    }
    String::from_utf8(bytes).expect("UTF-8")
}

/// Sends a request, and returns what a receiver reads up to `end`.
async fn received(wire: &str, end: &str) -> (String, Exchange) {
    let (listener, target) = listen().await;
    let (client, request) = (client(), request(&target, wire));
    let sent = client.send(&target, &request, SendOptions::within(LONG));
    let read = async {
        let (mut stream, _) = listener.accept().await.expect("a connection");
        let text = read_until(&mut stream, end).await;
        stream.write_all(RESPONSE).await.expect("written");
        text
    };
    let (exchange, text) = tokio::join!(sent, read);
    assert_eq!(exchange.status(), Some(200));
    (text.replace(target.authority(), "HOST"), exchange)
}

#[tokio::test]
async fn each_piece_of_a_chunked_body_is_a_chunk() {
    for (wire, body) in [
        (r#"{"transfer":"chunked"}"#, "4\r\naéz\r\n0\r\n\r\n"),
        (
            r#"{"transfer":"chunked","pieces":3}"#,
            "3\r\naé\r\n1\r\nz\r\n0\r\n\r\n",
        ),
    ] {
        let (text, exchange) = received(wire, "0\r\n\r\n").await;
        let expected = format!(
            "POST /hook HTTP/1.1\r\nHost: HOST\r\nContent-Type: application/json\r\n\
             Transfer-Encoding: chunked\r\n\r\n{body}"
        );
        assert_eq!(text, expected, "{wire}");
        let reported = &exchange.request.headers;
        assert_eq!(reported.last().expect("a header").0, "Transfer-Encoding");
        assert_eq!(exchange.request.wire, form(wire));
    }
}

#[tokio::test]
async fn a_body_in_pieces_keeps_its_length() {
    for pieces in ["1", "\"letters\""] {
        let wire = format!("{{\"pieces\":{pieces}}}");
        let (text, _) = received(&wire, "aéz").await;
        assert!(text.ends_with("\r\nContent-Length: 4\r\n\r\naéz"), "{text}");
    }
}

#[tokio::test]
async fn header_names_and_the_content_type_are_written_as_chosen() {
    for (wire, head) in [
        (
            r#"{"header_case":"lower"}"#,
            "host: HOST\r\ncontent-type: application/json\r\ncontent-length: 4\r\n\r\n",
        ),
        (
            r#"{"header_case":"mixed"}"#,
            "hOsT: HOST\r\ncOnTeNt-tYpE: application/json\r\ncOnTeNt-lEnGtH: 4\r\n\r\n",
        ),
        (
            r#"{"header_case":"upper","content_type":"text/plain; a=B"}"#,
            "HOST: HOST\r\nCONTENT-TYPE: text/plain; a=B\r\nCONTENT-LENGTH: 4\r\n\r\n",
        ),
    ] {
        let (text, exchange) = received(wire, "aéz").await;
        assert_eq!(text, format!("POST /hook HTTP/1.1\r\n{head}aéz"), "{wire}");
        let mut reported = String::new();
        for (name, value) in &exchange.request.headers {
            reported.extend([name, ": ", value.to_str().expect("text"), "\r\n"]);
        }
        // Only the received text has the placeholder for the host.
        let reported = reported.split_once("\r\n").expect("lines").1;
        assert!(
            head.ends_with(&format!("HOST\r\n{reported}\r\n")),
            "{reported}"
        );
    }
}

#[tokio::test]
async fn another_case_of_names_stays_on_its_own_connection() {
    let server = Server::with_actions([ServerAction::status(200)]).await;
    let client = client();
    for wire in ["{}", r#"{"header_case":"lower"}"#, "{}"] {
        let request = request(&server.target, wire);
        let options = SendOptions::within(LONG);
        client.send(&server.target, &request, options).await;
    }
    assert_eq!(server.connections(), [0, 1, 0]);
    assert!(server.texts()[2].contains("\r\nContent-Type: "));
}

#[tokio::test]
async fn the_body_follows_once_the_receiver_agrees() {
    let (listener, target) = listen().await;
    let request = request(&target, r#"{"expect":"100-continue"}"#);
    let client = client();
    let sent = client.send(&target, &request, SendOptions::within(LONG));
    let serve = async {
        let (mut stream, _) = listener.accept().await.expect("a connection");
        let head = read_until(&mut stream, "\r\n\r\n").await;
        assert!(head.contains("\r\nExpect: 100-continue\r\n"), "{head}");
        let interim = b"HTTP/1.1 103 Early Hints\r\n\r\nHTTP/1.1 100 Continue\r\n\r\n";
        stream.write_all(interim).await.expect("written");
        assert_eq!(read_until(&mut stream, "z").await, "aéz");
        stream.write_all(RESPONSE).await.expect("written");
    };
    let (exchange, ()) = tokio::join!(sent, serve);
    assert_eq!(exchange.status(), Some(200));
}

#[tokio::test]
async fn a_refusal_before_the_body_is_the_response_and_ends_the_connection() {
    let (listener, target) = listen().await;
    let request = request(&target, r#"{"expect":"100-continue"}"#);
    let client = client();
    let sent = client.send(&target, &request, SendOptions::within(LONG));
    let serve = async {
        let (mut stream, _) = listener.accept().await.expect("a connection");
        read_until(&mut stream, "\r\n\r\n").await;
        let response = b"HTTP/1.1 417 No\r\nContent-Length: 0\r\n\r\n";
        stream.write_all(response).await.expect("written");
        let mut rest = Vec::new();
        // The sender closes the connection, normally or with a reset, and sends no body.
        let _ = stream.read_to_end(&mut rest).await;
        assert_eq!(rest, b"");
    };
    let (exchange, ()) = tokio::join!(sent, serve);
    assert_eq!(exchange.status(), Some(417));
}

#[tokio::test]
async fn a_receiver_that_never_agrees_gets_the_body_anyway() {
    let (text, _) = received(r#"{"expect":"100-continue"}"#, "aéz").await;
    assert!(text.ends_with("\r\n\r\naéz"), "{text}");
}

#[tokio::test]
async fn without_a_body_nothing_is_expected() {
    let server = Server::with_actions([ServerAction::status(200)]).await;
    let request = request(&server.target, r#"{"expect":"100-continue"}"#).body(Bytes::new());
    let options = SendOptions::within(LONG);
    client().send(&server.target, &request, options).await;
    assert!(!server.texts()[0].contains("Expect"));
}

#[tokio::test]
async fn over_http2_only_what_exists_there_is_sent() {
    let (target, recorder) = super::recorder::http2_recorder().await;
    let client = client_with(|settings| settings.http_version = HttpVersion::Http2);
    let wire = r#"{"transfer":"chunked","pieces":1,"header_case":"upper","expect":"100-continue"}"#;
    let request = request(&target, wire);
    let exchange = client
        .send(&target, &request, SendOptions::within(LONG))
        .await;
    assert_eq!(exchange.status(), Some(200));
    let headers = exchange.request.headers.iter();
    let mut names: Vec<&str> = headers.map(|(name, _)| name.as_str()).collect();
    names.sort_unstable();
    assert_eq!(names, ["content-length", "content-type"]);
    let (_, body) = recorder.requests().remove(0);
    assert_eq!(body.as_deref(), Some("aéz".as_bytes()));
}
