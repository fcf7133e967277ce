//! A sound and a flawed receiver in this process, and a client for them.

use std::fmt::Write as _;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use aghook::internals::delivery::{ForgeInput, SignedRequest, forge, sign};
use aghook::internals::policy::Forgery;
use aghook::internals::protocol::{Secret, Signer};
use aghook::internals::receiver::{Flaw, Receiver, ReceiverSettings};
use bytes::Bytes;
use http::header::{HOST, LOCATION};
use http::{HeaderMap, Method, Request};
use http_body_util::{BodyExt, Full};
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use serde_json::{Value, json};
use tokio::net::TcpStream;

/// The time on the receivers' clock.
pub(crate) const NOW: u64 = 1_725_548_450;
pub(crate) const PLAYER: &str = "2D2R-OP3C";
pub(crate) const SKU: &str = "crystals";
/// The quantity that the event below grants.
pub(crate) const QUANTITY: &str = "480000";

pub(crate) fn secret() -> Secret {
    Secret::new("whsec_present").expect("not empty")
}

pub(crate) fn expired_secret() -> Secret {
    Secret::new("whsec_expired").expect("not empty")
}

/// The documented example event with the missing keys added and unique IDs.
pub(crate) fn event() -> Value {
    static NEXT: AtomicU64 = AtomicU64::new(0);
    let number = NEXT.fetch_add(1, Ordering::Relaxed);
    let example = include_str!("../../../src/protocol/example-event.txt");
    let mut event: Value = serde_json::from_str(example).expect("JSON");
    event["idempotency_key"] = json!(format!("idmpt_{number}"));
    event["event_id"] = json!(format!("whevt_{number}"));
    event["transaction_id"] = json!(format!("whtx_{number}"));
    event["event_data"]["coupon"]["code"] = json!(format!("CODE-{number}"));
    event["event_data"]["item"]["fallback_item"] = Value::Null;
    event["context"] = json!({ "order": null, "player": null });
    event
}

/// The event for this player.
pub(crate) fn event_of(player_id: &str) -> Value {
    let mut event = event();
    event["event_data"]["player_id"] = json!(player_id);
    event
}

pub(crate) fn nested(sku: &str, quantity: u64, contents: Option<&Value>) -> Value {
    let kind = if contents.is_some() { "bundle" } else { "item" };
    json!({
        "id": "itm_1", "name": "N", "description": "D", "sku": sku, "quantity": quantity,
        "type": kind, "nested_items": contents,
    })
}

/// The event with a bundle of these nested items.
pub(crate) fn bundle(contents: &Value) -> Value {
    let mut event = event();
    let item = &mut event["event_data"]["item"];
    item["sku"] = json!("chest");
    item["quantity"] = json!(1);
    item["type"] = json!("bundle");
    item["nested_items"] = contents.clone();
    event
}

pub(crate) fn body_of(event: &Value) -> Bytes {
    Bytes::from(event.to_string())
}

/// A genuine delivery of this body, signed at `timestamp`.
pub(crate) fn signed(body: &Bytes, timestamp: u64) -> SignedRequest {
    sign(&ForgeInput {
        host: "localhost",
        body,
        timestamp,
        signer: &Signer::new(&secret()),
        expired: None,
    })
}

/// A forged delivery of this event.
pub(crate) fn forged(forgery: Forgery, event: &Value) -> SignedRequest {
    let input = ForgeInput {
        host: "localhost",
        body: &body_of(event),
        timestamp: NOW,
        signer: &Signer::new(&secret()),
        expired: Some(&Signer::new(&expired_secret())),
    };
    forge(forgery, &input, &mut ChaCha8Rng::seed_from_u64(1))
}

/// The bytes of a request that closes its connection.
pub(crate) fn bytes_of(request: &SignedRequest) -> Vec<u8> {
    let mut text = "POST /webhooks/aghanim HTTP/1.1\r\nConnection: close\r\n".to_owned();
    for (name, value) in &request.headers {
        write!(text, "{name}: {value}\r\n").expect("written");
    }
    write!(text, "Content-Length: {}\r\n\r\n", request.body.len()).expect("written");
    [text.as_bytes(), &request.body].concat()
}

