//! Every kind of response and failure.

use super::server::{Server, ServerAction, listen, unused_target};
use super::*;

/// A timeout that a test reaches, since the server never completes its response.
const SHORT: Duration = Duration::from_millis(30);

fn close(response: &str) -> ServerAction {
    ServerAction::RespondAndClose(response.as_bytes().to_vec())
}

async fn result_of(action: ServerAction) -> Result<Response, Failure> {
    let server = Server::with_actions([action]).await;
    send(&client(), &server.target).await.result
}

#[tokio::test]
async fn a_response_is_kept_unchanged() {
    let bytes = b"HTTP/1.1 422 Nope\r\nX-Odd: \xfc\r\nSet-Cookie: a\r\nSet-Cookie: b\r\n\
        Content-Encoding: gzip\r\nContent-Length: 5\r\n\r\n\x1f\x8b\0no";
    let response = result_of(ServerAction::Respond(bytes.to_vec())).await;
    let response = response.expect("a response");
    assert_eq!(response.status, 422);
    assert_eq!(response.header("x-ODD"), Some(&b"\xfc"[..]));
    let cookies = response
        .headers
        .iter()
        .filter(|(name, _)| name == "set-cookie");
    assert_eq!(cookies.count(), 2);
    assert_eq!(&response.body[..], b"\x1f\x8b\0no");
    assert!(response.complete && response.encoded && !response.truncated);
}

#[tokio::test]
async fn chunked_bodies_and_bodies_until_close_are_read() {
    for response in [
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n1\r\nc\r\n0\r\n\r\n",
        "HTTP/1.0 200 OK\r\n\r\nabc",
    ] {
        let response = result_of(close(response)).await.expect("a response");
        assert_eq!(&response.body[..], b"abc");
    }
}

#[tokio::test]
async fn a_redirect_is_a_response() {
    let other = Server::with_actions([ServerAction::status(200)]).await;
    let location = &other.target;
    let response =
        format!("HTTP/1.1 307 There\r\nLocation: {location}\r\nContent-Length: 0\r\n\r\n");
    let response = result_of(close(&response)).await.expect("a response");
    assert_eq!(response.status, 307);
    assert_eq!(other.seen(), []);
}

#[tokio::test]
async fn the_start_of_a_long_body_is_kept_and_its_length_counted() {
    let body = "x".repeat(300_000);
    let response = format!("HTTP/1.1 200 OK\r\nContent-Length: 300000\r\n\r\n{body}");
    let server = Server::with_actions([ServerAction::Respond(response.into_bytes())]).await;
    let client = client();
    let options = SendOptions {
        body_limit: 1000,
        ..SendOptions::within(LONG)
    };
    let target = &server.target;
    let response = client.send(target, &post(target), options).await.result;
    let response = response.expect("a response");
    assert_eq!(response.body.len(), 1000);
    assert_eq!(response.body_length, 300_000);
    assert!(response.truncated && response.complete);
    assert!(
        send(&client, &server.target)
            .await
            .connection
            .is_some_and(|used| used.reused)
    );
}

#[tokio::test]
async fn a_body_over_the_limit_is_a_failure() {
    let mut response = b"HTTP/1.1 200 OK\r\nContent-Length: 99999999\r\n\r\n".to_vec();
    response.resize(17 * 1024 * 1024, b'x');
    let response = result_of(ServerAction::Respond(response)).await;
    assert_eq!(response, Err(Failure::TooLong(TooLong::Body)));
}

#[tokio::test]
async fn a_slow_response_times_out() {
    let part = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nabc".to_vec();
    for (action, response_began) in [
        (ServerAction::Silence, false),
        (ServerAction::Respond(part), true),
    ] {
        let server = Server::with_actions([action]).await;
        let options = SendOptions::within(SHORT);
        let target = &server.target;
        let exchange = client().send(target, &post(target), options).await;
        let failure = Failure::Timeout {
            after: SHORT,
            response_began,
        };
        assert_eq!(exchange.result, Err(failure.clone()));
        assert_eq!(failure.class(), FailureClass::Timeout);
        assert!(exchange.timings.total >= SHORT);
        assert_eq!(exchange.timings.first_byte.is_some(), response_began);
        assert!(exchange.connection.is_some());
    }
}

#[tokio::test]
async fn a_handshake_that_never_ends_is_a_connect_timeout() {
    let (listener, plain) = listen().await;
    let encrypted = target(&plain.as_str().replace("http:", "https:"));
    let client = client_with(|settings| settings.connect_timeout = SHORT);
    let failure = Failure::ConnectTimeout { after: SHORT };
    assert_eq!(send(&client, &encrypted).await.result, Err(failure.clone()));
    assert_eq!(client.probe_connection(&encrypted).await, Err(failure));
    drop(listener);
}

#[tokio::test]
async fn kinds_of_failure_are_distinguished() {
    assert_eq!(result_of(ServerAction::Reset).await, Err(Failure::Reset));
    for text in [
        "",
        "HTTP/1.1 200",
        "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nab",
    ] {
        assert_eq!(
            result_of(close(text)).await,
            Err(Failure::ClosedEarly),
            "{text}"
        );
    }
    for text in ["SSH-2.0-OpenSSH_9.6\r\n", "HTTP/1.1 20 OK\r\n\r\n"] {
        let failure = result_of(close(text)).await.expect_err("no HTTP");
        assert_eq!(failure.name(), "invalid_response", "{failure}");
    }
}

#[tokio::test]
async fn a_port_that_nothing_listens_on_refuses_the_connection() {
    let target = unused_target().await;
    let exchange = send(&client(), &target).await;
    let failure = exchange.result.expect_err("nothing listens");
    assert_eq!(failure.name(), "refused");
    assert_eq!(failure.class(), FailureClass::Connection);
    assert_eq!(exchange.connection, None);
    assert_eq!(exchange.request.url, target.as_str());
    assert_eq!(client().probe_connection(&target).await, Err(failure));
}
