//! Tests with peers that disconnect, send slowly, flood or send garbage: the receiver stays up and
//! grants nothing.

use std::time::Duration;

use http::StatusCode;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::protocol::{SIGNATURE_HEADER, Secret, Signer, TIMESTAMP_HEADER};

use super::peer::{NOW, TestReceiver, delivery, event, settings};

/// The head of a valid delivery of `body`.
fn head(body: &[u8]) -> String {
    let signer = Signer::new(&Secret::new("whsec_peer").expect("not empty"));
    format!(
        "POST /webhooks/aghanim HTTP/1.1\r\nHost: x\r\nContent-Length: {}\r\n\
         {SIGNATURE_HEADER}: {}\r\n{TIMESTAMP_HEADER}: {NOW}\r\n\r\n",
        body.len(),
        signer.sign(NOW, body),
    )
}

/// Writes, closes the writing side, and reads until the end.
async fn send_raw(peer: &TestReceiver, bytes: &[u8]) -> Vec<u8> {
    let mut stream = peer.connect().await;
    let mut response = Vec::new();
    // The receiver may hang up while this is still writing.
    let _ = stream.write_all(bytes).await;
    let _ = stream.shutdown().await;
    let _ = stream.read_to_end(&mut response).await;
    response
}

#[tokio::test]
async fn a_cut_body_grants_nothing_at_any_length() {
    let peer = TestReceiver::start(settings()).await;
    let body = event("k", "p", "gem", 5).to_string().into_bytes();
    let head = head(&body);
    for length in [0, 1, body.len() / 2, body.len() - 1] {
        let cut = [head.as_bytes(), &body[..length]].concat();
        let response = send_raw(&peer, &cut).await;
        assert!(response.starts_with(b"HTTP/1.1 400"), "{length}");
    }
    assert_eq!(peer.probe("p", "gem").await, "0");
    let whole = [head.as_bytes(), &body].concat();
    assert!(send_raw(&peer, &whole).await.starts_with(b"HTTP/1.1 200"));
    assert_eq!(peer.probe("p", "gem").await, "5");
    peer.stop().await;
}

#[tokio::test]
async fn a_delivery_with_a_lost_response_and_its_redelivery_grant_once() {
    let peer = TestReceiver::start(settings()).await;
    let body = event("k", "p", "gem", 5).to_string().into_bytes();
    let mut stream = peer.connect().await;
    let whole = [head(&body).as_bytes(), &body].concat();
    stream.write_all(&whole).await.expect("written");
    drop(stream);
    // Whether or not the first delivery arrived, after the redelivery it is granted once.
    assert_eq!(peer.send(delivery(&body, NOW)).await.status, StatusCode::OK);
    assert_eq!(peer.probe("p", "gem").await, "5");
    peer.stop().await;
}

#[tokio::test]
async fn a_body_that_never_ends_times_out() {
    let mut settings = settings();
    settings.body_timeout = Duration::from_millis(20);
    let peer = TestReceiver::start(settings).await;
    let mut stream = peer.connect().await;
    let body = event("k", "p", "gem", 5).to_string().into_bytes();
    let begun = [head(&body).as_bytes(), &body[..10]].concat();
    stream.write_all(&begun).await.expect("written");
    // The peer keeps its side open, but still gets a response before the receiver hangs up.
    let mut response = Vec::new();
    stream.read_to_end(&mut response).await.expect("read");
    assert!(response.starts_with(b"HTTP/1.1 408"));
    assert_eq!(peer.probe("p", "gem").await, "0");
    peer.stop().await;
}

#[tokio::test]
async fn an_endless_flood_is_cut_off() {
    let peer = TestReceiver::start(settings()).await;
    let mut stream = peer.connect().await;
    let head = "POST /webhooks/aghanim HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n";
    stream.write_all(head.as_bytes()).await.expect("written");
    let chunk = format!("10000\r\n{}\r\n", " ".repeat(0x10000));
    // Ends only because the receiver hangs up.
    while stream.write_all(chunk.as_bytes()).await.is_ok() {}
    peer.probe("p", "gem").await;
    peer.stop().await;
}

#[tokio::test]
async fn malformed_heads_do_not_stop_the_receiver() {
    let peer = TestReceiver::start(settings()).await;
    let long = "x".repeat(1_000_000);
    let many = "a: b\r\n".repeat(10_000);
    for head in [
        "\r\n\r\n",
        "\0\0\0\0",
        "GET",
        "BREW /pot HTCPCP/1.0\r\n\r\n",
        "GET /debug/players/\u{1F48E}/items HTTP/1.1\r\nHost: x\r\n\r\n",
        "GET http://[::1/ HTTP/1.1\r\n\r\n",
        "OPTIONS * HTTP/1.1\r\nHost: x\r\n\r\n",
        "CONNECT x:1 HTTP/1.1\r\nHost: x\r\n\r\n",
        "POST /webhooks/aghanim HTTP/1.1\r\nContent-Length: -1\r\n\r\n",
        "POST /webhooks/aghanim HTTP/1.1\r\nContent-Length: 99999999999999999999999\r\n\r\n",
        "POST /webhooks/aghanim HTTP/1.1\r\nContent-Length: 18446744073709551615\r\n\r\n",
        "POST /webhooks/aghanim HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        "POST /webhooks/aghanim HTTP/1.1\r\nX-Aghanim-Signature\r\n\r\n",
        &format!("GET /{long} HTTP/1.1\r\nHost: x\r\n\r\n"),
        &format!("GET /health HTTP/1.1\r\nX-Aghanim-Signature: {long}\r\n\r\n"),
        &format!("GET /health HTTP/1.1\r\n{many}\r\n"),
        "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\nnonsense after the preface of HTTP/2",
    ] {
        let response = send_raw(&peer, head.as_bytes()).await;
        assert!(
            !response.starts_with(b"HTTP/1.1 5"),
            "{:?}",
            &head[..head.len().min(60)]
        );
    }
    let valid = delivery(event("k", "p", "gem", 5).to_string(), NOW);
    assert_eq!(peer.send(valid).await.status, StatusCode::OK);
    peer.stop().await;
}
