//! Requests whose last byte is held back.

use std::mem::MaybeUninit;

use http_body_util::BodyExt;
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use socket2::SockRef;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::task::JoinHandle;

use super::server::{Server, ServerAction, length_of_request, listen, unused_target};
use super::*;

const BODY: &str = r#"{"event_type":"coupon.redeemed"}"#;
const OK: &[u8] = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n";

/// Sends a request from a spawned task.
fn send_with_barrier(
    target: &Target,
    barrier: LastByteBarrier,
    body: &'static str,
) -> JoinHandle<Exchange> {
    let target = target.clone();
    tokio::spawn(async move {
        let options = SendOptions {
            barrier: Some(barrier),
            ..SendOptions::within(LONG)
        };
        let request = post(&target).body(body);
        client().send(&target, &request, options).await
    })
}

/// Reads until all but `missing` bytes of a request have arrived.
async fn read_but(stream: &mut TcpStream, bytes: &mut Vec<u8>, missing: usize) {
    let enough = |bytes: &[u8]| {
        length_of_request(bytes).is_some_and(|length| bytes.len() + missing >= length)
    };
    while !enough(bytes) {
        assert!(stream.read_buf(bytes).await.expect("read") > 0);
    }
}

/// How many unread bytes the socket has received so far.
fn unread(stream: &TcpStream) -> usize {
    let mut bytes = [MaybeUninit::uninit(); 4096];
    SockRef::from(stream).peek(&mut bytes).unwrap_or(0)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_last_byte_is_sent_before_all_other_bytes_have_arrived() {
    for length in [BODY.len(), 1] {
        let body = &BODY[..length];
        let (listener, target) = listen().await;
        let mut barriers = LastByteBarrier::for_participants(3);
        let mut held = Vec::new();
        let mut sending = Vec::new();
        for _ in 0..2 {
            sending.push(send_with_barrier(
                &target,
                barriers.pop().expect("a barrier"),
                body,
            ));
            let (mut stream, _) = listener.accept().await.expect("a connection");
            let mut bytes = Vec::new();
            read_but(&mut stream, &mut bytes, 1).await;
            let whole = length_of_request(&bytes).expect("a head");
            assert_eq!(bytes.len(), whole - 1, "the last byte is held back");
            held.push((stream, bytes));
        }
        for (stream, _) in &held {
            assert_eq!(unread(stream), 0, "the last byte is still held back");
        }

        sending.push(send_with_barrier(
            &target,
            barriers.pop().expect("a barrier"),
            body,
        ));
        let (mut first, mut bytes) = held.remove(0);
        read_but(&mut first, &mut bytes, 0).await;
        // One last byte has arrived, so all other bytes of every other request must have arrived
        // too.
        let (last, _) = listener.accept().await.expect("a connection");
        assert!(unread(&last) >= bytes.len() - 1);

        held.push((first, bytes));
        held.push((last, Vec::new()));
        for (stream, bytes) in &mut held {
            read_but(stream, bytes, 0).await;
            stream.write_all(OK).await.expect("written");
        }
        for exchange in sending {
            let exchange = exchange.await.expect("no panic");
            assert_eq!(exchange.status(), Some(200), "{:?}", exchange.result);
            assert!(exchange.timings.without_barrier_wait() <= exchange.timings.total);
        }
    }
}

#[tokio::test]
async fn a_participant_that_fails_releases_the_others() {
    let server = Server::with_actions([ServerAction::status(200)]).await;
    let mut barriers = LastByteBarrier::for_participants(4);
    let refused = send_with_barrier(
        &unused_target().await,
        barriers.pop().expect("a barrier"),
        BODY,
    );
    let cancelled = send_with_barrier(&server.target, barriers.pop().expect("a barrier"), BODY);
    cancelled.abort();
    drop(barriers.pop());
    let waiting = send_with_barrier(&server.target, barriers.pop().expect("a barrier"), BODY);
    assert_eq!(waiting.await.expect("no panic").status(), Some(200));
    assert!(refused.await.expect("no panic").result.is_err());
}

#[tokio::test]
async fn an_early_response_releases_the_others() {
    let (listener, target) = listen().await;
    let mut barriers = LastByteBarrier::for_participants(2);
    let early = send_with_barrier(&target, barriers.pop().expect("a barrier"), BODY);
    let (mut stream, _) = listener.accept().await.expect("a connection");
    read_but(&mut stream, &mut Vec::new(), 1).await;
    stream.write_all(OK).await.expect("written");
    assert_eq!(early.await.expect("no panic").status(), Some(200));

    let server = Server::with_actions([ServerAction::status(200)]).await;
    let other = send_with_barrier(&server.target, barriers.pop().expect("a barrier"), BODY);
    assert_eq!(other.await.expect("no panic").status(), Some(200));
}

/// Responds to an HTTP/2 request with the length of its body.
async fn body_length(request: http::Request<Incoming>) -> hyper::Result<http::Response<String>> {
    let body = request.into_body().collect().await?.to_bytes();
    Ok(http::Response::new(body.len().to_string()))
}

/// A receiver that speaks HTTP/2 with prior knowledge.
async fn http2_receiver() -> Target {
    let (listener, target) = listen().await;
    tokio::spawn(async move {
        loop {
            let (stream, _) = listener.accept().await.expect("a connection");
            let serving = hyper::server::conn::http2::Builder::new(TokioExecutor::new())
                .serve_connection(TokioIo::new(stream), service_fn(body_length));
            tokio::spawn(async { drop(serving.await) });
        }
    });
    target
}

#[tokio::test]
async fn a_participant_that_times_out_releases_the_others() {
    let http1 = Server::with_actions([ServerAction::status(200)]).await;
    let http2 = http2_receiver().await;
    for (version, target) in [
        (HttpVersion::Http1, &http1.target),
        (HttpVersion::Http2, &http2),
    ] {
        let client = client_with(|settings| settings.http_version = version);
        let mut barriers = LastByteBarrier::for_participants(2);
        for timeout in [Duration::from_millis(30), LONG] {
            let options = SendOptions {
                barrier: barriers.pop(),
                ..SendOptions::within(timeout)
            };
            let exchange = client.send(target, &post(target), options).await;
            assert_eq!(exchange.result.is_ok(), timeout == LONG, "{version:?}");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_barrier_works_over_http2() {
    let target = http2_receiver().await;
    let client = client_with(|settings| settings.http_version = HttpVersion::Http2);
    // The last one is larger than the initial flow-control window.
    for length in [0, 1, 2, 1000, 200_000] {
        let sending = LastByteBarrier::for_participants(4)
            .into_iter()
            .map(|barrier| {
                let (client, target) = (client.clone(), target.clone());
                tokio::spawn(async move {
                    let options = SendOptions {
                        barrier: Some(barrier),
                        ..SendOptions::within(LONG)
                    };
                    let request = post(&target).body(vec![b'x'; length]);
                    client.send(&target, &request, options).await
                })
            });
        for exchange in sending.collect::<Vec<_>>() {
            let response = exchange
                .await
                .expect("no panic")
                .result
                .expect("a response");
            assert_eq!(response.body, length.to_string());
        }
    }
}

#[tokio::test]
async fn requests_without_a_body_are_held_back_before_their_head() {
    let server = Server::with_actions([ServerAction::status(200)]).await;
    let mut barriers = LastByteBarrier::for_participants(2);
    let first = send_with_barrier(&server.target, barriers.pop().expect("a barrier"), "");
    let second = send_with_barrier(&server.target, barriers.pop().expect("a barrier"), BODY);
    for exchange in [first, second] {
        assert_eq!(exchange.await.expect("no panic").status(), Some(200));
    }
}

#[tokio::test]
async fn a_barrier_that_never_opens_times_out() {
    let server = Server::with_actions([ServerAction::status(200)]).await;
    let mut barriers = LastByteBarrier::for_participants(2);
    let after = Duration::from_millis(30);
    let options = SendOptions {
        barrier: barriers.pop(),
        ..SendOptions::within(after)
    };
    let target = &server.target;
    let exchange = client().send(target, &post(target), options).await;
    assert_eq!(
        exchange.result.expect_err("timed out").class(),
        FailureClass::Timeout
    );
    assert_eq!(server.seen(), []);
}
