//! The receiver's responses: `{"status":"ok"}` and `{"status":"error","message":…}`, as in
//! Aghanim's public handler templates `[P]`.

use std::convert::Infallible;

use bytes::Bytes;
use http::header::{ALLOW, CONTENT_TYPE, RETRY_AFTER};
use http::{HeaderName, HeaderValue, Response, StatusCode};
use http_body_util::Full;
use http_body_util::combinators::BoxBody;
use serde::Serialize;
use serde_json::json;

use crate::protocol::CONTENT_TYPE_VALUE;

use super::refusal::Refusal;

pub(super) type Body = BoxBody<Bytes, Infallible>;

/// A status and a body, which the ledger can store and return again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct ReceiverResponse {
    pub(super) status: StatusCode,
    pub(super) body: Bytes,
    header: Option<(HeaderName, &'static str)>,
}

impl ReceiverResponse {
    /// A response with this status and body. The body is dropped if the status does not allow one.
    pub(super) fn new(status: StatusCode, body: impl Into<Bytes>) -> Self {
        let body = if has_body(status) {
            body.into()
        } else {
            Bytes::new()
        };
        Self {
            status,
            body,
            header: None,
        }
    }

    pub(super) fn ok() -> Self {
        Self::success(StatusCode::OK)
    }

    pub(super) fn success(status: StatusCode) -> Self {
        Self::new(status, Bytes::from_static(br#"{"status":"ok"}"#))
    }

    pub(super) fn error(status: StatusCode, message: &str) -> Self {
        Self::json(status, &json!({ "status": "error", "message": message }))
    }

    pub(super) fn refusal(refusal: &Refusal) -> Self {
        let mut response = match refusal {
            Refusal::Declined(message) => Self::json(
                refusal.status(),
                &json!({ "status": "error", "code": "declined", "message": message }),
            ),
            _ => Self::error(refusal.status(), &refusal.to_string()),
        };
        match refusal {
            Refusal::MethodNotAllowed { allowed } => response.header = Some((ALLOW, allowed)),
            Refusal::RateLimited => response.header = Some((RETRY_AFTER, "1")),
            Refusal::InProgress { status } if status.is_server_error() => {
                response.header = Some((RETRY_AFTER, "1"));
            }
            _ => {}
        }
        response
    }

    /// The same response with another body. The body is dropped if the status does not allow one.
    pub(super) fn with_body(self, body: impl Into<Bytes>) -> Self {
        Self {
            header: self.header,
            ..Self::new(self.status, body)
        }
    }

    /// The same response with this header instead of its current additional one.
    pub(super) fn with_header(self, name: HeaderName, value: &'static str) -> Self {
        Self {
            header: Some((name, value)),
            ..self
        }
    }

    pub(super) fn json(status: StatusCode, value: &impl Serialize) -> Self {
        match serde_json::to_vec(value) {
            Ok(body) => Self::new(status, body),
            // No caller passes a type that can't be serialized as JSON.
            Err(_) => Self::new(StatusCode::INTERNAL_SERVER_ERROR, Bytes::new()),
        }
    }

    pub(super) fn into_response(self) -> Response<Full<Bytes>> {
        let empty = self.body.is_empty();
        let mut response = Response::new(Full::new(self.body));
        *response.status_mut() = self.status;
        if !empty {
            response
                .headers_mut()
                .insert(CONTENT_TYPE, HeaderValue::from_static(CONTENT_TYPE_VALUE));
        }
        if let Some((name, value)) = self.header {
            response
                .headers_mut()
                .insert(name, HeaderValue::from_static(value));
        }
        response
    }
}

/// Whether HTTP allows content in a response with this status (RFC 9110, 15.3.5, 15.3.6, 15.4.5).
fn has_body(status: StatusCode) -> bool {
    !matches!(
        status,
        StatusCode::NO_CONTENT | StatusCode::RESET_CONTENT | StatusCode::NOT_MODIFIED
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_message_is_escaped() {
        let response = ReceiverResponse::error(StatusCode::BAD_REQUEST, "\"\n\u{0}");
        assert_eq!(
            response.body,
            &br#"{"status":"error","message":"\"\n\u0000"}"#[..]
        );
    }

    #[test]
    fn a_status_that_forbids_content_drops_the_body() {
        for status in [204, 205, 304] {
            let status = StatusCode::from_u16(status).expect("a status");
            assert!(ReceiverResponse::success(status).body.is_empty());
        }
    }
}
