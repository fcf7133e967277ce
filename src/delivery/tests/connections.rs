//! Which connection a request uses.

use std::convert::Infallible;

use http::Version;
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::net::TcpListener;

use super::server::{Server, ServerAction, listen};
use super::*;
use crate::policy::ConnectionChoice;

fn reused(exchange: &Exchange) -> bool {
    exchange.connection.expect("a connection").reused
}

#[tokio::test]
async fn a_connection_is_reused_unless_a_new_one_is_requested() {
    let server = Server::with_actions([ServerAction::status(200)]).await;
    let client = client();
    let first = send(&client, &server.target).await;
    assert!(!reused(&first) && first.timings.connect.is_some());
    let second = send(&client.clone(), &server.target).await;
    assert!(reused(&second) && second.timings.connect.is_none());
    let new = SendOptions {
        connection: ConnectionChoice::New,
        ..SendOptions::within(LONG)
    };
    let third = client
        .send(&server.target, &post(&server.target), new)
        .await;
    assert!(!reused(&third));
    assert!(reused(&send(&client, &server.target).await));
    assert_eq!(server.connections(), [0, 0, 1, 0]);
}

#[tokio::test]
async fn a_connection_that_the_receiver_closes_is_not_reused() {
    let close = b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 0\r\n\r\n".to_vec();
    let server = Server::with_actions([ServerAction::RespondAndClose(close)]).await;
    let client = client();
    for _ in 0..2 {
        assert!(!reused(&send(&client, &server.target).await));
    }
    assert_eq!(server.connections(), [0, 1]);
}

#[tokio::test]
async fn a_closed_idle_connection_is_not_a_failure() {
    let ServerAction::Respond(response) = ServerAction::status(200) else {
        unreachable!("a status keeps the connection open");
    };
    let mut server = Server::with_actions([ServerAction::RespondAndClose(response)]).await;
    let client = client();
    for _ in 0..20 {
        let exchange = send(&client, &server.target).await;
        assert_eq!(exchange.status(), Some(200), "{:?}", exchange.result);
        server.has_closed().await;
    }
    assert_eq!(server.connections(), (0..20).collect::<Vec<_>>());
}

#[tokio::test]
async fn a_connection_that_is_closed_while_it_is_reused_is_not_a_failure() {
    let closed = || ServerAction::RespondAndClose(Vec::new());
    let server = Server::with_actions([
        ServerAction::status(200),
        closed(),
        ServerAction::status(200),
    ])
    .await;
    let client = client();
    let mut replaced = Vec::new();
    for _ in 0..2 {
        let exchange = send(&client, &server.target).await;
        assert_eq!(exchange.status(), Some(200), "{:?}", exchange.result);
        assert!(!reused(&exchange));
        replaced.push(exchange.connection.expect("a connection").replaces);
    }
    assert_eq!(server.connections(), [0, 0, 1]);
    assert_eq!(replaced, [None, Some(ClosedIdle::AfterRequest)]);
    // This belongs to the exchange, not to the connection.
    let next = send(&client, &server.target).await;
    assert!(reused(&next));
    assert_eq!(next.connection.expect("a connection").replaces, None);
}

/// The receiver has read the request then, and may have stopped half-way.
#[tokio::test]
async fn a_reused_connection_that_is_closed_within_a_response_is_a_failure() {
    let part = b"HTTP/1.1 200 OK\r\nContent-Le".to_vec();
    let server = Server::with_actions([
        ServerAction::status(200),
        ServerAction::RespondAndClose(part),
        ServerAction::status(200),
    ])
    .await;
    let client = client();
    assert_eq!(send(&client, &server.target).await.status(), Some(200));
    let closed = send(&client, &server.target).await;
    assert_eq!(closed.result, Err(Failure::ClosedEarly));
    assert_eq!(server.connections(), [0, 0]);
}

#[tokio::test]
async fn a_new_connection_that_is_closed_without_a_response_is_a_failure() {
    let server = Server::with_actions([
        ServerAction::RespondAndClose(Vec::new()),
        ServerAction::status(200),
    ])
    .await;
    let exchange = send(&client(), &server.target).await;
    assert_eq!(exchange.result, Err(Failure::ClosedEarly));
    assert_eq!(server.connections(), [0]);
}

#[tokio::test]
async fn the_connection_of_a_failed_exchange_is_not_reused() {
    let part = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nabc".to_vec();
    let server =
        Server::with_actions([ServerAction::Respond(part), ServerAction::status(200)]).await;
    let client = client();
    let options = SendOptions::within(Duration::from_millis(30));
    let target = &server.target;
    let failed = client.send(target, &post(target), options).await;
    assert!(failed.result.is_err());
    assert!(!reused(&send(&client, &server.target).await));
}

