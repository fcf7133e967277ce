//! Exchanges over loopback with a receiver that speaks both HTTP versions.

use h2::Reason;
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;

use super::*;
use crate::policy::HttpVersion;
use crate::transport::allowed_hosts::AllowedHosts;
use crate::transport::client::ClientSettings;
use crate::transport::request::OutgoingRequest;
use crate::transport::send_options::SendOptions;

fn request() -> BulkRequest {
    let mut request = BulkRequest::default();
    request.header("Host", b"x");
    request.header("X-A", b"b");
    request.body.extend_from_slice(b"{}");
    request
}

/// Starts a receiver that responds 200 if the path, a header and the body are as expected.
async fn receiver() -> Target {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let url = format!("http://{}/hook", listener.local_addr().expect("an address"));
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(async move {
                let service = hyper::service::service_fn(
                    |request: http::Request<hyper::body::Incoming>| async {
                        use http_body_util::BodyExt as _;
                        let matches = request.uri().path() == "/hook"
                            && request
                                .headers()
                                .get("x-a")
                                .is_some_and(|value| value == "b");
                        let body = request.into_body().collect().await?.to_bytes();
                        let status = if matches && body == "{}" { 200 } else { 400 };
                        let response = http::Response::builder()
                            .status(status)
                            .header("retry-after", "Sun, 06 Nov 1994 08:49:37 GMT");
                        Ok::<_, hyper::Error>(response.body("text".to_owned()).unwrap_or_default())
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
async fn a_connection_carries_consecutive_requests_in_both_versions() {
    let target = receiver().await;
    for version in [HttpVersion::Http1, HttpVersion::Http2] {
        let client = client(version);
        let mut connection = BulkConnection::open(&client, &target).await.expect("opens");
        for _ in 0..3 {
            assert!(connection.is_open());
            let response = connection
                .exchange(&target, &request(), None, ResponseHandling::Read, None)
                .await;
            let expected = BulkResponse {
                status: 200,
                retry_after: Some(RetryAfterDelay::Until(784_111_777)),
            };
            assert_eq!(response, Ok(expected), "{version:?}");
        }
    }
}

#[tokio::test]
async fn a_discarded_response_ends_the_connection() {
    let target = receiver().await;
    for version in [HttpVersion::Http1, HttpVersion::Http2] {
        let client = client(version);
        let mut connection = BulkConnection::open(&client, &target).await.expect("opens");
        let response = connection
            .exchange(&target, &request(), None, ResponseHandling::Discard, None)
            .await;
        assert_eq!(response, Err(SenderAbort::ResponseLost.into()));
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
        let mut barriers = LastByteBarrier::for_participants(2).into_iter();
        let request = request();
        let (one, other) = tokio::join!(
            one.exchange(
                &target,
                &request,
                barriers.next(),
                ResponseHandling::Read,
                None
            ),
            other.exchange(
                &target,
                &request,
                barriers.next(),
                ResponseHandling::Read,
                None
            ),
        );
        assert_eq!(
            [one, other].map(|response| response.map(|response| response.status)),
            [Ok(200), Ok(200)]
        );
    }
}

#[tokio::test]
async fn http2_sends_more_than_one_window_over_a_connection() {
    let target = receiver().await;
    let client = client(HttpVersion::Http2);
    let mut connection = BulkConnection::open(&client, &target).await.expect("opens");
    let mut request = request();
    request.body.resize(40_000, b'x');
    for _ in 0..10 {
        assert!(connection.is_open());
        let response = connection
            .exchange(&target, &request, None, ResponseHandling::Read, None)
            .await;
        // The receiver expects another body.
        assert_eq!(response.map(|response| response.status), Ok(400));
    }
}

#[tokio::test]
async fn a_connection_that_the_receiver_closes_between_requests_is_not_open() {
    for version in [HttpVersion::Http1, HttpVersion::Http2] {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let url = format!("http://{}/hook", listener.local_addr().expect("an address"));
        let target = Target::parse(&url, &AllowedHosts::loopback_only()).expect("a target");
        let served = tokio::spawn(async move {
            let (stream, _) = listener.accept().await.expect("a connection");
            let service =
                hyper::service::service_fn(|request: http::Request<hyper::body::Incoming>| async {
                    use http_body_util::BodyExt as _;
                    request.into_body().collect().await?;
                    Ok::<_, hyper::Error>(http::Response::new(String::new()))
                });
            let builder = auto::Builder::new(TokioExecutor::new());
            let connection = builder.serve_connection(TokioIo::new(stream), service);
            let open_for = std::time::Duration::from_millis(100);
            let _ = tokio::time::timeout(open_for, connection).await;
        });
        let mut connection = BulkConnection::open(&client(version), &target)
            .await
            .expect("opens");
        let response = connection
            .exchange(&target, &request(), None, ResponseHandling::Read, None)
            .await;
        assert_eq!(response.map(|response| response.status), Ok(200));
        served.await.expect("served");
        assert!(!connection.is_open(), "{version:?}");
    }
}

/// Starts a receiver that responds to the first request of each connection with these HTTP/2 frames.
async fn http2_receiver(frames: Vec<u8>) -> Target {
    const SETTINGS: &[u8] = &[0, 0, 0, 4, 0, 0, 0, 0, 0];
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let url = format!("http://{}/hook", listener.local_addr().expect("an address"));
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let mut seen = Vec::new();
            while !seen.windows(2).any(|bytes| bytes == b"{}") {
                let read = stream.read_buf(&mut seen).await.expect("a request");
                assert_ne!(read, 0, "the request ended early");
            }
            stream.write_all(SETTINGS).await.expect("sent");
            stream.write_all(&frames).await.expect("sent");
            tokio::spawn(async move { while let Ok(1..) = stream.read_buf(&mut seen).await {} });
        }
    });
    Target::parse(&url, &AllowedHosts::loopback_only()).expect("a target")
}

/// hyper takes a reset without an error for the end of a response.
#[tokio::test]
async fn an_http2_response_is_whole_only_if_its_stream_ended() {
    const HEAD: &[u8] = &[0, 0, 1, 1, 4, 0, 0, 0, 1, 0x88];
    for (end_stream, code) in [
        (0, Reason::NO_ERROR),
        (0, Reason::CANCEL),
        (1, Reason::NO_ERROR),
    ] {
        let data = [&[0, 0, 4, 0, end_stream, 0, 0, 0, 1], &b"half"[..]].concat();
        let code_byte = u8::try_from(u32::from(code)).expect("a small code");
        let reset = [0, 0, 4, 3, 0, 0, 0, 0, 1, 0, 0, 0, code_byte];
        let target = http2_receiver([HEAD, &data, &reset].concat()).await;
        let client = client(HttpVersion::Http2);

        let of_run = OutgoingRequest::new(http::Method::POST).body("{}");
        let options = SendOptions::within(std::time::Duration::from_secs(20));
        let exchange = client.send(&target, &of_run, options).await;
        let mut connection = BulkConnection::open(&client, &target).await.expect("opens");
        let of_load = connection
            .exchange(&target, &request(), None, ResponseHandling::Read, None)
            .await;

        let failure = Failure::Http2Reset {
            reason: code,
            of_connection: false,
        };
        let expected = if end_stream == 1 {
            Ok(200)
        } else {
            Err(failure)
        };
        let status = exchange.result.map(|response| response.status);
        assert_eq!(status, expected, "{code:?}");
        assert_eq!(
            of_load.map(|response| response.status),
            expected,
            "{code:?}"
        );
    }
}
