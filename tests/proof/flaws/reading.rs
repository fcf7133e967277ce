//! Flaws in reading a request that is not written as in the documentation.

use aghook::internals::receiver::Flaw;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::peer::{
    NOW, PLAYER, Pair, QUANTITY, ReceiverAddress, SKU, body_of, bytes_of, event, event_of, pair,
    signed,
};

/// Splits a request so that the first part contains the player ID but is not complete.
fn most_of(bytes: &[u8]) -> (&[u8], &[u8]) {
    bytes.split_at(bytes.len() - 100)
}

async fn status_of(mut stream: TcpStream) -> String {
    let mut response = String::new();
    stream.read_to_string(&mut response).await.expect("read");
    let status = response.split(' ').nth(1).expect("a status");
    status.to_owned()
}

async fn connected(peer: ReceiverAddress) -> TcpStream {
    TcpStream::connect(peer.address).await.expect("connects")
}

pub(crate) async fn first_piece_only() {
    let Pair { sound, flawed } = pair(Flaw::FirstPieceOnly).await;
    let event = event();
    let bytes = bytes_of(&signed(&body_of(&event), NOW));
    let (first, rest) = most_of(&bytes);
    let mut stream = connected(sound).await;
    stream.write_all(first).await.expect("written");
    stream.write_all(rest).await.expect("written");
    assert_eq!(status_of(stream).await, "200");
    // The flawed receiver does not wait for the rest.
    let mut stream = connected(flawed).await;
    stream.write_all(first).await.expect("written");
    let mut status = [0; 12];
    stream.read_exact(&mut status).await.expect("read");
    assert_eq!(&status, b"HTTP/1.1 403");
    assert_eq!(sound.held(PLAYER, SKU).await, QUANTITY);
    assert_eq!(flawed.held(PLAYER, SKU).await, "0");
    assert_eq!(flawed.deliver(&event).await, 200);
    assert_eq!(flawed.held(PLAYER, SKU).await, QUANTITY);
}

pub(crate) async fn cut_body_leaves_lock() {
    let Pair { sound, flawed } = pair(Flaw::CutBodyLeavesLock).await;
    let event = event();
    let bytes = bytes_of(&signed(&body_of(&event), NOW));
    let (first, _) = most_of(&bytes);
    for (peer, expected, held) in [(sound, 200, QUANTITY), (flawed, 503, "0")] {
        let mut stream = connected(peer).await;
        stream.write_all(first).await.expect("written");
        stream.shutdown().await.expect("shut down");
        assert_eq!(status_of(stream).await, "400");
        assert_eq!(peer.deliver(&event).await, expected);
        assert_eq!(peer.deliver(&event).await, expected);
        assert_eq!(peer.held(PLAYER, SKU).await, held);
        // Other players are not locked.
        assert_eq!(peer.deliver(&event_of("another")).await, 200);
        assert_eq!(peer.held("another", SKU).await, QUANTITY);
    }
}

/// Sends a request in parts that arrive one after the other, and returns the final status. The request
/// must close its connection.
async fn status_in_parts(peer: ReceiverAddress, parts: &[&[u8]]) -> String {
    let mut stream = connected(peer).await;
    stream.set_nodelay(true).expect("set");
    for part in parts {
        // A receiver that has refused the request may not read the rest.
        let _ = stream.write_all(part).await;
    }
    let mut response = String::new();
    stream.read_to_string(&mut response).await.expect("read");
    let (_, last) = response.rsplit_once("HTTP/1.1 ").expect("a response");
    last[..3].to_owned()
}

/// A genuine delivery and the same with another head.
fn with_head(change: impl Fn(&str) -> String) -> (Vec<u8>, Vec<u8>) {
    let bytes = bytes_of(&signed(&body_of(&event()), NOW));
    let text = String::from_utf8(bytes.clone()).expect("UTF-8");
    let (head, body) = text.split_once("\r\n\r\n").expect("a head");
    let changed = format!("{}\r\n\r\n{body}", change(head));
    assert_ne!(changed, text);
    (bytes, changed.into_bytes())
}

/// Only the flawed receiver refuses a delivery whose head is changed.
async fn refuses_only(flaw: Flaw, status: &str, change: impl Fn(&str) -> String) {
    let Pair { sound, flawed } = pair(flaw).await;
    let (documented, changed) = with_head(change);
    assert_eq!(status_in_parts(sound, &[&changed]).await, "200");
    assert_eq!(sound.held(PLAYER, SKU).await, QUANTITY);
    assert_eq!(status_in_parts(flawed, &[&changed]).await, status);
    assert_eq!(flawed.held(PLAYER, SKU).await, "0");
    assert_eq!(status_in_parts(flawed, &[&documented]).await, "200");
    assert_eq!(flawed.held(PLAYER, SKU).await, QUANTITY);
}

