//! Peers that cut, drip, flood or talk nonsense: the receiver stays up and grants nothing.

use std::time::Duration;

use http::StatusCode;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::protocol::{SIGNATURE_HEADER, Secret, Signer, TIMESTAMP_HEADER};

use super::peer::{NOW, Peer, delivery, event, settings};

/// The head of a sound delivery of `body`.
fn head(body: &[u8]) -> String {
    let signer = Signer::new(&Secret::new("whsec_peer").expect("not empty"));
    format!(
        "POST /webhooks/aghanim HTTP/1.1\r\nHost: x\r\nContent-Length: {}\r\n\
         {SIGNATURE_HEADER}: {}\r\n{TIMESTAMP_HEADER}: {NOW}\r\n\r\n",
        body.len(),
        signer.sign(NOW, body),
    )
}

/// Writes, says that there is no more, and reads to the end.
async fn say(peer: &Peer, bytes: &[u8]) -> Vec<u8> {
    let mut stream = peer.connect().await;
    let mut answer = Vec::new();
    // The receiver may hang up in the middle of what it won't hear.
    let _ = stream.write_all(bytes).await;
    let _ = stream.shutdown().await;
    let _ = stream.read_to_end(&mut answer).await;
    answer
}

#[tokio::test]
async fn a_cut_body_grants_nothing_at_any_length() {
    let peer = Peer::start(settings()).await;
    let body = event("k", "p", "gem", 5).to_string().into_bytes();
    let head = head(&body);
    for length in [0, 1, body.len() / 2, body.len() - 1] {
        let cut = [head.as_bytes(), &body[..length]].concat();
        let answer = say(&peer, &cut).await;
        assert!(answer.starts_with(b"HTTP/1.1 400"), "{length}");
    }
    assert_eq!(peer.probe("p", "gem").await, "0");
    let whole = [head.as_bytes(), &body].concat();
    assert!(say(&peer, &whole).await.starts_with(b"HTTP/1.1 200"));
    assert_eq!(peer.probe("p", "gem").await, "5");
    peer.stop().await;
}

#[tokio::test]
async fn a_lost_answer_and_its_redelivery_count_once() {
    let peer = Peer::start(settings()).await;
    let body = event("k", "p", "gem", 5).to_string().into_bytes();
    let mut stream = peer.connect().await;
    let whole = [head(&body).as_bytes(), &body].concat();
    stream.write_all(&whole).await.expect("written");
    drop(stream);
    // Whether the first came through or not, the redelivery makes it count, and once.
    assert_eq!(peer.send(delivery(&body, NOW)).await.status, StatusCode::OK);
    assert_eq!(peer.probe("p", "gem").await, "5");
    peer.stop().await;
}

#[tokio::test]
async fn a_body_that_never_ends_is_given_up() {
    let mut settings = settings();
    settings.body_timeout = Duration::from_millis(20);
    let peer = Peer::start(settings).await;
    let mut stream = peer.connect().await;
    let body = event("k", "p", "gem", 5).to_string().into_bytes();
    let begun = [head(&body).as_bytes(), &body[..10]].concat();
    stream.write_all(&begun).await.expect("written");
    // The peer keeps its side open, and is still answered and hung up on.
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await.expect("read");
    assert!(answer.starts_with(b"HTTP/1.1 408"));
    assert_eq!(peer.probe("p", "gem").await, "0");
    peer.stop().await;
}

#[tokio::test]
async fn an_endless_flood_is_cut_off() {
    let peer = Peer::start(settings()).await;
    let mut stream = peer.connect().await;
    let head = "POST /webhooks/aghanim HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n";
    stream.write_all(head.as_bytes()).await.expect("written");
    let chunk = format!("10000\r\n{}\r\n", " ".repeat(0x10000));
    // Ends only since the receiver hangs up.
    while stream.write_all(chunk.as_bytes()).await.is_ok() {}
    peer.probe("p", "gem").await;
    peer.stop().await;
}

#[tokio::test]
async fn odd_heads_leave_it_up() {
    let peer = Peer::start(settings()).await;
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
        let answer = say(&peer, head.as_bytes()).await;
        assert!(
            !answer.starts_with(b"HTTP/1.1 5"),
            "{:?}",
            &head[..head.len().min(60)]
        );
    }
    let sound = delivery(event("k", "p", "gem", 5).to_string(), NOW);
    assert_eq!(peer.send(sound).await.status, StatusCode::OK);
    peer.stop().await;
}
