//! Errors as Aghanim's API has them: `{"detail": …}`. `[P]`

use axum::response::{IntoResponse, Response};
use http::{HeaderValue, StatusCode, header};
use serde_json::{Value, json};

use crate::serve::error::HubError;

/// An error response.
#[derive(Debug)]
pub(in crate::serve) struct Detail {
    status: StatusCode,
    detail: Value,
}

impl Detail {
    pub(super) fn new(status: StatusCode, message: &str) -> Self {
        let detail = message.into();
        Self { status, detail }
    }
}

impl IntoResponse for Detail {
    fn into_response(self) -> Response {
        let mut response = json_response(self.status, &json!({ "detail": self.detail }));
        if self.status == StatusCode::UNAUTHORIZED {
            let scheme = HeaderValue::from_static("Bearer");
            response
                .headers_mut()
                .insert(header::WWW_AUTHENTICATE, scheme);
        }
        response
    }
}

impl From<HubError> for Detail {
    fn from(error: HubError) -> Self {
        let status = error.status();
        let detail = match &error {
            HubError::Invalid(problems) => json!(problems),
            _ => error.to_string().into(),
        };
        Self { status, detail }
    }
}

/// A response with JSON.
pub(super) fn json_response(status: StatusCode, body: &Value) -> Response {
    let content_type = (header::CONTENT_TYPE, "application/json");
    (status, [content_type], body.to_string()).into_response()
}

pub(super) async fn not_found() -> Detail {
    Detail::new(StatusCode::NOT_FOUND, "Not Found")
}

pub(super) async fn method_not_allowed() -> Detail {
    Detail::new(StatusCode::METHOD_NOT_ALLOWED, "Method Not Allowed")
}