#[tokio::test]
async fn loopback_names_resolve_to_loopback() {
    let server = Server::with_actions([ServerAction::status(200)]).await;
    for name in ["localhost", "game.localhost"] {
        let url = server.target.as_str().replace("127.0.0.1", name);
        let exchange = send(&client(), &target(&url)).await;
        assert_eq!(exchange.status(), Some(200), "{:?}", exchange.result);
        let host = format!("\r\nHost: {name}:");
        assert!(server.texts().pop().expect("a request").contains(&host));
    }
}

#[tokio::test]
async fn a_connection_probe_sends_nothing() {
    let server = Server::with_actions([ServerAction::status(200)]).await;
    assert_eq!(client().probe_connection(&server.target).await, Ok(()));
    assert_eq!(server.seen(), []);
}

/// Responds to each HTTP/2 request with a description of it.
async fn serve_http2(listener: TcpListener) {
    let echo = |request: http::Request<Incoming>| async move {
        let headers = request.headers();
        let seen = format!(
            "{} {} {:?} host={} names={:?}",
            request.method(),
            request.uri(),
            request.version(),
            headers.contains_key("host"),
            headers
                .keys()
                .map(http::HeaderName::as_str)
                .collect::<Vec<_>>(),
        );
        Ok::<_, Infallible>(http::Response::new(seen))
    };
    loop {
        let (stream, _) = listener.accept().await.expect("a connection");
        let serving = hyper::server::conn::http2::Builder::new(TokioExecutor::new())
            .serve_connection(TokioIo::new(stream), service_fn(echo));
        tokio::spawn(async { drop(serving.await) });
    }
}

#[tokio::test]
async fn http2_with_prior_knowledge() {
    let (listener, target) = listen().await;
    tokio::spawn(serve_http2(listener));
    let client = client_with(|settings| settings.http_version = HttpVersion::Http2);
    for again in [false, true] {
        let exchange = send(&client, &target).await;
        assert_eq!(reused(&exchange), again);
        let version = exchange.connection.map(|used| used.version);
        assert_eq!(version, Some(Version::HTTP_2));
        let response = exchange.result.expect("a response");
        let expected = format!("POST {target} HTTP/2.0 host=false names=[\"content-length\"]");
        assert_eq!(String::from_utf8_lossy(&response.body), expected);
        let names: Vec<_> = exchange
            .request
            .headers
            .iter()
            .map(|(name, _)| name)
            .collect();
        assert_eq!(names, ["content-length"]);
    }
}

/// A receiver may end a connection at any time and say which requests it has not processed.
#[tokio::test]
async fn a_request_that_http2_says_is_unprocessed_is_sent_again() {
    let (listener, target) = listen().await;
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let mut connection = h2::server::handshake(stream).await.expect("HTTP/2");
            let mut is_first = true;
            while let Some(Ok((_, mut response))) = connection.accept().await {
                if std::mem::take(&mut is_first) {
                    let empty = http::Response::new(());
                    response.send_response(empty, true).expect("sent");
                } else {
                    response.send_reset(h2::Reason::REFUSED_STREAM);
                }
            }
        }
    });
    let client = client_with(|settings| settings.http_version = HttpVersion::Http2);
    for again in [false, true] {
        let exchange = send(&client, &target).await;
        assert_eq!(exchange.status(), Some(200), "{:?}", exchange.result);
        let replaced = exchange.connection.and_then(|used| used.replaces);
        assert_eq!(replaced, again.then_some(ClosedIdle::BeforeRequest));
    }
}

#[tokio::test]
async fn the_code_of_an_http2_reset_is_named() {
    let (listener, target) = listen().await;
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let mut connection = h2::server::handshake(stream).await.expect("HTTP/2");
            while let Some(Ok((_, mut response))) = connection.accept().await {
                response.send_reset(h2::Reason::ENHANCE_YOUR_CALM);
            }
        }
    });
    let client = client_with(|settings| settings.http_version = HttpVersion::Http2);
    let failure = send(&client, &target).await.result.expect_err("a reset");
    assert_eq!(
        failure.to_string(),
        "the receiver reset the HTTP/2 stream before the response was complete: ENHANCE_YOUR_CALM"
    );
    assert_eq!(failure.name(), "reset");
    assert!(failure.hint().contains("max_rate"), "{}", failure.hint());
}

#[tokio::test]
async fn http2_to_an_http1_receiver_is_a_failure() {
    let response = b"HTTP/1.1 400 Bad Request\r\n\r\n".to_vec();
    let (listener, target) = listen().await;
    tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.expect("a connection");
        tokio::io::AsyncWriteExt::write_all(&mut stream, &response)
            .await
            .expect("written");
        std::future::pending::<()>().await;
    });
    let client = client_with(|settings| settings.http_version = HttpVersion::Http2);
    let failure = send(&client, &target).await.result.expect_err("no HTTP/2");
    assert_eq!(failure.name(), "invalid_response", "{failure}");
}
