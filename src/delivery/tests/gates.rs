//! Requests that are held one byte before their end.

use std::mem::MaybeUninit;

use http_body_util::BodyExt;
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use socket2::SockRef;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::task::JoinHandle;

use super::server::{Answer, Server, length_of_request, listen, nowhere};
use super::*;

const BODY: &str = r#"{"event_type":"coupon.redeemed"}"#;
const OK: &[u8] = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n";

/// Sends a request from a task of its own.
fn send_gated(target: &Target, gate: Gate, body: &'static str) -> JoinHandle<Exchange> {
    let target = target.clone();
    tokio::spawn(async move {
        let options = SendOptions {
            gate: Some(gate),
            ..SendOptions::within(LONG)
        };
        let request = post(&target).body(body);
        client().send(&target, &request, options).await
    })
}

/// Reads until all but `missing` bytes of a request are there.
async fn read_but(stream: &mut TcpStream, bytes: &mut Vec<u8>, missing: usize) {
    let enough = |bytes: &[u8]| {
        length_of_request(bytes).is_some_and(|length| bytes.len() + missing >= length)
    };
    while !enough(bytes) {
        assert!(stream.read_buf(bytes).await.expect("read") > 0);
    }
}

/// How many bytes lie unread in the socket, asked without waiting.
fn unread(stream: &TcpStream) -> usize {
    let mut bytes = [MaybeUninit::uninit(); 4096];
    SockRef::from(stream).peek(&mut bytes).unwrap_or(0)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_last_byte_leaves_before_all_the_rest_has_arrived() {
    for length in [BODY.len(), 1] {
        let body = &BODY[..length];
        let (listener, target) = listen().await;
        let mut places = Gate::for_participants(3);
        let mut held = Vec::new();
        let mut sending = Vec::new();
        for _ in 0..2 {
            sending.push(send_gated(&target, places.pop().expect("a place"), body));
            let (mut stream, _) = listener.accept().await.expect("a connection");
            let mut bytes = Vec::new();
            read_but(&mut stream, &mut bytes, 1).await;
            let whole = length_of_request(&bytes).expect("a head");
            assert_eq!(bytes.len(), whole - 1, "the last byte is held");
            held.push((stream, bytes));
        }
        for (stream, _) in &held {
            assert_eq!(unread(stream), 0, "the last byte is still held");
        }

        sending.push(send_gated(&target, places.pop().expect("a place"), body));
        let (mut first, mut bytes) = held.remove(0);
        read_but(&mut first, &mut bytes, 0).await;
        // One last byte has come, so the head and all but the last byte of every other request
        // must lie here already.
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
            assert!(exchange.timings.without_gate() <= exchange.timings.total);
        }
    }
}

#[tokio::test]
async fn a_participant_that_fails_frees_the_rest() {
    let server = Server::answering([Answer::status(200)]).await;
    let mut places = Gate::for_participants(4);
    let refused = send_gated(&nowhere().await, places.pop().expect("a place"), BODY);
    let cancelled = send_gated(&server.target, places.pop().expect("a place"), BODY);
    cancelled.abort();
    drop(places.pop());
    let waiting = send_gated(&server.target, places.pop().expect("a place"), BODY);
    assert_eq!(waiting.await.expect("no panic").status(), Some(200));
    assert!(refused.await.expect("no panic").result.is_err());
}

#[tokio::test]
async fn a_receiver_that_answers_early_frees_the_rest() {
    let (listener, target) = listen().await;
    let mut places = Gate::for_participants(2);
    let early = send_gated(&target, places.pop().expect("a place"), BODY);
    let (mut stream, _) = listener.accept().await.expect("a connection");
    read_but(&mut stream, &mut Vec::new(), 1).await;
    stream.write_all(OK).await.expect("written");
    assert_eq!(early.await.expect("no panic").status(), Some(200));

    let server = Server::answering([Answer::status(200)]).await;
    let other = send_gated(&server.target, places.pop().expect("a place"), BODY);
    assert_eq!(other.await.expect("no panic").status(), Some(200));
}

/// Answers an HTTP/2 request with the length of its body.
async fn body_length(request: http::Request<Incoming>) -> hyper::Result<http::Response<String>> {
    let body = request.into_body().collect().await?.to_bytes();
    Ok(http::Response::new(body.len().to_string()))
}

/// A receiver that speaks HTTP/2 without being asked.
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
async fn a_participant_that_times_out_frees_the_rest() {
    let http1 = Server::answering([Answer::status(200)]).await;
    let http2 = http2_receiver().await;
    for (version, target) in [
        (HttpVersion::Http1, &http1.target),
        (HttpVersion::Http2, &http2),
    ] {
        let client = client_with(|settings| settings.http_version = version);
        let mut places = Gate::for_participants(2);
        for timeout in [Duration::from_millis(30), LONG] {
            let options = SendOptions {
                gate: places.pop(),
                ..SendOptions::within(timeout)
            };
            let exchange = client.send(target, &post(target), options).await;
            assert_eq!(exchange.result.is_ok(), timeout == LONG, "{version:?}");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_gate_works_over_http2() {
    let target = http2_receiver().await;
    let client = client_with(|settings| settings.http_version = HttpVersion::Http2);
    // The last is longer than the flow-control window that a connection begins with.
    for length in [0, 1, 2, 1000, 200_000] {
        let sending = Gate::for_participants(4).into_iter().map(|gate| {
            let (client, target) = (client.clone(), target.clone());
            tokio::spawn(async move {
                let options = SendOptions {
                    gate: Some(gate),
                    ..SendOptions::within(LONG)
                };
                let request = post(&target).body(vec![b'x'; length]);
                client.send(&target, &request, options).await
            })
        });
        for exchange in sending.collect::<Vec<_>>() {
            let response = exchange.await.expect("no panic").result.expect("an answer");
            assert_eq!(response.body, length.to_string());
        }
    }
}

#[tokio::test]
async fn requests_without_a_body_are_held_before_their_head() {
    let server = Server::answering([Answer::status(200)]).await;
    let mut places = Gate::for_participants(2);
    let first = send_gated(&server.target, places.pop().expect("a place"), "");
    let second = send_gated(&server.target, places.pop().expect("a place"), BODY);
    for exchange in [first, second] {
        assert_eq!(exchange.await.expect("no panic").status(), Some(200));
    }
}

#[tokio::test]
async fn a_gate_that_never_fills_runs_into_the_timeout() {
    let server = Server::answering([Answer::status(200)]).await;
    let mut places = Gate::for_participants(2);
    let after = Duration::from_millis(30);
    let options = SendOptions {
        gate: places.pop(),
        ..SendOptions::within(after)
    };
    let target = &server.target;
    let exchange = client().send(target, &post(target), options).await;
    assert_eq!(
        exchange.result.expect_err("held").class(),
        FailureClass::Timeout
    );
    assert_eq!(server.seen(), []);
}
