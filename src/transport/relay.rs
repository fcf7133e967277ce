//! A request that another process makes: a local Aghanim, which shows it in its dashboard.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http::Method;
use serde::{Deserialize, Serialize};

use super::client::Client;
use super::exchange::{Exchange, Response};
use super::failure::{Failure, FailureClass};
use super::header_line::HeaderError;
use super::request::{OutgoingRequest, SentRequest};
use super::send_options::SendOptions;
use super::target::Target;

/// How much longer than the receiver the relay may take.
const SLACK: Duration = Duration::from_secs(2);
/// The longest envelope of a response, whose body Base64 makes longer.
const ENVELOPE_LIMIT: usize = 256 * 1024;

/// What the relay is asked to do.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct RelayRequest {
    pub target: String,
    pub timeout_ms: u64,
    /// The headers in order; `Host` is the target's.
    pub headers: Vec<(String, String)>,
    /// In Base64, because a body can be any bytes.
    pub body: String,
    /// The forgery that it is, for people.
    pub forgery: Option<String>,
    /// The delivery that an earlier attempt began.
    pub delivery: Option<i64>,
}

/// What came of it.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct RelayReply {
    /// The delivery that this attempt belongs to.
    pub delivery: i64,
    pub result: RelayResult,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum RelayResult {
    Response(RelayedResponse),
    /// Why there was no response, and whether that was a timeout.
    Failure {
        message: String,
        timed_out: bool,
    },
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct RelayedResponse {
    status: u16,
    headers: Vec<(String, String)>,
    body: String,
    body_length: u64,
    #[serde(default)]
    encoded: bool,
    truncated: bool,
}

impl RelayRequest {
    fn of(sent: &SentRequest, target: &Target, timeout: Duration) -> Self {
        let is_sent = |name: &str| !name.eq_ignore_ascii_case("content-length");
        let headers = sent.headers.iter().filter(|(name, _)| is_sent(name));
        let headers = headers.map(|(name, value)| {
            let value = String::from_utf8_lossy(value.as_bytes());
            (name.clone(), value.into_owned())
        });
        Self {
            target: target.as_str().to_owned(),
            timeout_ms: u64::try_from(timeout.as_millis()).unwrap_or(u64::MAX),
            headers: headers.collect(),
            body: STANDARD.encode(&sent.body),
            forgery: None,
            delivery: None,
        }
    }

    /// The request to the relay.
    fn posted(&self, relay: &Target) -> OutgoingRequest {
        let body = serde_json::to_vec(self).unwrap_or_default();
        let post = OutgoingRequest::new(Method::POST)
            .body(body)
            .header("Host", relay.authority())
            .and_then(|post| post.header("Content-Type", "application/json"));
        let Ok(post) = post else {
            unreachable!("an authority is a valid header value");
        };
        post
    }

    /// The request to make.
    pub(crate) fn outgoing(&self, target: &Target) -> Result<OutgoingRequest, HeaderError> {
        let body = STANDARD.decode(&self.body).unwrap_or_default();
        let mut request = OutgoingRequest::new(Method::POST).body(body);
        for (name, value) in &self.headers {
            let is_host = name.eq_ignore_ascii_case("host");
            request = request.header(name, if is_host { target.authority() } else { value })?;
        }
        Ok(request)
    }
}

impl RelayResult {
    pub(crate) fn of(result: &Result<Response, Failure>) -> Self {
        match result {
            Ok(response) => Self::Response(RelayedResponse {
                status: response.status,
                headers: response
                    .headers
                    .iter()
                    .map(|(name, value)| {
                        (name.clone(), String::from_utf8_lossy(value).into_owned())
                    })
                    .collect(),
                body: STANDARD.encode(&response.body),
                body_length: response.body_length,
                encoded: response.encoded,
                truncated: response.truncated,
            }),
            Err(failure) => Self::Failure {
                message: failure.to_string(),
                timed_out: failure.class() == FailureClass::Timeout,
            },
        }
    }

    fn into_result(self, target: &Target, timeout: Duration) -> Result<Response, Failure> {
        match self {
            Self::Response(response) => Ok(Response {
                status: response.status,
                headers: response
                    .headers
                    .into_iter()
                    .map(|(name, value)| (name, value.into_bytes()))
                    .collect(),
                body: Bytes::from(STANDARD.decode(response.body).unwrap_or_default()),
                body_length: response.body_length,
                encoded: response.encoded,
                truncated: response.truncated,
                complete: true,
            }),
            Self::Failure {
                timed_out: true, ..
            } => Err(Failure::Timeout {
                after: timeout,
                response_began: false,
            }),
            Self::Failure { message, .. } => Err(Failure::Unreachable {
                address: target.origin().to_owned(),
                reason: message,
            }),
        }
    }
}

impl RelayReply {
    /// The reply in the relay's response, or what went wrong between us and the relay.
    fn read(response: &Response) -> Result<Self, String> {
        serde_json::from_slice(&response.body).map_err(|_| {
            let text = String::from_utf8_lossy(&response.body);
            format!("the local Aghanim responded {}: {text}", response.status)
        })
    }
}

impl Client {
    /// Lets the relay make a request. `delivery` names the delivery that it belongs to, once it is known.
    pub(crate) async fn send_relayed(
        &self,
        relay: &Target,
        target: &Target,
        request: &OutgoingRequest,
        options: SendOptions,
        forgery: Option<&'static str>,
        delivery: &mut Option<i64>,
    ) -> Exchange {
        let (sent, timeout) = (request.sent(target, false), options.timeout);
        let envelope = RelayRequest {
            forgery: forgery.map(str::to_owned),
            delivery: *delivery,
            ..RelayRequest::of(&sent, target, timeout)
        };
        let options = SendOptions {
            timeout: timeout.saturating_add(SLACK),
            body_limit: ENVELOPE_LIMIT,
            ..options
        };
        let exchange = self.send(relay, &envelope.posted(relay), options).await;
        let reply = match &exchange.result {
            Ok(response) => RelayReply::read(response),
            Err(failure) => Err(format!("the local Aghanim did not respond: {failure}")),
        };
        let result = match reply {
            Ok(reply) => {
                *delivery = Some(reply.delivery);
                reply.result.into_result(target, timeout)
            }
            Err(reason) => Err(Failure::Unreachable {
                address: relay.origin().to_owned(),
                reason,
            }),
        };
        Exchange {
            request: sent,
            result,
            ..exchange
        }
    }
}