/// A complete response.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct ObservedResponse {
    pub(crate) status: u16,
    pub(crate) location: Option<String>,
    pub(crate) body: String,
}

/// A receiver, in this or another process.
#[derive(Clone, Copy)]
pub(crate) struct ReceiverAddress {
    pub(crate) address: SocketAddr,
}

/// The same receiver without and with a flaw.
pub(crate) struct Pair {
    pub(crate) sound: ReceiverAddress,
    pub(crate) flawed: ReceiverAddress,
}

pub(crate) async fn pair(flaw: Flaw) -> Pair {
    pair_with(flaw, |_| {}).await
}

/// A pair with changed settings.
pub(crate) async fn pair_with(flaw: Flaw, change: impl Fn(&mut ReceiverSettings)) -> Pair {
    let start = async |flaws: &[Flaw]| {
        let mut settings = ReceiverSettings::new(secret());
        settings.clock = Arc::new(|| NOW);
        settings.expired_secret = Some(expired_secret());
        settings.flaws = flaws.iter().copied().collect();
        change(&mut settings);
        let receiver = Receiver::bind(settings).await.expect("starts");
        let address = receiver.address();
        // Stops with the test's runtime.
        tokio::spawn(receiver.serve(std::future::pending()));
        ReceiverAddress { address }
    };
    Pair {
        sound: start(&[]).await,
        flawed: start(&[flaw]).await,
    }
}

impl ReceiverAddress {
    /// Sends a request on a new connection; `None` if no response arrives.
    pub(crate) async fn send(self, request: SignedRequest) -> Option<ObservedResponse> {
        let mut posted = Request::post("/webhooks/aghanim");
        for (name, value) in request.headers {
            posted = posted.header(name, value);
        }
        let posted = posted.body(Full::from(request.body));
        self.exchange(posted.expect("a request")).await
    }

    /// The status of a genuine delivery of this event.
    pub(crate) async fn deliver(self, event: &Value) -> u16 {
        self.deliver_body(body_of(event)).await
    }

    /// The status of a genuine delivery of this body.
    pub(crate) async fn deliver_body(self, body: Bytes) -> u16 {
        let reply = self.send(signed(&body, NOW)).await;
        reply.expect("answered").status
    }

    pub(crate) async fn request(self, method: Method, path: &str, body: &str) -> ObservedResponse {
        let request = Request::builder()
            .method(method)
            .uri(path)
            .header(HOST, "localhost")
            .body(Full::from(body.to_owned()));
        let reply = self.exchange(request.expect("a request")).await;
        reply.expect("answered")
    }

    /// Scripts the statuses of the next deliveries to this player.
    pub(crate) async fn script(self, player_id: &str, statuses: &str) {
        let path = format!("/debug/players/{player_id}/respond");
        let reply = self.request(Method::PUT, &path, statuses).await;
        assert_eq!(reply.status, 200);
    }

    /// The quantity of an SKU that a player holds, as text, since it may exceed 64 bits.
    pub(crate) async fn held(self, player_id: &str, sku: &str) -> String {
        let [player, item] =
            [player_id, sku].map(|text| utf8_percent_encode(text, NON_ALPHANUMERIC).to_string());
        let path = format!("/debug/players/{player}/items/{item}");
        let reply = self.request(Method::GET, &path, "").await;
        assert_eq!(reply.status, 200);
        let (_, quantity) = reply.body.rsplit_once("\"quantity\":").expect("a number");
        quantity.trim_end_matches('}').to_owned()
    }

    async fn exchange(self, request: Request<Full<Bytes>>) -> Option<ObservedResponse> {
        let stream = TcpStream::connect(self.address).await.expect("connects");
        let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await.ok()?;
        tokio::spawn(connection);
        let (parts, body) = sender.send_request(request).await.ok()?.into_parts();
        let body = body.collect().await.ok()?.to_bytes();
        Some(ObservedResponse {
            status: parts.status.as_u16(),
            location: text_of(&parts.headers, LOCATION.as_str()),
            body: String::from_utf8(body.to_vec()).expect("UTF-8"),
        })
    }
}

fn text_of(headers: &HeaderMap, name: &str) -> Option<String> {
    let value = headers.get(name)?.to_str().expect("text");
    Some(value.to_owned())
}
