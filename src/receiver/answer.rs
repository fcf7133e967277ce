//! The words that go back: `{"status":"ok"}` and `{"status":"error","message":…}`, as in Aghanim's
//! public handler templates `[P]`. What to answer is decided elsewhere.

use bytes::Bytes;
use http::header::{ALLOW, CONTENT_TYPE, LOCATION, RETRY_AFTER};
use http::{HeaderName, HeaderValue, Response, StatusCode};
use http_body_util::Full;
use serde::Serialize;

use crate::protocol::CONTENT_TYPE_VALUE;

use super::refusal::Refusal;

/// A status and a JSON body, which the ledger can keep and give again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Answer {
    pub(super) status: StatusCode,
    pub(super) body: Bytes,
    /// One more header.
    header: Option<(HeaderName, &'static str)>,
}

#[derive(Serialize)]
struct ErrorBody<'a> {
    status: &'static str,
    message: &'a str,
}

impl Answer {
    /// An answer with this status and body; without the body where the status can't have one.
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

    /// The usual success.
    pub(super) fn ok() -> Self {
        Self::success(StatusCode::OK)
    }

    /// Success with another 2xx status.
    pub(super) fn success(status: StatusCode) -> Self {
        Self::new(status, Bytes::from_static(br#"{"status":"ok"}"#))
    }

    /// An error with its reason.
    pub(super) fn error(status: StatusCode, message: &str) -> Self {
        Self::json(
            status,
            &ErrorBody {
                status: "error",
                message,
            },
        )
    }

    /// What a refusal is answered with.
    pub(super) fn refusal(refusal: &Refusal) -> Self {
        let mut answer = Self::error(refusal.status(), &refusal.to_string());
        match refusal {
            Refusal::MethodNotAllowed { allowed } => answer.header = Some((ALLOW, allowed)),
            Refusal::TooMany => answer.header = Some((RETRY_AFTER, "1")),
            Refusal::InProgress { status } if status.is_server_error() => {
                answer.header = Some((RETRY_AFTER, "1"));
            }
            _ => {}
        }
        answer
    }

    /// Sends the client elsewhere, which is no business of a webhook.
    pub(super) fn redirect(path: &'static str) -> Self {
        Self {
            header: Some((LOCATION, path)),
            ..Self::new(StatusCode::FOUND, Bytes::new())
        }
    }

    /// The same answer with another body, where its status can have one.
    pub(super) fn with_body(self, body: impl Into<Bytes>) -> Self {
        Self {
            header: self.header,
            ..Self::new(self.status, body)
        }
    }

    /// The same answer with this header in place of the one that it had.
    pub(super) fn with_header(self, name: HeaderName, value: &'static str) -> Self {
        Self {
            header: Some((name, value)),
            ..self
        }
    }

    /// Any JSON.
    pub(super) fn json(status: StatusCode, value: &impl Serialize) -> Self {
        match serde_json::to_vec(value) {
            Ok(body) => Self::new(status, body),
            // Only a type that can't be JSON ends here, and none is handed in.
            Err(_) => Self::new(StatusCode::INTERNAL_SERVER_ERROR, Bytes::new()),
        }
    }

    /// The HTTP response.
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

/// Whether HTTP lets a response of this status have content (RFC 9110, 15.3.5, 15.3.6, 15.4.5).
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
        let answer = Answer::error(StatusCode::BAD_REQUEST, "\"\n\u{0}");
        assert_eq!(
            answer.body,
            &br#"{"status":"error","message":"\"\n\u0000"}"#[..]
        );
    }

    #[test]
    fn a_status_without_content_has_none() {
        for status in [204, 205, 304] {
            let status = StatusCode::from_u16(status).expect("a status");
            assert!(Answer::success(status).body.is_empty());
        }
    }
}