pub(crate) async fn content_type_compared_exactly() {
    refuses_only(Flaw::ContentTypeComparedExactly, "415", |head| {
        head.replace("application/json", "application/json; charset=utf-8")
    })
    .await;
}

pub(crate) async fn expectation_refused() {
    refuses_only(Flaw::ExpectationRefused, "417", |head| {
        format!("{head}\r\nExpect: 100-continue")
    })
    .await;
}

pub(crate) async fn header_names_case_sensitive() {
    for header in ["X-Aghanim-Signature:", "X-Aghanim-Signature-Timestamp:"] {
        refuses_only(Flaw::HeaderNamesCaseSensitive, "403", |head| {
            head.replace(header, &header.to_lowercase())
        })
        .await;
    }
}

/// The parts of a chunked request, whose body is split at this position.
fn chunked(request: &[u8], at: usize) -> Vec<Vec<u8>> {
    let text = String::from_utf8(request.to_vec()).expect("UTF-8");
    let (head, body) = text.split_once("\r\n\r\n").expect("a head");
    let (head, _) = head.rsplit_once("\r\nContent-Length").expect("a length");
    let head = format!("{head}\r\nTransfer-Encoding: chunked\r\n\r\n").into_bytes();
    let (first, second) = body.as_bytes().split_at(at);
    let chunk = |bytes: &[u8]| {
        let size = format!("{:x}\r\n", bytes.len()).into_bytes();
        [&size, bytes, b"\r\n"].concat()
    };
    vec![head, chunk(first), chunk(second), b"0\r\n\r\n".to_vec()]
}

pub(crate) async fn content_length_required() {
    let Pair { sound, flawed } = pair(Flaw::ContentLengthRequired).await;
    let bytes = bytes_of(&signed(&body_of(&event()), NOW));
    let parts = chunked(&bytes, 100);
    let parts: Vec<&[u8]> = parts.iter().map(Vec::as_slice).collect();
    assert_eq!(status_in_parts(sound, &parts).await, "200");
    assert_eq!(status_in_parts(flawed, &parts).await, "411");
    assert_eq!(flawed.held(PLAYER, SKU).await, "0");
    assert_eq!(status_in_parts(flawed, &[&bytes]).await, "200");
}

pub(crate) async fn letters_decoded_by_piece() {
    let Pair { sound, flawed } = pair(Flaw::LettersDecodedByPiece).await;
    let mut event = event();
    event["event_data"]["item"]["name"] = "Éclair".into();
    let body = body_of(&event);
    let bytes = bytes_of(&signed(&body, NOW));
    let letter = body
        .iter()
        .position(|byte| !byte.is_ascii())
        .expect("a letter");
    for (at, expected) in [(letter + 1, "403"), (letter, "200")] {
        let parts = chunked(&bytes, at);
        let parts: Vec<&[u8]> = parts.iter().map(Vec::as_slice).collect();
        assert_eq!(status_in_parts(sound, &parts).await, "200");
        assert_eq!(status_in_parts(flawed, &parts).await, expected);
    }
    assert_eq!(flawed.held(PLAYER, SKU).await, QUANTITY);
}

pub(crate) async fn letters_decoded_after_verification() {
    let Pair { sound, flawed } = pair(Flaw::LettersDecodedAfterVerification).await;
    for (player, shift, held) in [("Zoé-1", 1, "0"), ("Zoé-2", 0, QUANTITY)] {
        let body = body_of(&event_of(player));
        let bytes = bytes_of(&signed(&body, NOW));
        let mut letters = body.iter();
        let letter = letters.position(|byte| !byte.is_ascii());
        let parts = chunked(&bytes, letter.expect("a letter") + shift);
        let parts: Vec<&[u8]> = parts.iter().map(Vec::as_slice).collect();
        for peer in [sound, flawed] {
            assert_eq!(status_in_parts(peer, &parts).await, "200");
        }
        assert_eq!(sound.held(player, SKU).await, QUANTITY);
        assert_eq!(flawed.held(player, SKU).await, held);
    }
}

pub(crate) async fn connection_keeps_player() {
    let Pair { sound, flawed } = pair(Flaw::ConnectionKeepsPlayer).await;
    for (peer, second_holds) in [(sound, QUANTITY), (flawed, "0")] {
        let requests = ["first", "second"].map(|player| {
            let bytes = bytes_of(&signed(&body_of(&event_of(player)), NOW));
            String::from_utf8(bytes).expect("UTF-8")
        });
        let kept_open = requests[0].replace("Connection: close\r\n", "");
        let parts = [kept_open.as_bytes(), requests[1].as_bytes()];
        assert_eq!(status_in_parts(peer, &parts).await, "200");
        assert_ne!(peer.held("first", SKU).await, "0");
        assert_eq!(peer.held("second", SKU).await, second_holds);
        // Another connection has its own player.
        assert_eq!(peer.deliver(&event_of("third")).await, 200);
        assert_eq!(peer.held("third", SKU).await, QUANTITY);
    }
}
