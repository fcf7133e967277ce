//! Flaws in reading a body that does not arrive in one piece.

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
