//! The JSON body of a request.

use axum::extract::{FromRequest, Request};
use axum::response::{IntoResponse as _, Response};
use bytes::Bytes;
use http::{HeaderMap, header};
use serde_json::{Map, Value};

use super::fields::{Mistake, not_an_object};
use super::refusal::Detail;
use crate::serve::error::{FieldProblem, HubError, Location};

/// A body that is a JSON object.
#[derive(Debug)]
pub(super) struct JsonObject(pub(super) Map<String, Value>);

impl<S: Send + Sync> FromRequest<S> for JsonObject {
    type Rejection = Response;

    async fn from_request(request: Request, state: &S) -> Result<Self, Response> {
        // A form of another site can't have this type, so the browser asks first.
        if !is_json(request.headers()) {
            let message = "send JSON with `Content-Type: application/json`".to_owned();
            return Err(Detail::from(invalid((message, "type_error.dict"))).into_response());
        }
        let body = Bytes::from_request(request, state).await;
        let body = body.map_err(|rejection| {
            Detail::new(rejection.status(), &rejection.body_text()).into_response()
        })?;
        object(&body).map_err(|error| Detail::from(error).into_response())
    }
}

fn is_json(headers: &HeaderMap) -> bool {
    let content_type = headers.get(header::CONTENT_TYPE);
    let content_type = content_type.and_then(|value| value.to_str().ok());
    let media_type = content_type.and_then(|value| value.split(';').next());
    media_type.is_some_and(|media_type| media_type.trim().eq_ignore_ascii_case("application/json"))
}

fn object(body: &[u8]) -> Result<JsonObject, HubError> {
    let mistake = match serde_json::from_slice(body) {
        Ok(Value::Object(entries)) => return Ok(JsonObject(entries)),
        Ok(_) => not_an_object(),
        Err(error) => (error.to_string(), "value_error.jsondecode"),
    };
    Err(invalid(mistake))
}

fn invalid((msg, kind): Mistake) -> HubError {
    let loc = vec![Location::Key("body".to_owned())];
    HubError::Invalid(vec![FieldProblem { loc, msg, kind }])
}
