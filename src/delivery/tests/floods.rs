//! Receivers that send without end: an exchange with them ends, whatever they send.

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use super::server::{listen, read_request};
use super::*;
use crate::policy::HttpVersion;

/// What a receiver sends: a beginning, and then the same again and again.
type Flood = (&'static [u8], &'static [u8]);

const CHUNKED: &[u8] = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
const NO_CONTENT: &[u8] = b"\0\0\0\x04\0\0\0\0\0\0\0\x01\x01\x04\0\0\0\x01\x88";
const SETTINGS: &[u8] = b"\0\0\0\x04\0\0\0\0\0";
/// A head with the status 103 and one with more headers.
const EARLY_HINTS: &[u8] = b"\0\0\x0d\x01\x04\0\0\0\x01\0\x07:status\x03103";

/// Sends the flood on each connection, after the request over HTTP/1.1, and at once over HTTP/2.
async fn flooding(version: HttpVersion, flood: Flood) -> Target {
    let (listener, target) = listen().await;
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(serve(stream, version, flood));
        }
    });
    target
}

async fn serve(mut stream: TcpStream, version: HttpVersion, (start, again): Flood) {
    if version == HttpVersion::Http1 {
        read_request(&mut stream).await;
    }
    let (mut reading, mut writing) = stream.into_split();
    tokio::spawn(async move {
        let mut bytes = [0; 4096];
        while reading.read(&mut bytes).await.is_ok_and(|count| count > 0) {}
    });
    let again = again.repeat(4096);
    let mut sent = writing.write_all(start).await;
    while sent.is_ok() {
        sent = writing.write_all(&again).await;
    }
}

/// The failures of an exchange of a run and of one of a load.
async fn failures(version: HttpVersion, flood: Flood) -> [Failure; 2] {
    let target = flooding(version, flood).await;
    let client = client_with(|settings| settings.http_version = version);
    let single = send(&client, &target).await.result.expect_err("a flood");
    let mut request = BulkRequest::default();
    request.header("Host", target.authority().as_bytes());
    request.body.extend_from_slice(b"{}");
    let opened = BulkConnection::open(&client, &target).await;
    let mut connection = opened.expect("a connection");
    let bulk = connection
        .exchange(&target, &request, None, ResponseHandling::Read, None)
        .await;
    [single, bulk.expect_err("a flood")]
}

#[tokio::test]
async fn interim_responses_without_end_are_a_failure() {
    for (version, flood) in [
        (
            HttpVersion::Http1,
            (&b""[..], &b"HTTP/1.1 100 Continue\r\n\r\n"[..]),
        ),
        (HttpVersion::Http2, (SETTINGS, EARLY_HINTS)),
    ] {
        let expected = Failure::TooLong(TooLong::InterimResponses);
        assert_eq!(failures(version, flood).await, [expected.clone(), expected]);
    }
}

#[tokio::test]
async fn a_body_without_an_end_is_a_failure() {
    let flood = (&b"HTTP/1.1 200 OK\r\n\r\n"[..], &[b' '; 64][..]);
    let expected = Failure::TooLong(TooLong::Body);
    let failures = failures(HttpVersion::Http1, flood).await;
    assert_eq!(failures, [expected.clone(), expected]);
}

#[tokio::test]
async fn trailers_without_an_end_are_a_failure() {
    let start: &[u8] = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n";
    let [single, bulk] = failures(HttpVersion::Http1, (start, b"a: b\n")).await;
    assert_eq!(single.name(), "invalid_response", "{single}");
    assert_eq!(bulk, Failure::TooLong(TooLong::Trailers));
}

#[tokio::test]
async fn http2_frames_without_end_are_a_failure() {
    let ping: &[u8] = b"\0\0\x08\x06\0\0\0\0\0aghook!!";
    let window_update = b"\0\0\x04\x08\0\0\0\0\0\0\0\0\x01";
    let expected = Failure::TooLong(TooLong::SmallFrames);
    for again in [ping, SETTINGS, window_update] {
        let failures = failures(HttpVersion::Http2, (SETTINGS, again)).await;
        assert_eq!(failures, [expected.clone(), expected.clone()]);
    }
    // The library has a limit of its own for these.
    let empty_data = b"\0\0\0\0\0\0\0\0\x01";
    for failure in failures(HttpVersion::Http2, (NO_CONTENT, empty_data)).await {
        let is_known = failure == expected || failure.name() == "invalid_response";
        assert!(is_known, "{failure:?}");
    }
}

#[tokio::test]
async fn a_timeout_holds_however_much_a_receiver_sends() {
    const SHORT: Duration = Duration::from_millis(30);
    let target = flooding(HttpVersion::Http1, (CHUNKED, b"1\r\nx\r\n")).await;
    let options = SendOptions::within(SHORT);
    let exchange = client().send(&target, &post(&target), options).await;
    let name = exchange.result.map_err(|failure| failure.name());
    assert_eq!(name, Err("timeout"));
}

#[tokio::test]
async fn heads_without_end_and_pushed_responses_are_named() {
    let head: &[u8] = b"\0\0\x01\x01\0\0\0\0\x01\x88";
    let start: &[u8] = [SETTINGS, head].concat().leak();
    let small: &[u8] = b"\0\0\x05\x09\0\0\0\0\x01\0\x01a\x01b";
    let field = [&b"\0\x01a\x7f\x81\x7e"[..], &[b'b'; 381]].concat();
    let long = [&b"\0\x01\x83\x09\0\0\0\0\x01"[..], &field].concat();
    let long: &[u8] = long.leak();
    let push: &[u8] = b"\0\0\x0a\x05\x04\0\0\0\x01\0\0\0\x02\x82\x84\x86\x41\x01a";
    for (start, again, too_long) in [
        (start, small, TooLong::Continuations),
        (start, long, TooLong::Continuations),
        (SETTINGS, push, TooLong::Pushes),
    ] {
        let expected = Failure::TooLong(too_long);
        let failures = failures(HttpVersion::Http2, (start, again)).await;
        assert_eq!(failures, [expected.clone(), expected]);
    }
}
