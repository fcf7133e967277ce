//! Every kind of answer, and of none.

use super::server::{Answer, Server, listen, nowhere};
use super::*;

/// A time that a test waits out, with a server that never ends its answer.
const SHORT: Duration = Duration::from_millis(30);

fn close(answer: &str) -> Answer {
    Answer::Close(answer.as_bytes().to_vec())
}

async fn answer_to(answer: Answer) -> Result<Response, Failure> {
    let server = Server::answering([answer]).await;
    send(&client(), &server.target).await.result
}

#[tokio::test]
async fn an_answer_is_kept_as_it_is() {
    let bytes = b"HTTP/1.1 422 Nope\r\nX-Odd: \xfc\r\nSet-Cookie: a\r\nSet-Cookie: b\r\n\
        Content-Encoding: gzip\r\nContent-Length: 5\r\n\r\n\x1f\x8b\0no";
    let response = answer_to(Answer::Keep(bytes.to_vec())).await;
    let response = response.expect("an answer");
    assert_eq!(response.status, 422);
    assert_eq!(response.header("x-ODD"), Some(&b"\xfc"[..]));
    let cookies = response
        .headers
        .iter()
        .filter(|(name, _)| name == "set-cookie");
    assert_eq!(cookies.count(), 2);
    assert_eq!(&response.body[..], b"\x1f\x8b\0no");
    assert!(response.complete && !response.truncated);
}

#[tokio::test]
async fn chunks_and_a_body_up_to_the_end_are_read() {
    for answer in [
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n1\r\nc\r\n0\r\n\r\n",
        "HTTP/1.0 200 OK\r\n\r\nabc",
    ] {
        let response = answer_to(close(answer)).await.expect("an answer");
        assert_eq!(&response.body[..], b"abc");
    }
}

#[tokio::test]
async fn a_redirect_is_an_answer() {
    let other = Server::answering([Answer::status(200)]).await;
    let location = &other.target;
    let answer = format!("HTTP/1.1 307 There\r\nLocation: {location}\r\nContent-Length: 0\r\n\r\n");
    let response = answer_to(close(&answer)).await.expect("an answer");
    assert_eq!(response.status, 307);
    assert_eq!(other.seen(), []);
}

#[tokio::test]
async fn a_long_body_is_counted_and_its_start_kept() {
    let body = "x".repeat(300_000);
    let answer = format!("HTTP/1.1 200 OK\r\nContent-Length: 300000\r\n\r\n{body}");
    let server = Server::answering([Answer::Keep(answer.into_bytes())]).await;
    let client = client_with(|settings| settings.response_body_limit = 1000);
    let response = send(&client, &server.target).await.result;
    let response = response.expect("an answer");
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
async fn a_body_without_end_is_left_behind() {
    let mut answer = b"HTTP/1.1 200 OK\r\nContent-Length: 99999999\r\n\r\n".to_vec();
    answer.resize(17 * 1024 * 1024, b'x');
    let response = answer_to(Answer::Keep(answer)).await.expect("an answer");
    assert!(response.body_length > 16 * 1024 * 1024);
    assert!(response.truncated && !response.complete);
}

#[tokio::test]
async fn time_runs_out() {
    let part = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nabc".to_vec();
    for (answer, answer_began) in [(Answer::Silence, false), (Answer::Keep(part), true)] {
        let server = Server::answering([answer]).await;
        let options = SendOptions::within(SHORT);
        let target = &server.target;
        let exchange = client().send(target, &post(target), options).await;
        let failure = Failure::Timeout {
            after: SHORT,
            answer_began,
        };
        assert_eq!(exchange.result, Err(failure.clone()));
        assert_eq!(failure.class(), FailureClass::Timeout);
        assert!(exchange.timings.total >= SHORT);
        assert_eq!(exchange.timings.first_byte.is_some(), answer_began);
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
async fn the_kinds_of_failure_are_told_apart() {
    assert_eq!(answer_to(Answer::Reset).await, Err(Failure::Reset));
    for text in [
        "",
        "HTTP/1.1 200",
        "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nab",
    ] {
        assert_eq!(
            answer_to(close(text)).await,
            Err(Failure::ClosedEarly),
            "{text}"
        );
    }
    for text in [
        "SSH-2.0-OpenSSH_9.6\r\n",
        "HTTP/1.1 20 OK\r\n\r\n",
        "\x15\x03\x01\0\x02\x02\x0a",
    ] {
        let failure = answer_to(close(text)).await.expect_err("no HTTP");
        assert_eq!(failure.name(), "invalid_response", "{failure}");
    }
}

#[tokio::test]
async fn a_port_where_nothing_listens_refuses() {
    let nowhere = nowhere().await;
    let exchange = send(&client(), &nowhere).await;
    let failure = exchange.result.expect_err("nothing listens");
    assert_eq!(failure.name(), "refused");
    assert_eq!(failure.class(), FailureClass::Connection);
    assert_eq!(exchange.connection, None);
    assert_eq!(exchange.request.url, nowhere.as_str());
    assert_eq!(client().probe_connection(&nowhere).await, Err(failure));
}
