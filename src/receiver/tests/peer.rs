//! A running receiver and a client for it.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use http::header::{CONTENT_TYPE, HOST};
use http::{HeaderMap, Method, Request, StatusCode};
use http_body_util::{BodyExt, Full};
use hyper::client::conn::{http1, http2};
use hyper_util::rt::{TokioExecutor, TokioIo};
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use crate::protocol::{SIGNATURE_HEADER, Secret, Signer, TIMESTAMP_HEADER};
use crate::receiver::{ReceivedRequest, Receiver, ReceiverError, ReceiverSettings};

/// The time on the receiver's clock.
pub(super) const NOW: u64 = 1_725_548_450;

const SECRET: &str = "whsec_peer";

/// A receiver that runs in this process.
pub(super) struct TestReceiver {
    pub(super) address: SocketAddr,
    pub(super) seen: Arc<Mutex<Vec<ReceivedRequest>>>,
    shutdown: oneshot::Sender<()>,
    running: JoinHandle<Result<(), ReceiverError>>,
}

/// A complete response.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Reply {
    pub(super) status: StatusCode,
    pub(super) headers: HeaderMap,
    pub(super) body: String,
}

impl Reply {
    pub(super) fn json(&self) -> Value {
        assert_eq!(self.headers[CONTENT_TYPE], "application/json");
        serde_json::from_str(&self.body).expect("JSON")
    }
}

pub(super) fn settings() -> ReceiverSettings {
    let mut settings = ReceiverSettings::new(secret());
    settings.clock = Arc::new(|| NOW);
    settings
}

fn secret() -> Secret {
    Secret::new(SECRET).expect("not empty")
}

/// The documented example with this key, player, SKU and quantity.
pub(super) fn event(key: &str, player_id: &str, sku: &str, quantity: u64) -> Value {
    let example = include_str!("../../protocol/example-event.txt");
    let mut event: Value = serde_json::from_str(example).expect("JSON");
    event["idempotency_key"] = json!(key);
    event["event_data"]["player_id"] = json!(player_id);
    event["event_data"]["item"]["sku"] = json!(sku);
    event["event_data"]["item"]["quantity"] = json!(quantity);
    event
}

/// A delivery of this body, signed with `timestamp`.
pub(super) fn delivery(body: impl AsRef<[u8]>, timestamp: u64) -> Request<Full<Bytes>> {
    let body = body.as_ref();
    let signature = Signer::new(&secret()).sign(timestamp, body).to_string();
    Request::post("/webhooks/aghanim")
        .header(SIGNATURE_HEADER, signature)
        .header(TIMESTAMP_HEADER, timestamp)
        .body(Full::from(body.to_vec()))
        .expect("a request")
}

impl TestReceiver {
    pub(super) async fn start(settings: ReceiverSettings) -> Self {
        let mut settings = settings;
        let seen = Arc::new(Mutex::new(Vec::new()));
        let log = Arc::clone(&seen);
        settings.observer = Some(Arc::new(move |record: &ReceivedRequest| {
            log.lock().expect("no panic").push(record.clone());
        }));
        let receiver = Receiver::bind(settings).await.expect("starts");
        let address = receiver.address();
        let (shutdown, stopped) = oneshot::channel();
        let running = tokio::spawn(receiver.serve(async move {
            let _ = stopped.await;
        }));
        Self {
            address,
            seen,
            shutdown,
            running,
        }
    }

    pub(super) async fn stop(self) {
        let _ = self.shutdown.send(());
        self.running.await.expect("no panic").expect("ends well");
    }

    pub(super) async fn connect(&self) -> TcpStream {
        TcpStream::connect(self.address).await.expect("connects")
    }

    /// Sends a request on a new connection.
    pub(super) async fn send(&self, mut request: Request<Full<Bytes>>) -> Reply {
        let host = self.address.to_string().parse().expect("a value");
        request.headers_mut().entry(HOST).or_insert(host);
        let stream = TokioIo::new(self.connect().await);
        let (mut sender, connection) = http1::handshake(stream).await.expect("speaks HTTP");
        tokio::spawn(connection);
        read(sender.send_request(request).await.expect("answered")).await
    }

    /// Sends requests concurrently on one HTTP/2 connection, without negotiating the version.
    pub(super) async fn send_together(&self, requests: Vec<Request<Full<Bytes>>>) -> Vec<Reply> {
        let stream = TokioIo::new(self.connect().await);
        let (sender, connection) = http2::handshake(TokioExecutor::new(), stream)
            .await
            .expect("speaks HTTP/2");
        tokio::spawn(connection);
        let sent: Vec<_> = requests
            .into_iter()
            .map(|mut request| {
                let path = request.uri().path().to_owned();
                *request.uri_mut() = format!("http://{}{path}", self.address)
                    .parse()
                    .expect("a URI");
                let mut sender = sender.clone();
                tokio::spawn(async move { sender.send_request(request).await.expect("answered") })
            })
            .collect();
        let mut replies = Vec::new();
        for response in sent {
            replies.push(read(response.await.expect("no panic")).await);
        }
        replies
    }

    pub(super) async fn deliver(&self, event: &Value) -> Reply {
        self.send(delivery(event.to_string(), NOW)).await
    }

    pub(super) async fn request(&self, method: Method, path: &str, body: &str) -> Reply {
        let request = Request::builder()
            .method(method)
            .uri(path)
            .body(Full::from(body.to_owned()))
            .expect("a request");
        self.send(request).await
    }

    /// The quantity that the probe returns, as text because it may exceed 64 bits.
    pub(super) async fn probe(&self, player_id: &str, sku: &str) -> String {
        let encode = |text: &str| {
            percent_encoding::utf8_percent_encode(text, percent_encoding::NON_ALPHANUMERIC)
                .to_string()
        };
        let path = format!("/debug/players/{}/items/{}", encode(player_id), encode(sku));
        let reply = self.request(Method::GET, &path, "").await;
        assert_eq!(reply.status, StatusCode::OK);
        let start = json!({ "player_id": player_id, "sku": sku }).to_string();
        let start = format!("{},\"quantity\":", start.trim_end_matches('}'));
        reply
            .body
            .strip_prefix(&start)
            .and_then(|rest| rest.strip_suffix('}'))
            .unwrap_or_else(|| panic!("{} does not start with {start}", reply.body))
            .to_owned()
    }
}

async fn read(response: http::Response<hyper::body::Incoming>) -> Reply {
    let (parts, body) = response.into_parts();
    let body = body.collect().await.expect("a whole body").to_bytes();
    Reply {
        status: parts.status,
        headers: parts.headers,
        body: String::from_utf8(body.to_vec()).expect("UTF-8"),
    }
}
