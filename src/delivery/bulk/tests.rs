//! Exchanges over loopback, against the receiver of the other tests of this module.

use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto;
use tokio::net::TcpListener;

use super::*;
use crate::delivery::{AllowedHosts, ClientSettings, HttpVersion};

const REQUEST: &[u8] = b"POST /hook HTTP/1.1\r\nHost: x\r\nX-A: b\r\nContent-Length: 2\r\n\r\n{}";

/// Echoes the version, a header and the body's length in the status: 200 if all are right.
async fn receiver() -> Target {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let url = format!("http://{}/hook", listener.local_addr().expect("an address"));
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(async move {
                let service = hyper::service::service_fn(
                    |request: http::Request<hyper::body::Incoming>| async {
                        use http_body_util::BodyExt as _;
                        let right = request.uri().path() == "/hook"
                            && request
                                .headers()
                                .get("x-a")
                                .is_some_and(|value| value == "b");
                        let body = request.into_body().collect().await?.to_bytes();
                        let status = if right && body == "{}" { 200 } else { 400 };
                        let answer = http::Response::builder()
                            .status(status)
                            .header("retry-after", "Sun, 06 Nov 1994 08:49:37 GMT");
                        Ok::<_, hyper::Error>(answer.body("text".to_owned()).unwrap_or_default())
                    },
                );
                let _ = auto::Builder::new(TokioExecutor::new())
                    .serve_connection(TokioIo::new(stream), service)
                    .await;
            });
        }
    });
    Target::parse(&url, &AllowedHosts::loopback_only()).expect("a target")
}

fn client(http_version: HttpVersion) -> Client {
    Client::new(ClientSettings {
        http_version,
        ..ClientSettings::default()
    })
    .expect("a client")
}

#[tokio::test]
async fn a_connection_carries_one_request_after_the_other_in_both_versions() {
    let target = receiver().await;
    for version in [HttpVersion::Http1, HttpVersion::Http2] {
        let client = client(version);
        let mut connection = BulkConnection::open(&client, &target).await.expect("opens");
        for _ in 0..3 {
            assert!(connection.is_open());
            let answer = connection
                .exchange(&target, REQUEST, None, Hearing::Whole)
                .await;
            let expected = BulkAnswer {
                status: 200,
                retry_after: Some(AskedWait::Until(784_111_777)),
            };
            assert_eq!(answer, Ok(expected), "{version:?}");
        }
    }
}

#[tokio::test]
async fn an_answer_that_is_lost_ends_the_connection() {
    let target = receiver().await;
    for version in [HttpVersion::Http1, HttpVersion::Http2] {
        let client = client(version);
        let mut connection = BulkConnection::open(&client, &target).await.expect("opens");
        let answer = connection
            .exchange(&target, REQUEST, None, Hearing::Lost)
            .await;
        assert_eq!(answer, Err(BreakOff::AnswerLost.into()));
        assert!(!connection.is_open());
    }
}

#[tokio::test]
async fn simultaneous_requests_wait_for_each_other() {
    let target = receiver().await;
    for version in [HttpVersion::Http1, HttpVersion::Http2] {
        let client = client(version);
        let mut one = BulkConnection::open(&client, &target).await.expect("opens");
        let mut other = BulkConnection::open(&client, &target).await.expect("opens");
        let mut places = Gate::for_participants(2).into_iter();
        let (one, other) = tokio::join!(
            one.exchange(&target, REQUEST, places.next(), Hearing::Whole),
            other.exchange(&target, REQUEST, places.next(), Hearing::Whole),
        );
        assert_eq!(
            [one, other].map(|answer| answer.map(|answer| answer.status)),
            [Ok(200), Ok(200)]
        );
    }
}
